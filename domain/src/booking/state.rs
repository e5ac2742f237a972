//! The booking as its stream tells it, and how it decides.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::limits::{check_length, check_size, check_start};
use super::promise::promise;
use super::status::{BookingStatus, refuse_unless};
use super::{
    BookingCancelled, BookingCommand, BookingConfirmed, BookingDeleted, BookingError, BookingEvent,
    BookingExpired, BookingRequested, ByName, CancelledBy, ChangedBy, RefundRule, RequestBooking,
    UnassignedBecause,
};
use crate::decider::Decider;
use crate::ids::{BookingId, ChefId, PaymentId};
use crate::money::Cents;
use crate::quote::{QuoteRequest, food_and_service, quote};
use crate::tax_account::{KeptDepositTax, KeptMoney, TaxAccount};

/// A booking.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    requested: Option<BookingRequested>,
    status: Option<BookingStatus>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) chefs: Vec<ChefId>,
    /// Those of them who are held by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) named: Vec<ChefId>,
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub(super) reschedules: i32,
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub(super) notes: i32,
    pub(super) deleted: Option<BookingDeleted>,
    pub(super) tax: Option<TaxAccount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kept: Option<KeptMoney>,
}

/// What has not happened yet is no part of what a story tells.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_none_yet(count: &i32) -> bool {
    *count == 0
}

impl Booking {
    /// What was asked for, once it was, as changes have left it.
    pub fn requested(&self) -> Option<&BookingRequested> {
        self.requested.as_ref()
    }

    /// Where it stands, once asked for.
    pub fn status(&self) -> Option<BookingStatus> {
        self.status
    }

    /// Whether it was put away.
    pub fn is_deleted(&self) -> bool {
        self.deleted.is_some()
    }

    /// Who is to cook.
    pub fn chefs(&self) -> &[ChefId] {
        &self.chefs
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

    pub(super) fn standing(&self) -> Result<(&BookingRequested, BookingStatus), BookingError> {
        if self.is_deleted() {
            return Err(BookingError::Deleted);
        }
        self.requested
            .as_ref()
            .zip(self.status)
            .ok_or(BookingError::NotFound)
    }

    /// Where it stands, for what is only asked of a booking that is still to be held.
    pub(super) fn still_to_come(
        &self,
        wanted: &'static str,
    ) -> Result<(&BookingRequested, BookingStatus), BookingError> {
        let (requested, status) = self.standing()?;
        refuse_unless(status.is_open(), status, wanted)?;
        Ok((requested, status))
    }

    fn request(&self, ask: RequestBooking) -> Result<Vec<BookingEvent>, BookingError> {
        if self.requested.is_some() {
            return Err(BookingError::Exists);
        }
        check_length("a source", 200, ask.source.as_deref())?;
        check_length("a terms version", 60, ask.terms_version.as_deref())?;
        let station = ask.station.opened().ok_or(BookingError::StationNotFound)?;
        let guests = ask.guests.check().map_err(crate::quote::QuoteError::from)?;
        check_size(&ask.station, station, guests)?;
        let start = check_start(station, ask.start, ask.now)?;
        let shift = station.shift(&start, &ask.travel);
        let promised = promise(&ask.station, station, &ask.roster, guests, &shift, &[])?;
        let place = promised.place;
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
        let promo = ask
            .promo
            .map(|asked| asked.check(ask.station_id, food_and_service(&quote.lines), ask.now))
            .transpose()?;
        let quote = quote.with(promo.as_ref());
        let policy = ask.price_list.policy();
        let requested = BookingRequested {
            number: Self::number(ask.booking_id),
            customer_id: ask.customer_id,
            station_id: ask.station_id,
            venue: ask.venue,
            start,
            blocked_from: place.blocked_from,
            blocked_until: place.blocked_until,
            guests,
            chefs_needed: place.chefs_needed,
            station_chefs: place.station_chefs,
            by_name: place.by_name,
            quote,
            promo,
            counted_for: Some(ask.customer_id),
            deposit_due_at: ask.now + Duration::hours(policy.deposit_due_hours),
            policy,
            tax_place: ask.tax_place,
            travel: ask.travel,
            source: ask.source,
            terms_version: ask.terms_version,
            note: ask.note,
            requested_at: ask.now,
        };
        let crew = requested.with_named(&promised, &ask.roster, ask.now);
        Ok([BookingEvent::Requested(requested)]
            .into_iter()
            .chain(crew)
            .collect())
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

    fn cancel(
        &self,
        by: CancelledBy,
        reason: String,
        kept: KeptDepositTax,
        now: DateTime<Utc>,
    ) -> Result<BookingEvent, BookingError> {
        let (requested, status) = self.still_to_come("cancelled")?;
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
            gives_back: requested.customer_hold().filter(|_| now < requested.start.utc),
            kept,
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
            gives_back: requested.customer_hold(),
            expired_at: now,
        }))
    }
}

impl Decider for Booking {
    const STREAM: &'static str = "booking";
    type Command = BookingCommand;
    type Event = BookingEvent;
    type Error = BookingError;

    fn decide(&self, command: BookingCommand) -> Result<Vec<BookingEvent>, BookingError> {
        let event = match command {
            BookingCommand::Request(ask) => return self.request(*ask),
            BookingCommand::Confirm {
                payment_id,
                captured_cents,
                now,
            } => self.confirm(payment_id, captured_cents, now)?,
            BookingCommand::Complete(ask) => return self.complete(*ask),
            BookingCommand::RecordTax(ask) => return self.record_tax(&ask),
            BookingCommand::SetTaxPlace(ask) => return self.set_tax_place(*ask),
            BookingCommand::Cancel {
                by,
                reason,
                kept,
                now,
            } => {
                let cancelled = self.cancel(by, reason, kept, now)?;
                return Ok(self.without_chefs(UnassignedBecause::Cancelled, now, cancelled));
            }
            BookingCommand::Expire { now } => {
                let expired = self.expire(now)?;
                return Ok(self.without_chefs(UnassignedBecause::Expired, now, expired));
            }
            BookingCommand::ExtendDeposit { due_at, reason, now } => {
                self.extend_deposit(due_at, reason, now)?
            }
            BookingCommand::Reschedule(ask) => return self.reschedule(*ask),
            BookingCommand::ChangeGuests(ask) => return self.change_guests(*ask),
            BookingCommand::ChangeMenu(ask) => self.change_menu(*ask)?,
            BookingCommand::AssignChef(ask) => self.assign_chef(&ask)?,
            BookingCommand::UnassignChef { chef_id, reason, now } => {
                self.unassign_chef(chef_id, reason, now)?
            }
            BookingCommand::Delete { reason, now } => {
                let deleted = self.delete(reason, now)?;
                return Ok(self.without_chefs(UnassignedBecause::Deleted, now, deleted));
            }
            BookingCommand::Restore(ask) => return self.restore(&ask),
            BookingCommand::AddNote { note, now } => self.add_note(note, now)?,
            BookingCommand::AcceptTerms { version, now } => self.accept_terms(version, now)?,
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &BookingEvent) {
        match event {
            BookingEvent::Requested(requested) => {
                self.requested = Some(requested.clone());
                self.status = Some(BookingStatus::Requested);
            }
            BookingEvent::Confirmed(_) => self.status = Some(BookingStatus::Confirmed),
            BookingEvent::Completed(_) => self.status = Some(BookingStatus::Completed),
            BookingEvent::Cancelled(_) => self.status = Some(BookingStatus::Cancelled),
            BookingEvent::Expired(_) => self.status = Some(BookingStatus::Expired),
            BookingEvent::ChefAssigned(assigned) => {
                self.chefs.push(assigned.chef_id);
                match assigned.by_name {
                    ByName::Yes => self.named.push(assigned.chef_id),
                    ByName::No => {}
                }
            }
            BookingEvent::ChefUnassigned(unassigned) => {
                self.chefs.retain(|chef| *chef != unassigned.chef_id);
                self.named.retain(|chef| *chef != unassigned.chef_id);
            }
            BookingEvent::Deleted(deleted) => self.deleted = Some(deleted.clone()),
            BookingEvent::Restored(_) => self.deleted = None,
            BookingEvent::NoteAdded(_) => self.notes += 1,
            // What the company moves for reasons of its own is none of the customer's moves.
            BookingEvent::Rescheduled(moved) if moved.by != ChangedBy::Company => self.reschedules += 1,
            BookingEvent::Rescheduled(_)
            | BookingEvent::DepositDueExtended(_)
            | BookingEvent::GuestCountChanged(_)
            | BookingEvent::MenuChanged(_)
            | BookingEvent::TermsAccepted(_)
            | BookingEvent::TaxPlaceSet(_)
            | BookingEvent::TaxAdjusted(_) => {}
        }
        self.evolve_tax(event);
        if let Some(requested) = &mut self.requested {
            requested.apply(event);
        }
    }
}

#[cfg(test)]
mod tests;
