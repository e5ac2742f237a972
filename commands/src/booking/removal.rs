//! Putting bookings away and taking them out again.

use domain::access::Permission;
use domain::booking::{Booking, BookingCommand, RestoreBooking};
use domain::customer::Customer;
use domain::decider::Decider;
use domain::ids::BookingId;
use serde::Serialize;

use super::change::requested;
use crate::execute::{Plan, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// A booking to put away.
#[derive(Debug, Clone, Serialize)]
pub struct BookingDelete {
    /// The booking.
    pub booking_id: BookingId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Why.
    pub reason: String,
}

/// A booking to take out again.
#[derive(Debug, Clone, Serialize)]
pub struct BookingRestore {
    /// The booking.
    pub booking_id: BookingId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Why.
    pub reason: Option<String>,
}

impl Commands {
    /// Puts a booking away and frees its place. It can be taken out again for 30 days.
    ///
    /// # Errors
    /// `INVALID_REASON` for one that is not of 10 to 500 characters, `BOOKING_DELETED`, `WRONG_STATE` once it was held.
    pub async fn delete_booking(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: BookingDelete,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::BookingWrite)?;
            this.run(&caller, &key, "booking_delete", &ask, || async {
                let loaded = this
                    .booking_to_change(&caller, ask.booking_id, ask.expected_version)
                    .await?;
                let command = BookingCommand::Delete {
                    reason: ask.reason.clone(),
                    now: this.ports.now(),
                };
                this.plan_change(ask.booking_id, &loaded, command)
            })
            .await
        })
        .await
    }

    /// Takes a booking out again, where its place is still to be had.
    ///
    /// # Errors
    /// `NOT_DELETED`, `RESTORE_TOO_LATE`, `SLOT_UNAVAILABLE` when somebody else has the place, `CUSTOMER_ERASED`.
    pub async fn restore_booking(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: BookingRestore,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::BookingWrite)?;
            this.run(&caller, &key, "booking_restore", &ask, || {
                this.plan_restoration(&caller, &ask)
            })
            .await
        })
        .await
    }

    async fn plan_restoration(&self, caller: &Caller, ask: &BookingRestore) -> Result<Plan, CommandError> {
        let loaded = self
            .booking_to_change(caller, ask.booking_id, ask.expected_version)
            .await?;
        let requested = requested(&loaded)?;
        let station_id = requested.station_id;
        let station = self.station_of(caller, station_id).await?;
        let customer_id = requested.customer_id.to_string();
        let customer = self.load::<Customer>(caller, &customer_id).await?;
        customer.state.known().map_err(CommandError::refused)?;
        let on = requested.start.local.date();
        let of = (station_id, &station);
        let roster = self.roster(caller, of, (on, on), Some(ask.booking_id)).await?;
        let command = BookingCommand::Restore(Box::new(RestoreBooking {
            roster: roster.roster.clone(),
            station: station.state,
            reason: ask.reason.clone(),
            now: self.ports.now(),
        }));
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        let hold = requested.customer_hold();
        Ok(roster
            .guard(Plan::default())
            .holds(hold.as_ref())
            .write::<Booking>(self, ask.booking_id.to_string(), loaded.version, events)
            .reads::<Customer>(customer_id, customer.version))
    }
}
