//! Giving money back. What is asked for is recorded before the provider is asked; what became of it afterwards. One that is
//! pending when the program ends is taken up by the next, through a policy.

use chrono::TimeDelta;
use domain::access::{Permission, Role};
use domain::booking::BookingStatus;
use domain::decider::Decider;
use domain::envelope::{ActorKind, Channel};
use domain::ids::{PaymentId, RefundId, TenantId};
use domain::money::Cents;
use domain::organisation::Organisation;
use domain::payment::{
    HandedOver, Payment, PaymentCommand, PaymentError, PaymentKind, PaymentMethod, PaymentParts,
    ProviderRefund, RefundKind, RefundSeen, RefundState, RequestRefund, SettledBy,
};
use domain::work_item::WorkKind;
use serde::Serialize;
use uuid::Uuid;

use super::card::OF_COMMANDS;
use crate::execute::{NOTHING_NEW, Plan, Written, to_the_end};
use crate::load::Loaded;
use crate::organisation::organisation_id;
use crate::ports::{GatewayError, RefundAsk};
use crate::work::about;
use crate::{Caller, CommandError, Commands, IdempotencyKey, Refused};

/// Money to give back.
#[derive(Debug, Clone, Serialize)]
pub struct RefundInput {
    /// Which payment.
    pub payment_id: PaymentId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// How much, all parts together, in cents.
    pub amount_cents: Cents,
    /// What of it is tip, in cents; none leaves it to the rule: the price first, then the fee, then the tip.
    pub tip_cents: Option<Cents>,
    /// What of it is card fee, in cents; none as above.
    pub fee_cents: Option<Cents>,
    /// Why, as the tax sees it; none leaves it to where the booking stands.
    pub kind: Option<RefundKind>,
    /// Why.
    pub reason: String,
    /// Whether the money has been sent or handed over already; of no meaning for a card.
    pub handed_over: HandedOver,
}

/// What became of money that a person was to give back.
#[derive(Debug, Clone, Serialize)]
pub struct RefundSettle {
    /// Which payment.
    pub payment_id: PaymentId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Which of its refunds.
    pub refund_id: RefundId,
    /// What became of it.
    pub seen: RefundSeen,
    /// What the bank calls it.
    pub reference: Option<String>,
}

/// How long a refund may be on its way before a person should look.
const OVERDUE: TimeDelta = TimeDelta::hours(24);

impl Commands {
    /// Gives money back: by hand at once, or through the provider, which may take days. Pending is not given back, and
    /// neither is failed.
    ///
    /// # Errors
    /// `EXCEEDS_REFUNDABLE`, `REFUND_ABOVE_LIMIT` for support staff, `INVALID_REASON`, `INVALID_AMOUNT`,
    /// `INVALID_REFUND_PARTS`, `WRONG_STATE`, `NOT_FOUND`.
    pub async fn refund_payment(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: RefundInput,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PaymentRefund)?;
            let refund_id = RefundId(Uuid::new_v5(&OF_COMMANDS, key.command_id().0.as_bytes()));
            let mut written = this
                .run(&caller, &key, "payment_refund", &ask, || {
                    this.plan_refund(&caller, refund_id, &ask)
                })
                .await?;
            // The refund is on record; whatever happens to the provider now, it is not forgotten. A command that is given
            // again may be given days after the first.
            let push = if written.replayed {
                Push::Again
            } else {
                Push::First
            };
            match this
                .push_refund(caller.tenant, ask.payment_id, refund_id, push)
                .await
            {
                Ok(Some(settled)) => written.position = written.position.max(settled.position),
                Ok(None) => {}
                Err(error) => tracing::warn!(tenant = %caller.tenant, %error, "a refund stays pending"),
            }
            Ok(written)
        })
        .await
    }

    async fn plan_refund(
        &self,
        caller: &Caller,
        refund_id: RefundId,
        ask: &RefundInput,
    ) -> Result<Plan, CommandError> {
        let loaded = self.load_payment(caller, ask.payment_id).await?;
        loaded.expect(ask.expected_version)?;
        let kind = self.refund_kind(caller, &loaded, ask).await?;
        let command = PaymentCommand::RequestRefund(RequestRefund {
            refund_id,
            kind,
            parts: parts(&loaded.state, kind, ask)?,
            reason: ask.reason.clone(),
            limit: self.refund_limit(caller).await?,
            handed_over: ask.handed_over,
            now: self.ports.now(),
        });
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(Plan::default().write::<Payment>(self, ask.payment_id.to_string(), loaded.version, events))
    }

    /// What whoever asks may give back of one payment in all; none for no limit.
    async fn refund_limit(&self, caller: &Caller) -> Result<Option<Cents>, CommandError> {
        match caller.actor.role {
            Some(Role::CustomerSupport) => {
                let id = organisation_id(caller.tenant);
                let company = self.load::<Organisation>(caller, &id).await?;
                Ok(Some(company.state.refund_limit()))
            }
            Some(_) | None => Ok(None),
        }
    }

    /// Why money is given back, where nobody has said: by where the booking stands.
    async fn refund_kind(
        &self,
        caller: &Caller,
        payment: &Loaded<Payment>,
        ask: &RefundInput,
    ) -> Result<RefundKind, CommandError> {
        if let Some(kind) = ask.kind {
            return Ok(kind);
        }
        let Some(terms) = payment.state.terms() else {
            return Ok(RefundKind::Goodwill);
        };
        if terms.kind == PaymentKind::Tip {
            return Ok(RefundKind::TipOnly);
        }
        let id = terms.booking.booking_id.to_string();
        let booking = self.load::<domain::booking::Booking>(caller, &id).await?;
        Ok(match booking.state.status() {
            Some(BookingStatus::Cancelled | BookingStatus::Expired) => RefundKind::CancelledBeforeService,
            Some(BookingStatus::Completed) if ask.amount_cents == payment.state.captured().total() => {
                RefundKind::FullReversal
            }
            Some(BookingStatus::Completed) => RefundKind::PriceAdjustment,
            // Before the party nothing was sold: the money is simply not there any more, and owed again.
            Some(BookingStatus::Requested | BookingStatus::Confirmed) | None => RefundKind::Overpayment,
        })
    }

    /// Says what became of money that a person was to give back. Never of a card's.
    ///
    /// # Errors
    /// `CARD_NOT_BY_HAND`, `WRONG_STATE` when that was said already, `NOT_FOUND`.
    pub async fn settle_refund(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: RefundSettle,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PaymentRefund)?;
            this.run(&caller, &key, "payment_refund_settle", &ask, || async {
                let loaded = this.load_payment(&caller, ask.payment_id).await?;
                loaded.expect(ask.expected_version)?;
                let command = PaymentCommand::SettleRefund {
                    refund_id: ask.refund_id,
                    seen: ask.seen.clone(),
                    provider_ref: ask.reference.clone(),
                    by: SettledBy::Person,
                    now: this.ports.now(),
                };
                let events = loaded.state.decide(command).map_err(CommandError::refused)?;
                Ok(Plan::default().write::<Payment>(
                    &this,
                    ask.payment_id.to_string(),
                    loaded.version,
                    events,
                ))
            })
            .await
        })
        .await
    }

    /// Takes up a refund that is on its way, for as long as it is: asks the provider what became of it, and for it where
    /// the provider knows of none. After a day a person is told.
    pub(crate) async fn take_up_refund(&self, tenant: TenantId, payment_id: PaymentId, refund_id: RefundId) {
        // It is never closed.
        let Ok(_permit) = self.asking.acquire().await else {
            return;
        };
        let caller = provider(tenant);
        let taken = async {
            let pushed = self
                .push_refund(tenant, payment_id, refund_id, Push::Again)
                .await?;
            if pushed.is_some() {
                return Ok(());
            }
            let loaded = self.load_payment(&caller, payment_id).await?;
            let (Some(terms), Some(refund)) = (loaded.state.terms(), loaded.state.refund(refund_id)) else {
                return Ok(());
            };
            if refund.state != RefundState::Pending || self.ports.now() - refund.requested_at < OVERDUE {
                return Ok(());
            }
            let detail = format!("{} is on its way back for more than a day", refund.parts.total());
            let opened = about(WorkKind::RefundPending, &terms.booking, Some(payment_id)).of(
                refund.parts.total(),
                detail,
                self.ports.now(),
            );
            self.open_work(
                caller.clone(),
                WorkKind::RefundPending.item(&refund_id.to_string()),
                opened,
            )
            .await
        };
        if let Err(error) = taken.await {
            tracing::warn!(%tenant, %error, "a refund stays pending");
        }
    }

    /// Asks the provider to give money back, outside of every transaction, and records what it says; none where there is
    /// nothing to ask, or no answer.
    async fn push_refund(
        &self,
        tenant: TenantId,
        payment_id: PaymentId,
        refund_id: RefundId,
        push: Push,
    ) -> Result<Option<Written>, CommandError> {
        let caller = provider(tenant);
        let loaded = self.load_payment(&caller, payment_id).await?;
        let pending = loaded
            .state
            .refund(refund_id)
            .filter(|refund| refund.state == RefundState::Pending);
        let (Some(refund), Some(intent_id), Some(cards)) = (pending, loaded.state.intent_id(), &self.cards)
        else {
            return Ok(None);
        };
        let ask = RefundAsk {
            tenant,
            intent_id: intent_id.to_owned(),
            payment_id,
            refund_id,
            total_cents: refund.parts.total(),
        };
        let known = match push {
            Push::First => Ok(None),
            // The provider forgets keys after a day, but no refund: it is looked for before it is asked for again.
            Push::Again => cards.refunds(intent_id).await.map(|known| {
                let mut known = known.into_iter();
                known.find(|known| known.refund_id() == refund_id)
            }),
        };
        let answered = match known {
            Ok(None) => cards.refund(&refund_id.to_string(), &ask).await,
            Ok(Some(known)) => Ok(known),
            Err(error) => Err(error),
        };
        let (seen, provider_ref) = match answered {
            Ok(ProviderRefund { seen, id, .. }) => (seen, Some(id)),
            Err(GatewayError::Refused { code }) => (RefundSeen::Failed { code: Some(code) }, None),
            Err(
                error @ (GatewayError::Unreachable(_)
                | GatewayError::Unreadable
                | GatewayError::KeyReused
                | GatewayError::Misconfigured { .. }),
            ) => {
                tracing::warn!(%tenant, %error, "a refund stays pending");
                return Ok(None);
            }
        };
        self.record_settled(caller, payment_id, refund_id, seen, provider_ref)
            .await
    }

    async fn record_settled(
        &self,
        caller: Caller,
        payment_id: PaymentId,
        refund_id: RefundId,
        seen: RefundSeen,
        provider_ref: Option<String>,
    ) -> Result<Option<Written>, CommandError> {
        if seen == RefundSeen::Pending {
            return Ok(None);
        }
        let said = domain::canonical::json(&seen);
        let key = IdempotencyKey::of_reaction("refund_settled", &format!("{refund_id} {said}"));
        let body = (payment_id, refund_id, &seen);
        let done = self
            .run(&caller, &key, "refund_settled", &body, || async {
                let loaded = self.load_payment(&caller, payment_id).await?;
                let command = PaymentCommand::SettleRefund {
                    refund_id,
                    seen: seen.clone(),
                    provider_ref: provider_ref.clone(),
                    by: SettledBy::Provider,
                    now: self.ports.now(),
                };
                let events = loaded.state.decide(command).map_err(CommandError::refused)?;
                if events.is_empty() {
                    return Err(CommandError::nothing_new());
                }
                Ok(Plan::default().write::<Payment>(self, payment_id.to_string(), loaded.version, events))
            })
            .await;
        match done {
            Ok(written) => Ok(Some(written)),
            Err(CommandError::Refused(Refused {
                code: NOTHING_NEW, ..
            })) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether the provider is asked for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Push {
    First,
    Again,
}

/// The payment provider, as whoever records what it says.
pub(super) fn provider(tenant: TenantId) -> Caller {
    let mut caller = Caller::system(tenant, "payment-provider");
    caller.actor.kind = ActorKind::System;
    caller.channel = Channel::Webhook;
    caller
}

/// What of a payment is given back, where not all was said.
fn parts(payment: &Payment, kind: RefundKind, ask: &RefundInput) -> Result<PaymentParts, CommandError> {
    let nothing_or = |cents: Option<Cents>| cents.unwrap_or(Cents::ZERO);
    let named = [
        ask.amount_cents,
        nothing_or(ask.tip_cents),
        nothing_or(ask.fee_cents),
    ];
    if named
        .iter()
        .any(|part| !(Cents::ZERO..=Cents::MAX_INPUT).contains(part))
    {
        return Err(CommandError::refused(PaymentError::BadRefund));
    }
    let tip_only = payment
        .terms()
        .is_some_and(|terms| terms.kind == PaymentKind::Tip);
    let by_card = payment
        .terms()
        .is_some_and(|terms| terms.method == PaymentMethod::Card);
    let all = |tip_cents, fee_cents| PaymentParts {
        amount_cents: Cents::ZERO,
        tip_cents,
        fee_cents,
    };
    Ok(match (kind, ask.tip_cents, ask.fee_cents) {
        (RefundKind::TipOnly, None, None) => all(ask.amount_cents, Cents::ZERO),
        (RefundKind::FeeOnly, None, None) => all(Cents::ZERO, ask.amount_cents),
        (_, None, None) if tip_only && !by_card => all(ask.amount_cents, Cents::ZERO),
        (_, None, None) => {
            // What is too much is refused as such, by the price that it would be of.
            payment.refundable().allocate(ask.amount_cents)
        }
        (_, tip, fee) => PaymentParts {
            amount_cents: ask.amount_cents - nothing_or(tip) - nothing_or(fee),
            tip_cents: nothing_or(tip),
            fee_cents: nothing_or(fee),
        },
    })
}
