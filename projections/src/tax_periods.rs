//! Which periods of tax are closed, since when, and with what?

use chrono::{DateTime, NaiveDate, Utc};
use domain::access::{Permission, Viewer};
use domain::envelope::Position;
use domain::money::Cents;
use domain::recorded::{DomainEvent, Recorded};
use domain::tax_period::{TaxDays, TaxPeriodEvent};
use serde::{Deserialize, Serialize};

use crate::engine::{
    Answer, At, Column, Condition, Fold, Kind, Order, Page, Poison, ReadError, ReadModels, Select, Slice,
    Value, row,
};
use crate::period::Period;

/// Where a period stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxPeriodStatus {
    /// Lines are added to its days.
    Open,
    /// It is about to be closed: no lines are added any more.
    Closing,
    /// Its report stays as it is.
    Closed,
}

impl TaxPeriodStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closing => "closing",
            Self::Closed => "closed",
        }
    }
}

impl Column for TaxPeriodStatus {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

row! {
    /// Days that were to be closed together.
    pub struct TaxPeriodRow in "tax_periods", key (state: String, from_on: NaiveDate, until_on: NaiveDate) {
        /// Two-letter state.
        pub state: String,
        /// First day.
        pub from_on: NaiveDate,
        /// Last day.
        pub until_on: NaiveDate,
        /// As it was asked for.
        pub name: String,
        /// Where it stands.
        pub status: TaxPeriodStatus,
        /// Place in the log that the report of its last closing holds.
        pub position: Option<Position>,
        /// Checksum of the rows of that report.
        pub checksum: Option<String>,
        /// What that report comes to, in cents.
        pub net_tax_cents: Option<Cents>,
        /// When it came to stand so.
        pub changed_at: DateTime<Utc>,
        /// Who brought it there: id of a user, or name of a program.
        pub changed_by: String,
        /// Why, of one that was opened again or could not be closed.
        pub reason: Option<String>,
        /// Events of the state so far.
        pub version: i64,
    }
}

/// The fold behind the list of periods.
pub struct TaxPeriods;

type DaysKey = (String, NaiveDate, NaiveDate);

impl Fold for TaxPeriods {
    type Key = DaysKey;
    type Row = TaxPeriodRow;
    const NAME: &'static str = "tax_periods";
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Halt;

    fn event_types() -> &'static [&'static str] {
        &[
            "tax_period.closing_begun",
            "tax_period.closing_withdrawn",
            "tax_period.closed",
            "tax_period.reopened",
        ]
    }

    fn key(event: &Recorded) -> Option<DaysKey> {
        let (state, days) = subject(happened(event)?);
        Some((state.to_owned(), days.from, days.until))
    }

    fn apply(row: Option<TaxPeriodRow>, event: &Recorded) -> Option<TaxPeriodRow> {
        let Some(happened) = happened(event) else {
            return row;
        };
        let (state, days) = subject(happened);
        let now = TaxPeriodRow {
            state: state.to_owned(),
            from_on: days.from,
            until_on: days.until,
            name: days.name.clone(),
            status: TaxPeriodStatus::Open,
            position: row.as_ref().and_then(|row| row.position),
            checksum: row.as_ref().and_then(|row| row.checksum.clone()),
            net_tax_cents: row.and_then(|row| row.net_tax_cents),
            changed_at: event.recorded_at,
            changed_by: event.meta.actor_id.clone(),
            reason: None,
            version: event.sequence.0,
        };
        Some(match happened {
            TaxPeriodEvent::ClosingBegun(_) => TaxPeriodRow {
                status: TaxPeriodStatus::Closing,
                ..now
            },
            TaxPeriodEvent::ClosingWithdrawn(withdrawn) => TaxPeriodRow {
                reason: Some(withdrawn.unresolved.to_string()),
                ..now
            },
            TaxPeriodEvent::Closed(closed) => TaxPeriodRow {
                status: TaxPeriodStatus::Closed,
                position: Some(closed.position),
                checksum: Some(closed.checksum.clone()),
                net_tax_cents: Some(closed.net_tax_cents),
                ..now
            },
            TaxPeriodEvent::Reopened(reopened) => TaxPeriodRow {
                reason: Some(reopened.reason.clone()),
                ..now
            },
        })
    }
}

fn happened(event: &Recorded) -> Option<&TaxPeriodEvent> {
    match &event.event {
        DomainEvent::TaxPeriod(period) => Some(period),
        DomainEvent::Organisation(_)
        | DomainEvent::Station(_)
        | DomainEvent::Chef(_)
        | DomainEvent::User(_)
        | DomainEvent::Customer(_)
        | DomainEvent::Booking(_)
        | DomainEvent::Payment(_)
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
        | DomainEvent::TaxRate(_)
        | DomainEvent::Lead(_) => None,
    }
}

fn subject(event: &TaxPeriodEvent) -> (&str, &TaxDays) {
    match event {
        TaxPeriodEvent::ClosingBegun(it) => (&it.state, &it.period),
        TaxPeriodEvent::ClosingWithdrawn(it) => (&it.state, &it.period),
        TaxPeriodEvent::Closed(it) => (&it.state, &it.period),
        TaxPeriodEvent::Reopened(it) => (&it.state, &it.period),
    }
}

/// Periods that were to be closed, by state and first day.
///
/// # Errors
/// [`ReadError`] when the viewer may not see tax, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    state: Option<String>,
    slice: Slice,
    at: At,
) -> Result<Page<TaxPeriodRow>, ReadError> {
    viewer.require(Permission::TaxRead)?;
    let select = Select {
        conditions: of_state(state),
        order: Order::ascending(&["state", "from_on", "until_on"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<TaxPeriods>(viewer.tenant, select, at).await
}

/// How many there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    state: Option<String>,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::TaxRead)?;
    models
        .count::<TaxPeriods>(viewer.tenant, of_state(state), at)
        .await
}

/// The closed period that holds all days of a period, where there is one: its report stays as it is.
///
/// # Errors
/// As [`page`].
pub async fn closed_over(
    models: &ReadModels,
    viewer: &Viewer,
    state: &str,
    period: &Period,
    at: At,
) -> Result<Answer<Option<TaxPeriodRow>>, ReadError> {
    viewer.require(Permission::TaxRead)?;
    let mut conditions = of_state(Some(state.to_owned()));
    let after = period.from().succ_opt().unwrap_or(NaiveDate::MAX);
    conditions.push(Condition::Below("from_on", Value::Date(after)));
    conditions.push(Condition::AtLeast("until_on", Value::Date(period.until())));
    let rows = models.all::<TaxPeriods>(viewer.tenant, conditions, at).await?;
    Ok(rows.map(|rows| rows.into_iter().find(|row| row.status == TaxPeriodStatus::Closed)))
}

fn of_state(state: Option<String>) -> Vec<Condition> {
    let state = state.map(|state| Condition::Eq("state", Value::Text(state)));
    state.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use domain::tax_period::{TaxPeriodClosed, TaxPeriodClosingBegun, TaxPeriodReopened};

    use super::*;
    use crate::testing::{at, fold, recorded};

    #[test]
    fn a_period_that_is_opened_again_says_why_and_what_it_was_closed_with() {
        let period = TaxDays {
            name: "2026-Q1".to_owned(),
            from: "2026-01-01".parse().unwrap(),
            until: "2026-03-31".parse().unwrap(),
        };
        let now = at("2026-04-02T00:00:00Z");
        let events = [
            TaxPeriodEvent::ClosingBegun(TaxPeriodClosingBegun {
                state: "CA".to_owned(),
                period: period.clone(),
                begun_at: now,
            }),
            TaxPeriodEvent::Closed(TaxPeriodClosed {
                state: "CA".to_owned(),
                period: period.clone(),
                position: Position(9),
                checksum: "c".to_owned(),
                net_tax_cents: Cents(7_118),
                closed_at: now,
            }),
            TaxPeriodEvent::Reopened(TaxPeriodReopened {
                state: "CA".to_owned(),
                period,
                position: Some(Position(9)),
                checksum: Some("c".to_owned()),
                reason: "a refund was missing".to_owned(),
                reopened_at: now,
            }),
        ];
        let stands = |count: usize| {
            let events: Vec<Recorded> = events[..count]
                .iter()
                .zip(1..)
                .map(|(event, place)| recorded(place, "CA", place, DomainEvent::TaxPeriod(event.clone())))
                .collect();
            let rows = fold::<TaxPeriods>(&events);
            let row = rows.iter().next().unwrap().clone();
            (row.status, row.position, row.reason)
        };
        assert_eq!(stands(1), (TaxPeriodStatus::Closing, None, None));
        assert_eq!(stands(2), (TaxPeriodStatus::Closed, Some(Position(9)), None));
        assert_eq!(
            stands(3),
            (
                TaxPeriodStatus::Open,
                Some(Position(9)),
                Some("a refund was missing".to_owned())
            )
        );
    }
}
