//! `postmaster.pid`: what a server says of itself in its cluster.

use crate::error::StartError;
use nix::errno::Errno;
use nix::libc::O_NOFOLLOW;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The protocol's question whether encryption is offered, which needs no password: its length,
/// and 1234.5679 as its code.
const ENCRYPTION_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
const ANSWER_DEADLINE: Duration = Duration::from_secs(5);

/// What the first and the last lines of the file say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: Pid,
    pub(crate) port: u16,
    pub(crate) socket_dir: PathBuf,
    pub(crate) ready: bool,
}

impl PidFile {
    /// The file of a cluster; none when there is none, or when it is not written far enough yet.
    pub(crate) fn read(cluster: &Path) -> Option<PidFile> {
        let text = fs::read_to_string(path(cluster)).ok()?;
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        Some(PidFile {
            pid: first_pid(&text)?,
            port: lines
                .get(3)
                .and_then(|port| port.parse().ok())
                .unwrap_or_default(),
            socket_dir: lines.get(4).map(PathBuf::from).unwrap_or_default(),
            ready: lines.get(7) == Some(&"ready"),
        })
    }

    /// Whether the process named is a living postmaster of this very cluster: after a crash the
    /// number may have passed to anything.
    pub(crate) fn is_alive(&self, cluster: &Path) -> bool {
        kill(self.pid, None) != Err(Errno::ESRCH) && works_in(self.pid, cluster)
    }

    /// Whether it takes connections. That it can be connected to is not enough: the kernel does
    /// that for a postmaster that is stopped, or just being killed.
    pub(crate) fn answers(&self) -> bool {
        let ask = || -> io::Result<()> {
            let mut connection = UnixStream::connect(crate::socket::path(&self.socket_dir, self.port))?;
            connection.set_read_timeout(Some(ANSWER_DEADLINE))?;
            connection.write_all(&ENCRYPTION_REQUEST)?;
            connection.read_exact(&mut [0])
        };
        self.ready && ask().is_ok()
    }
}

fn path(cluster: &Path) -> PathBuf {
    cluster.join("postmaster.pid")
}

/// A single-user backend writes its number negated.
fn first_pid(text: &str) -> Option<Pid> {
    let pid: i32 = text.lines().next()?.trim().trim_start_matches('-').parse().ok()?;
    (pid > 1).then(|| Pid::from_raw(pid))
}

/// A postmaster's working directory is its cluster. A zombie has none.
#[cfg(target_os = "linux")]
fn works_in(pid: Pid, cluster: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|directory| directory == cluster)
}

/// A postmaster is started with its cluster on its command line.
#[cfg(not(target_os = "linux"))]
fn works_in(pid: Pid, cluster: &Path) -> bool {
    let listed = std::process::Command::new("ps")
        .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
        .output();
    listed.is_ok_and(|listed| String::from_utf8_lossy(&listed.stdout).contains(&*cluster.to_string_lossy()))
}

/// Makes the file of a server that was killed harmless. Called when the process it names is gone
/// or is another program.
///
/// Postgres refuses to start while a process with that number lives, even an unrelated one, but
/// not when the number is that of its own parent. So the file gets our number and is not removed:
/// it also names the shared memory, by which Postgres sees backends that outlived their postmaster.
pub(crate) fn disarm(cluster: &Path) -> Result<(), StartError> {
    let path = path(cluster);
    let text = match fs::read_to_string(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        text => text.map_err(|e| StartError::at("read", &path, e))?,
    };
    let done = match (first_pid(&text), text.split_once('\n')) {
        (Some(_), Some((_, rest))) => OpenOptions::new()
            .write(true)
            .truncate(true)
            .custom_flags(O_NOFOLLOW)
            .open(&path)
            .and_then(|mut file| write!(file, "{}\n{rest}", std::process::id())),
        _ => fs::remove_file(&path),
    };
    done.map_err(|e| StartError::at("clear", &path, e))
}
