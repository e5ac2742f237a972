//! Which jurisdiction a venue falls under, how that is known, and how sure it is.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{CountyRates, Jurisdiction, TaxRateError};
use crate::money::RatePpm;
use crate::place::Place;

/// How a venue's jurisdiction was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceMethod {
    /// The county was named with the address, and is one of those that the ZIP touches.
    Address,
    /// The venue's city, confirmed by its ZIP.
    CityZip,
    /// The ZIP alone: a suggestion.
    ZipOnly,
    /// A person looked at the address.
    Manual,
}

impl PlaceMethod {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::CityZip => "city_zip",
            Self::ZipOnly => "zip_only",
            Self::Manual => "manual",
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
        let known_city = same(venue_city, &place.city);
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

    /// As [`resolve`](Self::resolve), in a county that was named with the address: where the ZIP touches several counties,
    /// that tells which of them.
    pub fn resolve_in_county(
        &self,
        place: &Place,
        county: &str,
        venue_city: &str,
        day: NaiveDate,
    ) -> TaxPlace {
        let there = Place {
            county: county.to_owned(),
            counties: vec![county.to_owned()],
            ..place.clone()
        };
        let found = self.resolve(&there, venue_city, day);
        match found.confirmation {
            PlaceConfirmation::Needed => found,
            PlaceConfirmation::NotNeeded => TaxPlace {
                method: PlaceMethod::Address,
                ..found
            },
        }
    }

    /// A place that is known, at its rate of a day.
    pub fn rated(&self, known: &TaxPlace, day: NaiveDate) -> TaxPlace {
        let rate = self.on(known.jurisdiction.city.as_deref(), day);
        TaxPlace {
            rate_ppm: rate.map(|rate| rate.rate_ppm),
            rate_effective_from: rate.map(|rate| rate.effective_from),
            ..known.clone()
        }
    }

    /// The place that a person says it is, at its rate of a day; names as they were written with the rates.
    ///
    /// # Errors
    /// [`TaxRateError`] for a state or a name that cannot be one.
    pub fn place_by_hand(
        &self,
        jurisdiction: &Jurisdiction,
        day: NaiveDate,
    ) -> Result<TaxPlace, TaxRateError> {
        let mut jurisdiction = jurisdiction.clone();
        super::check_place(&mut jurisdiction)?;
        if let Some(county) = &self.county {
            jurisdiction.county.clone_from(county);
        }
        if let Some(written) = jurisdiction.city.as_deref().and_then(|city| self.written(city)) {
            jurisdiction.city = Some(written.clone());
        }
        let known = TaxPlace {
            jurisdiction,
            rate_ppm: None,
            rate_effective_from: None,
            method: PlaceMethod::Manual,
            confirmation: PlaceConfirmation::NotNeeded,
        };
        Ok(self.rated(&known, day))
    }
}
