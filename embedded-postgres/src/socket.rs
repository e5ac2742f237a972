//! The directory of the Unix socket.

use crate::account::Account;
use crate::directory::{DataDirectory, make_private};
use crate::error::StartError;
use sha2::{Digest, Sha256};
use std::env;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The kernel's limit less the closing zero: 108 bytes on Linux, 104 on macOS.
pub(crate) const LONGEST_SOCKET_PATH: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The socket that a server on `port` has in `directory`.
pub(crate) fn path(directory: &Path, port: u16) -> PathBuf {
    directory.join(format!(".s.PGSQL.{port}"))
}

/// Makes the private directory for the socket: in the data directory, or, when that has too long
/// a path for a socket, in the user's or the machine's directory for short-lived files.
pub(crate) fn make_directory(
    data: &DataDirectory,
    account: &Account,
    port: u16,
) -> Result<PathBuf, StartError> {
    // libpq would take a comma in a host for a list of hosts.
    let speakable = |directory: &Path| directory.to_str().is_some_and(|text| !text.contains(','));
    let fits = |directory: &Path| {
        path(directory, port).as_os_str().len() <= LONGEST_SOCKET_PATH && speakable(directory)
    };
    let beside = data.run();
    if fits(&beside) {
        make_private(&beside, account)?;
        return Ok(beside);
    }
    let digest = Sha256::digest(data.root().as_os_str().as_bytes());
    let name = format!("hibachi-{}", hex::encode(&digest[..8]));
    let own = env::var_os("XDG_RUNTIME_DIR")
        .filter(|_| !account.steps_down)
        .map(PathBuf::from);
    let mut last = beside;
    for above in own
        .into_iter()
        .filter(|own| own.is_dir())
        .chain([env::temp_dir()])
    {
        last = above.join(&name);
        if fits(&last) {
            account.check_reach(&above)?;
            make_private(&last, account)?;
            return Ok(last);
        }
    }
    Err(StartError::PathTooLong { directory: last })
}

/// Removes what a server that was killed left behind. Only called when no postmaster of the
/// cluster lives, and in a directory that nothing else puts a socket into.
pub(crate) fn clear(directory: &Path, port: u16) -> Result<(), StartError> {
    let socket = path(directory, port);
    for stale in [socket.with_extension(format!("{port}.lock")), socket] {
        match fs::remove_file(&stale) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(StartError::at("remove", &stale, e)),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_named_after_the_socket() {
        let socket = path(Path::new("/run/x"), 5432);
        assert_eq!(
            socket.with_extension("5432.lock"),
            Path::new("/run/x/.s.PGSQL.5432.lock")
        );
    }
}
