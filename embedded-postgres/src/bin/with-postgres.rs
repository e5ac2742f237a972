//! Runs a command with a private Postgres, and ends with the command's own exit code.
//!
//! `with-postgres [--data-dir DIR] [--setting NAME=VALUE]... -- COMMAND ARGUMENTS...`
//!
//! The command finds the server's URL in `HIBACHI_TEST_POSTGRES`. Without `--data-dir` the
//! server lives in a temporary directory that is removed afterwards, and takes any password of whoever
//! reaches its socket: its user and root. SIGTERM and SIGHUP are
//! passed on to the command, and SIGINT too unless a terminal has already sent it one. Exit codes
//! of its own: 2 for a wrong use, 125 when there is no server, 127 when the command cannot be run.

use embedded_postgres::{Settings, SocketAccess, start};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpgrp, tcgetpgrp};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::env;
use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::thread;
use std::time::Duration;

const USAGE: &str = "usage: with-postgres [--data-dir DIR] [--setting NAME=VALUE]... -- COMMAND ARGUMENTS...";
const WRONG_USE: u8 = 2;
const NO_SERVER: u8 = 125;
const NO_COMMAND: u8 = 127;

struct Wish {
    data_dir: Option<PathBuf>,
    settings: Vec<(String, String)>,
    command: OsString,
    arguments: Vec<OsString>,
}

/// What to say before ending, and the code to end with.
struct Failure(u8, String);

fn main() -> ExitCode {
    run().unwrap_or_else(|Failure(code, reason)| {
        // With standard error closed there is nobody left to tell.
        let _ = writeln!(io::stderr(), "with-postgres: {reason}");
        ExitCode::from(code)
    })
}

fn run() -> Result<ExitCode, Failure> {
    let wish = read(env::args_os().skip(1)).ok_or_else(|| Failure(WRONG_USE, USAGE.into()))?;
    // Before the server is started, so that a signal never ends us and leaves its directory.
    let mut signals =
        Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(|e| Failure(NO_SERVER, e.to_string()))?;
    let mut temporary = None;
    let socket = match wish.data_dir {
        Some(_) => SocketAccess::Password,
        None => SocketAccess::AnyPassword,
    };
    let data_dir = match wish.data_dir {
        Some(directory) => directory,
        None => {
            let made = tempfile::Builder::new()
                .prefix("hibachi-")
                .permissions(Permissions::from_mode(0o700))
                .tempdir();
            let made = made.map_err(|e| Failure(NO_SERVER, format!("no temporary directory: {e}")))?;
            temporary.insert(made).path().to_path_buf()
        }
    };
    let server = start(Settings {
        socket,
        extra_settings: wish.settings,
        ..Settings::new(data_dir)
    })
    .map_err(|e| Failure(NO_SERVER, e.to_string()))?;

    let url = server.url("postgres");
    let started = Command::new(&wish.command)
        .args(&wish.arguments)
        .env("HIBACHI_TEST_POSTGRES", url)
        .spawn();
    let ended = match started {
        Ok(child) => wait(child, &mut signals).map_err(|e| Failure(NO_SERVER, e.to_string())),
        Err(e) => Err(Failure(
            NO_COMMAND,
            format!("cannot run {}: {e}", wish.command.display()),
        )),
    };
    let stopped = server.stop();
    let status = ended?;
    stopped.map_err(|e| Failure(NO_SERVER, e.to_string()))?;
    Ok(code_of(status))
}

fn read(mut arguments: impl Iterator<Item = OsString>) -> Option<Wish> {
    let (mut data_dir, mut settings) = (None, Vec::new());
    loop {
        let option = arguments.next()?;
        if option == "--" {
            let command = arguments.next()?;
            return Some(Wish {
                data_dir,
                settings,
                command,
                arguments: arguments.collect(),
            });
        }
        let value = arguments.next()?;
        if option == "--data-dir" {
            data_dir = Some(PathBuf::from(value));
        } else if option == "--setting" {
            let (name, value) = value.to_str()?.split_once('=')?;
            settings.push((name.to_owned(), value.to_owned()));
        } else {
            return None;
        }
    }
}

/// Passing signals on and waiting share this one loop, so a signal never reaches a number that
/// is no longer the command's.
fn wait(mut child: Child, signals: &mut Signals) -> io::Result<ExitStatus> {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("the kernel's process numbers are below 2^22"));
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        for number in signals.pending() {
            if number != SIGINT || !in_foreground() {
                kill(pid, Signal::try_from(number)?)?;
            }
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a terminal's Ctrl-C reaches the command without us; a second SIGINT means "at once"
/// to many programs.
fn in_foreground() -> bool {
    File::open("/dev/tty").is_ok_and(|terminal| tcgetpgrp(terminal) == Ok(getpgrp()))
}

fn code_of(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}
