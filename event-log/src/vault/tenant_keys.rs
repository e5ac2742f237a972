//! A company's own keys: what its look-ups and digests are made with, and which master key wraps them.

use std::sync::Arc;

use domain::ids::TenantId;
use sqlx::Row;
use zeroize::Zeroizing;

use super::{Vault, Wrapped, lock, wrapping_key};
use crate::error::LogError;
use crate::keys::{KeyId, Purpose, length_prefixed};
use crate::seal::SealingKey;

/// Whoever makes a company's keys holds it shared from before the master keys are read until the row is there;
/// the end of a rotation waits for all of them.
const RING_LOCK: i64 = 0x6869_6261_6b65_7973;

/// Violated foreign key, Postgres' Appendix A.
const NO_SUCH_LOG: &str = "23503";

/// A company's keys, unwrapped. The two never change.
pub(super) struct TenantKeys {
    /// The master key that wraps them, and every key of a person that is made.
    pub(super) master_key_id: KeyId,
    pub(super) index: SealingKey,
    pub(super) digest: SealingKey,
}

impl Vault {
    pub(super) async fn tenant_keys(&self, tenant: TenantId) -> Result<Arc<TenantKeys>, LogError> {
        if let Some(known) = lock(&self.tenants).get(&tenant) {
            return Ok(known.clone());
        }
        let keys = match self.stored_tenant_keys(tenant).await? {
            Some(keys) => keys,
            None => {
                self.make_tenant_keys(tenant).await?;
                self.stored_tenant_keys(tenant)
                    .await?
                    .ok_or_else(LogError::unavailable)?
            }
        };
        let keys = Arc::new(keys);
        lock(&self.tenants).insert(tenant, keys.clone());
        Ok(keys)
    }

    /// Has them read again: the company may be under another master key by now.
    pub(super) fn forget_tenant(&self, tenant: TenantId) {
        lock(&self.tenants).remove(&tenant);
    }

    async fn stored_tenant_keys(&self, tenant: TenantId) -> Result<Option<TenantKeys>, LogError> {
        let statement = sqlx::query("select master_key_id, index_key, digest_key from read_tenant_keys($1)");
        let row = self.database.call_for_one(statement.bind(tenant.0)).await?;
        let Some(row) = row else { return Ok(None) };
        let master_key_id = KeyId(row.try_get("master_key_id")?);
        let wrapped = |key| Wrapped {
            key,
            master_key_id: Some(master_key_id),
        };
        let index = self.unwrap_key(tenant, &wrapped(row.try_get("index_key")?), &index_place(tenant))?;
        let digest = self.unwrap_key(
            tenant,
            &wrapped(row.try_get("digest_key")?),
            &digest_place(tenant),
        )?;
        Ok(Some(TenantKeys {
            master_key_id,
            index,
            digest,
        }))
    }

    /// Makes a company's keys, unless they are there. They follow from the oldest master key, under which the
    /// claims and digests from before they were stored were made.
    async fn make_tenant_keys(&self, tenant: TenantId) -> Result<(), LogError> {
        let mut transaction = self.database.begin(tenant).await?;
        sqlx::query("select pg_advisory_xact_lock_shared($1)")
            .bind(RING_LOCK)
            .execute(&mut *transaction)
            .await?;
        let ring = self.read_master_keys()?;
        let wrapping = wrapping_key(ring.newest(), tenant);
        let wrap = |purpose, place: Vec<u8>| {
            let key: Zeroizing<[u8; 32]> = ring.oldest().derive(tenant, purpose);
            wrapping.seal(self.entropy.as_ref(), key.as_ref(), &place)
        };
        sqlx::query(
            "insert into tenant_keys (tenant_id, master_key_id, index_key, digest_key) values ($1, $2, $3, $4)
             on conflict (tenant_id) do nothing",
        )
        .bind(tenant.0)
        .bind(ring.newest().id().0.as_slice())
        .bind(wrap(Purpose::Index, index_place(tenant)))
        .bind(wrap(Purpose::Digest, digest_place(tenant)))
        .execute(&mut *transaction)
        .await
        .map_err(|error| unknown_tenant(error, tenant))?;
        transaction.commit().await?;
        Ok(())
    }

    /// Waits until whoever read the master keys before now, to make a company's keys, has made them.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn wait_for_new_tenants(&self) -> Result<(), LogError> {
        let statement = sqlx::query("select pg_advisory_xact_lock($1)").bind(RING_LOCK);
        self.database.call(statement).await.map(drop)
    }
}

pub(super) fn index_place(tenant: TenantId) -> Vec<u8> {
    length_prefixed(&[tenant.0.as_bytes(), b"tenant_keys", b"index_key"])
}

pub(super) fn digest_place(tenant: TenantId) -> Vec<u8> {
    length_prefixed(&[tenant.0.as_bytes(), b"tenant_keys", b"digest_key"])
}

fn unknown_tenant(error: sqlx::Error, tenant: TenantId) -> LogError {
    let code = error.as_database_error().and_then(|refusal| refusal.code());
    if code.as_deref() == Some(NO_SUCH_LOG) {
        return LogError::UnknownTenant(tenant);
    }
    error.into()
}
