//! Cards: an intent is made at the provider under the command's own id, and then recorded.
//!
//! A program that ends in between loses nothing: the same command asked again gets the same intent, and one that is never
//! asked for again is one that no customer can pay.

use domain::access::Permission;
use domain::booking::BookingStatus;
use domain::charges::card_fee;
use domain::decider::Decider;
use domain::envelope::{ActorKind, Version};
use domain::ids::{BookingId, PaymentId};
use domain::money::Cents;
use domain::payment::{
    Payment, PaymentCommand, PaymentError, PaymentIntentCreated, PaymentKind, PaymentParts, Terms,
};
use serde::Serialize;
use uuid::Uuid;

use super::{TipScreen, paid_booking};
use crate::execute::{Plan, Written, to_the_end};
use crate::ports::{CardIntent, GatewayError, IntentAsk, PaymentGateway};
use crate::{Caller, CommandError, Commands, IdempotencyKey, Refused};

/// Money that a customer is to pay by card.
#[derive(Debug, Clone, Serialize)]
pub struct CardIntentInput {
    /// What for.
    pub booking: BookingId,
    /// What it is.
    pub kind: PaymentKind,
    /// Towards the booking's price, in cents.
    pub amount_cents: Cents,
    /// Voluntary tip on top, in cents.
    pub tip_cents: Cents,
    /// How the tip was chosen.
    pub tip: Option<TipScreen>,
}

/// A card payment that waits for its customer.
#[derive(Clone)]
pub struct CardIntentMade {
    /// What was written.
    pub written: Written,
    /// With which the customer's browser pays; kept nowhere.
    pub client_secret: Option<String>,
    /// What the card is to be charged, part by part.
    pub parts: PaymentParts,
}

impl std::fmt::Debug for CardIntentMade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CardIntentMade")
            .field("written", &self.written)
            .field("parts", &self.parts)
            .finish_non_exhaustive()
    }
}

/// Ids of card payments follow from the command, so that a repeat asks the provider for the same.
pub(super) const OF_COMMANDS: Uuid = Uuid::from_u128(0x93a1_04d7_7c1b_4f5a_8b60_2f3e_5d19_6e11);

const OPERATION: &str = "payment_intent_create";

impl Commands {
    /// Prepares a card payment: the provider makes an intent, which the customer pays. Its fee is a share of price and tip,
    /// as the booking's terms have it.
    ///
    /// # Errors
    /// `CARD_NOT_CONFIGURED`; `PROVIDER_UNAVAILABLE`, after which the same key is safe; `PROVIDER_REFUSED`;
    /// `INVALID_AMOUNT`, `NOT_FOUND`, `WRONG_STATE` for a booking that is over; `DEPOSIT_PAID` for a customer who would pay
    /// the deposit once more.
    pub async fn create_card_intent(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        input: CardIntentInput,
    ) -> Result<CardIntentMade, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PaymentWrite)?;
            let cards = this.cards.clone().ok_or_else(not_configured)?;
            let id = PaymentId(Uuid::new_v5(&OF_COMMANDS, key.command_id().0.as_bytes()));
            if let Some(written) = this.written_before(&caller, &key, OPERATION, &input).await? {
                return this.made_before(cards.as_ref(), &caller, id, written).await;
            }
            let draft = this.draft(&caller, &input).await?;
            let decided = Payment::default().decide(PaymentCommand::CreateIntent(draft.clone()));
            let parts = match decided.map_err(CommandError::refused)?.first() {
                Some(domain::payment::PaymentEvent::IntentCreated(created)) => created.parts(),
                Some(_) | None => draft.parts(),
            };
            let ask = IntentAsk {
                tenant: caller.tenant,
                booking_id: input.booking,
                booking_number: draft.booking.number.clone(),
                payment_id: id,
                total_cents: parts.total(),
            };
            let made = cards.create_intent(&key.command_id().to_string(), &ask).await;
            let CardIntent {
                id: intent_id,
                client_secret,
                ..
            } = made.map_err(of_gateway)?;
            let created = PaymentIntentCreated { intent_id, ..draft };
            let written = this
                .run(&caller, &key, OPERATION, &input, || async {
                    let events = Payment::default()
                        .decide(PaymentCommand::CreateIntent(created.clone()))
                        .map_err(CommandError::refused)?;
                    Ok(Plan::default().write::<Payment>(&this, id.to_string(), Version(0), events))
                })
                .await?;
            Ok(CardIntentMade {
                written,
                client_secret,
                parts,
            })
        })
        .await
    }

    /// The intent of a command that was done before: the customer may still need its secret.
    async fn made_before(
        &self,
        cards: &dyn PaymentGateway,
        caller: &Caller,
        id: PaymentId,
        written: Written,
    ) -> Result<CardIntentMade, CommandError> {
        let loaded = self.load_payment(caller, id).await?;
        let client_secret = match loaded.state.intent_id() {
            Some(intent_id) => cards.intent(intent_id).await.map_err(of_gateway)?.client_secret,
            None => None,
        };
        let terms = loaded.state.terms();
        Ok(CardIntentMade {
            written,
            client_secret,
            parts: terms.map(Terms::parts).unwrap_or_default(),
        })
    }

    async fn draft(
        &self,
        caller: &Caller,
        input: &CardIntentInput,
    ) -> Result<PaymentIntentCreated, CommandError> {
        let missing = PaymentError::BookingNotFound;
        let booking = self
            .load_booking(caller, input.booking, missing.clone().into())
            .await?;
        let requested = booking.state.requested();
        let policy = &requested.ok_or_else(|| CommandError::refused(missing))?.policy;
        if booking.state.is_deleted() {
            return Err(CommandError::refused(PaymentError::BookingOver("deleted")));
        }
        match booking.state.status() {
            Some(over @ (BookingStatus::Cancelled | BookingStatus::Expired)) => {
                return Err(CommandError::refused(PaymentError::BookingOver(over.as_str())));
            }
            Some(BookingStatus::Confirmed | BookingStatus::Completed)
                if caller.actor.kind == ActorKind::Customer && input.kind == PaymentKind::Deposit =>
            {
                return Err(CommandError::refused(PaymentError::DepositCame));
            }
            Some(BookingStatus::Requested | BookingStatus::Confirmed | BookingStatus::Completed) | None => {}
        }
        let within = |cents: Cents| (Cents::ZERO..=Cents::MAX_INPUT).contains(&cents);
        let fee_cents = if within(input.amount_cents) && within(input.tip_cents) {
            card_fee(input.amount_cents, input.tip_cents, policy.card_fee_ppm)
        } else {
            Cents::ZERO
        };
        Ok(PaymentIntentCreated {
            booking: paid_booking(input.booking, &booking)?,
            kind: input.kind,
            amount_cents: input.amount_cents,
            tip_cents: input.tip_cents,
            fee_cents,
            fee_rate_ppm: policy.card_fee_ppm,
            tip_choice: self.tip_choice(input.tip.as_ref())?,
            intent_id: String::new(),
            created_at: self.ports.now(),
        })
    }
}

pub(super) fn not_configured() -> CommandError {
    CommandError::Refused(Refused {
        code: "CARD_NOT_CONFIGURED",
        field: Vec::new(),
        message: "card payments are not set up here; take Zelle, Venmo or cash, or set HIBACHI_STRIPE_KEY"
            .to_owned(),
    })
}

/// What the provider's silence or refusal means to the caller. Nothing was written.
pub(super) fn of_gateway(error: GatewayError) -> CommandError {
    let refused = |code, message: &str| {
        CommandError::Refused(Refused {
            code,
            field: Vec::new(),
            message: message.to_owned(),
        })
    };
    tracing::warn!(%error, "the payment provider did not do it");
    match error {
        GatewayError::Refused { code } => CommandError::Refused(Refused {
            code: "PROVIDER_REFUSED",
            field: Vec::new(),
            message: format!("the payment provider refuses: {code}"),
        }),
        GatewayError::Unreachable(_) | GatewayError::Unreadable => refused(
            "PROVIDER_UNAVAILABLE",
            "the payment provider does not answer now; try again with the same idempotency key",
        ),
        GatewayError::KeyReused => CommandError::IdempotencyMismatch,
        GatewayError::Misconfigured { .. } => refused(
            "PROVIDER_UNAVAILABLE",
            "the payment provider does not let this installation in; its operator has to look at the key",
        ),
    }
}
