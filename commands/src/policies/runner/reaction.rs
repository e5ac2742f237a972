//! One reaction: to an event, or to a time that has come.

use domain::ids::TenantId;
use domain::recorded::Recorded;
use event_log::Transaction;
use serde_json::Value;

use super::PolicyError;
use super::memory::{Memory, write_one};
use super::reply::Cause;
use crate::Commands;
use crate::policies::{Policy, Reaction};

/// What becomes of the command that a policy answers with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is given.
    Give,
    /// A person has given it up: the policy learns what there is to learn, and no more.
    GiveUp,
}

/// What came of a reaction.
#[derive(Default)]
pub(super) struct Reacted {
    /// A command was given: there may be new events.
    pub(super) has_replied: bool,
    /// The process waits for a time that has come already.
    pub(super) is_due: bool,
}

impl Commands {
    /// Reacts to an event of a process of which something is remembered or nothing, and says what to remember from now on,
    /// where that is something else.
    pub(super) async fn react_to<P: Policy>(
        &self,
        tenant: TenantId,
        state: Option<P::State>,
        event: &Recorded,
        answer: Answer,
    ) -> Result<(Reacted, Option<Memory>), PolicyError> {
        let mut reacted = Reacted::default();
        let had_state = state.is_some();
        let Reaction {
            state,
            wake_at,
            reply,
        } = P::react(state, event);
        if let (Some(reply), Answer::Give) = (reply, answer) {
            reacted.has_replied = true;
            let cause = Cause {
                event: Some(event.event_id),
                key: event.event_id.to_string(),
            };
            self.reply::<P>(tenant, cause, Some(event.meta.correlation_id.clone()), reply)
                .await?;
        }
        let memory = match state {
            Some(state) => {
                reacted.is_due = wake_at.is_some_and(|wake_at| wake_at <= self.ports.now());
                let state = serde_json::to_value(state)?;
                Some(Memory::Kept { state, wake_at })
            }
            None => had_state.then_some(Memory::Gone),
        };
        Ok((reacted, memory))
    }

    /// Does what a process has waited for, and remembers what is left of it.
    pub(super) async fn wake<P: Policy>(
        &self,
        tx: &mut Transaction,
        tenant: TenantId,
        process: &str,
        state: Value,
        answer: Answer,
    ) -> Result<Reacted, PolicyError> {
        let mut reacted = Reacted::default();
        let state: P::State = serde_json::from_value(state)?;
        let again = P::again(&state, self.ports.now());
        let key = P::cause(process, &state);
        if let (Some(reply), Answer::Give) = (P::due(process, state), answer) {
            reacted.has_replied = true;
            let cause = Cause { event: None, key };
            self.reply::<P>(tenant, cause, None, reply).await?;
        }
        let memory = match again {
            Some((state, wake_at)) => Memory::Kept {
                state: serde_json::to_value(state)?,
                wake_at: Some(wake_at),
            },
            None => Memory::Gone,
        };
        write_one(tx, tenant, (P::NAME, process.to_owned()), Some(memory)).await?;
        Ok(reacted)
    }
}
