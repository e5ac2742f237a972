//! The keys that sign access tokens: where they lie, and how one takes the place of another.
//!
//! In the secrets' directory `token-key` is the key, and `token-key.previous` the one before it with the instant at which it
//! was retired on a second line. In the environment `HIBACHI_TOKEN_KEY` is the key and `HIBACHI_TOKEN_KEY_PREVIOUS` the one
//! before it, for as long as the operator leaves it there.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::{make_secret, parse_secret, secret};
use crate::auth::{RetiredKey, TokenKey, TokenKeys, TokenRing};

const NEWEST: &str = "HIBACHI_TOKEN_KEY";
const PREVIOUS: &str = "HIBACHI_TOKEN_KEY_PREVIOUS";

/// How long a retired key may still be needed: a token's life, and what a server takes to notice. In minutes.
const NEEDED_MINS: i64 = 12;

/// Where an installation's keys for access tokens are.
#[derive(Debug)]
pub struct TokenKeyPlace {
    directory: PathBuf,
}

/// What becomes of the key that another takes the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retired {
    /// It is honoured until its tokens have ended: nobody notices.
    Honoured,
    /// It is void at once: somebody else has it. People refresh their access tokens, and need not sign in again.
    Void,
}

impl TokenKeyPlace {
    /// The place in a directory of secrets; the first key is made where there is none.
    ///
    /// # Errors
    /// When a key is not one, or the directory cannot be read.
    pub(super) fn open(directory: &Path) -> Result<Self> {
        secret(directory, "token-key", NEWEST)?;
        let place = Self {
            directory: directory.to_owned(),
        };
        place.ring()?;
        Ok(place)
    }

    fn ring(&self) -> Result<TokenRing> {
        if let Some(newest) = in_environment(NEWEST)? {
            let previous = in_environment(PREVIOUS)?;
            return Ok(TokenRing {
                newest,
                previous: previous.map(|key| RetiredKey {
                    key,
                    retired_at: None,
                }),
            });
        }
        // In this order, so that a key that is retired meanwhile is met in one place or the other.
        let text = fs::read_to_string(self.path("token-key"));
        let text = text.with_context(|| format!("cannot read {}", self.path("token-key").display()))?;
        let newest = TokenKey::new(&parse_secret(&text)?);
        let previous = self.previous()?;
        Ok(TokenRing { newest, previous })
    }

    fn previous(&self) -> Result<Option<RetiredKey>> {
        let path = self.path("token-key.previous");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let (key, retired_at) = text.trim().split_once('\n').unwrap_or((&text, ""));
        let bad = || format!("{} must hold a key and an instant", path.display());
        Ok(Some(RetiredKey {
            key: TokenKey::new(&parse_secret(key).with_context(bad)?),
            retired_at: Some(retired_at.trim().parse().with_context(bad)?),
        }))
    }

    /// Puts a new key in the place of the one that signs; gives its name.
    ///
    /// # Errors
    /// When the environment holds the key, the last rotation was so short a time ago that tokens would be refused which are
    /// still good, or a file cannot be written.
    pub fn rotate(&self, retired: Retired, now: DateTime<Utc>) -> Result<String> {
        if in_environment(NEWEST)?.is_some() {
            bail!(
                "{NEWEST} is set: set it to the new key and {PREVIOUS} to the one before, restart the servers with both, and \
                 take {PREVIOUS} away after {NEEDED_MINS} minutes"
            );
        }
        let lock = File::open(&self.directory)?;
        if lock.try_lock().is_err() {
            bail!("another rotation is on its way");
        }
        let needed = |before: &RetiredKey| {
            let end = before.retired_at.map(|at| at + TimeDelta::minutes(NEEDED_MINS));
            end.is_some_and(|end| now < end)
        };
        if retired == Retired::Honoured && self.previous()?.as_ref().is_some_and(needed) {
            bail!(
                "the key before was retired less than {NEEDED_MINS} minutes ago: its tokens are still good; try again later"
            );
        }
        let (key, next) = (self.path("token-key"), self.path("token-key.next"));
        // What a rotation that was broken off has left is no key yet.
        remove(&next)?;
        let new = make_secret(&self.directory, &next)?;
        match retired {
            Retired::Honoured => self.retire(&fs::read_to_string(&key)?, now)?,
            Retired::Void => remove(&self.path("token-key.previous"))?,
        }
        fs::rename(next, key).context("cannot move the next token key")?;
        self.sync()?;
        Ok(TokenKey::new(&new).name().to_owned())
    }

    /// Keeps a key beside the newest one. Written beside its place and moved there, so that nobody reads half of it.
    fn retire(&self, key: &str, now: DateTime<Utc>) -> Result<()> {
        use std::io::Write;
        let beside = self.path("token-key.previous.new");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        let retired_at = now.to_rfc3339_opts(SecondsFormat::Secs, true);
        file.write_all(format!("{}\n{retired_at}\n", key.trim()).as_bytes())?;
        file.sync_all()?;
        fs::rename(beside, self.path("token-key.previous")).context("cannot keep the previous token key")?;
        self.sync()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn sync(&self) -> Result<()> {
        Ok(File::open(&self.directory)?.sync_all()?)
    }
}

impl TokenKeys for TokenKeyPlace {
    fn read(&self) -> Result<TokenRing, String> {
        self.ring().map_err(|error| format!("{error:#}"))
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot delete {}", path.display())),
    }
}

fn in_environment(variable: &str) -> Result<Option<TokenKey>> {
    let Ok(text) = std::env::var(variable) else {
        return Ok(None);
    };
    let bytes = parse_secret(&text).with_context(|| format!("{variable} must be 64 hexadecimal digits"))?;
    Ok(Some(TokenKey::new(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_new_key_signs_and_the_one_before_is_kept_with_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let place = TokenKeyPlace::open(directory.path()).unwrap();
        let first = place.ring().unwrap();
        assert!(first.previous.is_none());
        let now = at("2026-11-21T00:00:00Z");
        let name = place.rotate(Retired::Honoured, now).unwrap();
        let ring = place.ring().unwrap();
        assert_eq!(ring.newest.name(), name);
        let previous = ring.previous.unwrap();
        assert_eq!(
            (previous.key.name(), previous.retired_at),
            (first.newest.name(), Some(now))
        );
        // So soon after it the key before the previous one would be dropped.
        let soon = at("2026-11-21T00:11:59Z");
        assert!(place.rotate(Retired::Honoured, soon).is_err());
        let later = at("2026-11-21T00:12:00Z");
        place.rotate(Retired::Honoured, later).unwrap();
        assert_eq!(place.ring().unwrap().previous.unwrap().key.name(), name);
    }

    #[test]
    fn a_key_that_somebody_has_is_void_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let place = TokenKeyPlace::open(directory.path()).unwrap();
        let now = at("2026-11-21T00:00:00Z");
        place.rotate(Retired::Honoured, now).unwrap();
        let leaked = place.ring().unwrap();
        place.rotate(Retired::Void, now).unwrap();
        let ring = place.ring().unwrap();
        assert!(ring.previous.is_none());
        assert_ne!(ring.newest.name(), leaked.newest.name());
        // Broken off before the new key had its place.
        fs::write(place.path("token-key.next"), "no key").unwrap();
        place.rotate(Retired::Void, now).unwrap();
    }
}
