//! A sitting: policies that look at the same events, one after the other, in one transaction. It holds their checkpoints, and
//! with them the proof that nobody else runs them; what they remember is read at its beginning and written at its end.

use std::collections::{BTreeMap, HashMap};

use domain::envelope::Position;
use domain::ids::TenantId;
use domain::recorded::Recorded;
use event_log::Transaction;
use serde_json::Value;

use super::memory::{self, Checkpoint, Memory};
use super::parking::{Occasion, Parking};
use super::reaction::Answer;
use super::{Batch, PolicyError};
use crate::Commands;
use crate::policies::Policy;

/// A business process of a policy.
pub(super) type Process = (&'static str, String);

/// Some policies that look at the same events.
pub(super) struct Sitting {
    tx: Transaction,
    tenant: TenantId,
    checkpoints: HashMap<&'static str, Checkpoint>,
    /// What they remember of the processes that the events belong to.
    states: HashMap<Process, Value>,
    /// What they are to remember from now on, where that is something else.
    changed: BTreeMap<Process, Memory>,
    parkings: Vec<Parking>,
    /// Policies that have looked.
    looked: Vec<&'static str>,
}

impl Sitting {
    /// A sitting of policies whose checkpoints a transaction holds.
    pub(super) fn of(
        tx: Transaction,
        tenant: TenantId,
        checkpoints: HashMap<&'static str, Checkpoint>,
    ) -> Self {
        Self {
            tx,
            tenant,
            checkpoints,
            states: HashMap::new(),
            changed: BTreeMap::new(),
            parkings: Vec::new(),
            looked: Vec::new(),
        }
    }

    /// Whose log it is.
    pub(super) fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Whether a policy is at it.
    pub(super) fn has(&self, policy: &str) -> bool {
        self.checkpoints.contains_key(policy)
    }

    /// Recalls what is remembered of processes.
    pub(super) async fn recall(&mut self, processes: &[Process]) -> Result<(), PolicyError> {
        self.states = memory::states(&mut self.tx, self.tenant, processes).await?;
        Ok(())
    }

    /// What is remembered of a process by now.
    fn state<P: Policy>(&self, process: &Process) -> Result<Option<P::State>, PolicyError> {
        let state = match self.changed.get(process) {
            Some(Memory::Kept { state, .. }) => Some(state),
            Some(Memory::Gone) => None,
            None => self.states.get(process),
        };
        Ok(state.cloned().map(serde_json::from_value).transpose()?)
    }

    /// Ends it: writes what is remembered, and that those that looked have seen the events up to a position.
    pub(super) async fn end(mut self, last: Position) -> Result<(), PolicyError> {
        memory::write(&mut self.tx, self.tenant, self.changed).await?;
        sqlx::query("update policy_checkpoints set position = $3 where tenant_id = $1 and policy = any ($2)")
            .bind(self.tenant.0)
            .bind(self.looked)
            .bind(last.0)
            .execute(&mut *self.tx)
            .await?;
        for parking in self.parkings {
            parking.end(&mut self.tx).await?;
        }
        Ok(self.tx.commit().await?)
    }

    /// Gives it up, now and not some time after: whoever comes next must not find the checkpoints taken.
    pub(super) async fn give_up(self) -> Result<(), PolicyError> {
        Ok(self.tx.rollback().await?)
    }
}

impl Commands {
    /// Lets a policy that is at a sitting look at events.
    ///
    /// # Errors
    /// What holds up the whole policy: the sitting is to be given up.
    pub(super) async fn look_at<P: Policy>(
        &self,
        sitting: &mut Sitting,
        events: &[Recorded],
    ) -> Result<Batch, PolicyError> {
        let mut batch = Batch::of(events.len());
        let Some(checkpoint) = sitting.checkpoints.get(P::NAME) else {
            return Ok(batch);
        };
        let tenant = sitting.tenant;
        let mut parking = Parking::new(tenant, P::NAME, checkpoint);
        for event in events {
            for process in P::processes(event) {
                if parking.keeps_behind(&mut sitting.tx, &process, event).await? {
                    continue;
                }
                let name = (P::NAME, process);
                let reacted = match sitting.state::<P>(&name) {
                    Ok(state) => self.react_to::<P>(tenant, state, event, Answer::Give).await,
                    Err(error) => Err(error),
                };
                match reacted {
                    Ok((reacted, memory)) => {
                        batch.add(&reacted);
                        if let Some(memory) = memory {
                            sitting.changed.insert(name, memory);
                        }
                    }
                    Err(error) => {
                        let occasion = Occasion::of_event(event);
                        let now = self.ports.now();
                        parking
                            .park(&mut sitting.tx, &name.1, &occasion, now, error)
                            .await?;
                        if let Some(Memory::Kept { wake_at, .. }) = sitting.changed.get_mut(&name) {
                            *wake_at = None;
                        }
                    }
                }
            }
        }
        sitting.parkings.push(parking);
        sitting.looked.push(P::NAME);
        Ok(batch)
    }
}
