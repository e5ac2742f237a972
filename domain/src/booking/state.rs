//! The booking as its stream tells it, and how it decides.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::{
    BookingCancelled, BookingCommand, BookingCompleted, BookingConfirmed, BookingError, BookingEvent,
    BookingExpired, BookingRequested, CancelledBy, HeldTax, RefundRule, RequestBooking,
};
use crate::decider::Decider;
use crate::ids::{BookingId, PaymentId};
use crate::money::{Cents, RatePpm};
use crate::quote::{LineKind, QuoteRequest, quote};
use crate::schedule::EventTime;
use crate::station::StationCreated;
use crate::tax;

/// Where a booking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookingStatus {
    /// Asked for; the place is held until the deposit is due.
    Requested,
    /// The deposit has come.
    Confirmed,
    /// Held.
    Completed,
    /// Called off.
    Cancelled,
    /// The deposit did not come.
    Expired,
}

impl BookingStatus {
    /// Every status, in the order of a booking's life.
    pub const ALL: [Self; 5] = [
        Self::Requested,
        Self::Confirmed,
        Self::Completed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The word in sentences and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Confirmed => "confirmed",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

/// A booking.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    requested: Option<BookingRequested>,
    status: Option<BookingStatus>,
}

impl Booking {
    /// What was asked for, once it was.
    pub fn requested(&self) -> Option<&BookingRequested> {
        self.requested.as_ref()
    }

    /// Where it stands, once asked for.
    pub fn status(&self) -> Option<BookingStatus> {
        self.status
    }

    /// The number that people name a booking by: ten letters and digits of its id's random part, without
    /// those that are mistaken for each other.
    pub fn number(id: BookingId) -> String {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let bits = id.0.as_u128();
        let letter = |place: u32| {
            let five = usize::try_from((bits >> (place * 5)) & 31).expect("five bits");
            char::from(ALPHABET[five])
        };
        let half = |places: std::ops::Range<u32>| places.rev().map(letter).collect::<String>();
        format!("{}-{}", half(5..10), half(0..5))
    }

    fn standing(&self) -> Result<(&BookingRequested, BookingStatus), BookingError> {
        self.requested
            .as_ref()
            .zip(self.status)
            .ok_or(BookingError::NotFound)
    }

    fn request(&self, ask: RequestBooking) -> Result<BookingEvent, BookingError> {
        if self.requested.is_some() {
            return Err(BookingError::Exists);
        }
        check_length("a source", 200, ask.source.as_deref())?;
        check_length("a terms version", 60, ask.terms_version.as_deref())?;
        let station = ask.station.opened().ok_or(BookingError::StationNotFound)?;
        let guests = ask.guests.check().map_err(crate::quote::QuoteError::from)?;
        let chefs_needed = station.settings.chefs_needed(guests.total());
        let station_chefs = ask.station.chef_count();
        if chefs_needed > station_chefs {
            return Err(BookingError::PartyTooLarge {
                guests: guests.total(),
                needed: chefs_needed,
                chefs: station_chefs,
            });
        }
        let start = check_start(station, &ask)?;
        let quote = quote(
            &ask.price_list,
            &QuoteRequest {
                guests,
                add_ons: ask.add_ons,
                event_on: start.local.date(),
                travel: ask.travel.clone(),
                asked_at: ask.now,
            },
        )?;
        let (blocked_from, blocked_until) = station.settings.blocked(start.utc, &ask.travel);
        let policy = ask.price_list.policy();
        Ok(BookingEvent::Requested(BookingRequested {
            number: Self::number(ask.booking_id),
            customer_id: ask.customer_id,
            station_id: ask.station_id,
            venue: ask.venue,
            start,
            blocked_from,
            blocked_until,
            guests,
            chefs_needed,
            station_chefs,
            quote,
            deposit_due_at: ask.now + Duration::hours(policy.deposit_due_hours),
            policy,
            tax_place: ask.tax_place,
            travel: ask.travel,
            source: ask.source,
            terms_version: ask.terms_version,
            note: ask.note,
            requested_at: ask.now,
        }))
    }

    fn confirm(
        &self,
        payment_id: PaymentId,
        captured: Cents,
        now: DateTime<Utc>,
    ) -> Result<BookingEvent, BookingError> {
        let (requested, status) = self.standing()?;
        refuse_unless(status == BookingStatus::Requested, status, "confirmed")?;
        let deposit = requested.quote.deposit_cents;
        if captured < deposit {
            return Err(BookingError::DepositShort { deposit, captured });
        }
        Ok(BookingEvent::Confirmed(BookingConfirmed {
            payment_id,
            station_id: Some(requested.station_id),
            captured_cents: captured,
            confirmed_at: now,
        }))
    }

    fn complete(&self, note: Option<String>, now: DateTime<Utc>) -> Result<BookingEvent, BookingError> {
        let (requested, status) = self.standing()?;
        refuse_unless(status == BookingStatus::Confirmed, status, "completed")?;
        if now < requested.start.utc {
            return Err(BookingError::NotYetHeld {
                start: requested.start.utc,
            });
        }
        check_length("a note", 500, note.as_deref())?;
        let gross = requested.quote.total_cents;
        let held = |rate: RatePpm| {
            let parts = tax::extract(gross, rate);
            HeldTax {
                rate_ppm: rate,
                net_cents: parts.net_cents,
                tax_cents: parts.tax_cents,
            }
        };
        Ok(BookingEvent::Completed(BookingCompleted {
            station_id: requested.station_id,
            number: requested.number.clone(),
            event_on: requested.start.local.date(),
            guests: requested.guests,
            gross_cents: gross,
            travel_cents: requested.quote.sum_of(LineKind::Travel),
            gratuity_cents: requested.quote.sum_of(LineKind::Gratuity),
            tax: requested.tax_place.rate_ppm.map(held),
            tax_place: requested.tax_place.clone(),
            venue_zip: requested.venue.zip.to_string(),
            venue_city: requested.venue.city.clone(),
            note,
            completed_at: now,
        }))
    }

    fn cancel(
        &self,
        by: CancelledBy,
        reason: String,
        now: DateTime<Utc>,
    ) -> Result<BookingEvent, BookingError> {
        let (requested, status) = self.standing()?;
        let open = matches!(status, BookingStatus::Requested | BookingStatus::Confirmed);
        refuse_unless(open, status, "cancelled")?;
        if !(3..=500).contains(&reason.trim().chars().count()) {
            return Err(BookingError::BadReason);
        }
        let hours_before = (requested.start.utc - now).num_seconds().div_euclid(3_600);
        let by_the_terms = || match requested.policy.tier(hours_before) {
            Some(tier) => RefundRule::Tier(tier.clone()),
            None => RefundRule::Nothing,
        };
        Ok(BookingEvent::Cancelled(BookingCancelled {
            station_id: requested.station_id,
            by,
            reason,
            hours_before,
            was: Some(status),
            refund: match by {
                CancelledBy::Company => RefundRule::Everything,
                CancelledBy::Customer => by_the_terms(),
            },
            cancelled_at: now,
        }))
    }

    fn expire(&self, now: DateTime<Utc>) -> Result<BookingEvent, BookingError> {
        let (requested, status) = self.standing()?;
        refuse_unless(status == BookingStatus::Requested, status, "expired")?;
        if now < requested.deposit_due_at {
            return Err(BookingError::NotYetDue {
                due_at: requested.deposit_due_at,
            });
        }
        Ok(BookingEvent::Expired(BookingExpired {
            station_id: requested.station_id,
            due_at: requested.deposit_due_at,
            expired_at: now,
        }))
    }
}

fn refuse_unless(holds: bool, status: BookingStatus, wanted: &'static str) -> Result<(), BookingError> {
    if holds {
        Ok(())
    } else {
        Err(BookingError::WrongState {
            status: status.as_str(),
            wanted,
        })
    }
}

fn check_length(what: &'static str, max: usize, text: Option<&str>) -> Result<(), BookingError> {
    match text {
        Some(text) if text.chars().count() > max => Err(BookingError::TooLong { what, max }),
        Some(_) | None => Ok(()),
    }
}

fn check_start(station: &StationCreated, ask: &RequestBooking) -> Result<EventTime, BookingError> {
    let settings = &station.settings;
    if !settings.slots.contains(&ask.start.time()) {
        let offered: Vec<String> = settings
            .slots
            .iter()
            .map(|slot| slot.format("%H:%M").to_string())
            .collect();
        return Err(BookingError::NotASlot {
            offered: offered.join(", "),
        });
    }
    let start = EventTime::resolve(ask.start, station.zone);
    if start.utc - ask.now < Duration::hours(settings.lead_hours) {
        return Err(BookingError::TooSoon {
            lead_hours: settings.lead_hours,
        });
    }
    if start.utc - ask.now > Duration::days(settings.horizon_days) {
        return Err(BookingError::TooFar {
            horizon_days: settings.horizon_days,
        });
    }
    Ok(start)
}

impl Decider for Booking {
    const STREAM: &'static str = "booking";
    type Command = BookingCommand;
    type Event = BookingEvent;
    type Error = BookingError;

    fn decide(&self, command: BookingCommand) -> Result<Vec<BookingEvent>, BookingError> {
        let event = match command {
            BookingCommand::Request(ask) => self.request(*ask)?,
            BookingCommand::Confirm {
                payment_id,
                captured_cents,
                now,
            } => self.confirm(payment_id, captured_cents, now)?,
            BookingCommand::Complete { note, now } => self.complete(note, now)?,
            BookingCommand::Cancel { by, reason, now } => self.cancel(by, reason, now)?,
            BookingCommand::Expire { now } => self.expire(now)?,
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &BookingEvent) {
        self.status = Some(match event {
            BookingEvent::Requested(requested) => {
                self.requested = Some(requested.clone());
                BookingStatus::Requested
            }
            BookingEvent::Confirmed(_) => BookingStatus::Confirmed,
            BookingEvent::Completed(_) => BookingStatus::Completed,
            BookingEvent::Cancelled(_) => BookingStatus::Cancelled,
            BookingEvent::Expired(_) => BookingStatus::Expired,
        });
    }
}

#[cfg(test)]
mod tests;
