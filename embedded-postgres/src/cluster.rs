//! The cluster: whether there is one, and how it comes to be.

use crate::account::Account;
use crate::binaries::Binaries;
use crate::directory::{DataDirectory, make_private, sync_directory};
use crate::error::StartError;
use crate::settings::SocketAccess;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// The superuser of every cluster made here.
pub(crate) const SUPERUSER: &str = "hibachi_admin";

/// What `initdb` and the server write when the file system is full.
const FULL: &str = "No space left on device";

/// The major version that made the cluster, or none when there is no cluster yet.
pub(crate) fn major(data: &DataDirectory, account: &Account) -> Result<Option<u32>, StartError> {
    let cluster = data.cluster();
    let not_ours = |reason: &str| StartError::NotOurs {
        directory: data.cluster(),
        reason: reason.into(),
    };
    let found = match fs::symlink_metadata(&cluster) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found.map_err(|e| StartError::at("read", &cluster, e))?,
    };
    if !found.is_dir() {
        return Err(not_ours("it is no directory"));
    }
    if found.uid() != account.uid {
        return Err(not_ours("it belongs to another user"));
    }
    let version = match fs::read_to_string(cluster.join("PG_VERSION")) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let mut entries = fs::read_dir(&cluster).map_err(|e| StartError::at("list", &cluster, e))?;
            return if entries.next().is_none() {
                Ok(None)
            } else {
                Err(not_ours("it holds no cluster"))
            };
        }
        version => version.map_err(|e| StartError::at("read", &cluster, e))?,
    };
    if !data.password().is_file() {
        return Err(not_ours(
            "it was not made here: the superuser's password is not beside it",
        ));
    }
    let major = version
        .trim()
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    major
        .map(Some)
        .ok_or_else(|| not_ours("its PG_VERSION is no version"))
}

/// Makes the cluster under another name, and gives it its own when it is whole and on disk.
pub(crate) fn initialize(
    data: &DataDirectory,
    account: &Account,
    binaries: &Binaries,
    socket: SocketAccess,
) -> Result<(), StartError> {
    make_private(&data.secrets(), account)?;
    ensure_password(data, account)?;
    let unfinished = data.unfinished_cluster();
    remove(&unfinished)?;
    make_private(&unfinished, account)?;

    let result = run_initdb(data, account, binaries, socket, &unfinished);
    if result.is_err() {
        // The reason matters more than what is left of a cluster that never was.
        let _ = fs::remove_dir_all(&unfinished);
    }
    result?;
    let cluster = data.cluster();
    fs::rename(&unfinished, &cluster).map_err(|e| StartError::at("rename", &unfinished, e))?;
    sync_directory(data.root())
}

fn run_initdb(
    data: &DataDirectory,
    account: &Account,
    binaries: &Binaries,
    socket: SocketAccess,
    unfinished: &Path,
) -> Result<(), StartError> {
    let initdb = binaries.program("initdb");
    let output = account
        .command(&initdb)
        .arg("--pgdata")
        .arg(unfinished)
        .arg("--pwfile")
        .arg(data.password())
        .args([
            "--username",
            SUPERUSER,
            "--auth-host=scram-sha-256",
            "--data-checksums",
        ])
        .args(["--auth-local", socket.method()])
        .args(["--encoding=UTF8", "--locale=C", "--no-instructions"])
        .output()
        .map_err(|e| StartError::at("run", &initdb, e))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let output = String::from_utf8_lossy(&said).trim().to_owned();
    Err(full(&output, data).unwrap_or(StartError::InitFailed { output }))
}

/// `DiskFull` when that is what Postgres complained of.
pub(crate) fn full(output: &str, data: &DataDirectory) -> Option<StartError> {
    output.contains(FULL).then(|| StartError::DiskFull {
        directory: data.root().to_path_buf(),
    })
}

/// The superuser's password.
pub(crate) fn password(data: &DataDirectory) -> Result<String, StartError> {
    let path = data.password();
    let text = fs::read_to_string(&path).map_err(|e| StartError::at("read", &path, e))?;
    Ok(text.trim_end().to_owned())
}

/// A start that was cut off before its cluster was whole has left a password: it serves as well.
fn ensure_password(data: &DataDirectory, account: &Account) -> Result<(), StartError> {
    let path = data.password();
    if path.exists() {
        return Ok(());
    }
    let mut secret = [0_u8; 24];
    getrandom::fill(&mut secret).map_err(|e| StartError::at("draw a password for", &path, e.into()))?;
    let draft = path.with_extension("draft");
    remove(&draft)?;
    let write = || -> io::Result<()> {
        let mut file: File = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?;
        account.give_file(&file)?;
        file.write_all(hex::encode(secret).as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&draft, &path)
    };
    write().map_err(|e| StartError::at("write", &path, e))?;
    sync_directory(&data.secrets())
}

fn remove(path: &Path) -> Result<(), StartError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(e) => Err(e),
    };
    match removed {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(StartError::at("remove", path, e)),
        _ => Ok(()),
    }
}
