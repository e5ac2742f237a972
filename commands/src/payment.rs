//! Payments that people make without a provider: claimed, then found or not.

use domain::access::Permission;
use domain::decider::Decider;
use domain::envelope::Version;
use domain::ids::{BookingId, PaymentId};
use domain::money::Cents;
use domain::payment::{
    PaidBooking, Payment, PaymentClaimed, PaymentCommand, PaymentError, PaymentKind, PaymentMethod, Verdict,
};
use serde::Serialize;

use crate::execute::{Plan, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// Money that somebody says was sent or handed over.
#[derive(Debug, Clone, Serialize)]
pub struct PaymentInput {
    /// What for.
    pub booking: BookingId,
    /// What it is.
    pub kind: PaymentKind,
    /// How it moved.
    pub method: PaymentMethod,
    /// Towards the booking's price, in cents.
    pub amount_cents: Cents,
    /// Voluntary tip on top, in cents.
    pub tip_cents: Cents,
    /// What the bank or the receipt calls it.
    pub reference: Option<String>,
}

impl Commands {
    /// Records that money was sent or handed over. It counts once it is verified.
    ///
    /// # Errors
    /// A refusal for an amount that cannot be, a card, or a booking that is not there.
    pub async fn record_payment(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        input: PaymentInput,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PaymentWrite)?;
            let id = PaymentId(this.ports.id());
            this.run(&caller, &key, "payment_record", &input, || {
                this.plan_payment(&caller, id, &input)
            })
            .await
        })
        .await
    }

    async fn plan_payment(
        &self,
        caller: &Caller,
        id: PaymentId,
        input: &PaymentInput,
    ) -> Result<Plan, CommandError> {
        let booking = self
            .load_booking(caller, input.booking, PaymentError::BookingNotFound.into())
            .await?;
        let requested = booking
            .state
            .requested()
            .ok_or_else(|| CommandError::refused(PaymentError::BookingNotFound))?;
        let claimed = PaymentClaimed {
            booking: PaidBooking {
                booking_id: input.booking,
                number: requested.number.clone(),
                station_id: requested.station_id,
                event_on: requested.start.local.date(),
                jurisdiction: requested.tax_place.jurisdiction.clone(),
                rate_ppm: requested.tax_place.rate_ppm,
            },
            kind: input.kind,
            method: input.method,
            amount_cents: input.amount_cents,
            tip_cents: input.tip_cents,
            reference: input.reference.clone(),
            claimed_at: self.ports.now(),
        };
        let events = Payment::default()
            .decide(PaymentCommand::Record(claimed))
            .map_err(CommandError::refused)?;
        Ok(Plan::default().write::<Payment>(self, id.to_string(), Version(0), events))
    }

    /// Says whether claimed money was found.
    ///
    /// # Errors
    /// `WRONG_STATE` when that was said already; `NOT_FOUND` for no such payment.
    pub async fn verify_payment(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: PaymentId,
        seen: Option<i64>,
        verdict: Verdict,
        note: Option<String>,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PaymentWrite)?;
            this.run(
                &caller,
                &key,
                "payment_verify",
                &(id, seen, verdict, &note),
                || async {
                    let loaded = this.load::<Payment>(&caller, &id.to_string()).await?;
                    let station = loaded.state.claimed().map(|claimed| claimed.booking.station_id);
                    let station = station.ok_or_else(|| CommandError::refused(PaymentError::NotFound))?;
                    caller.reach(station, PaymentError::NotFound.into())?;
                    loaded.expect(seen)?;
                    let command = PaymentCommand::Verify {
                        verdict,
                        note: note.clone(),
                        now: this.ports.now(),
                    };
                    let events = loaded.state.decide(command).map_err(CommandError::refused)?;
                    Ok(Plan::default().write::<Payment>(&this, id.to_string(), loaded.version, events))
                },
            )
            .await
        })
        .await
    }
}
