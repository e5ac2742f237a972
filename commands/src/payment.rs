//! Payments: by hand, claimed and then found or not; and by card, through a provider that is asked outside of every
//! transaction, and whose word is heard in any order.

mod card;
mod provider;
mod refund;

use domain::access::Permission;
use domain::decider::Decider;
use domain::envelope::{ActorKind, Version};
use domain::ids::{BookingId, PaymentId, UserId, WorkItemId};
use domain::money::Cents;
use domain::payment::{
    Evidence, PaidBooking, Payment, PaymentClaimed, PaymentCommand, PaymentError, PaymentKind, PaymentMethod,
    TipChoice, Verdict, VerifyPayment,
};
use domain::work_item::{WorkItem, WorkItemCommand};
use serde::Serialize;

use crate::execute::{Plan, UNIQUE, Written, to_the_end};
use crate::load::Loaded;
use crate::{Caller, CommandError, Commands, IdempotencyKey, Refused};

pub use card::{CardIntentInput, CardIntentMade};
pub use provider::Heard;
pub use refund::{RefundInput, RefundSettle};

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
    /// How the tip was chosen, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tip: Option<TipScreen>,
}

/// How a customer chose a tip.
#[derive(Debug, Clone, Serialize)]
pub struct TipScreen {
    /// On which screen or paper; at most 100 characters.
    pub screen: String,
    /// Whether an amount stood there before the customer chose one.
    pub preselected: Preselected,
}

/// Whether a tip stood there before the customer chose one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Preselected {
    /// It did.
    Yes,
    /// Nothing was preselected.
    No,
}

/// A verdict on claimed money, with what was looked at.
#[derive(Debug, Clone)]
pub struct PaymentVerdict {
    /// Which payment.
    pub payment_id: PaymentId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Whether it was found.
    pub verdict: Verdict,
    /// What was looked at.
    pub note: Option<String>,
    /// What the bank or the receipt calls it, where the claim did not say.
    pub reference: Option<String>,
    /// A bank's notification in the work queue that tells of it.
    pub bank_mail: Option<WorkItemId>,
}

impl PaymentVerdict {
    /// What tells it from another under the same key. A bare verdict is told as it was before there was more to say.
    fn body(&self) -> serde_json::Value {
        let bare = (self.payment_id, self.expected_version, self.verdict, &self.note);
        if self.reference.is_none() && self.bank_mail.is_none() {
            serde_json::json!(bare)
        } else {
            serde_json::json!((bare, &self.reference, self.bank_mail))
        }
    }
}

impl Commands {
    /// Records that money was sent or handed over. It counts once it is verified.
    ///
    /// # Errors
    /// A refusal for an amount that cannot be, a card, a reference that another payment has, or a booking that is not
    /// there.
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
        let claimed = PaymentClaimed {
            booking: paid_booking(input.booking, &booking)?,
            kind: input.kind,
            method: input.method,
            amount_cents: input.amount_cents,
            tip_cents: input.tip_cents,
            tip_choice: self.tip_choice(input.tip.as_ref())?,
            reference: input.reference.clone(),
            reference_key: None,
            claimed_at: self.ports.now(),
        };
        let events = Payment::default()
            .decide(PaymentCommand::Record(claimed))
            .map_err(CommandError::refused)?;
        Ok(Plan::default()
            .write::<Payment>(self, id.to_string(), Version(0), events)
            .on_refused_claim(UNIQUE, PaymentError::ReferenceUsed))
    }

    pub(crate) fn tip_choice(&self, tip: Option<&TipScreen>) -> Result<Option<TipChoice>, CommandError> {
        let Some(TipScreen { screen, preselected }) = tip else {
            return Ok(None);
        };
        if !(1..=100).contains(&screen.trim().chars().count()) {
            return Err(CommandError::Refused(Refused {
                code: "INVALID_TIP_SCREEN",
                field: vec!["tipChoice", "screen"],
                message: "the screen that a tip was chosen on has 1 to 100 characters".to_owned(),
            }));
        }
        Ok(Some(TipChoice {
            chosen_at: self.ports.now(),
            screen: screen.trim().to_owned(),
            preselected: *preselected == Preselected::Yes,
        }))
    }

    /// Says whether claimed money was found.
    ///
    /// # Errors
    /// `WRONG_STATE` when that was said already; `NOT_FOUND` for no such payment; `EVIDENCE_REQUIRED`.
    pub async fn verify_payment(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: PaymentId,
        seen: Option<i64>,
        verdict: Verdict,
        note: Option<String>,
    ) -> Result<Written, CommandError> {
        let verdict = PaymentVerdict {
            payment_id: id,
            expected_version: seen,
            verdict,
            note,
            reference: None,
            bank_mail: None,
        };
        self.decide_payment(caller, key, verdict).await
    }

    /// Says whether claimed money was found, and what shows it. A bank's notification is seen to with it.
    ///
    /// # Errors
    /// As [`verify_payment`](Self::verify_payment); `REFERENCE_USED`; `WRONG_STATE` for a notification that was seen to.
    pub async fn decide_payment(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: PaymentVerdict,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PaymentWrite)?;
            this.run(&caller, &key, "payment_verify", &ask.body(), || {
                this.plan_verdict(&caller, &ask)
            })
            .await
        })
        .await
    }

    async fn plan_verdict(&self, caller: &Caller, ask: &PaymentVerdict) -> Result<Plan, CommandError> {
        let loaded = self.load_payment(caller, ask.payment_id).await?;
        loaded.expect(ask.expected_version)?;
        let now = self.ports.now();
        let mut plan = Plan::default();
        let mut mail = None;
        if let Some(id) = ask.bank_mail.filter(|_| ask.verdict == Verdict::Accept) {
            let item = self.load::<WorkItem>(caller, &id.to_string()).await?;
            // What another station was told is nobody's evidence here.
            let opened = item.state.opened().filter(|opened| {
                let station = opened.station_id;
                station.is_none_or(|station| caller.stations.covers(station))
            });
            let told = opened.and_then(|opened| opened.mail.as_ref());
            let terms = loaded.state.terms();
            let fits = told.zip(terms).is_some_and(|(told, terms)| {
                told.method == terms.method && told.amount_cents == terms.parts().total()
            });
            if !fits {
                return Err(CommandError::Refused(Refused {
                    code: "BANK_MAIL_MISMATCH",
                    field: vec!["bankMail"],
                    message: "the notification tells of another amount or another way, or there is none"
                        .to_owned(),
                }));
            }
            let settle = WorkItemCommand::Settle {
                because: "a payment was verified with it".to_owned(),
                now,
            };
            let settled = item.state.decide(settle).map_err(CommandError::refused)?;
            plan = plan.write::<WorkItem>(self, id.to_string(), item.version, settled);
            mail = Some(Evidence::BankMail(id));
        }
        let command = PaymentCommand::Verify(VerifyPayment {
            verdict: ask.verdict,
            note: ask.note.clone(),
            reference: ask.reference.clone(),
            mail,
            by: user_of(caller),
            now,
        });
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(plan
            .write::<Payment>(self, ask.payment_id.to_string(), loaded.version, events)
            .on_refused_claim(UNIQUE, PaymentError::ReferenceUsed))
    }

    /// Says that money that was found is not there after all.
    ///
    /// # Errors
    /// `SECOND_PERSON_REQUIRED` for whoever found it; `WRONG_STATE`, `INVALID_REASON`, `NOT_FOUND`.
    pub async fn void_payment(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: PaymentId,
        seen: Option<i64>,
        reason: String,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PaymentVoid)?;
            this.run(&caller, &key, "payment_void", &(id, seen, &reason), || async {
                let loaded = this.load_payment(&caller, id).await?;
                loaded.expect(seen)?;
                let command = PaymentCommand::Void {
                    reason: reason.clone(),
                    by: user_of(&caller),
                    now: this.ports.now(),
                };
                let events = loaded.state.decide(command).map_err(CommandError::refused)?;
                Ok(Plan::default().write::<Payment>(&this, id.to_string(), loaded.version, events))
            })
            .await
        })
        .await
    }

    /// Loads a payment that exists and is within the caller's reach.
    pub(crate) async fn load_payment(
        &self,
        caller: &Caller,
        id: PaymentId,
    ) -> Result<Loaded<Payment>, CommandError> {
        let loaded = self.load::<Payment>(caller, &id.to_string()).await?;
        let station = loaded.state.terms().map(|terms| terms.booking.station_id);
        let station = station.ok_or_else(|| CommandError::refused(PaymentError::NotFound))?;
        caller.reach(station, PaymentError::NotFound.into())?;
        Ok(loaded)
    }
}

/// What readers of payments need of a booking.
pub(crate) fn paid_booking(
    id: BookingId,
    booking: &Loaded<domain::booking::Booking>,
) -> Result<PaidBooking, CommandError> {
    let requested = booking
        .state
        .requested()
        .ok_or_else(|| CommandError::refused(PaymentError::BookingNotFound))?;
    Ok(PaidBooking {
        booking_id: id,
        number: requested.number.clone(),
        station_id: requested.station_id,
        event_on: requested.start.local.date(),
        jurisdiction: requested.tax_place.jurisdiction.clone(),
        rate_ppm: requested.tax_place.rate_ppm,
    })
}

/// The person who gives a command; none for the program.
pub(crate) fn user_of(caller: &Caller) -> Option<UserId> {
    match caller.actor.kind {
        ActorKind::User => caller.actor.id.parse().ok(),
        ActorKind::Customer | ActorKind::Policy | ActorKind::System => None,
    }
}
