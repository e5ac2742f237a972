//! A server that runs, and how it is reached.

use crate::binaries::Binaries;
use crate::cluster::SUPERUSER;
use crate::directory::DataDirectory;
use crate::error::StopError;
use crate::launch::Postmaster;
use crate::pid_file::PidFile;
use std::fmt;
use std::path::{Path, PathBuf};

/// A running Postgres. When it was started here, dropping it stops it, and waits for that.
pub struct Server {
    pub(crate) data: DataDirectory,
    pub(crate) binaries: Binaries,
    pub(crate) socket_dir: PathBuf,
    pub(crate) port: u16,
    pub(crate) password: String,
    pub(crate) process: Process,
}

#[derive(Debug)]
pub(crate) enum Process {
    Started(Postmaster),
    Adopted(PidFile),
    Stopped,
}

impl Server {
    /// The private directory that the Unix socket is in.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The port that names the socket, and that is listened on if that was asked for.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name of the superuser.
    pub fn superuser(&self) -> &str {
        SUPERUSER
    }

    /// The superuser's password: a secret, made with the cluster.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Whether another process started the server; it then ends when that process ends.
    pub fn adopted(&self) -> bool {
        matches!(self.process, Process::Adopted(_))
    }

    /// The major version of Postgres.
    pub fn version_major(&self) -> u32 {
        self.binaries.major
    }

    /// The directory of the programs that run it.
    pub fn binaries(&self) -> &Path {
        &self.binaries.directory
    }

    /// The file that the server logs to.
    pub fn log(&self) -> PathBuf {
        self.data.log()
    }

    /// The process id of the postmaster.
    pub fn pid(&self) -> Option<i32> {
        match &self.process {
            Process::Started(postmaster) => Some(postmaster.pid().as_raw()),
            Process::Adopted(file) => Some(file.pid.as_raw()),
            Process::Stopped => None,
        }
    }

    /// A URL for the superuser, password included, that libpq and sqlx understand alike.
    pub fn url(&self, database: &str) -> String {
        let socket_dir = self
            .socket_dir
            .to_str()
            .expect("a socket directory is only chosen when it is text");
        format!(
            "postgres://{SUPERUSER}:{}@localhost/{}?host={}&port={}",
            percent_encoded(&self.password),
            percent_encoded(database),
            percent_encoded(socket_dir),
            self.port
        )
    }

    /// A line to paste into a shell, as root or as the owner of the data directory. It names the
    /// password's file and not the password, which would stay in the shell's history.
    pub fn psql_command(&self, database: &str) -> String {
        let own = self.binaries.program("psql");
        let psql = if own.is_file() { own } else { PathBuf::from("psql") };
        format!(
            "PGPASSWORD=\"$(cat {})\" {} -h {} -p {} -U {SUPERUSER} {}",
            quoted(&self.data.password().to_string_lossy()),
            quoted(&psql.to_string_lossy()),
            quoted(&self.socket_dir.to_string_lossy()),
            self.port,
            quoted(database)
        )
    }

    /// That the server still runs.
    ///
    /// # Errors
    /// `StoppedUnexpectedly`, with the end of the log, when it does not.
    pub fn check_running(&mut self) -> Result<(), StopError> {
        let (status, log_start) = match &mut self.process {
            Process::Started(postmaster) => match postmaster.exit() {
                None => return Ok(()),
                ended => (ended, postmaster.log_start),
            },
            Process::Adopted(file) if file.is_alive(&self.data.cluster()) => return Ok(()),
            Process::Adopted(_) | Process::Stopped => (None, 0),
        };
        Err(StopError::StoppedUnexpectedly {
            status,
            log_tail: self.data.log_tail(log_start),
        })
    }

    /// Ends all sessions, and the server, and waits for it; a server that was adopted is left alone.
    ///
    /// # Errors
    /// `StoppedUnexpectedly` when it had ended before or failed to end well, `DidNotStop` when it
    /// outlives its deadlines.
    pub fn stop(mut self) -> Result<(), StopError> {
        if !self.adopted() {
            self.check_running()?;
        }
        self.end()
    }

    fn end(&mut self) -> Result<(), StopError> {
        let Process::Started(mut postmaster) = std::mem::replace(&mut self.process, Process::Stopped) else {
            return Ok(());
        };
        let pid = postmaster.pid().as_raw();
        let status = postmaster.end().ok_or(StopError::DidNotStop { pid })?;
        if !self.socket_dir.starts_with(self.data.root()) {
            // Outside the data directory it would stay behind; when it is not empty it may.
            let _ = std::fs::remove_dir(&self.socket_dir);
        }
        if status.success() {
            return Ok(());
        }
        let log_tail = self.data.log_tail(postmaster.log_start);
        Err(StopError::StoppedUnexpectedly {
            status: Some(status),
            log_tail,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Who wants to know how it ended calls `stop`.
        let _ = self.end();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("data_dir", &self.data.root())
            .field("socket_dir", &self.socket_dir)
            .field("port", &self.port)
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_anything_in_it_survives_a_url_and_a_shell() {
        assert_eq!(percent_encoded("/run/a b%é"), "%2Frun%2Fa%20b%25%C3%A9");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
