//! What happens to the booking of a story, apart from its money.

use anyhow::Result;
use chrono::{DateTime, Duration, NaiveDateTime, Timelike, Utc};
use commands::booking::{
    BookingChef, BookingGuestCountChange, BookingInput, BookingMenuChange, BookingReschedule, CustomerInput,
    OnBehalfOf, SmsConsent, VenueInput,
};
use commands::{CommandError, Written};
use domain::booking::{Booking, CancelledBy, FeeAgreed};
use domain::decider::Decider;
use domain::guests::Guests;
use domain::ids::BookingId;
use domain::quote::AddOn;
use domain::schedule::EventTime;

use super::before;
use super::bookings::{Play, Step, happened};
use super::people::{note, person};
use super::year::{After, Change, Fate, Story};

impl Play {
    pub(super) async fn request(&mut self, story: &Story, index: usize) -> Result<()> {
        // Who finds the place taken asks for another hour, and for the day after; who may not use a code does without.
        let starts = [
            story.start,
            other_hour(story.start),
            story.start + Duration::days(1),
        ];
        if self.before.lasts() {
            for (name, turn, _) in before::requests(story) {
                if let Some(written) = self.before.of_command(story, &name).flatten() {
                    return self.took_place(story, index, &written, starts[turn]).await;
                }
            }
            self.made.refused += 1;
            return Ok(());
        }
        let (mut turn, mut promo) = (0, story.promo);
        loop {
            let key = self.key(story, &before::request(story, turn, promo));
            let mut input = input(story, starts[turn]);
            input.promo_code = promo.map(str::to_owned);
            let asked = self.commands.request_booking(self.caller.clone(), key, input);
            match asked.await {
                Ok(written) => return self.took_place(story, index, &written, starts[turn]).await,
                Err(CommandError::Refused(refused)) => {
                    tracing::debug!(code = refused.code, "refused");
                    match refused.code {
                        "SLOT_UNAVAILABLE" | "NO_CHEF" if turn + 1 < starts.len() => turn += 1,
                        code if code.starts_with("PROMO_") && promo.is_some() => promo = None,
                        _ => break,
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.made.refused += 1;
        Ok(())
    }

    async fn took_place(
        &mut self,
        story: &Story,
        index: usize,
        written: &Written,
        start: NaiveDateTime,
    ) -> Result<()> {
        let id: BookingId = written.id_of(Booking::STREAM).parse()?;
        self.booked[index].id = Some(id);
        self.made.booked += 1;
        // As it was asked for: the party may have been moved since, when this is not the first play.
        let zone = self.booking(id).await?.start.zone;
        let start = EventTime::resolve(start, zone).utc;
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

    pub(super) async fn change(&mut self, story: &Story, id: BookingId) -> Result<()> {
        if let Some(before) = self.before.of_command(story, "change") {
            self.made.changed += u32::from(before.is_some());
            return Ok(());
        }
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

    pub(super) async fn relocate(&mut self, story: &Story, index: usize, id: BookingId) -> Result<()> {
        let Some(Change::Moved(days)) = story.change else {
            return Ok(());
        };
        let done = match self.before.of_command(story, "move") {
            Some(before) => before,
            None => {
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
                let moved = self
                    .commands
                    .reschedule_booking(self.caller.clone(), key, ask)
                    .await;
                happened(moved)?
            }
        };
        self.made.changed += u32::from(done.is_some());
        let start = self.booking(id).await?.start.utc;
        self.lead_up_to(story, index, start);
        Ok(())
    }

    /// Chefs of the station cook in turns; one who is at another party, or off, is passed over.
    pub(super) async fn assign(&mut self, story: &Story, id: BookingId) -> Result<()> {
        let booking = self.booking(id).await?;
        let chefs = self.commands.chefs_of(&self.caller, booking.station_id).await?;
        let first = usize::try_from(story.number).unwrap_or(0);
        let mut wanted = booking.chefs_needed;
        for turn in 0..chefs.len().min(before::ASSIGNMENTS) {
            if wanted == 0 {
                break;
            }
            let name = before::assignment(turn);
            let done = match self.before.of_command(story, &name) {
                Some(before) => before,
                None => {
                    let ask = BookingChef {
                        booking_id: id,
                        expected_version: None,
                        chef_id: chefs[(first + turn) % chefs.len()],
                    };
                    let key = self.key(story, &name);
                    happened(self.commands.assign_chef(self.caller.clone(), key, ask).await)?
                }
            };
            wanted -= i32::from(done.is_some());
        }
        Ok(())
    }

    pub(super) async fn complete(&mut self, story: &Story, index: usize, id: BookingId) -> Result<()> {
        let done = match self.before.of_command(story, "complete") {
            Some(before) => before,
            None => {
                let key = self.key(story, "complete");
                let caller = self.caller.clone();
                happened(self.commands.complete_booking(caller, key, id, None, None).await)?
            }
        };
        if done.is_some() {
            self.made.held += 1;
            self.booked[index].settled_at = Some(self.now());
        }
        Ok(())
    }

    pub(super) async fn cancel(&mut self, story: &Story, index: usize, id: BookingId) -> Result<()> {
        let (by, reason) = match story.fate {
            Fate::CalledOff { .. } => (CancelledBy::Company, "the chef is ill and nobody else is free"),
            Fate::Cancelled { .. } | Fate::Held | Fate::NeverPaid | Fate::NotFound => {
                (CancelledBy::Customer, "the customer's plans changed")
            }
        };
        let done = match self.before.of_command(story, "cancel") {
            Some(before) => before,
            None => {
                let key = self.key(story, "cancel");
                let caller = self.caller.clone();
                let done = self
                    .commands
                    .cancel_booking(caller, key, id, None, by, reason.to_owned());
                happened(done.await)?
            }
        };
        if done.is_some() {
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

fn extras(story: &Story) -> Vec<AddOn> {
    let extra = |(item, quantity): &(&str, i32)| AddOn {
        item: (*item).to_owned(),
        quantity: *quantity,
    };
    story.add_ons.iter().map(extra).collect()
}

pub(super) fn input(story: &Story, start: NaiveDateTime) -> BookingInput {
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
