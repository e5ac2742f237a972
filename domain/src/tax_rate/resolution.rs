//! Which jurisdiction a venue falls under, how that is known, and how sure it is.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{CountyRates, Jurisdiction};
use crate::money::RatePpm;
use crate::place::Place;

/// How a venue's jurisdiction was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceMethod {
    /// The venue's city, confirmed by its ZIP.
    CityZip,
    /// The ZIP alone: a suggestion.
    ZipOnly,
}

impl PlaceMethod {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CityZip => "city_zip",
            Self::ZipOnly => "zip_only",
        }
    }
}

/// The tax place of a booking: fixed when it is requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxPlace {
    /// Who is owed the tax.
    pub jurisdiction: Jurisdiction,
    /// Combined rate in millionths on the day of the event; none where no rate is known.
    pub rate_ppm: Option<RatePpm>,
    /// First day of that rate.
    pub rate_effective_from: Option<NaiveDate>,
    /// How the place was found.
    pub method: PlaceMethod,
    /// Whether a person must confirm the place before the period can be closed.
    pub confirmation: PlaceConfirmation,
}

/// Whether a person must confirm a tax place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceConfirmation {
    /// No.
    NotNeeded,
    /// Yes: the ZIP touches several counties, or its county has city rates and the city is not certain.
    Needed,
}

impl CountyRates {
    /// The jurisdiction and rate of a venue on a day.
    ///
    /// The venue's city within the ZIP's county where that city has a rate, else the county. The ZIP only
    /// suggests the county: it is certain only when the stated city is the ZIP's own and the ZIP touches no
    /// other county.
    pub fn resolve(&self, place: &Place, venue_city: &str, day: NaiveDate) -> TaxPlace {
        let same = |a: &str, b: &str| super::fold(a) == super::fold(b);
        let city_rate = self.on(Some(venue_city), day);
        let rate = city_rate.or_else(|| self.on(None, day));
        let several_counties = place.counties.len() > 1;
        let known_city = city_rate.is_some() || same(venue_city, &place.city);
        let method = if known_city && !several_counties {
            PlaceMethod::CityZip
        } else {
            PlaceMethod::ZipOnly
        };
        let unsure = several_counties || (!known_city && self.has_city_rates(day));
        TaxPlace {
            jurisdiction: Jurisdiction {
                state: place.state.clone(),
                county: place.county.clone(),
                city: city_rate.and_then(|_| self.written(venue_city).cloned()),
            },
            rate_ppm: rate.map(|rate| rate.rate_ppm),
            rate_effective_from: rate.map(|rate| rate.effective_from),
            method,
            confirmation: if unsure {
                PlaceConfirmation::Needed
            } else {
                PlaceConfirmation::NotNeeded
            },
        }
    }
}
