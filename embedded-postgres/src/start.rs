//! From settings to a running server.

use crate::account::Account;
use crate::binaries::Binaries;
use crate::cluster;
use crate::directory::DataDirectory;
use crate::error::StartError;
use crate::launch::Postmaster;
use crate::pid_file::{self, PidFile};
use crate::server::{Process, Server};
use crate::settings::{self, PortChoice, Settings};
use crate::socket;
use std::thread;
use std::time::{Duration, Instant};

/// How long another launcher's server may take to become ready, or to be gone.
const OTHERS_DEADLINE: Duration = Duration::from_secs(180);

/// Starts the server of a data directory, making its cluster when it is new, or adopts the one
/// that another process has running on it. Returns when connections are taken.
///
/// # Errors
/// See [`StartError`]; nothing is left running.
pub fn start(settings: Settings) -> Result<Server, StartError> {
    settings::check_extra(&settings.extra_settings)?;
    let account = Account::for_cluster(&DataDirectory::cluster_of(&settings.data_dir))?;
    let data = DataDirectory::open(&settings.data_dir, &account)?;
    let _starting = data.lock(&account)?;

    let made_by = cluster::major(&data, &account)?;
    let running = wait_for_other(&data, settings.port)?;
    let binaries = Binaries::find(&settings, &account, &data.cluster(), made_by)?;
    if let Some(running) = running {
        let password = cluster::password(&data)?;
        let (socket_dir, port) = (running.socket_dir.clone(), running.port);
        return Ok(Server {
            data,
            binaries,
            socket_dir,
            port,
            password,
            process: Process::Adopted(running),
        });
    }

    let port = settings.port.number();
    let socket_dir = socket::make_directory(&data, &account, port)?;
    if made_by.is_none() {
        cluster::initialize(&data, &account, &binaries, settings.socket)?;
    }
    let password = cluster::password(&data)?;
    pid_file::disarm(&data.cluster())?;
    socket::clear(&socket_dir, port)?;
    let named = socket_dir
        .to_str()
        .expect("a socket directory is only chosen when it is text");
    let postmaster = Postmaster::launch(&data, &account, &binaries, &settings, named)?;
    Ok(Server {
        data,
        binaries,
        socket_dir,
        port,
        password,
        process: Process::Started(postmaster),
    })
}

/// The living server of the cluster once it takes connections; none when there is none, or once
/// one that was ending is gone.
fn wait_for_other(data: &DataDirectory, wanted: PortChoice) -> Result<Option<PidFile>, StartError> {
    let in_use = |reason| StartError::DirectoryInUse {
        directory: data.root().to_path_buf(),
        reason,
    };
    let cluster = data.cluster();
    let deadline = Instant::now() + OTHERS_DEADLINE;
    loop {
        let Some(file) = PidFile::read(&cluster).filter(|file| file.is_alive(&cluster)) else {
            return Ok(None);
        };
        if file.answers() {
            if let PortChoice::Loopback(port) = wanted
                && port != file.port
            {
                let reason = format!(
                    "a server started on port {} (process {}) runs in it",
                    file.port, file.pid
                );
                return Err(in_use(reason));
            }
            return Ok(Some(file));
        }
        if Instant::now() > deadline {
            return Err(in_use(format!(
                "process {} runs in it and takes no connections",
                file.pid
            )));
        }
        thread::sleep(Duration::from_millis(10));
    }
}
