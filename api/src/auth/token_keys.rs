//! The keys that sign access tokens: one signs, and the one before it is honoured until its tokens have ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{DecodingKey, EncodingKey};
use sha2::Sha256;

/// For how long a running program may go on signing with a key that another has taken the place of.
const READ_AGAIN: Duration = Duration::from_secs(60);

/// How often keys are read again at most because a token names one that is unknown: forged ones cost no more.
const UNKNOWN_AGAIN: Duration = Duration::from_secs(1);

/// How much later than it was retired a key may have signed: twice as long as a program takes to notice.
fn still_signing() -> TimeDelta {
    TimeDelta::seconds(120)
}

/// A key that signs access tokens, and its name.
#[derive(Clone)]
pub struct TokenKey {
    pub(super) kid: String,
    pub(super) encoding: EncodingKey,
    pub(super) decoding: DecodingKey,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl TokenKey {
    /// A key of 32 secret bytes. Its name tells nothing of it.
    pub fn new(secret: &[u8; 32]) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
        mac.update(b"name of a key for access tokens");
        let kid = mac.finalize().into_bytes();
        Self {
            kid: kid.iter().take(8).map(|byte| format!("{byte:02x}")).collect(),
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
        }
    }

    /// Its name, as tokens have it.
    pub fn name(&self) -> &str {
        &self.kid
    }
}

/// A key that signs no more.
#[derive(Debug, Clone)]
pub struct RetiredKey {
    /// The key.
    pub key: TokenKey,
    /// When another took its place; none where only the operator knows.
    pub retired_at: Option<DateTime<Utc>>,
}

/// The keys of now.
#[derive(Debug, Clone)]
pub struct TokenRing {
    /// The one that signs.
    pub newest: TokenKey,
    /// The one before it, while it is honoured.
    pub previous: Option<RetiredKey>,
}

impl TokenRing {
    /// The key of a name.
    pub(super) fn named(&self, kid: &str) -> Option<&TokenKey> {
        let previous = self.previous.as_ref().map(|retired| &retired.key);
        std::iter::once(&self.newest)
            .chain(previous)
            .find(|key| key.kid == kid)
    }

    /// Whether the key of a name may have signed a token at that time.
    pub(super) fn honours(&self, kid: &str, issued_at: DateTime<Utc>) -> bool {
        let in_time = |retired: &RetiredKey| {
            let until = retired.retired_at.map(|at| at + still_signing());
            retired.key.kid == kid && until.is_none_or(|until| issued_at <= until)
        };
        self.newest.kid == kid || self.previous.as_ref().is_some_and(in_time)
    }
}

/// Where the keys are.
pub trait TokenKeys: Send + Sync {
    /// The keys of now.
    ///
    /// # Errors
    /// Why they cannot be read.
    fn read(&self) -> Result<TokenRing, String>;
}

/// One key that never changes: for tests.
impl TokenKeys for [u8; 32] {
    fn read(&self) -> Result<TokenRing, String> {
        Ok(TokenRing {
            newest: TokenKey::new(self),
            previous: None,
        })
    }
}

impl<K: TokenKeys + ?Sized> TokenKeys for Arc<K> {
    fn read(&self) -> Result<TokenRing, String> {
        (**self).read()
    }
}

/// The keys as they were read last, and read again in time.
#[derive(Clone)]
pub(super) struct KnownKeys {
    place: Arc<dyn TokenKeys>,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    ring: Option<(TokenRing, Instant)>,
    /// When they were read last because a token named one that was unknown.
    for_unknown: Option<Instant>,
}

impl KnownKeys {
    pub(super) fn of(place: impl TokenKeys + 'static) -> Self {
        Self {
            place: Arc::new(place),
            known: Arc::default(),
        }
    }

    /// The keys, not older than a program may go without noticing.
    pub(super) fn ring(&self) -> Result<TokenRing, String> {
        let mut known = lock(&self.known);
        match &known.ring {
            Some((ring, read_at)) if read_at.elapsed() < READ_AGAIN => Ok(ring.clone()),
            Some(_) | None => self.read_into(&mut known),
        }
    }

    /// The keys, read again since a token names one that is unknown.
    pub(super) fn ring_with_more(&self) -> Result<TokenRing, String> {
        let mut known = lock(&self.known);
        match &known.ring {
            Some((ring, _)) if known.for_unknown.is_some_and(|at| at.elapsed() < UNKNOWN_AGAIN) => {
                Ok(ring.clone())
            }
            Some(_) | None => {
                known.for_unknown = Some(Instant::now());
                self.read_into(&mut known)
            }
        }
    }

    fn read_into(&self, known: &mut Known) -> Result<TokenRing, String> {
        match (self.place.read(), &known.ring) {
            (Ok(ring), _) => {
                known.ring = Some((ring.clone(), Instant::now()));
                Ok(ring)
            }
            // Those that are known are as good as before.
            (Err(reason), Some((ring, _))) => {
                tracing::warn!(reason, "the keys for access tokens cannot be read again");
                Ok(ring.clone())
            }
            (Err(reason), None) => Err(reason),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
