//! Password hashes: Argon2id, computed off the async threads and never more than two at once.

use std::sync::Arc;

use anyhow::anyhow;
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

/// The shortest and the longest password, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 12..=200;

/// How many passwords wait at most to be hashed or checked; one more is turned away, and may be sent again.
const QUEUE: usize = 512;

/// Why a password cannot be set or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("a password has {} to {} characters", LENGTH.start(), LENGTH.end())]
    BadLength,
    /// Hashing or keeping it failed.
    #[error("the password cannot be kept now")]
    Unavailable(#[source] anyhow::Error),
}

impl PasswordError {
    /// Refuses a password that is too short or too long.
    pub(super) fn check(password: &str) -> Result<(), Self> {
        if LENGTH.contains(&password.chars().count()) {
            Ok(())
        } else {
            Err(Self::BadLength)
        }
    }
}

/// Hashes and checks passwords.
#[derive(Clone)]
pub(super) struct Passwords {
    places: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// Hash of a password that nobody has: checking against it takes the time that a real check takes.
    nobody: Arc<str>,
}

impl Passwords {
    pub(super) fn new() -> Self {
        let nobody =
            Argon2::default().hash_password_with_salt(b"nobody has this password", b"a salt for nobody");
        let nobody = nobody
            .expect("the parameters are the crate's defaults")
            .to_string();
        Self {
            places: Arc::new(Semaphore::new(2)),
            queue: Arc::new(Semaphore::new(QUEUE)),
            nobody: nobody.into(),
        }
    }

    pub(super) async fn hash(&self, password: String) -> Result<String, PasswordError> {
        PasswordError::check(&password)?;
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| PasswordError::Unavailable(error.into()))?;
        self.off_thread(move || {
            let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
            hash.map(|hash| hash.to_string())
                .map_err(|error| PasswordError::Unavailable(error.into()))
        })
        .await?
    }

    /// Whether the password is the one of the hash; never, but as slowly, where there is no hash.
    pub(super) async fn check(&self, password: String, hash: Option<String>) -> Result<bool, PasswordError> {
        let nobody = self.nobody.clone();
        self.off_thread(move || {
            let known = hash.is_some() && LENGTH.contains(&password.chars().count());
            // An overlong guess costs no more than a right one.
            let guess: String = password.chars().take(*LENGTH.end()).collect();
            let stored = hash.unwrap_or_else(|| nobody.to_string());
            let right = Argon2::default()
                .verify_password(guess.as_bytes(), stored.as_str())
                .is_ok();
            known && right
        })
        .await
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let full = |_| PasswordError::Unavailable(anyhow!("too many passwords are being checked"));
        let _queued = self.queue.try_acquire().map_err(full)?;
        let place = self.places.clone().acquire_owned().await;
        let place = place.expect("the semaphore is never closed");
        // The place is kept until the work is done, also when whoever asked for it has gone away.
        let placed = move || {
            let _place = place;
            work()
        };
        tokio::task::spawn_blocking(placed)
            .await
            .map_err(|error| PasswordError::Unavailable(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognised_and_another_is_not() {
        let passwords = Passwords::new();
        let hash = passwords.hash("hibachi-demo-1".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(
            passwords
                .check("hibachi-demo-1".to_owned(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .check("hibachi-demo-2".to_owned(), Some(hash))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .check("nobody has this password".to_owned(), None)
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn a_password_that_is_too_short_or_too_long_is_not_set() {
        let passwords = Passwords::new();
        for password in ["short", &"x".repeat(201)] {
            assert!(matches!(
                passwords.hash(password.to_owned()).await,
                Err(PasswordError::BadLength)
            ));
        }
    }
}
