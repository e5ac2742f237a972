//! Scalars. There is no Float in the schema.

use std::fmt::Display;
use std::ops::RangeInclusive;

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject, Value};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use domain::envelope::Position;
use domain::money::{Cents, RatePpm};

/// The largest whole number that every JSON reader keeps exact.
const EXACT: i64 = 9_007_199_254_740_991;

/// Years that a date can be of; further off, zones and durations have no instants.
const YEARS: RangeInclusive<i32> = 1..=9_999;

#[derive(Debug, Clone, Copy)]
pub(super) struct LocalDate(pub(super) NaiveDate);

/// A civil date without zone, `2026-03-14`, of the years 0001 to 9999.
#[Scalar(name = "LocalDate")]
impl ScalarType for LocalDate {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => text
                .parse()
                .ok()
                .filter(|date: &NaiveDate| YEARS.contains(&date.year()))
                .map(Self)
                .ok_or_else(|| InputValueError::custom("expected a date such as 2026-03-14")),
            Value::Null
            | Value::Number(_)
            | Value::Boolean(_)
            | Value::Binary(_)
            | Value::Enum(_)
            | Value::List(_)
            | Value::Object(_) => Err(InputValueError::expected_type(value)),
        }
    }
    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct LocalDateTime(pub(super) NaiveDateTime);

/// A time on a wall clock without zone, `2026-03-14T18:00:00`, of the years 0001 to 9999.
#[Scalar(name = "LocalDateTime")]
impl ScalarType for LocalDateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => text
                .parse()
                .ok()
                .filter(|time: &NaiveDateTime| YEARS.contains(&time.year()))
                .map(Self)
                .ok_or_else(|| InputValueError::custom("expected a local time such as 2026-03-14T18:00:00")),
            Value::Null
            | Value::Number(_)
            | Value::Boolean(_)
            | Value::Binary(_)
            | Value::Enum(_)
            | Value::List(_)
            | Value::Object(_) => Err(InputValueError::expected_type(value)),
        }
    }
    fn to_value(&self) -> Value {
        Value::String(self.0.format("%Y-%m-%dT%H:%M:%S").to_string())
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct LocalTime(pub(super) NaiveTime);

/// A time of day on a wall clock, `18:00` or `18:00:00`.
#[Scalar(name = "LocalTime")]
impl ScalarType for LocalTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => NaiveTime::parse_from_str(text, "%H:%M")
                .or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:%S"))
                .map(Self)
                .map_err(|_| InputValueError::custom("expected a time of day such as 18:00")),
            Value::Null
            | Value::Number(_)
            | Value::Boolean(_)
            | Value::Binary(_)
            | Value::Enum(_)
            | Value::List(_)
            | Value::Object(_) => Err(InputValueError::expected_type(value)),
        }
    }
    fn to_value(&self) -> Value {
        Value::String(self.0.format("%H:%M:%S").to_string())
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct BigInt(pub(super) i64);

/// A whole number of 64 bits: a JSON number up to 2^53, else a string.
#[Scalar(name = "BigInt")]
impl ScalarType for BigInt {
    fn parse(value: Value) -> InputValueResult<Self> {
        whole(&value)
            .map(Self)
            .ok_or_else(|| InputValueError::custom("expected a whole number of 64 bits"))
    }
    fn to_value(&self) -> Value {
        if self.0.abs() <= EXACT {
            Value::Number(self.0.into())
        } else {
            Value::String(self.0.to_string())
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct LogPosition(pub(super) i64);

/// A position in the organisation's log, counted from 1.
#[Scalar(name = "LogPosition")]
impl ScalarType for LogPosition {
    fn parse(value: Value) -> InputValueResult<Self> {
        let position = whole(&value).filter(|position| *position >= 0);
        position
            .map(Self)
            .ok_or_else(|| InputValueError::custom("expected a position: a whole number from 0 on"))
    }
    fn to_value(&self) -> Value {
        BigInt(self.0).to_value()
    }
}

impl From<Position> for LogPosition {
    fn from(position: Position) -> Self {
        Self(position.0)
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        Value::Null
        | Value::Boolean(_)
        | Value::Binary(_)
        | Value::Enum(_)
        | Value::List(_)
        | Value::Object(_) => None,
    }
}

#[derive(Debug, Clone)]
pub(super) struct Decimal(pub(super) String);

/// An exact decimal as a string, `851.18` or `0.09125`.
#[Scalar(name = "Decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            Value::Null
            | Value::Number(_)
            | Value::Boolean(_)
            | Value::Binary(_)
            | Value::Enum(_)
            | Value::List(_)
            | Value::Object(_) => Err(InputValueError::custom(
                "expected a decimal as a string, such as \"0.09125\"",
            )),
        }
    }
    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

impl Decimal {
    pub(super) fn of(value: impl Display) -> Self {
        Self(value.to_string())
    }
}

impl From<RatePpm> for Decimal {
    fn from(rate: RatePpm) -> Self {
        Self::of(rate)
    }
}

/// An amount of money. Prices and totals include tax unless a field says otherwise.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct Money {
    /// The amount with two decimals, `851.18`.
    amount: Decimal,
    /// The amount in cents.
    minor: BigInt,
    /// ISO 4217 code.
    currency: &'static str,
}

impl From<Cents> for Money {
    fn from(cents: Cents) -> Self {
        Self {
            amount: Decimal::of(cents),
            minor: BigInt(cents.0),
            currency: "USD",
        }
    }
}
