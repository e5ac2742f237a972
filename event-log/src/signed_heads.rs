//! The signed heads that were made on schedule, kept beside the log.

use domain::envelope::Position;
use domain::ids::TenantId;
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::error::LogError;
use crate::log::EventLog;
use crate::proof::{Fingerprint, PublicKey, SignedHead, SpanDigests, Statement};

/// A query of signed heads, up to what it asks for.
macro_rules! heads {
    ($which:literal) => {
        concat!(
            "select organisation, position, block, block_hash, recorded_at, signed_at, since_position,
                 payloads_digest, metadata_digest, key_id, public_key, signature
             from signed_heads where tenant_id = $1 ",
            $which
        )
    };
}

impl EventLog {
    /// Keeps a signed head; false when one of its position is kept already, which then stays.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn keep_signed_head(&self, head: &SignedHead) -> Result<bool, LogError> {
        let statement = &head.statement;
        let mut transaction = self.database().begin(statement.tenant).await?;
        let kept = sqlx::query(
            "insert into signed_heads (
                 tenant_id, position, organisation, block, block_hash, recorded_at, signed_at, since_position,
                 payloads_digest, metadata_digest, key_id, public_key, signature
             ) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             on conflict (tenant_id, position) do nothing",
        )
        .bind(statement.tenant.0)
        .bind(statement.position.0)
        .bind(&statement.organisation)
        .bind(statement.block)
        .bind(statement.block_hash)
        .bind(statement.recorded_at)
        .bind(statement.signed_at)
        .bind(statement.since.0)
        .bind(statement.digests.payloads)
        .bind(statement.digests.metadata)
        .bind(head.key_id.0)
        .bind(head.public_key.0)
        .bind(head.signature)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(kept.rows_affected() == 1)
    }

    /// Every signed head that is kept, by position. There is one for each interval of the schedule in which
    /// the log moved, so that a year has some thousands.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn signed_heads(&self, tenant: TenantId) -> Result<Vec<SignedHead>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let rows = sqlx::query(heads!("order by position"))
            .bind(tenant.0)
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        rows.iter().map(|row| signed_head(tenant, row)).collect()
    }

    /// The newest signed head that is kept.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn last_signed_head(&self, tenant: TenantId) -> Result<Option<SignedHead>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let row = sqlx::query(heads!("order by position desc limit 1"))
            .bind(tenant.0)
            .fetch_optional(&mut *transaction)
            .await?;
        transaction.commit().await?;
        row.map(|row| signed_head(tenant, &row)).transpose()
    }

    /// The first signed head that is kept at or after a position: the shortest way from there to something signed.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn signed_head_from(
        &self,
        tenant: TenantId,
        position: Position,
    ) -> Result<Option<SignedHead>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let row = sqlx::query(heads!("and position >= $2 order by position limit 1"))
            .bind(tenant.0)
            .bind(position.0)
            .fetch_optional(&mut *transaction)
            .await?;
        transaction.commit().await?;
        row.map(|row| signed_head(tenant, &row)).transpose()
    }
}

fn signed_head(tenant: TenantId, row: &PgRow) -> Result<SignedHead, LogError> {
    Ok(SignedHead {
        statement: Statement {
            organisation: row.try_get("organisation")?,
            tenant,
            position: Position(row.try_get("position")?),
            block: row.try_get("block")?,
            block_hash: row.try_get("block_hash")?,
            recorded_at: row.try_get("recorded_at")?,
            signed_at: row.try_get("signed_at")?,
            since: Position(row.try_get("since_position")?),
            digests: SpanDigests {
                payloads: row.try_get("payloads_digest")?,
                metadata: row.try_get("metadata_digest")?,
            },
        },
        key_id: Fingerprint(row.try_get("key_id")?),
        public_key: PublicKey(row.try_get("public_key")?),
        signature: row.try_get("signature")?,
    })
}
