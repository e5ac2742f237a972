//! What a query asks for: one definition, answered alike by SQL and in memory.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::column::Value;
use super::fold::Row;

/// A condition on a row. A column that is null meets none but [`Condition::AtLeastOrNull`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The column has this value.
    Eq(&'static str, Value),
    /// The column has one of these values; none are met where there are none.
    OneOf(&'static str, Vec<Value>),
    /// The column is this or after it.
    AtLeast(&'static str, Value),
    /// The column is this or after it, or open.
    AtLeastOrNull(&'static str, Value),
    /// The column is before this.
    Below(&'static str, Value),
    /// One of the text columns contains this, letters A to Z in either case.
    Contains(&'static [&'static str], String),
}

impl Condition {
    /// The column has one of these values: where there is one, it is an equality, which an ordered index answers in
    /// order.
    pub(crate) fn one_of(column: &'static str, mut values: Vec<Value>) -> Self {
        match values.pop() {
            Some(only) if values.is_empty() => Self::Eq(column, only),
            last => {
                values.extend(last);
                Self::OneOf(column, values)
            }
        }
    }
}

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The lowest.
    Ascending,
    /// The highest.
    Descending,
}

/// An order that no two rows share a place in: its columns are never null and end in the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// What rows are ordered by, the first column first.
    pub columns: &'static [&'static str],
    /// Which end comes first, for all of them: so that an index is read straight through.
    pub direction: Direction,
}

impl Order {
    /// The lowest first.
    pub const fn ascending(columns: &'static [&'static str]) -> Self {
        Self {
            columns,
            direction: Direction::Ascending,
        }
    }

    /// The highest first.
    pub const fn descending(columns: &'static [&'static str]) -> Self {
        Self {
            columns,
            direction: Direction::Descending,
        }
    }

    /// Names the order of a table: what a cursor is bound to.
    fn name<R: Row>(&self) -> String {
        let direction = match self.direction {
            Direction::Ascending => "asc",
            Direction::Descending => "desc",
        };
        format!("{} {} {direction}", R::TABLE, self.columns.join(","))
    }

    /// Where a row stands in the order.
    pub(crate) fn place<R: Row>(&self, row: &R) -> Vec<Value> {
        self.columns
            .iter()
            .map(|column| row.value(column).expect("columns of an order are never null"))
            .collect()
    }
}

/// A place in an ordered list, as text that means nothing to whoever holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

/// A cursor that was not given out for this list in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one of this list in this order")]
pub struct BadCursor;

#[derive(Serialize, Deserialize)]
struct Place {
    order: String,
    at: Vec<Value>,
}

impl Cursor {
    /// The place of a row.
    pub(crate) fn of<R: Row>(row: &R, order: Order) -> Self {
        Self::at::<R>(order.place(row), order)
    }

    /// The place with these values of the order's columns, whether or not there is a row.
    pub(crate) fn at<R: Row>(at: Vec<Value>, order: Order) -> Self {
        let place = Place {
            order: order.name::<R>(),
            at,
        };
        let json = serde_json::to_vec(&place).expect("values have a JSON form");
        Self(URL_SAFE_NO_PAD.encode(json))
    }

    /// The values of the order's columns.
    pub(crate) fn read<R: Row>(&self, order: Order) -> Result<Vec<Value>, BadCursor> {
        let json = URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| BadCursor)?;
        let place: Place = serde_json::from_slice(&json).map_err(|_| BadCursor)?;
        let kinds = order.columns.iter().map(|column| R::kind(column));
        let fits = place.order == order.name::<R>()
            && kinds.eq(place.at.iter().map(|value| Some(value.kind())))
            && place.at.iter().all(storable);
        if fits { Ok(place.at) } else { Err(BadCursor) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether Postgres has such a value: only a cursor that somebody made up has one that it has not.
fn storable(value: &Value) -> bool {
    match value {
        Value::Text(text) => !text.contains('\0'),
        Value::Instant(at) => (1..=9_999).contains(&chrono::Datelike::year(at)),
        Value::Date(date) => (1..=9_999).contains(&chrono::Datelike::year(date)),
        Value::Uuid(_) | Value::Int(_) => true,
    }
}

impl From<String> for Cursor {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    /// All of them are met.
    pub conditions: Vec<Condition>,
    /// What comes first.
    pub order: Order,
    /// The row that the page comes after.
    pub after: Option<Cursor>,
    /// How many rows at most.
    pub first: u16,
}

impl Select {
    /// The first so many rows.
    pub(crate) fn first(conditions: Vec<Condition>, order: Order, first: u16) -> Self {
        Self {
            conditions,
            order,
            after: None,
            first,
        }
    }
}

/// How a list is ordered, and the part of it that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The row that the page comes after.
    pub after: Option<Cursor>,
    /// How many rows at most.
    pub first: u16,
}

impl Slice {
    /// The first so many rows.
    pub fn first(first: u16) -> Self {
        Self { after: None, first }
    }
}
