//! When a rate is loaded for a county, parties that were held there without one, or on days that it was in force on, are
//! looked at again; and parties that were called off, where what is kept of them is a sale.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use domain::booking::BookingEvent;
use domain::ids::BookingId;
use domain::recorded::{DomainEvent, Recorded};
use domain::tax_rate::{CountyRates, TaxPlace, TaxRateEvent, TaxRateSet};
use serde::{Deserialize, Serialize};

use super::{Policy, Reaction, Reply};
use crate::booking::HeldUnder;

/// Resolves the tax of parties that were held without a rate, or at one that was not in force.
pub struct WhenTaxRateSet;

/// What is known of the parties of a county: enough to say whether a rate can be theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parties {
    /// Those that have no rate.
    bookings: BTreeSet<BookingId>,
    /// The days between which parties were held, by the venue's city in small letters. Which they are, the log knows.
    #[serde(default)]
    held: BTreeMap<String, Days>,
}

/// From the first day to the last, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Days {
    first: NaiveDate,
    last: NaiveDate,
}

/// What an event means to a county.
enum Meaning<'a> {
    /// A party was held, or called off and taxed.
    Held(BookingId, Taxed<'a>),
    /// Its tax belongs here, where no rate is known.
    WithoutRate(BookingId),
    /// It has a rate now.
    Resolved(BookingId),
    /// A rate was loaded.
    Rate(&'a TaxRateSet),
}

/// Where and when a party was taxed.
struct Taxed<'a> {
    on: NaiveDate,
    venue_city: &'a str,
    place: &'a TaxPlace,
}

fn folded(city: &str) -> String {
    city.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

fn meaning(event: &Recorded) -> Option<(String, Meaning<'_>)> {
    let county = |place: &TaxPlace| {
        let there = &place.jurisdiction;
        CountyRates::stream_key(&there.state, &there.county)
    };
    match &event.event {
        DomainEvent::Booking(BookingEvent::Completed(held)) => Some((
            county(&held.tax_place),
            Meaning::Held(
                event.stream.id.parse().ok()?,
                Taxed {
                    on: held.event_on,
                    venue_city: &held.venue_city,
                    place: &held.tax_place,
                },
            ),
        )),
        DomainEvent::Booking(BookingEvent::TaxAdjusted(adjusted)) => {
            let kept = adjusted.kept.as_ref()?;
            let taxed = Taxed {
                on: kept.called_off_on,
                venue_city: &adjusted.venue_city,
                place: &adjusted.tax_place,
            };
            let booking = event.stream.id.parse().ok()?;
            Some((county(&adjusted.tax_place), Meaning::Held(booking, taxed)))
        }
        DomainEvent::Booking(BookingEvent::TaxPlaceSet(set)) => {
            let booking = event.stream.id.parse().ok()?;
            match (set.before.rate_ppm, set.tax_place.rate_ppm) {
                (None, Some(_)) => Some((county(&set.before), Meaning::Resolved(booking))),
                (_, None) => Some((county(&set.tax_place), Meaning::WithoutRate(booking))),
                (Some(_), Some(_)) => None,
            }
        }
        DomainEvent::TaxRate(TaxRateEvent::Set(set)) => Some((event.stream.id.clone(), Meaning::Rate(set))),
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
        | DomainEvent::MessageTemplate(_)
        | DomainEvent::Job(_)
        | DomainEvent::Conversation(_)
        | DomainEvent::Review(_)
        | DomainEvent::Escalation(_)
        | DomainEvent::Message(_)
        | DomainEvent::TaxPeriod(_)
        | DomainEvent::Lead(_) => None,
    }
}

impl Parties {
    fn held(&mut self, booking: BookingId, held: &Taxed<'_>) {
        if held.place.rate_ppm.is_none() {
            self.bookings.insert(booking);
        }
        let on = held.on;
        let there = held.place.jurisdiction.city.as_deref();
        for city in [Some(held.venue_city), there].into_iter().flatten() {
            let days = self.held.entry(folded(city));
            let days = days.or_insert(Days { first: on, last: on });
            days.first = days.first.min(on);
            days.last = days.last.max(on);
        }
    }

    /// Whether parties can have been held under a rate: in its city, or anywhere in the county.
    fn any_under(&self, set: &TaxRateSet) -> bool {
        let city = set.jurisdiction.city.as_deref().map(folded);
        let of_it = |name: &String| city.as_ref().is_none_or(|city| city == name);
        let overlaps = |days: &Days| {
            set.effective_from <= days.last && set.effective_until.is_none_or(|until| days.first <= until)
        };
        self.held.iter().any(|(name, days)| of_it(name) && overlaps(days))
    }

    fn at_a_rate(&self, county: String, set: &TaxRateSet) -> Option<Reply> {
        let held = self.any_under(set).then_some(HeldUnder {
            county,
            from: set.effective_from,
            until: set.effective_until,
        });
        if held.is_none() && self.bookings.is_empty() {
            return None;
        }
        Some(Reply::ResolveTax {
            bookings: self.bookings.iter().copied().collect(),
            held,
        })
    }
}

impl Policy for WhenTaxRateSet {
    type State = Parties;
    const NAME: &'static str = "when_tax_rate_set";

    fn process(event: &Recorded) -> Option<String> {
        meaning(event).map(|(county, _)| county)
    }

    fn react(state: Option<Parties>, event: &Recorded) -> Reaction<Parties> {
        let mut parties = state.unwrap_or_default();
        let mut reply = None;
        match meaning(event) {
            Some((_, Meaning::Held(booking, held))) => parties.held(booking, &held),
            Some((_, Meaning::WithoutRate(booking))) => {
                parties.bookings.insert(booking);
            }
            Some((_, Meaning::Resolved(booking))) => {
                parties.bookings.remove(&booking);
            }
            Some((county, Meaning::Rate(set))) => reply = parties.at_a_rate(county, set),
            None => {}
        }
        Reaction {
            state: (parties != Parties::default()).then_some(parties),
            wake_at: None,
            reply,
        }
    }

    fn due(_process: &str, _state: Parties) -> Option<Reply> {
        None
    }
}
