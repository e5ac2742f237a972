//! The money of a story: deposits, balances, tips, and what is given back.

use anyhow::Result;
use commands::payment::{CardIntentInput, PaymentInput, PaymentVerdict, Preselected, RefundInput, TipScreen};
use domain::decider::Decider;
use domain::ids::{BookingId, PaymentId};
use domain::money::Cents;
use domain::payment::{DisputeOutcome, HandedOver, Payment, PaymentKind, PaymentMethod, RefundKind, Verdict};
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

    async fn pay_by_card(&self, story: &Story, booking: BookingId, pay: &Pay) -> Result<Option<PaymentId>> {
        let input = CardIntentInput {
            booking,
            kind: pay.kind,
            amount_cents: pay.amount,
            tip_cents: pay.tip,
            tip: chosen_on(pay.tip, "checkout page"),
        };
        let key = self.key(story, &format!("pay {}", pay.kind.as_str()));
        let made = self
            .commands
            .create_card_intent(self.caller.clone(), key, input)
            .await;
        let Some(written) = happened(made.map(|made| made.written))? else {
            return Ok(None);
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

    async fn pay_by_hand(&self, story: &Story, booking: BookingId, pay: &Pay) -> Result<Option<PaymentId>> {
        let kind = pay.kind.as_str();
        let input = PaymentInput {
            booking,
            kind: pay.kind,
            method: pay.method,
            amount_cents: pay.amount,
            tip_cents: pay.tip,
            reference: Some(format!("{}-{kind}-{:05}", self.prefix, story.number)),
            tip: chosen_on(pay.tip, "paper slip"),
        };
        let key = self.key(story, &format!("pay {kind}"));
        let recorded = self
            .commands
            .record_payment(self.caller.clone(), key, input)
            .await;
        let Some(written) = happened(recorded)? else {
            return Ok(None);
        };
        let id: PaymentId = written.id_of(Payment::STREAM).parse()?;
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
        let key = self.key(story, &format!("verify {kind}"));
        let decided = self.commands.decide_payment(self.caller.clone(), key, ask).await;
        let found = happened(decided)?.is_some() && pay.verdict == Verdict::Accept;
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
        self.refund(story, ask).await
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
        self.refund(story, ask).await
    }

    async fn refund(&mut self, story: &Story, refund: Refund) -> Result<()> {
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
        let notice = self.cards.disputed(payment, self.now());
        self.commands.hear_provider(self.caller.tenant, notice).await?;
        self.made.disputes += 1;
        Ok(())
    }

    /// The bank decides.
    pub(super) async fn decide(&mut self, story: &Story, index: usize) -> Result<()> {
        let (Some(payment), Some(After::Disputed { won })) =
            (self.charged_balance(story, index), story.after)
        else {
            return Ok(());
        };
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
