//! Personal data: sealed before it enters an event, open to whoever holds its subject's key, and gone for
//! everybody when that key is destroyed.
//!
//! A data key is read from the database for each question and kept nowhere else: what one program erases is
//! gone for all of them at once.

mod moving;
mod rotation;
mod subject_keys;
mod tenant_keys;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chrono::{DateTime, Utc};
use domain::envelope::{Sealed, StreamId};
use domain::ids::{SubjectId, TenantId};
use sqlx::Row;
use sqlx::postgres::PgRow;
use zeroize::Zeroizing;

use crate::database::Database;
use crate::error::LogError;
use crate::keys::{Entropy, KeyId, KeyRing, MasterKey, MasterKeys, Purpose, keyed_hash, length_prefixed};
use crate::seal::SealingKey;

pub use moving::{WrappedState, WrappedSubjectKey, WrappedTenantKeys};
pub use rotation::KeyUse;
use subject_keys::{State, StoredKey};
use tenant_keys::TenantKeys;

/// A sealed value, opened as far as it still can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// Its text.
    Text(String),
    /// The person was erased: nobody can read it any more.
    Erased,
}

/// A sealed value and where it stands, for opening many at once.
#[derive(Debug, Clone, Copy)]
pub struct SealedField<'a> {
    /// The stream whose event holds it.
    pub stream: &'a StreamId,
    /// The field's name in the event.
    pub field: &'a str,
    /// The value.
    pub sealed: &'a Sealed,
}

/// What became of a person's data key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectKey {
    /// It is there.
    Living(KeyId),
    /// It was destroyed, and the person never gets another.
    Destroyed {
        /// When.
        at: DateTime<Utc>,
    },
}

/// The name of the key that a value is sealed under.
///
/// # Errors
/// [`LogError::Unopenable`] when it is no sealed value.
pub fn sealed_under(sealed: &Sealed) -> Result<KeyId, LogError> {
    Ok(parts(sealed)?.0)
}

/// Seals and opens personal data, and makes keyed hashes of it.
#[derive(Clone)]
pub struct Vault {
    database: Database,
    master_keys: Arc<dyn MasterKeys>,
    entropy: Arc<dyn Entropy>,
    /// The master keys read so far; a key that was once there is kept for rows read before it went.
    ring: Arc<Mutex<Option<KeyRing>>>,
    tenants: Arc<Mutex<HashMap<TenantId, Arc<TenantKeys>>>>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// Seals values of one person with one look-up of the key. For one command: it does not learn of an erasure.
pub struct Sealer {
    tenant: TenantId,
    subject: SubjectId,
    key: SealingKey,
    entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

impl Sealer {
    /// Seals a value for one field of one stream; it opens nowhere else.
    pub fn seal(&self, stream: &StreamId, field: &str, plaintext: &str) -> Sealed {
        let place = place(self.tenant, stream, field);
        let ciphertext = self.key.seal(self.entropy.as_ref(), plaintext.as_bytes(), &place);
        Sealed {
            subject: self.subject,
            sealed: STANDARD_NO_PAD.encode([self.key.id().0.as_slice(), &ciphertext].concat()),
        }
    }
}

impl Vault {
    /// A vault over the keys of a database. The master keys are read with the first use.
    pub fn new(
        database: Database,
        master_keys: impl MasterKeys + 'static,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            database,
            master_keys: Arc::new(master_keys),
            entropy,
            ring: Arc::default(),
            tenants: Arc::default(),
        }
    }

    /// 256 bits that nobody can guess, for a secret that is given out.
    pub fn secret(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// What seals values of a person. The first use makes the person's key.
    ///
    /// # Errors
    /// [`LogError::Erased`] when the person was erased, [`LogError::Unavailable`] when the database is out of
    /// reach, [`LogError::UnknownTenant`], [`LogError::MasterKeyMissing`] and
    /// [`LogError::MasterKeysUnreadable`].
    pub async fn sealer(&self, tenant: TenantId, subject: SubjectId) -> Result<Sealer, LogError> {
        Ok(Sealer {
            tenant,
            subject,
            key: self.key_to_seal(tenant, subject).await?,
            entropy: self.entropy.clone(),
        })
    }

    /// Seals a value of a person for one field of one stream; it opens nowhere else.
    ///
    /// # Errors
    /// As [`sealer`](Self::sealer).
    pub async fn seal(
        &self,
        tenant: TenantId,
        subject: SubjectId,
        stream: &StreamId,
        field: &str,
        plaintext: &str,
    ) -> Result<Sealed, LogError> {
        Ok(self.sealer(tenant, subject).await?.seal(stream, field, plaintext))
    }

    /// Opens a sealed value.
    ///
    /// # Errors
    /// [`LogError::Unopenable`] when it was altered or stands elsewhere, and as [`sealer`](Self::sealer).
    pub async fn open(
        &self,
        tenant: TenantId,
        stream: &StreamId,
        field: &str,
        sealed: &Sealed,
    ) -> Result<Opened, LogError> {
        let keys = self.keys_to_open(tenant, [sealed.subject].into()).await?;
        let field = SealedField {
            stream,
            field,
            sealed,
        };
        open_with(&keys, tenant, field)
    }

    /// Opens many values of one tenant with one look-up of keys; answers in their order.
    ///
    /// # Errors
    /// As [`open`](Self::open), for the first that does not open.
    pub async fn open_many(
        &self,
        tenant: TenantId,
        fields: &[SealedField<'_>],
    ) -> Result<Vec<Opened>, LogError> {
        let subjects = fields.iter().map(|field| field.sealed.subject).collect();
        let keys = self.keys_to_open(tenant, subjects).await?;
        fields
            .iter()
            .map(|field| open_with(&keys, tenant, *field))
            .collect()
    }

    /// What became of the data keys of these persons; nothing for one who never had any.
    ///
    /// # Errors
    /// As [`sealer`](Self::sealer).
    pub async fn subject_keys(
        &self,
        tenant: TenantId,
        subjects: &[SubjectId],
    ) -> Result<HashMap<SubjectId, SubjectKey>, LogError> {
        let stored = self
            .stored_keys(tenant, subjects.iter().copied().collect())
            .await?;
        let state = |stored: StoredKey| {
            let subject = stored.subject;
            let state = match stored.state {
                State::Living(wrapped) => {
                    SubjectKey::Living(self.unwrap_subject(tenant, subject, &wrapped)?.id())
                }
                State::Destroyed(at) => SubjectKey::Destroyed { at },
            };
            Ok((subject, state))
        };
        stored.into_iter().map(state).collect()
    }

    /// What stands for a personal value in a unique claim: HMAC-SHA256 under a key of the tenant, as hex. The
    /// caller normalises the value.
    ///
    /// # Errors
    /// As [`sealer`](Self::sealer), with a tenant's first use in this program.
    pub async fn index_key(&self, tenant: TenantId, scope: &str, value: &str) -> Result<String, LogError> {
        let keys = self.tenant_keys(tenant).await?;
        Ok(hex::encode(keyed_hash(
            keys.index.bytes(),
            &[scope.as_bytes(), value.as_bytes()],
        )))
    }

    /// What stands for a command's body beside its id: HMAC-SHA256 under a key of the tenant, so that a dump does not
    /// let personal data be guessed.
    ///
    /// # Errors
    /// As [`index_key`](Self::index_key).
    pub async fn digest(&self, tenant: TenantId, canonical_body: &str) -> Result<[u8; 32], LogError> {
        let keys = self.tenant_keys(tenant).await?;
        Ok(keyed_hash(keys.digest.bytes(), &[canonical_body.as_bytes()]))
    }

    /// Unwraps a key with the master key that it names; one that names none, with whichever fits.
    fn unwrap_key(&self, tenant: TenantId, wrapped: &Wrapped, place: &[u8]) -> Result<SealingKey, LogError> {
        let open = |master: &MasterKey| unwrap_with(&wrapping_key(master, tenant), &wrapped.key, place);
        let opened = match wrapped.master_key_id {
            Some(id) => open(&self.master_key(id)?),
            None => match self.ring()?.keys().iter().find_map(open) {
                Some(opened) => Some(opened),
                None => self.read_ring()?.keys().iter().find_map(open),
            },
        };
        opened.ok_or(LogError::Unopenable)
    }

    /// The master key of a name. One that is unknown so far may have come since the keys were read.
    fn master_key(&self, id: KeyId) -> Result<MasterKey, LogError> {
        if let Some(key) = self.ring()?.find(id) {
            return Ok(key.clone());
        }
        let ring = self.read_ring()?;
        ring.find(id).cloned().ok_or(LogError::MasterKeyMissing(id))
    }

    fn ring(&self) -> Result<KeyRing, LogError> {
        let known = lock(&self.ring).clone();
        known.map_or_else(|| self.read_ring(), Ok)
    }

    fn read_ring(&self) -> Result<KeyRing, LogError> {
        let read = self.read_master_keys()?;
        let mut known = lock(&self.ring);
        let ring = match known.take() {
            Some(earlier) => read.and(&earlier),
            None => read,
        };
        *known = Some(ring.clone());
        Ok(ring)
    }

    fn read_master_keys(&self) -> Result<KeyRing, LogError> {
        self.master_keys.read().map_err(LogError::MasterKeysUnreadable)
    }
}

/// A key that another key seals, and the name of that key's master key; rows from before they had names have
/// none.
struct Wrapped {
    key: Vec<u8>,
    master_key_id: Option<KeyId>,
}

fn wrapped(row: &PgRow) -> Result<Wrapped, LogError> {
    let master_key_id: Option<[u8; 8]> = row.try_get("master_key_id")?;
    Ok(Wrapped {
        key: row.try_get("wrapped_key")?,
        master_key_id: master_key_id.map(KeyId),
    })
}

/// Opens a value with its subject's key, where there is one.
fn open_with(
    keys: &HashMap<SubjectId, SealingKey>,
    tenant: TenantId,
    SealedField {
        stream,
        field,
        sealed,
    }: SealedField<'_>,
) -> Result<Opened, LogError> {
    let Some(key) = keys.get(&sealed.subject) else {
        return Ok(Opened::Erased);
    };
    let (key_id, ciphertext) = parts(sealed)?;
    if key_id != key.id() {
        return Err(LogError::Unopenable);
    }
    let plaintext = key
        .open(&ciphertext, &place(tenant, stream, field))
        .ok_or(LogError::Unopenable)?;
    String::from_utf8(plaintext)
        .map(Opened::Text)
        .map_err(|_| LogError::Unopenable)
}

/// The name of a sealed value's key, and the value itself.
fn parts(sealed: &Sealed) -> Result<(KeyId, Vec<u8>), LogError> {
    let bytes = STANDARD_NO_PAD
        .decode(&sealed.sealed)
        .map_err(|_| LogError::Unopenable)?;
    let (key_id, ciphertext) = bytes.split_first_chunk::<8>().ok_or(LogError::Unopenable)?;
    Ok((KeyId(*key_id), ciphertext.to_vec()))
}

fn unwrap_with(wrapping: &SealingKey, wrapped: &[u8], place: &[u8]) -> Option<SealingKey> {
    let opened = Zeroizing::new(wrapping.open(wrapped, place)?);
    let bytes: [u8; 32] = opened.as_slice().try_into().ok()?;
    Some(SealingKey::new(Zeroizing::new(bytes)))
}

fn wrapping_key(master: &MasterKey, tenant: TenantId) -> SealingKey {
    SealingKey::new(master.derive(tenant, Purpose::Wrap))
}

fn place(tenant: TenantId, stream: &StreamId, field: &str) -> Vec<u8> {
    length_prefixed(&[
        tenant.0.as_bytes(),
        stream.kind.as_bytes(),
        stream.id.as_bytes(),
        field.as_bytes(),
    ])
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
