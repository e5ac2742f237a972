//! Parties that need another chef than the one who was to cook.

use domain::booking::{Booking, BookingStatus};
use domain::chef::{Chef, ChefCommand, ChefReassignmentNeeded, WorkToReassign};
use domain::decider::Decider;
use domain::ids::ChefId;

use crate::execute::{Plan, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

impl Commands {
    /// Records which of some parties of a chef need another: they are still to come and still have the chef, who does not
    /// work then.
    ///
    /// # Errors
    /// `NOTHING_TO_REASSIGN` where none does.
    pub(crate) async fn need_reassignment(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        chef: ChefId,
        asked: ChefReassignmentNeeded,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            let body = (chef, &asked);
            this.run(&caller, &key, "chef_need_reassignment", &body, || {
                this.plan_reassignment(&caller, chef, &asked)
            })
            .await
        })
        .await
    }

    async fn plan_reassignment(
        &self,
        caller: &Caller,
        id: ChefId,
        asked: &ChefReassignmentNeeded,
    ) -> Result<Plan, CommandError> {
        let chef = self.load::<Chef>(caller, &id.to_string()).await?;
        let mut plan = Plan::default();
        let mut work = Vec::new();
        for asked in &asked.work {
            let booking_id = asked.booking_id.to_string();
            let booking = self.load::<Booking>(caller, &booking_id).await?;
            let party = self.party_of(&booking.state, id, asked);
            if let Some(party) = party.filter(|party| party.is_needed(chef.state.times())) {
                plan = plan.reads::<Booking>(booking_id, booking.version);
                work.push(party);
            }
        }
        let needed = ChefReassignmentNeeded {
            work,
            ..asked.clone()
        };
        let events = chef.state.decide(ChefCommand::NeedReassignment(needed));
        let events = events.map_err(CommandError::refused)?;
        Ok(plan.write::<Chef>(self, id.to_string(), chef.version, events))
    }

    /// The party as it is by now; none where it is over, called off or put away, or has not this chef any more.
    fn party_of(&self, booking: &Booking, chef: ChefId, asked: &WorkToReassign) -> Option<WorkToReassign> {
        let requested = booking.requested()?;
        let open = booking.status().is_some_and(BookingStatus::is_open) && !booking.is_deleted();
        let to_come = requested.blocked_until > self.ports.now();
        (open && to_come && booking.chefs().contains(&chef)).then(|| WorkToReassign {
            booking_id: asked.booking_id,
            number: requested.number.clone(),
            blocked_from: requested.blocked_from,
            blocked_until: requested.blocked_until,
            station_id: Some(requested.station_id),
            zone: Some(requested.start.zone),
        })
    }
}
