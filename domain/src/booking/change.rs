//! Changes of a booking that goes on: when it is, who comes, what is served, until when the deposit must come.

use chrono::{DateTime, Utc};

use super::change_event::{
    BookingDepositDueExtended, BookingGuestCountChanged, BookingMenuChanged, BookingNoteAdded,
    BookingRescheduled, BookingTermsAccepted, ChangedBy, HeldPlace, MovedFrom, Room,
};
use super::crew_event::UnassignedBecause;
use super::error::BookingError;
use super::event::{BookingEvent, BookingRequested};
use super::limits::{check_size, check_start};
use super::promise::promise;
use super::state::Booking;
use super::status::{BookingStatus, refuse_unless};
use super::{ChangeAsked, ChangeGuests, ChangeMenu, FeeAgreed, RescheduleBooking};
use crate::envelope::Sealed;
use crate::guests::Guests;
use crate::money::Cents;
use crate::place::Travel;
use crate::quote::{AddOn, Quote, QuoteRequest, quote};
use crate::schedule::EventTime;

/// Notes that a booking has at most.
const MAX_NOTES: i32 = 100;

impl BookingRequested {
    /// Takes over what a change says.
    pub(super) fn apply(&mut self, event: &BookingEvent) {
        match event {
            BookingEvent::DepositDueExtended(extended) => self.deposit_due_at = extended.due_at,
            BookingEvent::GuestCountChanged(changed) => {
                self.guests = changed.guests;
                self.quote = changed.quote.clone();
                self.hold(changed.place);
            }
            BookingEvent::MenuChanged(changed) => self.quote = changed.quote.clone(),
            BookingEvent::Rescheduled(moved) => {
                self.start = moved.start.clone();
                self.venue = moved.venue.clone();
                self.tax_place = moved.tax_place.clone();
                self.travel = moved.travel.clone();
                self.quote = moved.quote.clone();
                self.deposit_due_at = moved.deposit_due_at.unwrap_or(self.deposit_due_at);
                self.hold(moved.place);
            }
            BookingEvent::Restored(restored) => {
                self.deposit_due_at = restored.deposit_due_at;
                if let Some(place) = restored.place {
                    self.hold(place);
                }
            }
            BookingEvent::ChefAssigned(assigned) => self.hold(assigned.place.unwrap_or(self.place())),
            BookingEvent::ChefUnassigned(unassigned) => self.hold(unassigned.place.unwrap_or(self.place())),
            BookingEvent::TaxPlaceSet(set) => self.tax_place = set.tax_place.clone(),
            BookingEvent::TermsAccepted(accepted) => {
                self.terms_version = Some(accepted.terms_version.clone());
            }
            BookingEvent::Requested(_)
            | BookingEvent::Confirmed(_)
            | BookingEvent::Completed(_)
            | BookingEvent::Cancelled(_)
            | BookingEvent::Expired(_)
            | BookingEvent::Deleted(_)
            | BookingEvent::NoteAdded(_)
            | BookingEvent::TaxAdjusted(_) => {}
        }
    }

    fn hold(&mut self, place: HeldPlace) {
        self.blocked_from = place.blocked_from;
        self.blocked_until = place.blocked_until;
        self.chefs_needed = place.chefs_needed;
        self.station_chefs = place.station_chefs;
        self.by_name = place.by_name;
    }

    /// Where it is to be, and until when its deposit was to come where that changes, for the story of a move.
    fn moved_from(&self, due_at: Option<DateTime<Utc>>) -> MovedFrom {
        MovedFrom {
            city: self.venue.city.clone(),
            state: self.venue.state.clone(),
            zip: self.venue.zip.clone(),
            travel: self.travel.clone(),
            tax_place: self.tax_place.clone(),
            deposit_due_at: due_at.map(|_| self.deposit_due_at),
        }
    }

    fn hours_before(&self, now: DateTime<Utc>) -> i64 {
        (self.start.utc - now).num_seconds().div_euclid(3_600)
    }

    /// Lets staff change what is close to the start, and the company what it likes, with a reason; customers neither.
    fn check_lock(&self, asked: &ChangeAsked) -> Result<(), BookingError> {
        let hours = self.policy.changes.locked_hours_before;
        let locked = self.hours_before(asked.now) < hours;
        let said = asked
            .reason
            .as_deref()
            .map(|reason| reason.trim().chars().count());
        if said.is_some_and(|length| !(3..=500).contains(&length)) {
            return Err(BookingError::BadReason);
        }
        match (asked.by, locked, said) {
            (ChangedBy::Customer, true, _) => Err(BookingError::ChangesLocked { hours }),
            (ChangedBy::Staff, true, None) | (ChangedBy::Company, _, None) => {
                Err(BookingError::ReasonRequired)
            }
            (ChangedBy::Customer | ChangedBy::Staff, false, _)
            | (ChangedBy::Staff, true, Some(_))
            | (ChangedBy::Company, _, Some(_)) => Ok(()),
        }
    }

    fn priced_again(
        &self,
        asked: &ChangeAsked,
        guests: Guests,
        add_ons: Vec<AddOn>,
        start: &EventTime,
        travel: &Travel,
        fee: Option<Cents>,
    ) -> Result<Quote, BookingError> {
        let request = QuoteRequest {
            guests,
            add_ons,
            event_on: start.local.date(),
            travel: travel.clone(),
            asked_at: asked.priced_at,
        };
        let priced = quote(&asked.price_list, &request)?.with(self.promo.as_ref());
        Ok(priced.in_place_of(&self.quote, fee))
    }
}

impl Booking {
    pub(super) fn reschedule(&self, ask: RescheduleBooking) -> Result<Vec<BookingEvent>, BookingError> {
        let (requested, status) = self.still_to_come("rescheduled")?;
        requested.check_lock(&ask.asked)?;
        let station = ask.station.opened().ok_or(BookingError::StationNotFound)?;
        let start = if EventTime::resolve(ask.start, station.zone).utc == requested.start.utc {
            if ask.venue == requested.venue {
                return Err(BookingError::Unchanged);
            }
            requested.start.clone()
        } else {
            check_start(station, ask.start, ask.asked.now)?
        };
        let fee = self.reschedule_fee(requested, &ask)?;
        let shift = station.shift(&start, &ask.travel);
        check_size(&ask.station, station, requested.guests)?;
        let promised = promise(&ask.station, station, &ask.roster, requested.guests, &shift, &[])?;
        let add_ons = requested.quote.add_ons();
        let quote =
            requested.priced_again(&ask.asked, requested.guests, add_ons, &start, &ask.travel, fee)?;
        let now = ask.asked.now;
        let deposit_due_at = Some(start.utc)
            .filter(|start| status == BookingStatus::Requested && *start < requested.deposit_due_at);
        let crew = requested.with_named(&promised, &ask.roster, now);
        let moved = BookingEvent::Rescheduled(BookingRescheduled {
            station_id: requested.station_id,
            before: requested.start.clone(),
            deposit_due_at,
            start,
            place: promised.place,
            venue: ask.venue,
            tax_place: ask.tax_place,
            travel: ask.travel,
            moved_from: Some(Box::new(requested.moved_from(deposit_due_at))),
            total_before_cents: requested.quote.total_cents,
            quote,
            fee_cents: fee,
            by: ask.asked.by,
            reason: ask.asked.reason,
            rescheduled_at: now,
        });
        let mut events = self.without_chefs(UnassignedBecause::Rescheduled, now, moved);
        events.extend(crew);
        Ok(events)
    }

    /// What a move costs by the terms. What the company moves costs nothing.
    fn reschedule_fee(
        &self,
        requested: &BookingRequested,
        ask: &RescheduleBooking,
    ) -> Result<Option<Cents>, BookingError> {
        let terms = &requested.policy.changes;
        let used_up = self.reschedules >= terms.free_reschedules;
        let late = requested.hours_before(ask.asked.now) < terms.free_hours_before;
        if ask.asked.by == ChangedBy::Company || !(used_up || late) {
            return Ok(None);
        }
        match (terms.reschedule_fee_cents, ask.fee) {
            (Some(fee), FeeAgreed::Yes) => Ok(Some(fee)),
            (Some(fee), FeeAgreed::No) => Err(BookingError::FeeRequired { fee }),
            (None, _) if used_up => Err(BookingError::ReschedulesUsedUp {
                times: terms.free_reschedules,
            }),
            (None, _) => Err(BookingError::RescheduleTooLate {
                hours: terms.free_hours_before,
            }),
        }
    }

    pub(super) fn change_guests(&self, ask: ChangeGuests) -> Result<Vec<BookingEvent>, BookingError> {
        let (requested, _) = self.still_to_come("changed")?;
        requested.check_lock(&ask.asked)?;
        let station = ask.station.opened().ok_or(BookingError::StationNotFound)?;
        let guests = ask.guests.check().map_err(crate::quote::QuoteError::from)?;
        if guests == requested.guests {
            return Err(BookingError::Unchanged);
        }
        let chefs_needed = station.settings.chefs_needed(guests.total());
        let needed = usize::try_from(chefs_needed).unwrap_or(0);
        let (place, crew) = if chefs_needed <= requested.chefs_needed {
            // The place is the booking's already, whoever works by now.
            let kept = self.chefs.iter().take(needed);
            let named = kept.filter(|chef| self.named.contains(chef)).count();
            let place = HeldPlace {
                chefs_needed,
                by_name: i32::try_from(named).unwrap_or(0),
                room: Room::NotAsked,
                ..requested.place()
            };
            (place, Vec::new())
        } else {
            check_size(&ask.station, station, guests)?;
            let shift = requested.shift();
            let promised = promise(&ask.station, station, &ask.roster, guests, &shift, &self.named)?;
            let crew = requested.with_named(&promised, &ask.roster, ask.asked.now);
            (promised.place, crew)
        };
        let add_ons = requested.quote.add_ons();
        let (start, travel) = (&requested.start, &requested.travel);
        let quote = requested.priced_again(&ask.asked, guests, add_ons, start, travel, None)?;
        let spare = self.chefs.iter().skip(needed).copied().collect::<Vec<_>>();
        let now = ask.asked.now;
        let mut events = self.released(&spare, UnassignedBecause::FewerGuests, now);
        events.push(BookingEvent::GuestCountChanged(BookingGuestCountChanged {
            station_id: requested.station_id,
            before: requested.guests,
            guests,
            chefs_before: requested.chefs_needed,
            place,
            total_before_cents: requested.quote.total_cents,
            quote,
            by: ask.asked.by,
            reason: ask.asked.reason,
            changed_at: now,
        }));
        events.extend(crew);
        Ok(events)
    }

    pub(super) fn change_menu(&self, ask: ChangeMenu) -> Result<BookingEvent, BookingError> {
        let (requested, _) = self.still_to_come("changed")?;
        requested.check_lock(&ask.asked)?;
        let add_ons_before = requested.quote.add_ons();
        if ask.add_ons == add_ons_before {
            return Err(BookingError::Unchanged);
        }
        let (guests, start, travel) = (requested.guests, &requested.start, &requested.travel);
        let quote = requested.priced_again(&ask.asked, guests, ask.add_ons, start, travel, None)?;
        Ok(BookingEvent::MenuChanged(BookingMenuChanged {
            station_id: requested.station_id,
            total_before_cents: requested.quote.total_cents,
            quote,
            add_ons_before: Some(add_ons_before),
            by: ask.asked.by,
            reason: ask.asked.reason,
            changed_at: ask.asked.now,
        }))
    }

    pub(super) fn extend_deposit(
        &self,
        due_at: DateTime<Utc>,
        reason: String,
        now: DateTime<Utc>,
    ) -> Result<BookingEvent, BookingError> {
        let (requested, status) = self.standing()?;
        refuse_unless(status == BookingStatus::Requested, status, "given more time")?;
        if !(3..=500).contains(&reason.trim().chars().count()) {
            return Err(BookingError::BadReason);
        }
        let before = requested.deposit_due_at;
        if due_at <= before || due_at <= now || due_at > requested.start.utc {
            return Err(BookingError::BadDueAt { before });
        }
        Ok(BookingEvent::DepositDueExtended(BookingDepositDueExtended {
            station_id: requested.station_id,
            before,
            due_at,
            reason,
            extended_at: now,
        }))
    }

    pub(super) fn add_note(&self, note: Sealed, now: DateTime<Utc>) -> Result<BookingEvent, BookingError> {
        let (requested, _) = self.standing()?;
        if self.notes >= MAX_NOTES {
            return Err(BookingError::TooManyNotes { max: MAX_NOTES });
        }
        Ok(BookingEvent::NoteAdded(BookingNoteAdded {
            station_id: Some(requested.station_id),
            note,
            noted_at: now,
        }))
    }

    pub(super) fn accept_terms(
        &self,
        version: String,
        now: DateTime<Utc>,
    ) -> Result<BookingEvent, BookingError> {
        let (requested, _) = self.standing()?;
        let version = version.trim().to_owned();
        if !(1..=60).contains(&version.chars().count()) {
            return Err(BookingError::BadTermsVersion);
        }
        if requested.terms_version.as_ref() == Some(&version) {
            return Err(BookingError::Unchanged);
        }
        Ok(BookingEvent::TermsAccepted(BookingTermsAccepted {
            station_id: Some(requested.station_id),
            terms_version: version,
            accepted_at: now,
        }))
    }
}
