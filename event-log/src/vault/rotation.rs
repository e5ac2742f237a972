//! Going over to another master key, while others read and seal; and which key wraps what.

use std::collections::BTreeMap;

use domain::ids::{SubjectId, TenantId};
use sqlx::Row;
use uuid::Uuid;

use super::subject_keys::wrap_place;
use super::tenant_keys::{digest_place, index_place};
use super::{Vault, wrapped, wrapping_key};
use crate::error::LogError;
use crate::keys::{KeyId, MasterKey};
use crate::seal::SealingKey;

/// How many keys of a company each master key wraps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyUse {
    /// The master key that wraps the company's own keys; none where it has none yet.
    pub tenant: Option<KeyId>,
    /// Persons' keys by the master key that wraps them; none names no key: from before master keys had names.
    pub subjects: BTreeMap<Option<KeyId>, i64>,
    /// Persons whose key was destroyed.
    pub destroyed: i64,
}

impl KeyUse {
    /// How many keys another key than this wraps.
    pub fn not_under(&self, id: KeyId) -> i64 {
        let subjects = self.subjects.iter().filter(|(under, _)| **under != Some(id));
        let tenant = i64::from(self.tenant.is_some_and(|under| under != id));
        subjects.map(|(_, count)| count).sum::<i64>() + tenant
    }
}

impl Vault {
    /// Wraps every key of a company with the newest master key, so many in a transaction. Can be ended at any
    /// point and begun again; others read and seal meanwhile. Says how many keys it wrapped anew; `reached`
    /// hears after each transaction.
    ///
    /// # Errors
    /// As [`sealer`](Self::sealer); [`LogError::Unopenable`] when a key opens under no master key at hand.
    pub async fn rewrap(
        &self,
        tenant: TenantId,
        batch: u32,
        reached: &(dyn Fn(u64) + Sync),
    ) -> Result<u64, LogError> {
        let newest = self.read_ring()?.newest().clone();
        let mut done = self.rewrap_tenant(tenant, &newest).await?;
        reached(done);
        let mut after = Uuid::nil();
        // New keys are wrapped by the newest from here on, so that this meets an end.
        while let Some((last, count)) = self.rewrap_subjects(tenant, &newest, after, batch).await? {
            after = last;
            done += count;
            reached(done);
        }
        Ok(done)
    }

    async fn rewrap_tenant(&self, tenant: TenantId, newest: &MasterKey) -> Result<u64, LogError> {
        self.forget_tenant(tenant);
        let keys = self.tenant_keys(tenant).await?;
        if keys.master_key_id == newest.id() {
            return Ok(0);
        }
        let wrapping = wrapping_key(newest, tenant);
        let wrap =
            |key: &SealingKey, place: Vec<u8>| wrapping.seal(self.entropy.as_ref(), key.bytes(), &place);
        let mut transaction = self.database.begin(tenant).await?;
        let updated = sqlx::query(
            "update tenant_keys set master_key_id = $2, index_key = $3, digest_key = $4 where tenant_id = $1",
        )
        .bind(tenant.0)
        .bind(newest.id().0.as_slice())
        .bind(wrap(&keys.index, index_place(tenant)))
        .bind(wrap(&keys.digest, digest_place(tenant)))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        self.forget_tenant(tenant);
        Ok(updated.rows_affected())
    }

    /// Wraps the next persons' keys; says up to whom, and how many. None when there are no more.
    async fn rewrap_subjects(
        &self,
        tenant: TenantId,
        newest: &MasterKey,
        after: Uuid,
        batch: u32,
    ) -> Result<Option<(Uuid, u64)>, LogError> {
        let mut transaction = self.database.begin(tenant).await?;
        let rows = sqlx::query(
            "select subject_id, wrapped_key, master_key_id from subject_keys
             where tenant_id = $1 and subject_id > $2 and erased_at is null
                 and master_key_id is distinct from $3
             order by subject_id
             limit $4
             for update",
        )
        .bind(tenant.0)
        .bind(after)
        .bind(newest.id().0.as_slice())
        .bind(i64::from(batch))
        .fetch_all(&mut *transaction)
        .await?;
        let wrapping = wrapping_key(newest, tenant);
        let (mut ids, mut wrapped_keys): (Vec<Uuid>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
        for row in &rows {
            let id: Uuid = row.try_get("subject_id")?;
            let key = self.unwrap_subject(tenant, SubjectId(id), &wrapped(row)?)?;
            let place = wrap_place(tenant, SubjectId(id));
            wrapped_keys.push(wrapping.seal(self.entropy.as_ref(), key.bytes(), &place));
            ids.push(id);
        }
        let Some(last) = ids.last().copied() else {
            return Ok(None);
        };
        let updated = sqlx::query(
            "update subject_keys s set wrapped_key = n.key, master_key_id = $2
             from unnest($3::uuid[], $4::bytea[]) n (subject_id, key)
             where s.tenant_id = $1 and s.subject_id = n.subject_id",
        )
        .bind(tenant.0)
        .bind(newest.id().0.as_slice())
        .bind(ids)
        .bind(wrapped_keys)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some((last, updated.rows_affected())))
    }

    /// Which master key wraps how many keys of a company.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn key_use(&self, tenant: TenantId) -> Result<KeyUse, LogError> {
        let mut transaction = self.database.begin_read(tenant).await?;
        let under: Option<[u8; 8]> =
            sqlx::query_scalar("select master_key_id from tenant_keys where tenant_id = $1")
                .bind(tenant.0)
                .fetch_optional(&mut *transaction)
                .await?;
        let rows = sqlx::query(
            "select master_key_id, erased_at is not null as destroyed, count(*) as keys from subject_keys
             where tenant_id = $1 group by 1, 2",
        )
        .bind(tenant.0)
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let mut found = KeyUse {
            tenant: under.map(KeyId),
            ..KeyUse::default()
        };
        for row in rows {
            let keys: i64 = row.try_get("keys")?;
            if row.try_get("destroyed")? {
                found.destroyed += keys;
                continue;
            }
            let id: Option<[u8; 8]> = row.try_get("master_key_id")?;
            found.subjects.insert(id.map(KeyId), keys);
        }
        Ok(found)
    }
}
