//! What a policy remembers: how far it has come, and a state per process.

use chrono::{DateTime, Utc};
use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::Transaction;
use serde_json::Value;
use uuid::Uuid;

use super::PolicyError;
use crate::Commands;
use crate::policies::Policy;

impl Commands {
    /// A transaction that has a policy's checkpoint; none when another node has it, or holds it for a while.
    ///
    /// A checkpoint that is new is written before: its row holds on to the head of the log, and a command that the
    /// transaction waits for would wait for the transaction.
    pub(super) async fn take_checkpoint(
        &self,
        tenant: TenantId,
        policy: &str,
    ) -> Result<Option<(Transaction, Position)>, PolicyError> {
        let mut tx = self.log().database().begin(tenant).await?;
        let mut position = lock_checkpoint(&mut tx, tenant, policy, self.policies_holder).await?;
        if position.is_none() {
            let is_new = make_checkpoint(&mut tx, tenant, policy).await?;
            tx.commit().await?;
            if !is_new {
                return Ok(None);
            }
            tx = self.log().database().begin(tenant).await?;
            position = lock_checkpoint(&mut tx, tenant, policy, self.policies_holder).await?;
        }
        match position {
            Some(position) => Ok(Some((tx, position))),
            None => {
                tx.rollback().await?;
                Ok(None)
            }
        }
    }
}

/// Makes the checkpoint of a policy that has not followed this log yet, and says whether it was not there.
async fn make_checkpoint(tx: &mut Transaction, tenant: TenantId, policy: &str) -> Result<bool, sqlx::Error> {
    let made = sqlx::query(
        "insert into policy_checkpoints (tenant_id, policy) values ($1, $2) on conflict do nothing",
    )
    .bind(tenant.0)
    .bind(policy)
    .execute(&mut **tx)
    .await?;
    Ok(made.rows_affected() == 1)
}

/// Takes the checkpoint for this transaction; none where there is none, another node has it, or holds it for a while.
async fn lock_checkpoint(
    tx: &mut Transaction,
    tenant: TenantId,
    policy: &str,
    holder: Option<Uuid>,
) -> Result<Option<Position>, sqlx::Error> {
    let position: Option<i64> = sqlx::query_scalar(
        "select position from policy_checkpoints
         where tenant_id = $1 and policy = $2
             and (held_by is null or held_by = $3 or held_until < clock_timestamp())
         for update skip locked",
    )
    .bind(tenant.0)
    .bind(policy)
    .bind(holder)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(position.map(Position))
}

/// What a policy remembers of a process.
pub(super) async fn load_state<P: Policy>(
    tx: &mut Transaction,
    tenant: TenantId,
    process: &str,
) -> Result<Option<P::State>, PolicyError> {
    let state: Option<Value> = sqlx::query_scalar(
        "select state from policy_states where tenant_id = $1 and policy = $2 and process = $3",
    )
    .bind(tenant.0)
    .bind(P::NAME)
    .bind(process)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(state.map(serde_json::from_value).transpose()?)
}

/// Remembers a process, and when to look at it again.
pub(super) async fn keep_state(
    tx: &mut Transaction,
    tenant: TenantId,
    policy: &str,
    process: &str,
    state: &Value,
    wake_at: Option<DateTime<Utc>>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into policy_states (tenant_id, policy, process, state, wake_at) values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, policy, process) do update set state = excluded.state, wake_at = excluded.wake_at",
    )
    .bind(tenant.0)
    .bind(policy)
    .bind(process)
    .bind(state)
    .bind(wake_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets a process.
pub(super) async fn forget_state(
    tx: &mut Transaction,
    tenant: TenantId,
    policy: &str,
    process: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("delete from policy_states where tenant_id = $1 and policy = $2 and process = $3")
        .bind(tenant.0)
        .bind(policy)
        .bind(process)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
