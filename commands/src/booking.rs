//! Booking commands.

mod change;
mod crew;
mod kept;
mod removal;
mod request;
pub(crate) mod roster;
mod tax;
mod tax_revision;
mod upkeep;
mod venue;

use domain::access::Permission;
use domain::booking::{Booking, BookingCommand, BookingError, CancelledBy};
use domain::decider::Decider;
use domain::ids::{BookingId, PaymentId};
use domain::money::Cents;
use domain::organisation::Organisation;

pub use change::{BookingGuestCountChange, BookingMenuChange, BookingReschedule, OnBehalfOf};
pub use crew::{BookingChef, BookingChefRelease};
pub use removal::{BookingDelete, BookingRestore};
pub use request::BookingInput;
pub use tax::BookingTaxPlace;
pub use tax_revision::HeldUnder;
pub use upkeep::{BookingDepositExtend, BookingNote, BookingTermsAccept};
pub use venue::VenueInput;

pub use crate::customer::{CustomerInput, SmsConsent};
use crate::execute::{Plan, Written, to_the_end};
use crate::load::Loaded;
use crate::organisation::organisation_id;
use crate::{Caller, CommandError, Commands, IdempotencyKey, Refused};

impl Commands {
    /// Marks a party as held, from its start on.
    ///
    /// # Errors
    /// `NOT_YET_HELD` before the start, `WRONG_STATE` unless it is confirmed.
    pub async fn complete_booking(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: BookingId,
        seen: Option<i64>,
        note: Option<String>,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::BookingWrite)?;
            this.run(&caller, &key, "booking_complete", &(id, seen, &note), || async {
                this.plan_completion(&caller, id, seen, note.as_ref()).await
            })
            .await
        })
        .await
    }

    /// Calls a party off and frees its place; what is given back is proposed, not paid.
    ///
    /// # Errors
    /// `INVALID_REASON`, or `WRONG_STATE` when it was held or called off already.
    pub async fn cancel_booking(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: BookingId,
        seen: Option<i64>,
        by: CancelledBy,
        reason: String,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::BookingWrite)?;
            this.run(
                &caller,
                &key,
                "booking_cancel",
                &(id, seen, by, &reason),
                || async {
                    let organisation = organisation_id(caller.tenant);
                    let company = this.load::<Organisation>(&caller, &organisation).await?;
                    let command = BookingCommand::Cancel {
                        by,
                        reason: reason.clone(),
                        kept: company.state.kept_deposit_tax(),
                        now: this.ports.now(),
                    };
                    let plan = this.plan_booking(&caller, id, seen, command).await?;
                    Ok(plan.reads::<Organisation>(organisation, company.version))
                },
            )
            .await
        })
        .await
    }

    /// Confirms a booking whose deposit has come.
    pub(crate) async fn confirm_booking(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: BookingId,
        payment_id: PaymentId,
        captured_cents: Cents,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            this.run(
                &caller,
                &key,
                "booking_confirm",
                &(id, payment_id, captured_cents),
                || async {
                    let command = BookingCommand::Confirm {
                        payment_id,
                        captured_cents,
                        now: this.ports.now(),
                    };
                    this.plan_booking(&caller, id, None, command).await
                },
            )
            .await
        })
        .await
    }

    /// Gives up a booking whose deposit did not come.
    pub(crate) async fn expire_booking(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: BookingId,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            this.run(&caller, &key, "booking_expire", &id, || async {
                this.plan_booking(
                    &caller,
                    id,
                    None,
                    BookingCommand::Expire {
                        now: this.ports.now(),
                    },
                )
                .await
            })
            .await
        })
        .await
    }

    async fn plan_booking(
        &self,
        caller: &Caller,
        id: BookingId,
        seen: Option<i64>,
        command: BookingCommand,
    ) -> Result<Plan, CommandError> {
        caller.require(Permission::BookingWrite)?;
        let loaded = self
            .load_booking(caller, id, BookingError::NotFound.into())
            .await?;
        loaded.expect(seen)?;
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(Plan::default().write::<Booking>(self, id.to_string(), loaded.version, events))
    }

    /// A booking as its stream tells it.
    ///
    /// # Errors
    /// `NOT_FOUND` when there is none; when the log is out of reach.
    pub async fn booking_as_it_stands(
        &self,
        caller: &Caller,
        id: BookingId,
    ) -> Result<Booking, CommandError> {
        let loaded = self
            .load_booking(caller, id, BookingError::NotFound.into())
            .await?;
        Ok(loaded.state)
    }

    /// Loads a booking that exists and is within the caller's reach.
    pub(crate) async fn load_booking(
        &self,
        caller: &Caller,
        id: BookingId,
        missing: Refused,
    ) -> Result<Loaded<Booking>, CommandError> {
        let loaded = self.load::<Booking>(caller, &id.to_string()).await?;
        let station = loaded.state.requested().map(|requested| requested.station_id);
        caller.reach(
            station.ok_or_else(|| CommandError::Refused(missing.clone()))?,
            missing,
        )?;
        Ok(loaded)
    }
}
