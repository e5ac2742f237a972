//! Plays the stories of a year in the order of time, through the real commands.

use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Duration, Utc};
use commands::booking::{BookingInput, CustomerInput, SmsConsent, VenueInput};
use commands::gateways::{SeededIds, SimulatedClock};
use commands::payment::PaymentInput;
use commands::{Caller, CommandError, Commands, IdempotencyKey, Written};
use domain::booking::{Booking, CancelledBy};
use domain::decider::Decider;
use domain::guests::Guests;
use domain::ids::{BookingId, PaymentId, StationId, TenantId};
use domain::money::Cents;
use domain::payment::{Payment, PaymentKind, PaymentMethod, Verdict};
use domain::quote::AddOn;

use super::company::newest_slot_before;
use super::year::{Fate, Story, Tip, Year};
use crate::app::App;

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
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            booked,
            refused,
            held,
            cancelled,
        } = self;
        write!(
            f,
            "{booked} booked, {refused} refused, {held} held, {cancelled} cancelled"
        )
    }
}

/// One thing that happens in a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Request,
    Deposit,
    Cancel,
    Balance,
    Complete,
}

/// Makes the bookings of a plan with all that has happened to them by now.
///
/// # Errors
/// When the log is out of reach, or the company's slots are others than the demo's.
pub async fn bookings(app: &App, tenant: TenantId, year: &Year) -> Result<Made> {
    if year.to < year.from {
        bail!("the last day lies before the first");
    }
    let now = app.clock.now();
    let stories = year.stories();
    let clock = Arc::new(SimulatedClock::at(now));
    // A program beside this one would react by the real clock, a year late.
    let commands = app
        .commands
        .under(clock.clone(), Arc::new(SeededIds::new(year.fingerprint())))
        .holding_policies(uuid::Uuid::from_u64_pair(year.fingerprint(), 1));
    let mut play = Play {
        commands,
        caller: Caller::system(tenant, "demo"),
        prefix: format!("{:x}", year.fingerprint()),
        booked: vec![None; stories.len()],
        made: Made::default(),
    };
    let mut steps: Vec<(DateTime<Utc>, usize, Step)> = stories.iter().enumerate().flat_map(steps).collect();
    steps.retain(|(at, _, _)| *at <= now);
    steps.sort_unstable();
    play.commands.react(tenant).await?;
    let mut reacted = None;
    for (at, index, step) in steps {
        clock.set(at);
        // What is due by itself is done day by day, and whenever a deposit has come.
        if reacted != Some(at.date_naive()) {
            play.commands.react(tenant).await?;
            reacted = Some(at.date_naive());
        }
        play.step(&stories[index], index, step).await?;
    }
    clock.set(now);
    play.commands.react(tenant).await?;
    play.commands.release_policies(tenant).await?;
    Ok(play.made)
}

fn steps((index, story): (usize, &Story)) -> Vec<(DateTime<Utc>, usize, Step)> {
    // Eight hours west of Greenwich is near enough for a story; the booking itself knows its zone.
    let start = story.start.and_utc() + Duration::hours(8);
    let mut steps = vec![(story.asked_at, index, Step::Request)];
    if story.fate != Fate::NeverPaid {
        steps.push((story.asked_at + Duration::hours(3), index, Step::Deposit));
    }
    match story.fate {
        Fate::Held => {
            steps.push((start + Duration::hours(2), index, Step::Balance));
            steps.push((start + Duration::hours(3), index, Step::Complete));
        }
        Fate::Cancelled => steps.push((story.asked_at + (start - story.asked_at) / 2, index, Step::Cancel)),
        Fate::NeverPaid | Fate::NotFound => {}
    }
    steps
}

struct Play {
    commands: Commands,
    caller: Caller,
    prefix: String,
    booked: Vec<Option<(BookingId, Cents)>>,
    made: Made,
}

impl Play {
    fn key(&self, story: &Story, name: &str) -> IdempotencyKey {
        IdempotencyKey::of_reaction("demo", &format!("{} {} {name}", self.prefix, story.number))
    }

    async fn step(&mut self, story: &Story, index: usize, step: Step) -> Result<()> {
        if step == Step::Request {
            return self.request(story, index).await;
        }
        let Some((booking, total)) = self.booked[index] else {
            return Ok(());
        };
        match step {
            Step::Request => {}
            Step::Deposit => {
                let verdict = if story.fate == Fate::NotFound {
                    Verdict::Reject
                } else {
                    Verdict::Accept
                };
                let pay = Pay {
                    kind: PaymentKind::Deposit,
                    amount: Cents(10_000).min(total),
                    tip: Cents::ZERO,
                    verdict,
                };
                self.pay(story, booking, pay).await?;
                self.commands.react(self.caller.tenant).await?;
            }
            Step::Balance => {
                let amount = total - Cents(10_000).min(total);
                if !amount.is_zero() {
                    let pay = Pay {
                        kind: PaymentKind::Balance,
                        amount,
                        tip: story.tip.of(total),
                        verdict: Verdict::Accept,
                    };
                    self.pay(story, booking, pay).await?;
                }
            }
            Step::Complete => {
                let key = self.key(story, "complete");
                let done = self
                    .commands
                    .complete_booking(self.caller.clone(), key, booking, None, None)
                    .await;
                self.made.held += u32::from(happened(done)?.is_some());
            }
            Step::Cancel => {
                let key = self.key(story, "cancel");
                let reason = "the customer's plans changed".to_owned();
                let by = CancelledBy::Customer;
                let done = self
                    .commands
                    .cancel_booking(self.caller.clone(), key, booking, None, by, reason)
                    .await;
                self.made.cancelled += u32::from(happened(done)?.is_some());
            }
        }
        Ok(())
    }

    async fn request(&mut self, story: &Story, index: usize) -> Result<()> {
        let asked = self
            .commands
            .request_booking(self.caller.clone(), self.key(story, "request"), input(story))
            .await;
        match happened(asked)? {
            Some(written) => {
                let id: BookingId = written.id_of(Booking::STREAM).parse()?;
                self.booked[index] = Some((id, self.commands.booking_total(&self.caller, id).await?));
                self.made.booked += 1;
            }
            None => self.made.refused += 1,
        }
        Ok(())
    }

    async fn pay(&self, story: &Story, booking: BookingId, pay: Pay) -> Result<()> {
        let kind = pay.kind.as_str();
        let input = PaymentInput {
            booking,
            kind: pay.kind,
            method: story.method,
            amount_cents: pay.amount,
            tip_cents: pay.tip,
            reference: Some(format!("{}-{:05}", kind, story.number)),
        };
        let key = self.key(story, &format!("pay {kind}"));
        let Some(written) = happened(
            self.commands
                .record_payment(self.caller.clone(), key, input)
                .await,
        )?
        else {
            return Ok(());
        };
        let id: PaymentId = written.id_of(Payment::STREAM).parse()?;
        let key = self.key(story, &format!("verify {kind}"));
        happened(
            self.commands
                .verify_payment(self.caller.clone(), key, id, None, pay.verdict, None)
                .await,
        )?;
        Ok(())
    }
}

struct Pay {
    kind: PaymentKind,
    amount: Cents,
    tip: Cents,
    verdict: Verdict,
}

/// What a command wrote; none when a rule refused it, which is part of the story.
fn happened(done: Result<Written, CommandError>) -> Result<Option<Written>> {
    match done {
        Ok(written) => Ok(Some(written)),
        Err(CommandError::Refused(refused)) => {
            tracing::debug!(code = refused.code, "refused");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn input(story: &Story) -> BookingInput {
    let customer = story.customer;
    BookingInput {
        station: None,
        customer: CustomerInput {
            id: None,
            name: Some(format!("Customer {customer}")),
            email: Some(format!("customer{customer}@example.com")),
            phone: None,
            sms_consent: if customer.is_multiple_of(2) {
                SmsConsent::Given
            } else {
                SmsConsent::NotGiven
            },
        },
        venue: VenueInput {
            street: format!("{} Garden Way", 100 + customer),
            city: story.place.city.to_owned(),
            state: "CA".to_owned(),
            zip: story.place.zip.to_owned(),
        },
        start: story.start,
        guests: Guests {
            adults: story.adults,
            children: story.children,
            under6: story.under6,
        },
        add_ons: story
            .add_ons
            .iter()
            .map(|(item, quantity)| AddOn {
                item: (*item).to_owned(),
                quantity: *quantity,
            })
            .collect(),
        promo_code: None,
        source: Some(story.source.to_owned()),
        terms_version: Some("2026-01".to_owned()),
        note: None,
    }
}

/// Two bookings that the tour shows: one of exactly 851.18 that was held in a county at 9.125 %, and one whose
/// event has just begun and that waits to be completed.
pub(super) async fn tour_bookings(
    commands: &Commands,
    clock: &Arc<SimulatedClock>,
    caller: &Caller,
    station: StationId,
    now: DateTime<Utc>,
) -> Result<()> {
    let place = &super::year::MILPITAS;
    let held = "2026-03-14T18:00:00".parse().context("a local time")?;
    let begun = newest_slot_before(now);
    for (number, start) in [(1, held), (2, begun)] {
        let start_utc = chrono::NaiveDateTime::and_utc(&start) + Duration::hours(8);
        let story = Story {
            number,
            start,
            asked_at: start_utc - Duration::days(30),
            adults: 12,
            children: 4,
            under6: 0,
            add_ons: vec![("sauce", 2)],
            place,
            customer: 1_000_000 + number,
            source: "website",
            fate: Fate::Held,
            method: PaymentMethod::Zelle,
            tip: Tip(0),
        };
        clock.set(story.asked_at);
        let key = |name: &str| IdempotencyKey::of_reaction("demo tour", &format!("{number} {name}"));
        let mut input = input(&story);
        input.station = Some(station);
        let Some(written) = happened(
            commands
                .request_booking(caller.clone(), key("request"), input)
                .await,
        )?
        else {
            continue;
        };
        let booking: BookingId = written.id_of(Booking::STREAM).parse()?;
        let total = commands.booking_total(caller, booking).await?;
        let mut play = Play {
            commands: commands.clone(),
            caller: caller.clone(),
            prefix: "tour".to_owned(),
            booked: vec![Some((booking, total))],
            made: Made::default(),
        };
        play.step(&story, 0, Step::Deposit).await?;
        if start_utc + Duration::hours(3) < now && start == held {
            clock.set(start_utc + Duration::hours(3));
            play.step(&story, 0, Step::Balance).await?;
            play.step(&story, 0, Step::Complete).await?;
        }
    }
    clock.set(now);
    commands.react(caller.tenant).await?;
    Ok(())
}
