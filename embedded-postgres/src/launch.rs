//! Starting a postmaster, waiting until it takes connections, and ending it.

use crate::account::Account;
use crate::binaries::Binaries;
use crate::cluster;
use crate::directory::DataDirectory;
use crate::error::StartError;
use crate::pid_file::PidFile;
use crate::settings::{self, Settings};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// Recovery after a crash replays up to a gigabyte of log before the server is ready.
const START_DEADLINE: Duration = Duration::from_secs(180);
/// A fast shutdown writes a checkpoint.
const FAST_DEADLINE: Duration = Duration::from_secs(60);
const IMMEDIATE_DEADLINE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);

/// A postmaster that this process started.
#[derive(Debug)]
pub(crate) struct Postmaster {
    child: Child,
    /// Where its own lines in the log begin.
    pub(crate) log_start: u64,
    /// The thread that started it lives until this goes: its end would be the server's.
    _anchor: Sender<()>,
}

impl Postmaster {
    /// Starts a server and waits until it takes connections.
    pub(crate) fn launch(
        data: &DataDirectory,
        account: &Account,
        binaries: &Binaries,
        settings: &Settings,
        socket_dir: &str,
    ) -> Result<Postmaster, StartError> {
        let (log, log_start) = data.open_log(account)?;
        let program = binaries.program("postgres");
        let mut command = account.command(&program);
        command.arg("-D").arg(data.cluster());
        for (name, value) in settings::of_server(settings, socket_dir) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let (child, anchor) =
            on_a_lasting_thread(command, log).map_err(|e| StartError::at("run", &program, e))?;
        let mut postmaster = Postmaster {
            child,
            log_start,
            _anchor: anchor,
        };
        match postmaster.wait_until_ready(&data.cluster()) {
            Ok(()) => Ok(postmaster),
            Err(NotReady::Ended) => Err(why_it_ended(data, log_start, settings.port.number())),
            Err(NotReady::Late) => {
                postmaster.end();
                Err(why_it_ended(data, log_start, settings.port.number()))
            }
        }
    }

    fn wait_until_ready(&mut self, cluster: &Path) -> Result<(), NotReady> {
        let deadline = Instant::now() + START_DEADLINE;
        let own = self.pid();
        while Instant::now() < deadline {
            if PidFile::read(cluster).is_some_and(|file| file.pid == own && file.ready) {
                return Ok(());
            }
            if self.exit().is_some() {
                return Err(NotReady::Ended);
            }
            thread::sleep(POLL);
        }
        Err(NotReady::Late)
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("the kernel's process numbers are below 2^22"))
    }

    /// How it ended, when it has.
    pub(crate) fn exit(&mut self) -> Option<ExitStatus> {
        self.child
            .try_wait()
            .expect("only this waits for the child, so it is still ours to wait for")
    }

    /// Ends it with a fast shutdown, or, when a session or a disk hangs, with an immediate one,
    /// after which the next start recovers. None when it outlives both.
    pub(crate) fn end(&mut self) -> Option<ExitStatus> {
        [
            (Signal::SIGINT, FAST_DEADLINE),
            (Signal::SIGQUIT, IMMEDIATE_DEADLINE),
        ]
        .into_iter()
        .find_map(|(signal, patience)| self.end_with(signal, patience))
    }

    fn end_with(&mut self, signal: Signal, patience: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + patience;
        let mut status = self.exit();
        if status.is_none() {
            // It has not been waited for, so the number is still its own; a refusal shows as lateness.
            let _ = kill(self.pid(), signal);
        }
        while status.is_none() && Instant::now() < deadline {
            thread::sleep(POLL);
            status = self.exit();
        }
        status
    }
}

enum NotReady {
    Ended,
    Late,
}

/// The parent-death signal is sent when the thread that started the child ends, so that thread
/// waits for the server's end and does nothing else.
fn on_a_lasting_thread(mut command: Command, log: File) -> io::Result<(Child, Sender<()>)> {
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let (started, child) = mpsc::channel();
    let (anchor, released) = mpsc::channel::<()>();
    thread::Builder::new().name("postgres".into()).spawn(move || {
        if started.send(command.spawn()).is_ok() {
            drop(command);
            // Nothing is ever sent: this returns when the other end goes.
            let _ = released.recv();
        }
    })?;
    let child = child.recv().expect("the thread sends before it ends")?;
    Ok((child, anchor))
}

fn why_it_ended(data: &DataDirectory, log_start: u64, port: u16) -> StartError {
    let log_tail = data.log_tail(log_start);
    if log_tail.contains("Address already in use") {
        return StartError::PortOrSocketInUse { port };
    }
    cluster::full(&log_tail, data).unwrap_or(StartError::StartFailed { log_tail })
}
