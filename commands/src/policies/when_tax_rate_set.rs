//! When a rate is loaded for a county, parties that were held there without one are looked at again.

use std::collections::BTreeSet;

use domain::booking::BookingEvent;
use domain::ids::BookingId;
use domain::recorded::{DomainEvent, Recorded};
use domain::tax_rate::{CountyRates, TaxPlace, TaxRateEvent};
use serde::{Deserialize, Serialize};

use super::{Policy, Reaction, Reply};

/// Resolves the tax of parties that were held without a rate.
pub struct WhenTaxRateSet;

/// Parties of a county that were held without a rate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unresolved {
    bookings: BTreeSet<BookingId>,
}

/// What an event means to a county.
enum Meaning {
    /// A party was held without a rate.
    Held(BookingId),
    /// It has one now, or belongs elsewhere.
    Resolved(BookingId),
    /// A rate was loaded.
    Rate,
}

fn meaning(event: &Recorded) -> Option<(String, Meaning)> {
    let county = |place: &TaxPlace| {
        let there = &place.jurisdiction;
        CountyRates::stream_key(&there.state, &there.county)
    };
    match &event.event {
        DomainEvent::Booking(BookingEvent::Completed(held)) if held.tax.is_none() => Some((
            county(&held.tax_place),
            Meaning::Held(event.stream.id.parse().ok()?),
        )),
        DomainEvent::Booking(BookingEvent::TaxPlaceSet(set)) if set.before.rate_ppm.is_none() => Some((
            county(&set.before),
            Meaning::Resolved(event.stream.id.parse().ok()?),
        )),
        DomainEvent::TaxRate(TaxRateEvent::Set(_)) => Some((event.stream.id.clone(), Meaning::Rate)),
        DomainEvent::TaxRate(TaxRateEvent::Ended(_) | TaxRateEvent::Imported(_))
        | DomainEvent::Booking(_)
        | DomainEvent::Payment(_)
        | DomainEvent::Organisation(_)
        | DomainEvent::Station(_)
        | DomainEvent::Chef(_)
        | DomainEvent::User(_)
        | DomainEvent::Customer(_)
        | DomainEvent::PriceList(_)
        | DomainEvent::PromoCode(_)
        | DomainEvent::Document(_)
        | DomainEvent::DocumentSeries(_)
        | DomainEvent::WorkItem(_)
        | DomainEvent::TaxPeriod(_)
        | DomainEvent::Lead(_) => None,
    }
}

impl Policy for WhenTaxRateSet {
    type State = Unresolved;
    const NAME: &'static str = "when_tax_rate_set";

    fn process(event: &Recorded) -> Option<String> {
        meaning(event).map(|(county, _)| county)
    }

    fn react(state: Option<Unresolved>, event: &Recorded) -> Reaction<Unresolved> {
        let mut unresolved = state.unwrap_or_default();
        let mut reply = None;
        match meaning(event) {
            Some((_, Meaning::Held(booking))) => {
                unresolved.bookings.insert(booking);
            }
            Some((_, Meaning::Resolved(booking))) => {
                unresolved.bookings.remove(&booking);
            }
            Some((_, Meaning::Rate)) if !unresolved.bookings.is_empty() => {
                reply = Some(Reply::ResolveTax {
                    bookings: unresolved.bookings.iter().copied().collect(),
                });
            }
            Some((_, Meaning::Rate)) | None => {}
        }
        Reaction {
            state: (!unresolved.bookings.is_empty()).then_some(unresolved),
            wake_at: None,
            reply,
        }
    }

    fn due(_process: &str, _state: Unresolved) -> Option<Reply> {
        None
    }
}
