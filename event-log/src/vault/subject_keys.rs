//! Persons' data keys as the database has them: wrapped, or destroyed.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::ids::{SubjectId, TenantId};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::{Vault, Wrapped, wrapped, wrapping_key};
use crate::error::LogError;
use crate::keys::length_prefixed;
use crate::seal::SealingKey;

/// How often a key is made anew when another program was faster or a rotation went on.
const ATTEMPTS: usize = 3;

/// A row of `subject_keys`.
pub(super) struct StoredKey {
    pub(super) subject: SubjectId,
    pub(super) state: State,
}

pub(super) enum State {
    Living(Wrapped),
    Destroyed(DateTime<Utc>),
}

impl Vault {
    pub(super) async fn key_to_seal(
        &self,
        tenant: TenantId,
        subject: SubjectId,
    ) -> Result<SealingKey, LogError> {
        for _ in 0..ATTEMPTS {
            let stored = self.stored_keys(tenant, [subject].into()).await?;
            match stored.into_iter().next().map(|stored| stored.state) {
                Some(State::Living(wrapped)) => return self.unwrap_subject(tenant, subject, &wrapped),
                Some(State::Destroyed(_)) => return Err(LogError::Erased(subject)),
                None => {}
            }
            if let Some(made) = self.make_key(tenant, subject).await? {
                return Ok(made);
            }
        }
        Err(LogError::unavailable())
    }

    /// Makes a person's key, unless another made it first or the tenant went over to another master key.
    async fn make_key(&self, tenant: TenantId, subject: SubjectId) -> Result<Option<SealingKey>, LogError> {
        let master_key_id = self.tenant_keys(tenant).await?.master_key_id;
        let fresh = SealingKey::random(self.entropy.as_ref());
        let wrapped = wrapping_key(&self.master_key(master_key_id)?, tenant).seal(
            self.entropy.as_ref(),
            fresh.bytes(),
            &wrap_place(tenant, subject),
        );
        let statement = sqlx::query("select keep_subject_key($1, $2, $3, $4) as kept")
            .bind(tenant.0)
            .bind(subject.0)
            .bind(wrapped)
            .bind(master_key_id.0);
        let row = self.database.call_for_one(statement).await?;
        let row = row.ok_or_else(LogError::unavailable)?;
        if row.try_get("kept")? {
            return Ok(Some(fresh));
        }
        self.forget_tenant(tenant);
        Ok(None)
    }

    pub(super) async fn keys_to_open(
        &self,
        tenant: TenantId,
        subjects: HashSet<SubjectId>,
    ) -> Result<HashMap<SubjectId, SealingKey>, LogError> {
        let mut keys = HashMap::new();
        for StoredKey { subject, state } in self.stored_keys(tenant, subjects).await? {
            if let State::Living(wrapped) = state {
                keys.insert(subject, self.unwrap_subject(tenant, subject, &wrapped)?);
            }
        }
        Ok(keys)
    }

    pub(super) async fn stored_keys(
        &self,
        tenant: TenantId,
        subjects: HashSet<SubjectId>,
    ) -> Result<Vec<StoredKey>, LogError> {
        if subjects.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Uuid> = subjects.into_iter().map(|subject| subject.0).collect();
        let statement = sqlx::query(
            "select subject_id, wrapped_key, master_key_id, erased_at from read_subject_keys($1, $2)",
        )
        .bind(tenant.0)
        .bind(ids);
        let rows = self.database.call(statement).await?;
        rows.iter().map(stored_key).collect()
    }

    pub(super) fn unwrap_subject(
        &self,
        tenant: TenantId,
        subject: SubjectId,
        wrapped: &Wrapped,
    ) -> Result<SealingKey, LogError> {
        self.unwrap_key(tenant, wrapped, &wrap_place(tenant, subject))
    }
}

fn stored_key(row: &PgRow) -> Result<StoredKey, LogError> {
    let erased_at: Option<DateTime<Utc>> = row.try_get("erased_at")?;
    Ok(StoredKey {
        subject: SubjectId(row.try_get("subject_id")?),
        state: match erased_at {
            Some(at) => State::Destroyed(at),
            None => State::Living(wrapped(row)?),
        },
    })
}

pub(super) fn wrap_place(tenant: TenantId, subject: SubjectId) -> Vec<u8> {
    length_prefixed(&[tenant.0.as_bytes(), subject.0.as_bytes()])
}
