//! Plays the stories of a year in the order of time, through the real commands.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Duration, NaiveDateTime, Timelike, Utc};
use commands::booking::{
    BookingChef, BookingGuestCountChange, BookingInput, BookingMenuChange, BookingReschedule, CustomerInput,
    OnBehalfOf, SmsConsent, VenueInput,
};
use commands::gateways::{SeededIds, SimulatedClock};
use commands::{Caller, CommandError, Commands, IdempotencyKey, Written};
use domain::booking::{Booking, BookingRequested, CancelledBy, FeeAgreed};
use domain::decider::Decider;
use domain::guests::Guests;
use domain::ids::{BookingId, PaymentId, StationId, TenantId};
use domain::quote::AddOn;

use super::cards::DemoCards;
use super::company::newest_slot_before;
use super::people::{note, person};
use super::year::{After, Change, Fate, Story, Tip, Year};
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

/// Makes the bookings of a plan with all that has happened to them by now. A plan that was begun before is left as it is:
/// what was free then may be taken now, and the other way round.
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
    let cards = Arc::new(DemoCards::default());
    // A program beside this one would react by the real clock, a year late.
    let commands = app
        .commands
        .under(clock.clone(), Arc::new(SeededIds::new(year.fingerprint())))
        .taking_cards(cards.clone())
        .holding_policies(uuid::Uuid::from_u64_pair(year.fingerprint(), 1));
    let mut play = Play {
        commands,
        clock: clock.clone(),
        cards,
        caller: Caller::system(tenant, "demo"),
        prefix: format!("{:x}", year.fingerprint()),
        booked: vec![Booked::default(); stories.len()],
        queue: BTreeSet::new(),
        made: Made::default(),
    };
    for (index, story) in stories.iter().enumerate() {
        play.queue.insert((story.asked_at, index, Step::Request));
    }
    for story in &stories {
        let begun = play.key(story, "request");
        if play.commands.has_done(&play.caller, &begun).await? {
            return Ok(play.made);
        }
    }
    play.commands.react(tenant).await?;
    let mut reacted = None;
    while let Some((at, index, step)) = play.queue.pop_first() {
        if at > now {
            break;
        }
        clock.set(at);
        // What is due by itself is done day by day, and whenever money has come.
        if reacted != Some(at.date_naive()) {
            play.commands.react(tenant).await?;
            reacted = Some(at.date_naive());
        }
        play.step(&stories[index], index, step).await?;
    }
    // What the last day leads to is of that day, and not of today.
    play.commands.react(tenant).await?;
    clock.set(now);
    play.commands.react(tenant).await?;
    play.commands.release_policies(tenant).await?;
    Ok(play.made)
}

/// A booking that took its place.
#[derive(Debug, Clone, Default)]
pub(super) struct Booked {
    pub(super) id: Option<BookingId>,
    /// Its payments that came, the deposit first.
    pub(super) paid: Vec<PaymentId>,
}

pub(super) struct Play {
    pub(super) commands: Commands,
    pub(super) clock: Arc<SimulatedClock>,
    pub(super) cards: Arc<DemoCards>,
    pub(super) caller: Caller,
    pub(super) prefix: String,
    pub(super) booked: Vec<Booked>,
    queue: BTreeSet<(DateTime<Utc>, usize, Step)>,
    pub(super) made: Made,
}

impl Play {
    pub(super) fn key(&self, story: &Story, name: &str) -> IdempotencyKey {
        IdempotencyKey::of_reaction("demo", &format!("{} {} {name}", self.prefix, story.number))
    }

    /// A booking as its stream tells it.
    pub(super) async fn booking(&self, id: BookingId) -> Result<BookingRequested> {
        let booking = self.commands.booking_as_it_stands(&self.caller, id).await?;
        booking.requested().cloned().context("a booking that was made")
    }

    async fn step(&mut self, story: &Story, index: usize, step: Step) -> Result<()> {
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
                Ok(self.commands.react(self.caller.tenant).await?)
            }
            Step::Change => self.change(story, id).await,
            Step::Move => self.relocate(story, index, id).await,
            Step::Assign => self.assign(story, id).await,
            Step::Cancel => self.cancel(story, index, id).await,
            Step::GiveBack => self.give_back(story, index, id).await,
            Step::Balance => self.pay_balance(story, index, id).await,
            Step::Complete => {
                let key = self.key(story, "complete");
                let done = self
                    .commands
                    .complete_booking(self.caller.clone(), key, id, None, None);
                let held = happened(done.await)?.is_some();
                self.made.held += u32::from(held);
                Ok(())
            }
            Step::MakeGood => self.make_good(story, index, id).await,
            Step::Dispute => self.dispute(story, index).await,
            Step::Decide => self.decide(story, index).await,
        }
    }

    async fn request(&mut self, story: &Story, index: usize) -> Result<()> {
        // Who finds the place taken asks for another hour, and for the day after; who may not use a code does without.
        let starts = [
            story.start,
            other_hour(story.start),
            story.start + Duration::days(1),
        ];
        let (mut turn, mut promo) = (0, story.promo);
        for attempt in 0..4 {
            let key = match attempt {
                0 => self.key(story, "request"),
                more => self.key(story, &format!("request {more}")),
            };
            let mut input = input(story, starts[turn]);
            input.promo_code = promo.map(str::to_owned);
            let asked = self.commands.request_booking(self.caller.clone(), key, input);
            match asked.await {
                Ok(written) => return self.took_place(story, index, &written).await,
                Err(CommandError::Refused(refused)) => {
                    tracing::debug!(code = refused.code, "refused");
                    match refused.code {
                        "SLOT_UNAVAILABLE" | "NO_CHEF" if turn + 1 < starts.len() => turn += 1,
                        code if code.starts_with("PROMO_") => promo = None,
                        _ => break,
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.made.refused += 1;
        Ok(())
    }

    async fn took_place(&mut self, story: &Story, index: usize, written: &Written) -> Result<()> {
        let id: BookingId = written.id_of(Booking::STREAM).parse()?;
        self.booked[index].id = Some(id);
        self.made.booked += 1;
        let start = self.booking(id).await?.start.utc;
        let asked = story.asked_at;
        if story.fate != Fate::NeverPaid {
            self.queue
                .insert((asked + Duration::hours(3), index, Step::Deposit));
        }
        match story.fate {
            Fate::Cancelled { hours_before } | Fate::CalledOff { hours_before } => {
                let at = (start - Duration::hours(hours_before)).max(asked + Duration::hours(9));
                self.queue.insert((at, index, Step::Cancel));
            }
            Fate::Held => {
                let moves = start - Duration::days(21);
                match story.change {
                    Some(Change::Moved(_)) if moves > asked + Duration::days(1) => {
                        self.queue.insert((moves, index, Step::Move));
                    }
                    Some(Change::Moved(_)) | None => self.lead_up_to(story, index, start),
                    Some(Change::Adults(_) | Change::Noodles) => {
                        let at = start - Duration::days(10);
                        if at > asked + Duration::days(1) {
                            self.queue.insert((at, index, Step::Change));
                        }
                        self.lead_up_to(story, index, start);
                    }
                }
            }
            Fate::NeverPaid | Fate::NotFound => {}
        }
        Ok(())
    }

    /// What comes from some days before the party on.
    fn lead_up_to(&mut self, story: &Story, index: usize, start: DateTime<Utc>) {
        let assigned = (start - Duration::days(5)).max(self.now() + Duration::hours(12));
        self.queue.insert((assigned, index, Step::Assign));
        self.queue
            .insert((start + Duration::hours(2), index, Step::Balance));
        self.queue
            .insert((start + Duration::hours(3), index, Step::Complete));
        match story.after {
            Some(After::Goodwill(_) | After::PriceAdjusted(_)) => {
                self.queue
                    .insert((start + Duration::days(3), index, Step::MakeGood));
            }
            Some(After::Disputed { .. }) => {
                self.queue
                    .insert((start + Duration::days(12), index, Step::Dispute));
                self.queue
                    .insert((start + Duration::days(45), index, Step::Decide));
            }
            None => {}
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        commands::ports::Clock::now(self.clock.as_ref())
    }

    async fn change(&mut self, story: &Story, id: BookingId) -> Result<()> {
        let key = self.key(story, "change");
        let caller = self.caller.clone();
        let reason = Some("the customer called".to_owned());
        let done = match story.change {
            Some(Change::Adults(more)) => {
                let guests = Guests {
                    adults: story.adults + more,
                    children: story.children,
                    under6: story.under6,
                };
                let ask = BookingGuestCountChange {
                    booking_id: id,
                    expected_version: None,
                    guests,
                    reason,
                };
                self.commands.change_guest_count(caller, key, ask).await
            }
            Some(Change::Noodles) => {
                let mut add_ons = extras(story);
                match add_ons.iter_mut().find(|extra| extra.item == "noodles") {
                    Some(noodles) => noodles.quantity += 1,
                    None => add_ons.push(AddOn {
                        item: "noodles".to_owned(),
                        quantity: 1,
                    }),
                }
                let ask = BookingMenuChange {
                    booking_id: id,
                    expected_version: None,
                    add_ons,
                    reason,
                };
                self.commands.change_menu(caller, key, ask).await
            }
            Some(Change::Moved(_)) | None => return Ok(()),
        };
        self.made.changed += u32::from(happened(done)?.is_some());
        Ok(())
    }

    async fn relocate(&mut self, story: &Story, index: usize, id: BookingId) -> Result<()> {
        let Some(Change::Moved(days)) = story.change else {
            return Ok(());
        };
        let ask = BookingReschedule {
            booking_id: id,
            expected_version: None,
            start: self.booking(id).await?.start.local + Duration::days(days),
            venue: None,
            fee: FeeAgreed::Yes,
            on_behalf_of: OnBehalfOf::Customer,
            reason: Some("another day suits the guests better".to_owned()),
        };
        let key = self.key(story, "move");
        let done = self
            .commands
            .reschedule_booking(self.caller.clone(), key, ask)
            .await;
        self.made.changed += u32::from(happened(done)?.is_some());
        let start = self.booking(id).await?.start.utc;
        self.lead_up_to(story, index, start);
        Ok(())
    }

    /// Chefs of the station cook in turns; one who is at another party, or off, is passed over.
    async fn assign(&mut self, story: &Story, id: BookingId) -> Result<()> {
        let booking = self.booking(id).await?;
        let chefs = self.commands.chefs_of(&self.caller, booking.station_id).await?;
        let first = usize::try_from(story.number).unwrap_or(0);
        let mut wanted = booking.chefs_needed;
        for turn in 0..chefs.len() {
            if wanted == 0 {
                break;
            }
            let ask = BookingChef {
                booking_id: id,
                expected_version: None,
                chef_id: chefs[(first + turn) % chefs.len()],
            };
            let key = self.key(story, &format!("assign {turn}"));
            let done = self.commands.assign_chef(self.caller.clone(), key, ask).await;
            wanted -= i32::from(happened(done)?.is_some());
        }
        Ok(())
    }

    async fn cancel(&mut self, story: &Story, index: usize, id: BookingId) -> Result<()> {
        let (by, reason) = match story.fate {
            Fate::CalledOff { .. } => (CancelledBy::Company, "the chef is ill and nobody else is free"),
            Fate::Cancelled { .. } | Fate::Held | Fate::NeverPaid | Fate::NotFound => {
                (CancelledBy::Customer, "the customer's plans changed")
            }
        };
        let key = self.key(story, "cancel");
        let done = self
            .commands
            .cancel_booking(self.caller.clone(), key, id, None, by, reason.to_owned());
        if happened(done.await)?.is_some() {
            self.made.cancelled += 1;
            let at = self.now() + Duration::hours(4);
            self.queue.insert((at, index, Step::GiveBack));
        }
        Ok(())
    }
}

/// The slot before in the evening, the one after in the day.
fn other_hour(start: NaiveDateTime) -> NaiveDateTime {
    if start.hour() < 18 {
        start + Duration::hours(3)
    } else {
        start - Duration::hours(3)
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

fn extras(story: &Story) -> Vec<AddOn> {
    let extra = |(item, quantity): &(&str, i32)| AddOn {
        item: (*item).to_owned(),
        quantity: *quantity,
    };
    story.add_ons.iter().map(extra).collect()
}

fn input(story: &Story, start: NaiveDateTime) -> BookingInput {
    let person = person(story.customer);
    BookingInput {
        station: None,
        customer: CustomerInput {
            id: None,
            name: Some(person.name),
            email: Some(person.email),
            phone: person.phone,
            sms_consent: if story.customer.is_multiple_of(2) {
                SmsConsent::Given
            } else {
                SmsConsent::NotGiven
            },
        },
        venue: VenueInput {
            street: person.street,
            city: story.place.city.to_owned(),
            state: "CA".to_owned(),
            zip: story.place.zip.to_owned(),
            county: None,
        },
        start,
        guests: Guests {
            adults: story.adults,
            children: story.children,
            under6: story.under6,
        },
        add_ons: extras(story),
        promo_code: story.promo.map(str::to_owned),
        source: Some(story.source.to_owned()),
        terms_version: Some("2026-01".to_owned()),
        note: note(story.number),
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
    let held = "2026-03-14T18:00:00".parse().context("a local time")?;
    let begun = newest_slot_before(now);
    let mut play = Play {
        commands: commands.clone(),
        clock: clock.clone(),
        cards: Arc::new(DemoCards::default()),
        caller: caller.clone(),
        prefix: "tour".to_owned(),
        booked: vec![Booked::default()],
        queue: BTreeSet::new(),
        made: Made::default(),
    };
    for (number, start) in [(1, held), (2, begun)] {
        let story = Story::of_tour(number, start);
        clock.set(story.asked_at);
        let mut input = input(&story, start);
        input.station = Some(station);
        let key = play.key(&story, "request");
        let Some(written) = happened(commands.request_booking(caller.clone(), key, input).await)? else {
            continue;
        };
        let id: BookingId = written.id_of(Booking::STREAM).parse()?;
        play.booked[0] = Booked {
            id: Some(id),
            paid: Vec::new(),
        };
        play.step(&story, 0, Step::Deposit).await?;
        let start_utc = play.booking(id).await?.start.utc;
        clock.set(start_utc - Duration::days(5));
        play.step(&story, 0, Step::Assign).await?;
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

impl Story {
    /// Twelve adults and four children in Milpitas, who pay by Zelle.
    fn of_tour(number: u32, start: NaiveDateTime) -> Self {
        Self {
            number,
            start,
            asked_at: start.and_utc() - Duration::days(30),
            adults: 12,
            children: 4,
            under6: 0,
            add_ons: vec![("sauce", 2)],
            place: &super::year::MILPITAS,
            customer: 1_000_000 + number,
            source: "website",
            promo: None,
            fate: Fate::Held,
            change: None,
            after: None,
            deposit_by: domain::payment::PaymentMethod::Zelle,
            balance_by: domain::payment::PaymentMethod::Zelle,
            tip: Tip(0),
        }
    }
}
