//! Which tax rates are known, and which were in force on a day?

use chrono::{Days, NaiveDate};
use domain::access::{Permission, Viewer};
use domain::money::RatePpm;
use domain::place::ZipCode;
use domain::recorded::{DomainEvent, Recorded};
use domain::tax_rate::{Jurisdiction, TaxRateEvent, TaxRateSet};

use crate::engine::{
    Answer, At, Condition, Fold, Order, Page, Poison, ReadError, ReadModels, Row, Select, Slice, Value, row,
};

row! {
    /// A rate and the days it is in force.
    pub struct TaxRateRow in "tax_rates",
    key (state: String, county_key: String, city_key: String, effective_from: NaiveDate) {
        /// Two-letter state.
        pub state: String,
        /// County without case: two spellings are one county.
        pub county_key: String,
        /// City without case; empty for the county's own rate.
        pub city_key: String,
        /// First day in force.
        pub effective_from: NaiveDate,
        /// Last day in force, inclusive; open where there is none.
        pub effective_until: Option<NaiveDate>,
        /// County as it was written.
        pub county: String,
        /// City as it was written, where it has a rate of its own.
        pub city: Option<String>,
        /// Combined rate in millionths.
        pub rate_ppm: RatePpm,
        /// Where the figure is from.
        pub source: String,
        /// ZIP codes that the source names for it, with blanks between them.
        pub zips: String,
        /// Events of the county so far: what a command expects.
        pub version: i64,
    }
}

/// The fold behind the list of tax rates.
pub struct TaxRates;

type RateKey = (String, String, String, NaiveDate);

impl Fold for TaxRates {
    type Key = RateKey;
    type Row = TaxRateRow;
    const NAME: &'static str = "tax_rates";
    const VERSION: i32 = 2;
    const POISON: Poison = Poison::Halt;

    fn event_types() -> &'static [&'static str] {
        &["tax_rate.set", "tax_rate.ended"]
    }

    fn key(event: &Recorded) -> Option<RateKey> {
        match rate(event)? {
            TaxRateEvent::Set(set) => Some(key(&set.jurisdiction, set.effective_from)),
            TaxRateEvent::Ended(ended) => Some(key(&ended.jurisdiction, ended.effective_from)),
            TaxRateEvent::Imported(_) => None,
        }
    }

    fn apply(row: Option<TaxRateRow>, event: &Recorded) -> Option<TaxRateRow> {
        match rate(event) {
            None | Some(TaxRateEvent::Imported(_)) => row,
            Some(TaxRateEvent::Set(set)) => {
                let (state, county_key, city_key, effective_from) =
                    key(&set.jurisdiction, set.effective_from);
                Some(TaxRateRow {
                    state,
                    county_key,
                    city_key,
                    effective_from,
                    effective_until: set.effective_until,
                    county: set.jurisdiction.county.clone(),
                    city: set.jurisdiction.city.clone(),
                    rate_ppm: set.rate_ppm,
                    source: set.source.clone(),
                    zips: set.zips.iter().map(ZipCode::as_str).collect::<Vec<_>>().join(" "),
                    version: event.sequence.0,
                })
            }
            Some(TaxRateEvent::Ended(ended)) => row.map(|row| TaxRateRow {
                effective_until: Some(ended.effective_until),
                version: event.sequence.0,
                ..row
            }),
        }
    }
}

fn rate(event: &Recorded) -> Option<&TaxRateEvent> {
    match &event.event {
        DomainEvent::TaxRate(rate) => Some(rate),
        DomainEvent::Organisation(_)
        | DomainEvent::Station(_)
        | DomainEvent::Chef(_)
        | DomainEvent::User(_)
        | DomainEvent::Customer(_)
        | DomainEvent::Booking(_)
        | DomainEvent::Payment(_)
        | DomainEvent::PriceList(_)
        | DomainEvent::Document(_)
        | DomainEvent::DocumentSeries(_)
        | DomainEvent::PromoCode(_)
        | DomainEvent::TaxPeriod(_)
        | DomainEvent::WorkItem(_)
        | DomainEvent::MessageTemplate(_)
        | DomainEvent::Job(_)
        | DomainEvent::Conversation(_)
        | DomainEvent::Review(_)
        | DomainEvent::Escalation(_)
        | DomainEvent::Message(_)
        | DomainEvent::Lead(_) => None,
    }
}

fn key(place: &Jurisdiction, effective_from: NaiveDate) -> RateKey {
    let city = place.city.as_deref().unwrap_or_default();
    (
        place.state.clone(),
        folded(&place.county),
        folded(city),
        effective_from,
    )
}

/// One text for the spellings that the domain takes for one name.
fn folded(name: &str) -> String {
    name.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// Which rates to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxRateFilter {
    /// Of this state.
    pub state: Option<String>,
    /// In force on this day.
    pub on: Option<NaiveDate>,
}

impl TaxRateFilter {
    fn conditions(self) -> Vec<Condition> {
        let state = self.state.map(|state| Condition::Eq("state", Value::Text(state)));
        let mut conditions: Vec<Condition> = state.into_iter().collect();
        if let Some(on) = self.on {
            let next = on.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
            conditions.push(Condition::Below("effective_from", Value::Date(next)));
            conditions.push(Condition::AtLeastOrNull("effective_until", Value::Date(on)));
        }
        conditions
    }
}

/// A page of rates, by state, county, city and first day.
///
/// # Errors
/// [`ReadError`] when the viewer may not see tax, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: TaxRateFilter,
    slice: Slice,
    at: At,
) -> Result<Page<TaxRateRow>, ReadError> {
    viewer.require(Permission::TaxRead)?;
    let select = Select {
        conditions: filter.conditions(),
        order: Order::ascending(&["state", "county_key", "city_key", "effective_from"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<TaxRates>(viewer.tenant, select, at).await
}

/// How many rates there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: TaxRateFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::TaxRead)?;
    models
        .count::<TaxRates>(viewer.tenant, filter.conditions(), at)
        .await
}

/// Every rate there is, those of the past included, as it can be loaded again; by state, county, city and first day.
///
/// # Errors
/// As [`page`].
pub async fn every(
    models: &ReadModels,
    viewer: &Viewer,
    state: Option<String>,
    at: At,
) -> Result<Answer<Vec<TaxRateSet>>, ReadError> {
    viewer.require(Permission::TaxRead)?;
    let filter = TaxRateFilter { state, on: None };
    let rows = models
        .all::<TaxRates>(viewer.tenant, filter.conditions(), at)
        .await?;
    Ok(rows.map(|mut rows| {
        rows.sort_by_key(TaxRateRow::key);
        rows.into_iter().map(TaxRateRow::set).collect()
    }))
}

impl TaxRateRow {
    fn set(self) -> TaxRateSet {
        let zips = self.zips.split_whitespace().filter_map(|zip| zip.parse().ok());
        TaxRateSet {
            zips: zips.collect(),
            jurisdiction: Jurisdiction {
                state: self.state,
                county: self.county,
                city: self.city,
            },
            rate_ppm: self.rate_ppm,
            effective_from: self.effective_from,
            effective_until: self.effective_until,
            source: self.source,
            before_ppm: None,
            correction: None,
        }
    }
}

/// The rate that a jurisdiction has from a day on; none where none begins on that day.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    place: &Jurisdiction,
    effective_from: NaiveDate,
    at: At,
) -> Result<Answer<Option<TaxRateRow>>, ReadError> {
    viewer.require(Permission::TaxRead)?;
    let (state, county, city, from) = key(place, effective_from);
    let conditions = vec![
        Condition::Eq("state", Value::Text(state)),
        Condition::Eq("county_key", Value::Text(county)),
        Condition::Eq("city_key", Value::Text(city)),
        Condition::Eq("effective_from", Value::Date(from)),
    ];
    let found = models.all::<TaxRates>(viewer.tenant, conditions, at).await?;
    Ok(found.map(|rows| rows.into_iter().next()))
}

#[cfg(test)]
mod tests {
    use domain::tax_rate::TaxRateEnded;

    use super::*;
    use crate::testing::{fold, recorded};

    #[test]
    fn another_spelling_of_a_city_ends_the_same_rate() {
        let place = |city: &str| Jurisdiction {
            state: "CA".to_owned(),
            county: "Santa Clara".to_owned(),
            city: Some(city.to_owned()),
        };
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let set = TaxRateEvent::Set(TaxRateSet {
            jurisdiction: place("San Jose"),
            rate_ppm: RatePpm(93_750),
            effective_from: day("2021-07-01"),
            effective_until: None,
            source: "CDTFA".to_owned(),
            before_ppm: None,
            correction: None,
            zips: Vec::new(),
        });
        let ended = TaxRateEvent::Ended(TaxRateEnded {
            jurisdiction: place("SAN  JOSE"),
            effective_from: day("2021-07-01"),
            effective_until: day("2026-12-31"),
        });
        let event = |place, event| recorded(place, "CA/santa clara", place, DomainEvent::TaxRate(event));
        let rows = fold::<TaxRates>(&[event(1, set), event(2, ended)]);
        let rows: Vec<&TaxRateRow> = rows.iter().collect();
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (rows[0].city.as_deref(), rows[0].city_key.as_str()),
            (Some("San Jose"), "san jose")
        );
        assert_eq!(
            (rows[0].effective_until, rows[0].version),
            (Some(day("2026-12-31")), 2)
        );
    }
}
