//! Keys that go elsewhere with their company: as they are wrapped, never in clear.

use chrono::{DateTime, Utc};
use domain::ids::{SubjectId, TenantId};
use sqlx::Row;
use uuid::Uuid;

use super::tenant_keys::{digest_place, index_place};
use super::{Vault, Wrapped};
use crate::error::LogError;
use crate::keys::KeyId;

/// A company's own keys, wrapped by a master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedTenantKeys {
    /// The master key that wraps them.
    pub master_key_id: KeyId,
    /// What its look-ups are made with.
    pub index_key: Vec<u8>,
    /// What its digests are made with.
    pub digest_key: Vec<u8>,
    /// When they were made.
    pub created_at: DateTime<Utc>,
}

/// A person's key, wrapped by a master key, or the mark in the place of a destroyed one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedSubjectKey {
    /// Whose.
    pub subject: SubjectId,
    /// The key and what is left of it.
    pub state: WrappedState,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What is left of a person's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrappedState {
    /// It is there.
    Living {
        /// The key as it is wrapped.
        wrapped: Vec<u8>,
        /// The master key that wraps it; none where it was wrapped before master keys had names.
        master_key_id: Option<KeyId>,
    },
    /// It was destroyed, and the person never gets another.
    Destroyed {
        /// When.
        at: DateTime<Utc>,
    },
}

impl Vault {
    /// A company's own keys as they are stored; none where it has none yet.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn wrapped_tenant_keys(&self, tenant: TenantId) -> Result<Option<WrappedTenantKeys>, LogError> {
        let mut transaction = self.database.begin_read(tenant).await?;
        let row = sqlx::query(
            "select master_key_id, index_key, digest_key, created_at from tenant_keys where tenant_id = $1",
        )
        .bind(tenant.0)
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(WrappedTenantKeys {
            master_key_id: KeyId(row.try_get(0)?),
            index_key: row.try_get(1)?,
            digest_key: row.try_get(2)?,
            created_at: row.try_get(3)?,
        }))
    }

    /// The keys of persons after one, by their ids, at most `limit`, as they are stored.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn wrapped_subject_keys(
        &self,
        tenant: TenantId,
        after: Option<SubjectId>,
        limit: u32,
    ) -> Result<Vec<WrappedSubjectKey>, LogError> {
        let mut transaction = self.database.begin_read(tenant).await?;
        let rows = sqlx::query(
            "select subject_id, wrapped_key, master_key_id, created_at, erased_at from subject_keys
             where tenant_id = $1 and ($2::uuid is null or subject_id > $2)
             order by subject_id
             limit $3",
        )
        .bind(tenant.0)
        .bind(after.map(|subject| subject.0))
        .bind(i64::from(limit))
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let key = |row: &sqlx::postgres::PgRow| {
            let erased_at: Option<DateTime<Utc>> = row.try_get(4)?;
            let master_key_id: Option<[u8; 8]> = row.try_get(2)?;
            let id: Uuid = row.try_get(0)?;
            Ok(WrappedSubjectKey {
                subject: SubjectId(id),
                state: match erased_at {
                    Some(at) => WrappedState::Destroyed { at },
                    None => WrappedState::Living {
                        wrapped: row.try_get(1)?,
                        master_key_id: master_key_id.map(KeyId),
                    },
                },
                created_at: row.try_get(3)?,
            })
        };
        rows.iter().map(key).collect()
    }

    /// That the master keys at hand open a company's own keys.
    ///
    /// # Errors
    /// [`LogError::MasterKeyMissing`] names the one that is not at hand, [`LogError::Unopenable`] when the keys are not
    /// this company's, [`LogError::MasterKeysUnreadable`].
    pub fn can_unwrap_tenant(&self, tenant: TenantId, keys: &WrappedTenantKeys) -> Result<(), LogError> {
        for (key, place) in [
            (&keys.index_key, index_place(tenant)),
            (&keys.digest_key, digest_place(tenant)),
        ] {
            let wrapped = Wrapped {
                key: key.clone(),
                master_key_id: Some(keys.master_key_id),
            };
            self.unwrap_key(tenant, &wrapped, &place)?;
        }
        Ok(())
    }

    /// That the master keys at hand open a person's key, where there is one.
    ///
    /// # Errors
    /// Those of [`can_unwrap_tenant`](Self::can_unwrap_tenant).
    pub fn can_unwrap_subject(&self, tenant: TenantId, key: &WrappedSubjectKey) -> Result<(), LogError> {
        match &key.state {
            WrappedState::Living {
                wrapped,
                master_key_id,
            } => {
                let wrapped = Wrapped {
                    key: wrapped.clone(),
                    master_key_id: *master_key_id,
                };
                self.unwrap_subject(tenant, key.subject, &wrapped).map(drop)
            }
            WrappedState::Destroyed { .. } => Ok(()),
        }
    }
}
