//! The money of a story: deposits, balances, tips, and what is given back.

use anyhow::{Context, Result, bail};
use commands::Written;
use commands::payment::{CardIntentInput, PaymentInput, PaymentVerdict, Preselected, RefundInput, TipScreen};
use domain::decider::{Decider, Event};
use domain::envelope::StreamId;
use domain::ids::{BookingId, PaymentId};
use domain::money::Cents;
use domain::payment::{
    DisputeOutcome, HandedOver, Payment, PaymentEvent, PaymentKind, PaymentMethod, RefundKind, Verdict,
};
use domain::price_list::DepositBack;
use domain::quote::food_and_service;

use super::bookings::{Play, happened};
use super::year::{After, Fate, Story, Tip};

/// Money on its way.
struct Pay {
    kind: PaymentKind,
    method: PaymentMethod,
    amount: Cents,
    tip: Cents,
    verdict: Verdict,
}

impl Tip {
    fn of(self, food_and_service: Cents) -> Cents {
        Cents(food_and_service.0 * self.0 / 100)
    }
}

impl Play {
    pub(super) async fn pay_deposit(&mut self, story: &Story, index: usize, id: BookingId) -> Result<()> {
        let deposit = self.booking(id).await?.quote.deposit_cents;
        let not_found = story.fate == Fate::NotFound;
        let pay = Pay {
            kind: PaymentKind::Deposit,
            // A card is charged or not; only what is claimed may not be found.
            method: if not_found && story.deposit_by == PaymentMethod::Card {
                PaymentMethod::Zelle
            } else {
                story.deposit_by
            },
            amount: deposit,
            tip: Cents::ZERO,
            verdict: if not_found {
                Verdict::Reject
            } else {
                Verdict::Accept
            },
        };
        self.pay(story, index, id, pay).await
    }

    pub(super) async fn pay_balance(&mut self, story: &Story, index: usize, id: BookingId) -> Result<()> {
        let quote = self.booking(id).await?.quote;
        // One in eighty leaves twenty dollars too much, which somebody will have to look at.
        let too_much = if story.number % 83 == 5 {
            Cents(2_000)
        } else {
            Cents::ZERO
        };
        let pay = Pay {
            kind: PaymentKind::Balance,
            method: story.balance_by,
            amount: quote.total_cents - quote.deposit_cents + too_much,
            tip: story.tip.of(food_and_service(&quote.lines)),
            verdict: Verdict::Accept,
        };
        if pay.amount.is_zero() {
            return Ok(());
        }
        self.pay(story, index, id, pay).await
    }

    async fn pay(&mut self, story: &Story, index: usize, id: BookingId, pay: Pay) -> Result<()> {
        let paid = match pay.method {
            PaymentMethod::Card => self.pay_by_card(story, id, &pay).await?,
            PaymentMethod::Zelle | PaymentMethod::Venmo | PaymentMethod::Cash => {
                self.pay_by_hand(story, id, &pay).await?
            }
        };
        self.booked[index].paid.extend(paid);
        Ok(())
    }

    async fn pay_by_card(
        &mut self,
        story: &Story,
        booking: BookingId,
        pay: &Pay,
    ) -> Result<Option<PaymentId>> {
        let name = format!("pay {}", pay.kind.as_str());
        let written = match self.before.of_command(story, &name) {
            Some(None) => return Ok(None),
            Some(Some(written)) => {
                let id: PaymentId = written.id_of(Payment::STREAM).parse()?;
                self.cards.remember(id, self.total_of(id).await?);
                if self.before.lasts() {
                    return Ok(Some(id));
                }
                written
            }
            None => match self.intend(story, booking, pay, &name).await? {
                Some(written) => written,
                None => return Ok(None),
            },
        };
        let id: PaymentId = written.id_of(Payment::STREAM).parse()?;
        let (tenant, now) = (self.caller.tenant, self.now());
        if story.number % 29 == 3 {
            self.commands
                .hear_provider(tenant, self.cards.declined(id, now))
                .await?;
        }
        self.commands
            .hear_provider(tenant, self.cards.succeeded(id, now))
            .await?;
        Ok(Some(id))
    }

    async fn intend(
        &self,
        story: &Story,
        booking: BookingId,
        pay: &Pay,
        name: &str,
    ) -> Result<Option<Written>> {
        let input = CardIntentInput {
            booking,
            kind: pay.kind,
            amount_cents: pay.amount,
            tip_cents: pay.tip,
            tip: chosen_on(pay.tip, "checkout page"),
        };
        let key = self.key(story, name);
        let made = self
            .commands
            .create_card_intent(self.caller.clone(), key, input)
            .await;
        happened(made.map(|made| made.written))
    }

    /// What a card is charged by an earlier play, in cents.
    async fn total_of(&self, payment: PaymentId) -> Result<Cents> {
        let stream = StreamId::new(Payment::STREAM, payment.to_string());
        let events = self
            .commands
            .log()
            .read_stream(self.caller.tenant, &stream)
            .await?;
        let first = events.first().context("a payment that was made")?;
        let first = PaymentEvent::decode(&first.event_type, first.event_version, &first.payload)?;
        let PaymentEvent::IntentCreated(created) = first else {
            bail!("a card payment begins with its intent");
        };
        Ok(created.parts().total())
    }

    async fn pay_by_hand(
        &mut self,
        story: &Story,
        booking: BookingId,
        pay: &Pay,
    ) -> Result<Option<PaymentId>> {
        let kind = pay.kind.as_str();
        let name = format!("pay {kind}");
        let recorded = match self.before.of_command(story, &name) {
            Some(before) => before,
            None => {
                let input = PaymentInput {
                    booking,
                    kind: pay.kind,
                    method: pay.method,
                    amount_cents: pay.amount,
                    tip_cents: pay.tip,
                    reference: Some(format!("{}-{kind}-{:05}", self.prefix, story.number)),
                    tip: chosen_on(pay.tip, "paper slip"),
                };
                let key = self.key(story, &name);
                happened(
                    self.commands
                        .record_payment(self.caller.clone(), key, input)
                        .await,
                )?
            }
        };
        let Some(written) = recorded else {
            return Ok(None);
        };
        let id: PaymentId = written.id_of(Payment::STREAM).parse()?;
        let name = format!("verify {kind}");
        let decided = match self.before.of_command(story, &name) {
            Some(before) => before,
            None => {
                let note = match pay.verdict {
                    Verdict::Accept => "seen in the account",
                    Verdict::Reject => "not in the account after a day",
                };
                let ask = PaymentVerdict {
                    payment_id: id,
                    expected_version: None,
                    verdict: pay.verdict,
                    note: Some(note.to_owned()),
                    reference: None,
                    bank_mail: None,
                };
                let key = self.key(story, &name);
                happened(self.commands.decide_payment(self.caller.clone(), key, ask).await)?
            }
        };
        let found = decided.is_some() && pay.verdict == Verdict::Accept;
        Ok(found.then_some(id))
    }

    /// Gives back of a cancelled booking's deposit what its terms say, and all of it where the company called off.
    pub(super) async fn give_back(&mut self, story: &Story, index: usize, id: BookingId) -> Result<()> {
        let requested = self.booking(id).await?;
        let returned = match story.fate {
            Fate::CalledOff { .. } => true,
            Fate::Cancelled { .. } => {
                let hours_before = (requested.start.utc - self.now()).num_hours() + 4;
                let tier = requested.policy.tier(hours_before);
                tier.is_some_and(|tier| tier.deposit_back == DepositBack::Returned)
            }
            Fate::Held | Fate::NeverPaid | Fate::NotFound => false,
        };
        let Some(deposit) = self.booked[index].paid.first().copied().filter(|_| returned) else {
            return Ok(());
        };
        let ask = Refund {
            payment: deposit,
            amount: requested.quote.deposit_cents,
            kind: RefundKind::CancelledBeforeService,
            reason: "the booking was called off in time",
        };
        self.refund(story, index, ask).await
    }

    /// Gives a part of the price back after the party.
    pub(super) async fn make_good(&mut self, story: &Story, index: usize, id: BookingId) -> Result<()> {
        let (kind, percent, reason) = match story.after {
            Some(After::Goodwill(percent)) => (RefundKind::Goodwill, percent, "the party began an hour late"),
            Some(After::PriceAdjusted(percent)) => (
                RefundKind::PriceAdjustment,
                percent,
                "some of the menu was not served",
            ),
            Some(After::Disputed { .. }) | None => return Ok(()),
        };
        let Some(balance) = self.booked[index].paid.last().copied() else {
            return Ok(());
        };
        let total = self.booking(id).await?.quote.total_cents;
        let ask = Refund {
            payment: balance,
            amount: Cents(total.0 * percent / 100),
            kind,
            reason,
        };
        self.refund(story, index, ask).await
    }

    async fn refund(&mut self, story: &Story, index: usize, refund: Refund) -> Result<()> {
        self.booked[index].settled_at = self.booked[index].settled_at.map(|_| self.now());
        if let Some(before) = self.before.of_command(story, "refund") {
            self.made.refunds += u32::from(before.is_some());
            return Ok(());
        }
        let ask = RefundInput {
            payment_id: refund.payment,
            expected_version: None,
            amount_cents: refund.amount,
            tip_cents: None,
            fee_cents: None,
            kind: Some(refund.kind),
            reason: refund.reason.to_owned(),
            handed_over: HandedOver::Already,
        };
        let key = self.key(story, "refund");
        let done = self.commands.refund_payment(self.caller.clone(), key, ask).await;
        self.made.refunds += u32::from(happened(done)?.is_some());
        Ok(())
    }

    /// The customer's bank wants a card payment back.
    pub(super) async fn dispute(&mut self, story: &Story, index: usize) -> Result<()> {
        let Some(payment) = self.charged_balance(story, index) else {
            return Ok(());
        };
        self.made.disputes += 1;
        if self.before.lasts() {
            return Ok(());
        }
        let notice = self.cards.disputed(payment, self.now());
        self.commands.hear_provider(self.caller.tenant, notice).await?;
        Ok(())
    }

    /// The bank decides.
    pub(super) async fn decide(&mut self, story: &Story, index: usize) -> Result<()> {
        let (Some(payment), Some(After::Disputed { won })) =
            (self.charged_balance(story, index), story.after)
        else {
            return Ok(());
        };
        self.booked[index].settled_at = Some(self.now());
        if self.before.lasts() {
            return Ok(());
        }
        let outcome = if won {
            DisputeOutcome::Won
        } else {
            DisputeOutcome::Lost
        };
        let notice = self.cards.decided(payment, self.now(), outcome);
        self.commands.hear_provider(self.caller.tenant, notice).await?;
        Ok(())
    }

    fn charged_balance(&self, story: &Story, index: usize) -> Option<PaymentId> {
        let paid = &self.booked[index].paid;
        (story.balance_by == PaymentMethod::Card && paid.len() > 1)
            .then(|| paid.last().copied())
            .flatten()
    }
}

struct Refund {
    payment: PaymentId,
    amount: Cents,
    kind: RefundKind,
    reason: &'static str,
}

/// How the tip was chosen, where there is one.
fn chosen_on(tip: Cents, screen: &str) -> Option<TipScreen> {
    (!tip.is_zero()).then(|| TipScreen {
        screen: screen.to_owned(),
        preselected: Preselected::No,
    })
}
