//! Where a bundle is written: beside its place, until it is whole.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// A directory beside the place of a bundle. Dropped before it is put there, it goes away with what is in it; what a
/// program that was killed has left is swept by the next.
pub(super) struct Place {
    target: PathBuf,
    beside: PathBuf,
    /// Held while the directory is written to.
    _lock: File,
    put: bool,
}

/// Why a bundle cannot be written to a place.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Something is there.
    #[error("{0} is there already, and is no empty directory")]
    Taken(PathBuf),
    /// Another program writes to it.
    #[error("another program is writing {0}")]
    Busy(PathBuf),
    /// The operating system does not let it be written.
    #[error("cannot write {path}: {error}")]
    Io {
        /// What could not be written.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

fn at(path: &Path) -> impl Fn(io::Error) -> PlaceError {
    let path = path.to_owned();
    move |error| PlaceError::Io {
        path: path.clone(),
        error,
    }
}

impl Place {
    pub(super) fn take(target: &Path) -> Result<Self, PlaceError> {
        let taken = || PlaceError::Taken(target.to_owned());
        match fs::read_dir(target) {
            Ok(mut found) => found.next().is_none().then_some(()).ok_or_else(taken)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(taken()),
            Err(error) => return Err(at(target)(error)),
        }
        let name = target.file_name().ok_or_else(taken)?;
        let mut beside = name.to_owned();
        beside.push(".part");
        let beside = target.with_file_name(beside);
        match fs::create_dir(&beside) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(at(&beside)(error)),
        }
        let lock = File::open(&beside).map_err(at(&beside))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PlaceError::Busy(target.to_owned())),
            Err(TryLockError::Error(error)) => return Err(at(&beside)(error)),
        }
        for left in fs::read_dir(&beside).map_err(at(&beside))? {
            let left = left.map_err(at(&beside))?.path();
            fs::remove_file(&left).map_err(at(&left))?;
        }
        Ok(Self {
            target: target.to_owned(),
            beside,
            _lock: lock,
            put: false,
        })
    }

    pub(super) fn directory(&self) -> &Path {
        &self.beside
    }

    /// Puts the whole of it into its place.
    pub(super) fn put(mut self) -> Result<(), PlaceError> {
        fs::rename(&self.beside, &self.target).map_err(at(&self.target))?;
        self.put = true;
        let parent = self
            .target
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        File::open(parent)
            .and_then(|parent| parent.sync_all())
            .map_err(at(parent))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.put {
            // What is told is why there is no bundle; the next one sweeps what stays.
            fs::remove_dir_all(&self.beside).ok();
        }
    }
}
