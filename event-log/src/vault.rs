//! Personal data: sealed before it enters an event, open to whoever holds its subject's key, and gone for
//! everybody when that key is deleted.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use domain::envelope::{Sealed, StreamId};
use domain::ids::{SubjectId, TenantId};
use sqlx::Row;
use tokio::time::Instant;
use uuid::Uuid;

use crate::database::Database;
use crate::error::LogError;
use crate::keys::{Entropy, MasterKey, Purpose, keyed_hash, length_prefixed};
use crate::seal::SealingKey;

/// Unwrapped keys held in memory at most.
const CACHED_KEYS: usize = 4096;
/// How long an unwrapped key is used without asking the database; as long may another node go on opening
/// what this one erased.
const CACHED_FOR: Duration = Duration::from_secs(30);

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

/// Seals and opens personal data, and makes keyed hashes of it.
#[derive(Clone)]
pub struct Vault {
    database: Database,
    master: MasterKey,
    entropy: Arc<dyn Entropy>,
    cache: Arc<Mutex<HashMap<(TenantId, SubjectId), Cached>>>,
}

struct Cached {
    key: SealingKey,
    fresh_until: Instant,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault over the keys of a database.
    pub fn new(database: Database, master: MasterKey, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            database,
            master,
            entropy,
            cache: Arc::default(),
        }
    }

    /// Seals a value of a person for one field of one stream; it opens nowhere else. The person's first value
    /// makes the person's key.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn seal(
        &self,
        tenant: TenantId,
        subject: SubjectId,
        stream: &StreamId,
        field: &str,
        plaintext: &str,
    ) -> Result<Sealed, LogError> {
        let key = self.key_to_seal(tenant, subject).await?;
        let place = place(tenant, stream, field);
        let ciphertext = key.seal(self.entropy.as_ref(), plaintext.as_bytes(), &place);
        let sealed = STANDARD_NO_PAD.encode([key.id().as_slice(), &ciphertext].concat());
        Ok(Sealed { subject, sealed })
    }

    /// Opens a sealed value.
    ///
    /// # Errors
    /// [`LogError::Unopenable`] when it was altered or stands elsewhere, [`LogError::Unavailable`].
    pub async fn open(
        &self,
        tenant: TenantId,
        stream: &StreamId,
        field: &str,
        sealed: &Sealed,
    ) -> Result<Opened, LogError> {
        let keys = self.keys_to_open(tenant, [sealed.subject].into()).await?;
        open_with(
            &keys,
            tenant,
            SealedField {
                stream,
                field,
                sealed,
            },
        )
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

    /// Deletes a person's key: whatever was sealed for the person is erased, backups of the log included. Says
    /// whether there was a key.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn erase(&self, tenant: TenantId, subject: SubjectId) -> Result<bool, LogError> {
        let mut transaction = self.database.begin(tenant).await?;
        let deleted = sqlx::query("delete from subject_keys where tenant_id = $1 and subject_id = $2")
            .bind(tenant.0)
            .bind(subject.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.cached().remove(&(tenant, subject));
        Ok(deleted.rows_affected() > 0)
    }

    /// What stands for a personal value in a unique claim: HMAC-SHA256 under a key of the tenant, as hex. The
    /// caller normalises the value.
    pub fn index_key(&self, tenant: TenantId, scope: &str, value: &str) -> String {
        let key = self.master.derive(tenant, Purpose::Index);
        hex::encode(keyed_hash(&key, &[scope.as_bytes(), value.as_bytes()]))
    }

    /// What stands for a command's body beside its id: HMAC-SHA256 under a key of the tenant, so that a dump does not
    /// let personal data be guessed.
    pub fn digest(&self, tenant: TenantId, canonical_body: &str) -> [u8; 32] {
        let key = self.master.derive(tenant, Purpose::Digest);
        keyed_hash(&key, &[canonical_body.as_bytes()])
    }

    async fn key_to_seal(&self, tenant: TenantId, subject: SubjectId) -> Result<SealingKey, LogError> {
        if let Some(key) = self
            .keys_to_open(tenant, [subject].into())
            .await?
            .remove(&subject)
        {
            return Ok(key);
        }
        let fresh = SealingKey::random(self.entropy.as_ref());
        let wrapped = self.wrapping_key(tenant).seal(
            self.entropy.as_ref(),
            fresh.bytes(),
            &wrap_place(tenant, subject),
        );
        let mut transaction = self.database.begin(tenant).await?;
        sqlx::query(
            "insert into subject_keys (tenant_id, subject_id, wrapped_key) values ($1, $2, $3)
             on conflict (tenant_id, subject_id) do nothing",
        )
        .bind(tenant.0)
        .bind(subject.0)
        .bind(wrapped)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        // Another may have been first; its key is the one.
        let mut keys = self.keys_to_open(tenant, [subject].into()).await?;
        keys.remove(&subject).ok_or_else(LogError::unavailable)
    }

    async fn keys_to_open(
        &self,
        tenant: TenantId,
        subjects: HashSet<SubjectId>,
    ) -> Result<HashMap<SubjectId, SealingKey>, LogError> {
        let mut keys = HashMap::new();
        let mut missing: Vec<Uuid> = Vec::new();
        let now = Instant::now();
        for subject in subjects {
            match self
                .cached()
                .get(&(tenant, subject))
                .filter(|cached| cached.fresh_until > now)
            {
                Some(cached) => drop(keys.insert(subject, cached.key.clone())),
                None => missing.push(subject.0),
            }
        }
        if missing.is_empty() {
            return Ok(keys);
        }
        let mut transaction = self.database.begin_read(tenant).await?;
        let rows = sqlx::query(
            "select subject_id, wrapped_key from subject_keys where tenant_id = $1 and subject_id = any($2)",
        )
        .bind(tenant.0)
        .bind(missing)
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        for row in rows {
            let subject = SubjectId(row.try_get("subject_id")?);
            let key = self.unwrap_key(tenant, subject, row.try_get("wrapped_key")?)?;
            self.remember(tenant, subject, &key, now);
            keys.insert(subject, key);
        }
        Ok(keys)
    }

    fn unwrap_key(
        &self,
        tenant: TenantId,
        subject: SubjectId,
        wrapped: &[u8],
    ) -> Result<SealingKey, LogError> {
        let opened = self
            .wrapping_key(tenant)
            .open(wrapped, &wrap_place(tenant, subject));
        let bytes = opened.and_then(|bytes| bytes.try_into().ok());
        bytes.map(SealingKey::new).ok_or(LogError::Unopenable)
    }

    fn wrapping_key(&self, tenant: TenantId) -> SealingKey {
        SealingKey::new(self.master.derive(tenant, Purpose::Wrap))
    }

    fn remember(&self, tenant: TenantId, subject: SubjectId, key: &SealingKey, now: Instant) {
        let mut cache = self.cached();
        if cache.len() >= CACHED_KEYS {
            cache.retain(|_, cached| cached.fresh_until > now);
        }
        if cache.len() >= CACHED_KEYS {
            cache.clear();
        }
        cache.insert(
            (tenant, subject),
            Cached {
                key: key.clone(),
                fresh_until: now + CACHED_FOR,
            },
        );
    }

    fn cached(&self) -> MutexGuard<'_, HashMap<(TenantId, SubjectId), Cached>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a value with its subject's key, where there is one. A value under an earlier key is erased too: a
/// person who was erased and came back has a new one.
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
    let bytes = STANDARD_NO_PAD
        .decode(&sealed.sealed)
        .map_err(|_| LogError::Unopenable)?;
    let (key_id, ciphertext) = bytes.split_first_chunk::<8>().ok_or(LogError::Unopenable)?;
    if *key_id != key.id() {
        return Ok(Opened::Erased);
    }
    let plaintext = key
        .open(ciphertext, &place(tenant, stream, field))
        .ok_or(LogError::Unopenable)?;
    String::from_utf8(plaintext)
        .map(Opened::Text)
        .map_err(|_| LogError::Unopenable)
}

fn place(tenant: TenantId, stream: &StreamId, field: &str) -> Vec<u8> {
    length_prefixed(&[
        tenant.0.as_bytes(),
        stream.kind.as_bytes(),
        stream.id.as_bytes(),
        field.as_bytes(),
    ])
}

fn wrap_place(tenant: TenantId, subject: SubjectId) -> Vec<u8> {
    length_prefixed(&[tenant.0.as_bytes(), subject.0.as_bytes()])
}
