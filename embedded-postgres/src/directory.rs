//! The data directory and what lies where in it.

use crate::account::Account;
use crate::error::StartError;
use nix::libc::O_NOFOLLOW;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// A log longer than this is set aside at the next start; one old log is kept.
const LONGEST_LOG: u64 = 16 << 20;
/// How much of the log an error quotes.
const TAIL: u64 = 4 << 10;
/// Longer than a start may take, so that a second launcher outwaits a first that is recovering.
const LOCK_DEADLINE: Duration = Duration::from_secs(240);

/// The directory that a server's cluster, socket, log and password are in.
///
/// As root it stays root's, and only what Postgres itself writes is handed to its user.
#[derive(Debug, Clone)]
pub(crate) struct DataDirectory {
    root: PathBuf,
}

impl DataDirectory {
    /// Where the cluster of a data directory is, before it is opened.
    pub(crate) fn cluster_of(root: &Path) -> PathBuf {
        root.join("postgres")
    }

    /// Makes the directory when absent, and sees that the account can reach it.
    pub(crate) fn open(root: &Path, account: &Account) -> Result<DataDirectory, StartError> {
        let absolute = std::path::absolute(root).map_err(|e| StartError::at("name", root, e))?;
        if !absolute.exists() {
            if let Some(nearest) = absolute.ancestors().find(|above| above.is_dir()) {
                account.check_reach(nearest)?;
            }
            if let Some(parent) = absolute.parent() {
                fs::create_dir_all(parent).map_err(|e| StartError::at("make", parent, e))?;
            }
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&absolute);
            made.map_err(|e| StartError::at("make", &absolute, e))?;
        }
        let root = fs::canonicalize(&absolute).map_err(|e| StartError::at("read", &absolute, e))?;
        let found = fs::metadata(&root).map_err(|e| StartError::at("read", &root, e))?;
        if !found.is_dir() {
            return Err(StartError::NotOurs {
                directory: root,
                reason: "it is no directory".into(),
            });
        }
        // A directory closed to all but root is opened to the user's group, for passing through only.
        if account.steps_down && found.uid() == 0 && found.mode() & 0o077 == 0 {
            chown(&root, None, Some(account.gid)).map_err(|e| StartError::at("chown", &root, e))?;
            fs::set_permissions(&root, Permissions::from_mode(0o710))
                .map_err(|e| StartError::at("open", &root, e))?;
        }
        account.check_reach(&root)?;
        Ok(DataDirectory { root })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn cluster(&self) -> PathBuf {
        DataDirectory::cluster_of(&self.root)
    }

    /// A cluster that `initdb` has not finished.
    pub(crate) fn unfinished_cluster(&self) -> PathBuf {
        self.root.join("postgres.unfinished")
    }

    pub(crate) fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    pub(crate) fn secrets(&self) -> PathBuf {
        self.root.join("secrets")
    }

    pub(crate) fn password(&self) -> PathBuf {
        self.secrets().join("postgres-password")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("postgres.log")
    }

    /// Waits until no other launcher is starting a server here. The lock ends with the file, or
    /// with the process.
    pub(crate) fn lock(&self, account: &Account) -> Result<File, StartError> {
        let path = self.root.join("postgres.lock");
        let file = open_own(&path, OpenOptions::new().write(true), account)?;
        let deadline = Instant::now() + LOCK_DEADLINE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(e)) => return Err(StartError::at("lock", &path, e)),
                Err(TryLockError::WouldBlock) if Instant::now() > deadline => {
                    let reason = "another process has been starting a server in it for minutes".into();
                    return Err(StartError::DirectoryInUse {
                        directory: self.root.clone(),
                        reason,
                    });
                }
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// The log, opened for appending, and its length so far.
    pub(crate) fn open_log(&self, account: &Account) -> Result<(File, u64), StartError> {
        let path = self.log();
        if fs::symlink_metadata(&path).is_ok_and(|found| found.len() > LONGEST_LOG) {
            let old = self.root.join("postgres.log.1");
            fs::rename(&path, &old).map_err(|e| StartError::at("rename", &path, e))?;
        }
        let file = open_own(&path, OpenOptions::new().append(true), account)?;
        let length = file
            .metadata()
            .map_err(|e| StartError::at("read", &path, e))?
            .len();
        Ok((file, length))
    }

    /// The last lines of the log after `from`.
    pub(crate) fn log_tail(&self, from: u64) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let mut log = File::open(self.log())?;
            let length = log.metadata()?.len();
            log.seek(SeekFrom::Start(from.max(length.saturating_sub(TAIL))))?;
            let mut tail = Vec::new();
            log.take(TAIL).read_to_end(&mut tail)?;
            Ok(tail)
        };
        match read() {
            Ok(tail) => String::from_utf8_lossy(&tail).trim_end().to_owned(),
            Err(error) => format!("{} cannot be read: {error}", self.log().display()),
        }
    }
}

/// Opens, or makes for the account, a file of mode 0600. Links are not followed: root may be
/// working in a directory of another user.
fn open_own(path: &Path, options: &mut OpenOptions, account: &Account) -> Result<File, StartError> {
    options.mode(0o600).custom_flags(O_NOFOLLOW);
    let opened = match options.clone().create_new(true).open(path) {
        Ok(made) => account.give_file(&made).map(|()| made),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => options.open(path),
        Err(e) => Err(e),
    };
    opened.map_err(|e| StartError::at("open", path, e))
}

/// Makes a directory that only the account may enter, or sees that the one there is such.
pub(crate) fn make_private(path: &Path, account: &Account) -> Result<(), StartError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => account.give(path),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            let found = fs::symlink_metadata(path).map_err(|e| StartError::at("read", path, e))?;
            let reason = if !found.is_dir() {
                "it is no directory"
            } else if account.steps_down && found.uid() == 0 {
                // Root was interrupted between making it and handing it over.
                return account.give(path);
            } else if found.uid() != account.uid {
                "it belongs to another user"
            } else if found.mode() & 0o077 != 0 {
                "other users may enter it"
            } else {
                return Ok(());
            };
            Err(StartError::NotOurs {
                directory: path.to_path_buf(),
                reason: reason.into(),
            })
        }
        Err(e) => Err(StartError::at("make", path, e)),
    }
}

/// Makes the names in a directory survive a power cut.
pub(crate) fn sync_directory(path: &Path) -> Result<(), StartError> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(|e| StartError::at("sync", path, e))
}
