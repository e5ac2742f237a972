//! The master keys: where they lie, and how one takes the place of another.
//!
//! In the secrets' directory `master-key` is the key. While a rotation runs, `master-key.next` is the one that will be, and
//! near its end `master-key.previous` the one that was; each step leaves every key in its place that any row may
//! still be wrapped by. In the environment `HIBACHI_MASTER_KEY` is the newest and `HIBACHI_MASTER_KEY_PREVIOUS` the
//! one before it.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use event_log::{KeyRing, MasterKey, MasterKeys};

use super::{make_secret, parse_secret, secret};

const NEWEST: &str = "HIBACHI_MASTER_KEY";
const PREVIOUS: &str = "HIBACHI_MASTER_KEY_PREVIOUS";

/// Where an installation's master keys are.
#[derive(Debug)]
pub struct MasterKeyPlace {
    directory: PathBuf,
}

/// A rotation, to be gone through in order. Only one is on its way over a directory at a time.
#[derive(Debug)]
pub struct Rotation<'a> {
    place: &'a MasterKeyPlace,
    /// Held as long as the rotation goes on; none where the environment holds the keys.
    lock: Option<File>,
}

impl MasterKeyPlace {
    /// Whether there is a key, in the environment or the directory of secrets.
    ///
    /// # Errors
    /// When what is there is no key, or cannot be read.
    pub(super) fn has_key(directory: &Path) -> Result<bool> {
        let place = Self {
            directory: directory.to_owned(),
        };
        Ok(in_environment(NEWEST)?.is_some() || place.file("master-key")?.is_some())
    }

    /// The place in a directory of secrets; the first key is made where there is none.
    ///
    /// # Errors
    /// When a key is not one, or the directory cannot be read.
    pub(super) fn open(directory: &Path) -> Result<Self> {
        let place = Self {
            directory: directory.to_owned(),
        };
        if in_environment(NEWEST)?.is_none() {
            secret(directory, "master-key", NEWEST)?;
        }
        place.ring()?;
        Ok(place)
    }

    fn ring(&self) -> Result<KeyRing> {
        if let Some(newest) = in_environment(NEWEST)? {
            return Ok(KeyRing::new(newest, in_environment(PREVIOUS)?));
        }
        // In this order, so that a key that is moved meanwhile is met in its new place.
        let next = self.file("master-key.next")?;
        let key = self.file("master-key")?.context("the master key is gone")?;
        let previous = self.file("master-key.previous")?;
        Ok(match next {
            Some(next) => KeyRing::new(next, std::iter::once(key).chain(previous)),
            None => KeyRing::new(key, previous),
        })
    }

    /// Begins a rotation, or takes up one that was broken off.
    ///
    /// # Errors
    /// When another is on its way, or the environment holds a key and none before it.
    pub fn rotate(&self) -> Result<Rotation<'_>> {
        if in_environment(NEWEST)?.is_some() {
            if in_environment(PREVIOUS)?.is_none() {
                bail!(
                    "{NEWEST} is set: set it to the new key, {PREVIOUS} to the one before, restart the servers with \
                     both, and rotate then"
                );
            }
            return Ok(Rotation {
                place: self,
                lock: None,
            });
        }
        let lock = File::open(&self.directory)?;
        if lock.try_lock().is_err() {
            bail!("another rotation is on its way");
        }
        if self.file("master-key.next")?.is_none() && self.file("master-key.previous")?.is_none() {
            make_secret(&self.directory, &self.path("master-key.next"))?;
        }
        Ok(Rotation {
            place: self,
            lock: Some(lock),
        })
    }

    fn file(&self, name: &str) -> Result<Option<MasterKey>> {
        let path = self.path(name);
        match fs::read_to_string(&path) {
            Ok(text) => {
                let bytes = parse_secret(&text)
                    .with_context(|| format!("{} must hold 64 hexadecimal digits", path.display()))?;
                Ok(Some(MasterKey::new(bytes)))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn sync(&self) -> Result<()> {
        Ok(File::open(&self.directory)?.sync_all()?)
    }
}

impl Rotation<'_> {
    /// Makes the next key the key, once every row of every company there was is under it. The key that was stays
    /// beside it.
    ///
    /// # Errors
    /// When a file cannot be moved.
    pub fn promote(&self) -> Result<()> {
        if self.lock.is_none() || self.place.file("master-key.next")?.is_none() {
            return Ok(());
        }
        let (key, previous) = (
            self.place.path("master-key"),
            self.place.path("master-key.previous"),
        );
        match fs::hard_link(&key, &previous) {
            Ok(()) => {}
            // A rotation that was broken off between the two steps has linked it.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).context("cannot keep the previous master key"),
        }
        self.place.sync()?;
        fs::rename(self.place.path("master-key.next"), key).context("cannot move the next master key")?;
        self.place.sync()
    }

    /// Ends the rotation, once no row is under the key that was: that key is deleted.
    ///
    /// # Errors
    /// When its file cannot be deleted.
    pub fn finish(self) -> Result<()> {
        if self.lock.is_none() {
            return Ok(());
        }
        fs::remove_file(self.place.path("master-key.previous"))
            .context("cannot delete the previous master key")?;
        self.place.sync()
    }

    /// Whether the operator has to take the key that was out of the environment.
    pub fn by_environment(&self) -> bool {
        self.lock.is_none()
    }
}

impl MasterKeys for MasterKeyPlace {
    fn read(&self) -> Result<KeyRing, String> {
        self.ring().map_err(|error| format!("{error:#}"))
    }
}

fn in_environment(variable: &str) -> Result<Option<MasterKey>> {
    let Ok(text) = std::env::var(variable) else {
        return Ok(None);
    };
    let bytes = parse_secret(&text).with_context(|| format!("{variable} must be 64 hexadecimal digits"))?;
    Ok(Some(MasterKey::new(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(place: &MasterKeyPlace) -> Vec<String> {
        let ring = place.ring().unwrap();
        ring.keys().iter().map(|key| key.id().to_string()).collect()
    }

    #[test]
    fn a_rotation_broken_off_anywhere_is_taken_up_where_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let place = MasterKeyPlace::open(directory.path()).unwrap();
        let first = names(&place).remove(0);
        drop(place.rotate().unwrap());
        let begun = names(&place);
        assert_eq!((begun.len(), &begun[1]), (2, &first));
        let next = begun[0].clone();
        let rotation = place.rotate().unwrap();
        assert_eq!(names(&place), begun, "the next key is not made again");
        assert!(place.rotate().is_err(), "two at a time");
        // Broken off between the two steps of the promotion.
        fs::hard_link(place.path("master-key"), place.path("master-key.previous")).unwrap();
        assert_eq!(names(&place), [&next, &first, &first].map(String::clone));
        rotation.promote().unwrap();
        drop(rotation);
        assert_eq!(names(&place), [&next, &first].map(String::clone));
        let rotation = place.rotate().unwrap();
        rotation.promote().unwrap();
        assert_eq!(names(&place), [&next, &first].map(String::clone));
        rotation.finish().unwrap();
        assert_eq!(names(&place), [next]);
        assert_eq!(names(&MasterKeyPlace::open(directory.path()).unwrap()).len(), 1);
    }
}
