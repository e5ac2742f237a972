//! Tax rates by jurisdiction and date, and which of them a venue falls under.

pub mod csv;
mod resolution;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Refusal};
use crate::money::RatePpm;
use crate::place::{ZipCode, is_state};

pub use resolution::{PlaceConfirmation, PlaceMethod, TaxPlace};

crate::events! {
    /// What can happen to a county's tax rates.
    pub enum TaxRateEvent {
        "A rate was set for a jurisdiction." Set(TaxRateSet) = "tax_rate.set" v 1;
        "A rate was given an end." Ended(TaxRateEnded) = "tax_rate.ended" v 1;
        "Rates of a county came with a file." Imported(TaxRatesImported) = "tax_rate.imported" v 1;
    }
}

/// Who is owed the tax: a county, or a city with a rate of its own inside one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Jurisdiction {
    /// Two-letter state.
    pub state: String,
    /// County without the word County.
    pub county: String,
    /// City, where it has a rate of its own.
    pub city: Option<String>,
}

/// A rate was set for a jurisdiction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRateSet {
    /// For whom.
    pub jurisdiction: Jurisdiction,
    /// Combined rate in millionths.
    pub rate_ppm: RatePpm,
    /// First day in force.
    pub effective_from: NaiveDate,
    /// Last day in force, inclusive; open where absent.
    pub effective_until: Option<NaiveDate>,
    /// Where the figure is from.
    pub source: String,
    /// The rate in force on the day before, or the one that is corrected, in millionths; none where there was none, and in
    /// events of programs that did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_ppm: Option<RatePpm>,
    /// Why the rate that was thought to begin on the same day was wrong: this one takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<String>,
    /// ZIP codes that the source names for it: they suggest the place and do not decide it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zips: Vec<ZipCode>,
}

/// A rate was given an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRateEnded {
    /// For whom.
    pub jurisdiction: Jurisdiction,
    /// First day of the rate that ends.
    pub effective_from: NaiveDate,
    /// Its last day, inclusive.
    pub effective_until: NaiveDate,
}

/// Rates of a county came with a file: the events before it, of the same command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRatesImported {
    /// SHA-256 of the file, as hexadecimal digits.
    pub file: String,
    /// Events that it led to.
    pub rates: i32,
}

/// What can be asked of a county's rates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum TaxRateCommand {
    /// Set a rate; an open rate before it ends the day before.
    Set(TaxRateSet),
}

/// Why a rate is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaxRateError {
    /// Not a state.
    #[error("a state has two capital letters, such as CA")]
    BadState,
    /// Not a county or city.
    #[error("a county or city has 1 to 80 characters")]
    BadName,
    /// Outside 0 to 25 %.
    #[error("a sales tax rate lies between 0 and 0.25")]
    BadRate,
    /// Ends before it begins.
    #[error("a rate cannot end before it begins")]
    EndsBeforeItBegins,
    /// Nothing to take the place of.
    #[error("no rate of this jurisdiction begins on {from}: there is none to correct")]
    NothingToCorrect {
        /// The first day that was asked for.
        from: NaiveDate,
    },
    /// It is so already.
    #[error("the rate is so already")]
    Unchanged,
    /// Too short or too long.
    #[error("a reason has 3 to 500 characters")]
    BadReason,
    /// Two rates on one day.
    #[error("another rate of this jurisdiction is in force from {from} on: two rates on one day cannot be")]
    Overlaps {
        /// First day of the rate that is in the way.
        from: NaiveDate,
    },
}

impl Refusal for TaxRateError {
    fn code(&self) -> &'static str {
        match self {
            Self::BadState => "INVALID_STATE",
            Self::BadName => "INVALID_NAME",
            Self::BadRate => "INVALID_RATE",
            Self::EndsBeforeItBegins => "INVALID_PERIOD",
            Self::Overlaps { .. } => "RATE_OVERLAPS",
            Self::NothingToCorrect { .. } => "RATE_NOT_FOUND",
            Self::Unchanged => "UNCHANGED",
            Self::BadReason => "INVALID_REASON",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::BadState => &["state"],
            Self::BadName => &["county"],
            Self::BadRate | Self::Unchanged => &["rate"],
            Self::EndsBeforeItBegins => &["effectiveUntil"],
            Self::Overlaps { .. } | Self::NothingToCorrect { .. } => &["effectiveFrom"],
            Self::BadReason => &["correction"],
        }
    }
}

/// One rate and the days it is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateInForce {
    /// Combined rate in millionths.
    pub rate_ppm: RatePpm,
    /// First day in force.
    pub effective_from: NaiveDate,
    /// Last day in force, inclusive.
    pub effective_until: Option<NaiveDate>,
}

/// All rates of one county: its own and its cities'. City names are compared without case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountyRates {
    /// By folded city; the county's own under the empty name.
    rates: BTreeMap<String, BTreeMap<NaiveDate, RateInForce>>,
    /// City names as they were written.
    names: BTreeMap<String, String>,
    /// The county as it was written first.
    county: Option<String>,
}

impl CountyRates {
    /// Id of the stream that holds a county's rates: `CA/santa clara`.
    pub fn stream_key(state: &str, county: &str) -> String {
        format!("{}/{}", state.trim(), fold(county))
    }

    /// The rate of the county itself, or of a city in it, on a day.
    pub fn on(&self, city: Option<&str>, day: NaiveDate) -> Option<&RateInForce> {
        let (_, rate) = self
            .rates
            .get(&city.map(fold).unwrap_or_default())?
            .range(..=day)
            .next_back()?;
        rate.effective_until
            .is_none_or(|until| day <= until)
            .then_some(rate)
    }

    /// Whether any city in the county has a rate of its own on a day.
    pub fn has_city_rates(&self, day: NaiveDate) -> bool {
        self.names.keys().any(|city| self.on(Some(city), day).is_some())
    }

    fn written(&self, city: &str) -> Option<&String> {
        self.names.get(&fold(city))
    }

    fn set(&self, mut set: TaxRateSet) -> Result<Vec<TaxRateEvent>, TaxRateError> {
        check(&mut set)?;
        if set.correction.is_some() {
            return self.correct(set);
        }
        let mut events = Vec::new();
        for other in self.rates_of(&set.jurisdiction) {
            if other.is_apart_from(&set) {
                continue;
            }
            let day_before = set.effective_from.pred_opt();
            match (other.effective_until, day_before) {
                (None, Some(until)) if other.effective_from < set.effective_from => {
                    events.push(TaxRateEvent::Ended(TaxRateEnded {
                        jurisdiction: set.jurisdiction.clone(),
                        effective_from: other.effective_from,
                        effective_until: until,
                    }));
                }
                (None | Some(_), _) => {
                    return Err(TaxRateError::Overlaps {
                        from: other.effective_from,
                    });
                }
            }
        }
        let day_before = set.effective_from.pred_opt();
        set.before_ppm = day_before
            .and_then(|day| self.on(set.jurisdiction.city.as_deref(), day))
            .map(|rate| rate.rate_ppm);
        events.push(TaxRateEvent::Set(set));
        Ok(events)
    }

    fn rates_of<'a>(&'a self, place: &Jurisdiction) -> impl Iterator<Item = &'a RateInForce> + use<'a> {
        let city = place.city.as_deref().map(fold).unwrap_or_default();
        self.rates.get(&city).into_iter().flat_map(BTreeMap::values)
    }

    /// Puts a rate in the place of the one that begins on the same day; it ends when that one does, if nothing is said.
    fn correct(&self, mut set: TaxRateSet) -> Result<Vec<TaxRateEvent>, TaxRateError> {
        let said = set
            .correction
            .as_deref()
            .unwrap_or_default()
            .trim()
            .chars()
            .count();
        if !(3..=500).contains(&said) {
            return Err(TaxRateError::BadReason);
        }
        let from = set.effective_from;
        let wrong = self
            .rates_of(&set.jurisdiction)
            .find(|other| other.effective_from == from);
        let wrong = wrong.ok_or(TaxRateError::NothingToCorrect { from })?;
        set.effective_until = set.effective_until.or(wrong.effective_until);
        if (wrong.rate_ppm, wrong.effective_until) == (set.rate_ppm, set.effective_until) {
            return Err(TaxRateError::Unchanged);
        }
        let others = self.rates_of(&set.jurisdiction);
        let mut in_the_way =
            others.filter(|other| other.effective_from != from && !other.is_apart_from(&set));
        if let Some(other) = in_the_way.next() {
            return Err(TaxRateError::Overlaps {
                from: other.effective_from,
            });
        }
        set.before_ppm = Some(wrong.rate_ppm);
        Ok(vec![TaxRateEvent::Set(set)])
    }
}

impl RateInForce {
    /// Whether no day has both rates.
    fn is_apart_from(&self, set: &TaxRateSet) -> bool {
        let ends_before = |until: Option<NaiveDate>, from: NaiveDate| until.is_some_and(|until| until < from);
        ends_before(set.effective_until, self.effective_from)
            || ends_before(self.effective_until, set.effective_from)
    }
}

fn fold(name: &str) -> String {
    name.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

fn check_place(place: &mut Jurisdiction) -> Result<(), TaxRateError> {
    if !is_state(&place.state) {
        return Err(TaxRateError::BadState);
    }
    place.county = place.county.trim().to_owned();
    place.city = place
        .city
        .take()
        .map(|city| city.trim().to_owned())
        .filter(|city| !city.is_empty());
    let fits = |name: &str| (1..=80).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if !fits(&place.county) || place.city.as_deref().is_some_and(|city| !fits(city)) {
        return Err(TaxRateError::BadName);
    }
    Ok(())
}

fn check(set: &mut TaxRateSet) -> Result<(), TaxRateError> {
    check_place(&mut set.jurisdiction)?;
    if !(0..=250_000).contains(&set.rate_ppm.0) {
        return Err(TaxRateError::BadRate);
    }
    if set
        .effective_until
        .is_some_and(|until| until < set.effective_from)
    {
        return Err(TaxRateError::EndsBeforeItBegins);
    }
    Ok(())
}

impl Decider for CountyRates {
    const STREAM: &'static str = "tax_rate";
    type Command = TaxRateCommand;
    type Event = TaxRateEvent;
    type Error = TaxRateError;

    fn decide(&self, command: TaxRateCommand) -> Result<Vec<TaxRateEvent>, TaxRateError> {
        let TaxRateCommand::Set(set) = command;
        self.set(set)
    }

    fn evolve(&mut self, event: &TaxRateEvent) {
        match event {
            TaxRateEvent::Set(set) => {
                let city = set.jurisdiction.city.clone().unwrap_or_default();
                let rate = RateInForce {
                    rate_ppm: set.rate_ppm,
                    effective_from: set.effective_from,
                    effective_until: set.effective_until,
                };
                self.rates
                    .entry(fold(&city))
                    .or_default()
                    .insert(set.effective_from, rate);
                let county = || set.jurisdiction.county.clone();
                self.county.get_or_insert_with(county);
                if !city.is_empty() {
                    self.names.insert(fold(&city), city);
                }
            }
            TaxRateEvent::Imported(_) => {}
            TaxRateEvent::Ended(ended) => {
                let city = ended.jurisdiction.city.as_deref().map(fold).unwrap_or_default();
                let rate = self
                    .rates
                    .get_mut(&city)
                    .and_then(|rates| rates.get_mut(&ended.effective_from));
                if let Some(rate) = rate {
                    rate.effective_until = Some(ended.effective_until);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
