//! What a policy remembers: how far it has come, and a state per process.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::envelope::Position;
use domain::ids::{BookingId, TenantId};
use domain::recorded::Recorded;
use event_log::Transaction;
use serde_json::Value;
use uuid::Uuid;

use super::parking::waits;
use super::sitting::Process;
use super::{BATCH, PolicyError};
use crate::policies::{BookingAccount, Policy, WhenMoneyNeedsAPerson};
use crate::{CommandError, Commands};

/// How often to look whether a booking's money is counted, and how long between looks.
const LOOKS_AT_ACCOUNT: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// Pages of the log that are looked through for what is not counted yet; who counts is not further behind for long.
const PAGES_NOT_COUNTED: u32 = 25;

/// How far a policy has come, as its checkpoint tells.
pub(crate) struct Checkpoint {
    /// The last event that it has looked at.
    pub(crate) position: Position,
    /// Some of its processes wait for a reaction that failed.
    pub(super) has_waiting: bool,
}

impl Commands {
    /// What a booking costs and what is left to pay of it, by all that has happened to it; none of a booking without a story.
    /// Who counts may be at it on another node, which is waited for.
    ///
    /// # Errors
    /// [`CommandError::Conflict`] while counting a payment has failed and is tried again, or takes longer than a moment.
    pub(crate) async fn account_of(
        &self,
        tenant: TenantId,
        booking: BookingId,
    ) -> Result<Option<BookingAccount>, CommandError> {
        for _ in 0..LOOKS_AT_ACCOUNT {
            let (account, counted) = self.account_so_far(tenant, booking).await?;
            if self.is_all_counted(tenant, booking, counted).await? {
                return Ok(account);
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Err(CommandError::Conflict)
    }

    /// A booking's account, and up to where it was counted.
    async fn account_so_far(
        &self,
        tenant: TenantId,
        booking: BookingId,
    ) -> Result<(Option<BookingAccount>, Position), CommandError> {
        type Counting = WhenMoneyNeedsAPerson;
        let process = booking.to_string();
        let mut tx = self.log().database().begin_read(tenant).await?;
        // Read before the account: one that is newer than its position only costs another look.
        let counted: Result<Option<i64>, sqlx::Error> = sqlx::query_scalar(
            "select position from policy_checkpoints where tenant_id = $1 and policy = $2",
        )
        .bind(tenant.0)
        .bind(Counting::NAME)
        .fetch_optional(&mut *tx)
        .await;
        let counted = counted.map_err(PolicyError::from)?.unwrap_or_default();
        let account = load_state::<Counting>(&mut tx, tenant, &process).await?;
        let is_behind = waits(&mut tx, tenant, Counting::NAME, &process).await;
        let is_behind = is_behind.map_err(PolicyError::from)?;
        tx.commit().await.map_err(PolicyError::from)?;
        if is_behind {
            return Err(CommandError::Conflict);
        }
        Ok((account.map(|account| account.standing()), Position(counted)))
    }

    /// Whether nothing has happened to a booking's money since it was counted.
    async fn is_all_counted(
        &self,
        tenant: TenantId,
        booking: BookingId,
        counted: Position,
    ) -> Result<bool, CommandError> {
        let process = booking.to_string();
        let mut looked = counted;
        for _ in 0..PAGES_NOT_COUNTED {
            let since = self.read_events(tenant, looked).await?;
            let concerns = |event: &Recorded| WhenMoneyNeedsAPerson::processes(event).contains(&process);
            if since.iter().any(concerns) {
                return Ok(false);
            }
            match since.last() {
                Some(last) if since.len() == usize::from(BATCH) => looked = last.position,
                Some(_) | None => return Ok(true),
            }
        }
        Ok(false)
    }

    /// A transaction that has a policy's checkpoint; none when another node has it, or holds it for a while.
    ///
    /// It does not wait for the flush: after a crash the policy goes through the same events again, and its commands are known
    /// by their keys.
    ///
    /// A checkpoint that is new is written before: its row holds on to the head of the log, and a command that the
    /// transaction waits for would wait for the transaction.
    pub(crate) async fn take_checkpoint(
        &self,
        tenant: TenantId,
        policy: &str,
    ) -> Result<Option<(Transaction, Checkpoint)>, PolicyError> {
        let mut tx = self.log().database().begin_unflushed(tenant).await?;
        let mut checkpoint = lock_checkpoint(&mut tx, tenant, policy, self.policies_holder).await?;
        if checkpoint.is_none() {
            let is_new = make_checkpoint(&mut tx, tenant, policy).await?;
            tx.commit().await?;
            if !is_new {
                return Ok(None);
            }
            tx = self.log().database().begin_unflushed(tenant).await?;
            checkpoint = lock_checkpoint(&mut tx, tenant, policy, self.policies_holder).await?;
        }
        match checkpoint {
            Some(checkpoint) => Ok(Some((tx, checkpoint))),
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
) -> Result<Option<Checkpoint>, sqlx::Error> {
    let checkpoint: Option<(i64, bool)> = sqlx::query_as(
        "select position, has_waiting from policy_checkpoints
         where tenant_id = $1 and policy = $2
             and (held_by is null or held_by = $3 or held_until < clock_timestamp())
         for update skip locked",
    )
    .bind(tenant.0)
    .bind(policy)
    .bind(holder)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(checkpoint.map(|(position, has_waiting)| Checkpoint {
        position: Position(position),
        has_waiting,
    }))
}

/// What a policy is to remember of a process from now on.
pub(super) enum Memory {
    /// A state, and when to look at it again.
    Kept {
        state: Value,
        wake_at: Option<DateTime<Utc>>,
    },
    /// Nothing: its story is over.
    Gone,
}

/// Takes the checkpoints of policies for this transaction, those that are there and that no other node has or holds.
pub(super) async fn lock_checkpoints(
    tx: &mut Transaction,
    tenant: TenantId,
    policies: &[&'static str],
    holder: Option<Uuid>,
) -> Result<HashMap<&'static str, Checkpoint>, sqlx::Error> {
    let taken: Vec<(String, i64, bool)> = sqlx::query_as(
        "select policy, position, has_waiting from policy_checkpoints
         where tenant_id = $1 and policy = any ($2)
             and (held_by is null or held_by = $3 or held_until < clock_timestamp())
         for update skip locked",
    )
    .bind(tenant.0)
    .bind(policies)
    .bind(holder)
    .fetch_all(&mut **tx)
    .await?;
    let checkpoint = |(policy, position, has_waiting): (String, i64, bool)| {
        let policy = policies.iter().find(|name| **name == policy)?;
        let position = Position(position);
        Some((
            *policy,
            Checkpoint {
                position,
                has_waiting,
            },
        ))
    };
    Ok(taken.into_iter().filter_map(checkpoint).collect())
}

/// What policies remember of processes, by both names.
pub(super) async fn states(
    tx: &mut Transaction,
    tenant: TenantId,
    processes: &[Process],
) -> Result<HashMap<Process, Value>, sqlx::Error> {
    if processes.is_empty() {
        return Ok(HashMap::new());
    }
    let (policies, names): (Vec<&'static str>, Vec<&str>) = processes
        .iter()
        .map(|(policy, process)| (*policy, process.as_str()))
        .unzip();
    let found: Vec<(String, String, Value)> = sqlx::query_as(
        "select s.policy, s.process, s.state from policy_states s
         join unnest($2::text[], $3::text[]) as wanted (policy, process) using (policy, process)
         where s.tenant_id = $1",
    )
    .bind(tenant.0)
    .bind(&policies)
    .bind(names)
    .fetch_all(&mut **tx)
    .await?;
    let state = |(policy, process, state): (String, String, Value)| {
        let policy = policies.iter().find(|name| **name == policy)?;
        Some(((*policy, process), state))
    };
    Ok(found.into_iter().filter_map(state).collect())
}

/// Writes what policies are to remember of processes.
pub(super) async fn write(
    tx: &mut Transaction,
    tenant: TenantId,
    memories: BTreeMap<Process, Memory>,
) -> Result<(), sqlx::Error> {
    let (mut kept, mut gone) = (Kept::default(), (Vec::new(), Vec::new()));
    for ((policy, process), memory) in memories {
        match memory {
            Memory::Kept { state, wake_at } => {
                kept.policies.push(policy);
                kept.processes.push(process);
                kept.states.push(state);
                kept.wake_at.push(wake_at);
            }
            Memory::Gone => {
                gone.0.push(policy);
                gone.1.push(process);
            }
        }
    }
    if !kept.policies.is_empty() {
        sqlx::query(
            "insert into policy_states (tenant_id, policy, process, state, wake_at)
             select $1, policy, process, state, wake_at
             from unnest($2::text[], $3::text[], $4::jsonb[], $5::timestamptz[]) as kept (policy, process, state, wake_at)
             on conflict (tenant_id, policy, process) do update set state = excluded.state, wake_at = excluded.wake_at",
        )
        .bind(tenant.0)
        .bind(kept.policies)
        .bind(kept.processes)
        .bind(kept.states)
        .bind(kept.wake_at)
        .execute(&mut **tx)
        .await?;
    }
    if !gone.0.is_empty() {
        sqlx::query(
            "delete from policy_states s using unnest($2::text[], $3::text[]) as gone (policy, process)
             where s.tenant_id = $1 and s.policy = gone.policy and s.process = gone.process",
        )
        .bind(tenant.0)
        .bind(gone.0)
        .bind(gone.1)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// States as columns.
#[derive(Default)]
struct Kept {
    policies: Vec<&'static str>,
    processes: Vec<String>,
    states: Vec<Value>,
    wake_at: Vec<Option<DateTime<Utc>>>,
}

/// What a policy remembers of a process.
pub(super) async fn load_state<P: Policy>(
    tx: &mut Transaction,
    tenant: TenantId,
    process: &str,
) -> Result<Option<P::State>, PolicyError> {
    let state = load_stored(tx, tenant, P::NAME, process).await?;
    Ok(state.map(serde_json::from_value).transpose()?)
}

/// The same, as it is stored.
pub(super) async fn load_stored(
    tx: &mut Transaction,
    tenant: TenantId,
    policy: &str,
    process: &str,
) -> Result<Option<Value>, sqlx::Error> {
    sqlx::query_scalar(
        "select state from policy_states where tenant_id = $1 and policy = $2 and process = $3",
    )
    .bind(tenant.0)
    .bind(policy)
    .bind(process)
    .fetch_optional(&mut **tx)
    .await
}

/// Remembers of one process what there is to remember from now on.
pub(super) async fn write_one(
    tx: &mut Transaction,
    tenant: TenantId,
    process: Process,
    memory: Option<Memory>,
) -> Result<(), sqlx::Error> {
    match memory {
        Some(memory) => write(tx, tenant, BTreeMap::from([(process, memory)])).await,
        None => Ok(()),
    }
}
