//! Plays the stories of a year in the order of time, through the real commands.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration as Wait;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use commands::gateways::{LogCarrier, SeededIds, SimulatedClock};
use commands::jobs::JobSettings;
use commands::{Caller, CommandError, Commands, Correspondence, IdempotencyKey, Written};
use domain::booking::BookingRequested;
use domain::ids::{BookingId, PaymentId, TenantId};
use event_log::Vault;

use super::aside::Aside;
use super::before::{self, Before};
use super::cards::DemoCards;
use super::papers;
use super::year::{Story, Year};
use crate::app::App;

/// How long a play holds on to a message.
const HOLD: Wait = Wait::from_secs(6);

/// What was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made {
    /// Bookings that took their place.
    pub booked: u32,
    /// Requests that were refused, most because the place was taken; they are leads now.
    pub refused: u32,
    /// Parties held.
    pub held: u32,
    /// Bookings called off.
    pub cancelled: u32,
    /// Bookings changed or moved.
    pub changed: u32,
    /// Payments given back, in part or whole.
    pub refunds: u32,
    /// Card payments that a customer's bank wanted back.
    pub disputes: u32,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            booked,
            refused,
            held,
            cancelled,
            changed,
            refunds,
            disputes,
        } = self;
        write!(
            f,
            "{booked} booked, {refused} refused, {held} held, {cancelled} cancelled, {changed} changed, \
             {refunds} refunded, {disputes} disputed"
        )
    }
}

/// One thing that happens in a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Request,
    Deposit,
    Change,
    Move,
    Assign,
    Cancel,
    GiveBack,
    Balance,
    Complete,
    MakeGood,
    Dispute,
    Decide,
}

/// Makes the bookings of a plan with all that has happened to them by now, and the documents of the last of them. A plan
/// that was interrupted is gone on with. One that was played to its end is left as it is: what was free then may be taken
/// now, and the other way round.
///
/// # Errors
/// When the log is out of reach, or the company's slots are others than the demo's.
pub async fn bookings(app: &App, tenant: TenantId, year: &Year) -> Result<Made> {
    let holder = uuid::Uuid::from_u64_pair(year.fingerprint(), 1);
    let commands = app.commands.holding_policies(holder);
    let made = play(app, &commands, tenant, year, app.clock.now()).await?;
    if let Some(made) = made {
        commands.release_policies(tenant).await?;
        return Ok(made);
    }
    Ok(Made::default())
}

/// Plays a plan up to an instant, with reactions held; none where it was played to its end before.
pub(super) async fn play(
    app: &App,
    held: &Commands,
    tenant: TenantId,
    year: &Year,
    now: DateTime<Utc>,
) -> Result<Option<Made>> {
    if year.to < year.from {
        bail!("the last day lies before the first");
    }
    let stories = year.stories();
    let caller = Caller::system(tenant, "demo");
    let prefix = format!("{:x}", year.fingerprint());
    let Some(before) = Before::of(held, &caller, &prefix, &stories).await? else {
        return Ok(None);
    };
    let clock = Arc::new(SimulatedClock::at(now));
    let begins_after = match before.first() {
        Some(first) => {
            // What a killed play held on to is free by then.
            tokio::time::sleep(HOLD).await;
            first
        }
        None => app.log.head(tenant).await?.position,
    };
    // A program beside this one would react by the real clock, a year late. Ids go on where others were given before.
    let ids = SeededIds::new(year.fingerprint() ^ before.last().unsigned_abs().rotate_right(8));
    // Nobody is at the addresses of these customers. One message goes out after the other, always in the same order.
    let commands = held
        .under(clock.clone(), Arc::new(ids))
        .sending_through(Arc::new(LogCarrier))
        .doing_jobs(JobSettings {
            at_once: 1,
            hold: HOLD,
            ..JobSettings::default()
        });
    let mut play = Play::new(
        app.vault.clone(),
        commands,
        clock.clone(),
        (caller, prefix),
        stories.len(),
    );
    play.before = before;
    play.aside = Aside::of(year, now, begins_after);
    for (index, story) in stories.iter().enumerate() {
        play.queue.insert((story.asked_at, index, Step::Request));
    }
    play.go_through(&stories, now).await?;
    play.let_time_pass(&stories, now).await?;
    papers::issue(app, &play, &stories).await?;
    clock.set(now);
    play.react().await?;
    Ok(Some(play.made))
}

/// A booking that took its place.
#[derive(Debug, Clone, Default)]
pub(super) struct Booked {
    pub(super) id: Option<BookingId>,
    /// Its payments that came, the deposit first.
    pub(super) paid: Vec<PaymentId>,
    /// When its party had been held, and what was to be paid or given back then had been.
    pub(super) settled_at: Option<DateTime<Utc>>,
}

pub(super) struct Play {
    /// Opens what customers have in their mail.
    pub(super) vault: Arc<Vault>,
    pub(super) commands: Commands,
    pub(super) clock: Arc<SimulatedClock>,
    pub(super) cards: Arc<DemoCards>,
    pub(super) caller: Caller,
    pub(super) prefix: String,
    pub(super) booked: Vec<Booked>,
    /// What is known of an earlier, interrupted play.
    pub(super) before: Before,
    pub(super) queue: BTreeSet<(DateTime<Utc>, usize, Step)>,
    pub(super) aside: Aside,
    pub(super) made: Made,
    /// The last day on which what is due by itself was done.
    reacted_on: Option<NaiveDate>,
}

impl Play {
    /// A play of so many stories that has not begun. Nobody is written to.
    pub(super) fn new(
        vault: Arc<Vault>,
        commands: Commands,
        clock: Arc<SimulatedClock>,
        (caller, prefix): (Caller, String),
        stories: usize,
    ) -> Self {
        let cards = Arc::new(DemoCards::default());
        Self {
            vault,
            commands: commands
                .taking_cards(cards.clone())
                .with_correspondence(Correspondence::Paused),
            clock,
            cards,
            caller,
            prefix,
            booked: vec![Booked::default(); stories],
            before: Before::default(),
            queue: BTreeSet::new(),
            aside: Aside::default(),
            made: Made::default(),
            reacted_on: None,
        }
    }

    /// Lets policies react and messages go out, unless they have already.
    pub(super) async fn react(&mut self) -> Result<()> {
        if !self.before.lasts() {
            self.commands.react(self.caller.tenant).await?;
            if self.aside.begun {
                self.commands.do_jobs(self.caller.tenant).await?;
            }
        }
        self.look().await
    }

    /// Does what happens up to an instant, in the order of time.
    async fn go_through(&mut self, stories: &[Story], now: DateTime<Utc>) -> Result<()> {
        loop {
            let step = self.queue.first().map(|(at, ..)| *at);
            let task = self.aside.next_at();
            let Some(at) = step.into_iter().chain(task).min().filter(|at| *at <= now) else {
                return Ok(());
            };
            self.come_to(at, stories).await?;
            // What is due by itself is done day by day, and whenever money has come.
            if self.reacted_on != Some(at.date_naive()) {
                self.react().await?;
                self.reacted_on = Some(at.date_naive());
            }
            if task == Some(at) {
                if let Some(task) = self.aside.pop() {
                    self.beside(task, stories).await?;
                }
            } else if let Some((_, index, step)) = self.queue.pop_first() {
                self.step(&stories[index], index, step).await?;
            }
        }
    }

    /// Lets the days pass until an instant on which something is due by itself: what was due then is of that day, and not
    /// of today.
    async fn let_time_pass(&mut self, stories: &[Story], now: DateTime<Utc>) -> Result<()> {
        self.before = Before::default();
        loop {
            self.react().await?;
            self.go_through(stories, now).await?;
            let due = self.commands.next_due(self.caller.tenant).await?;
            let later = self.now() + Duration::hours(12);
            match due.map(|due| due.max(later)).filter(|due| *due <= now) {
                Some(due) => self.come_to(due, stories).await?,
                None => return Ok(()),
            }
        }
    }

    pub(super) fn key(&self, story: &Story, name: &str) -> IdempotencyKey {
        before::key(&self.prefix, story, name)
    }

    /// A booking as its stream tells it.
    pub(super) async fn booking(&self, id: BookingId) -> Result<BookingRequested> {
        let booking = self.commands.booking_as_it_stands(&self.caller, id).await?;
        booking.requested().cloned().context("a booking that was made")
    }

    pub(super) async fn step(&mut self, story: &Story, index: usize, step: Step) -> Result<()> {
        if step == Step::Request {
            return self.request(story, index).await;
        }
        let Some(id) = self.booked[index].id else {
            return Ok(());
        };
        match step {
            Step::Request => Ok(()),
            Step::Deposit => {
                self.pay_deposit(story, index, id).await?;
                self.react().await
            }
            Step::Change => self.change(story, id).await,
            Step::Move => self.relocate(story, index, id).await,
            Step::Assign => self.assign(story, id).await,
            Step::Cancel => self.cancel(story, index, id).await,
            Step::GiveBack => self.give_back(story, index, id).await,
            Step::Balance => self.pay_balance(story, index, id).await,
            Step::Complete => self.complete(story, index, id).await,
            Step::MakeGood => self.make_good(story, index, id).await,
            Step::Dispute => self.dispute(story, index).await,
            Step::Decide => self.decide(story, index).await,
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        commands::ports::Clock::now(self.clock.as_ref())
    }
}

/// What a command wrote; none when a rule refused it, which is part of the story.
pub(super) fn happened(done: Result<Written, CommandError>) -> Result<Option<Written>> {
    match done {
        Ok(written) => Ok(Some(written)),
        Err(CommandError::Refused(refused)) => {
            tracing::debug!(code = refused.code, "refused");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
