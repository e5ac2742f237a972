//! Passwords: which may be set, and their hashes (Argon2id). Both are computed off the async threads, and never more than two at
//! once.

use std::sync::Arc;

use anyhow::anyhow;
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use zxcvbn::zxcvbn;

/// The shortest and the longest password, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 12..=200;

/// Characters that are judged: whoever has to guess these has to guess the whole, and the time that judging takes grows faster
/// than the text: a tenth of a second for the worst of this length.
const JUDGED: usize = 32;

/// How many guesses a password must at least take of somebody who knows what people choose: more than any three words, names
/// or patterns that are tried first do. Who guesses here is locked out after five; this is for the day on which the hashes are
/// somebody else's.
const ENOUGH: u64 = 1_000_000_000;

/// How many passwords wait at most to be hashed or checked; one more is turned away, and may be sent again.
const QUEUE: usize = 512;

/// Why a password cannot be set or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("a password has {} to {} characters", LENGTH.start(), LENGTH.end())]
    BadLength,
    /// It is among the first that somebody tries: a common one, or made of words, names and patterns that are.
    #[error(
        "this password is guessed too easily: it is a common one, or made of names, words and patterns that are tried first; \
         take several words that have nothing to do with each other"
    )]
    TooEasy,
    /// Hashing or keeping it failed.
    #[error("the password cannot be kept now")]
    Unavailable(#[source] anyhow::Error),
}

/// A password that somebody is to have, before it is looked at.
#[derive(Clone)]
pub struct NewPassword {
    /// The password.
    pub password: String,
    /// What others know and would try: names and addresses of the person, the company and the product.
    pub known: Vec<String>,
}

/// A password that may be set.
#[derive(Clone)]
pub struct AcceptedPassword(String);

impl NewPassword {
    /// A password of somebody of a company. The words of its name and of its slug are no secret, nor is what program this is.
    pub fn of_company(password: String, name: &str, slug: &str) -> Self {
        let known = [name, slug, "hibachi"].map(str::to_owned).into();
        Self { password, known }
    }

    /// The same where the person's e-mail is known as well.
    #[must_use]
    pub fn with_email(mut self, email: &str) -> Self {
        self.known.push(email.to_owned());
        self
    }

    fn has_a_length(&self) -> Result<(), PasswordError> {
        if LENGTH.contains(&self.password.chars().count()) {
            Ok(())
        } else {
            Err(PasswordError::BadLength)
        }
    }

    /// Whether it takes enough guesses.
    fn is_hard(&self) -> bool {
        let parts = |known: &String| -> Vec<String> {
            let parts = known.split(|letter: char| !letter.is_alphanumeric());
            parts.map(cut).chain(spellings(known)).collect()
        };
        let tried: Vec<String> = self.known.iter().flat_map(parts).collect();
        let tried: Vec<&str> = tried.iter().map(String::as_str).collect();
        spellings(&self.password)
            .iter()
            .all(|text| zxcvbn(text, &tried).guesses() >= ENOUGH)
    }
}

/// A text as it is, and without what stands between its letters and digits, which is no secret; as much as is judged of each.
fn spellings(text: &str) -> [String; 2] {
    let joined: String = text.chars().filter(|letter| letter.is_alphanumeric()).collect();
    [cut(text), cut(&joined)]
}

fn cut(text: &str) -> String {
    text.chars().take(JUDGED).collect()
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

    /// Looks at a password that somebody is to have.
    pub(super) async fn accept(&self, new: NewPassword) -> Result<AcceptedPassword, PasswordError> {
        new.has_a_length()?;
        self.off_thread(move || {
            if new.is_hard() {
                Ok(AcceptedPassword(new.password))
            } else {
                Err(PasswordError::TooEasy)
            }
        })
        .await?
    }

    /// What is kept of a password.
    pub(super) async fn hash(
        &self,
        AcceptedPassword(password): AcceptedPassword,
    ) -> Result<String, PasswordError> {
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
            // What a panic says is not told: it could say the password.
            .map_err(|_| PasswordError::Unavailable(anyhow!("the work on a password broke off")))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    async fn accepted(password: &str, known: &[&str]) -> Result<AcceptedPassword, PasswordError> {
        let new = NewPassword {
            password: password.to_owned(),
            known: known.iter().map(|word| (*word).to_owned()).collect(),
        };
        Passwords::new().accept(new).await
    }

    #[tokio::test]
    async fn a_password_is_recognised_and_another_is_not() {
        let passwords = Passwords::new();
        let password = accepted("hibachi-demo-1", &[]).await.unwrap();
        let hash = passwords.hash(password).await.unwrap();
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
        for password in ["elevenchars", &"x".repeat(201)] {
            assert!(
                matches!(accepted(password, &[]).await, Err(PasswordError::BadLength)),
                "{password}"
            );
        }
        for password in [
            "k7Qw2mZx9LpV",
            &"a line of verse; ".repeat(11),
            "Gemüse auf der Platte",
        ] {
            assert!(accepted(password, &[]).await.is_ok(), "{password}");
        }
    }

    #[tokio::test]
    async fn a_password_that_is_among_the_first_guesses_is_not_set() {
        let known = [
            "Golden Gate Grill",
            "golden-gate-grill",
            "hibachi",
            "amelie.dubois@example.com",
            "Northern California Catering and Grill",
            "christopher.montgomery@grill-sacramento.example.com",
        ];
        for password in [
            "password1234",
            "qwertyuiop12",
            "123456789012",
            "aaaaaaaaaaaaaaaa",
            "1qaz2wsx3edc4rfv",
            "P@ssw0rd2024",
            "hibachihibachi",
            "golden-gate-grill",
            "goldengategrill1",
            "amelie.dubois",
            "amelie.dubois@example.com",
            "another password",
            "Amelie.Dubois1",
            "hibachi golden grill",
            "golden grill gate",
            "Hibachi2026Grill",
            "Northern California Catering and Grill",
            "christopher.montgomery@grill-sacramento.example.com",
        ] {
            let refused = accepted(password, &known).await;
            assert!(matches!(refused, Err(PasswordError::TooEasy)), "{password}");
        }
        for password in [
            "correct horse battery staple",
            "tr0ub4dor-and-three",
            "k7Qw2mZx9LpV",
        ] {
            assert!(accepted(password, &known).await.is_ok(), "{password}");
        }
    }

    /// Letters that may stand for several others, so that there are many ways to read them; and much that is known.
    #[tokio::test]
    async fn no_password_takes_long_to_be_judged() {
        let known = "a.long-name@of-somebody.example.com ".repeat(7);
        for password in [
            "4@8({[<369&#!1/|0$5+7%2".repeat(8),
            "p4$$w0rd!|".repeat(20),
            "a1".repeat(100),
            "qw".repeat(100),
        ] {
            let (begun, text) = (Instant::now(), password.chars().take(200).collect::<String>());
            let _judged = accepted(&text, &[&known]).await;
            assert!(
                begun.elapsed() < Duration::from_secs(2),
                "{text}: {:?}",
                begun.elapsed()
            );
        }
    }
}
