//! Values of columns that conditions and orders compare, alike in SQL and in memory.

use std::io;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SubsecRound, Utc};
use chrono_tz::Tz;
use domain::booking::BookingStatus;
use domain::envelope::{Position, Sealed};
use domain::ids::{
    BookingId, ChefId, CustomerId, EventId, LeadId, PaymentId, PromoCodeId, StationId, UserId,
};
use domain::money::{Cents, RatePpm};
use domain::payment::{PaymentKind, PaymentMethod};
use domain::price_list::PriceList;
use domain::quote::QuoteLine;
use domain::station::StationSettings;
use domain::tax_rate::{PlaceConfirmation, PlaceMethod};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A value that a condition, an order or a cursor holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Text, ordered by its bytes.
    Text(String),
    /// An identifier.
    Uuid(Uuid),
    /// A whole number: a count, cents, a position.
    Int(i64),
    /// An instant, to the microsecond.
    Instant(DateTime<Utc>),
    /// A civil date.
    Date(NaiveDate),
}

/// What sort of value a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// An identifier.
    Uuid,
    /// A whole number.
    Int,
    /// An instant.
    Instant,
    /// A civil date.
    Date,
}

impl Value {
    /// What sort of value it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Uuid(_) => Kind::Uuid,
            Self::Int(_) => Kind::Int,
            Self::Instant(_) => Kind::Instant,
            Self::Date(_) => Kind::Date,
        }
    }
}

/// A type that a column of a row may have.
pub trait Column {
    /// What sort of value it is compared as; none for columns that are only shown.
    const KIND: Option<Kind>;

    /// The value to compare; none where there is none.
    fn value(&self) -> Option<Value>;

    /// Takes the form that the database would give back, so that a row folded in memory equals the
    /// stored one.
    fn settle(&mut self) {}

    /// What it takes in memory beside itself, in bytes and roughly: what a rebuild counts against its limit.
    fn heap(&self) -> usize {
        0
    }
}

impl<T: Column> Column for Option<T> {
    const KIND: Option<Kind> = T::KIND;

    fn value(&self) -> Option<Value> {
        self.as_ref().and_then(Column::value)
    }

    fn settle(&mut self) {
        if let Some(value) = self {
            value.settle();
        }
    }

    fn heap(&self) -> usize {
        self.as_ref().map_or(0, Column::heap)
    }
}

impl Column for String {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.clone()))
    }

    fn settle(&mut self) {
        // Postgres has no NUL in text.
        if self.contains('\0') {
            *self = self.replace('\0', "\u{fffd}");
        }
    }

    fn heap(&self) -> usize {
        self.capacity()
    }
}

impl Column for DateTime<Utc> {
    const KIND: Option<Kind> = Some(Kind::Instant);

    fn value(&self) -> Option<Value> {
        Some(Value::Instant(*self))
    }

    fn settle(&mut self) {
        *self = self.trunc_subsecs(6);
    }
}

macro_rules! columns {
    ($( $type:ty => $kind:ident($value:expr); )+) => { $(
        impl Column for $type {
            const KIND: Option<Kind> = Some(Kind::$kind);
            fn value(&self) -> Option<Value> {
                let value: fn(&Self) -> _ = $value;
                Some(Value::$kind(value(self)))
            }
        }
    )+ };
}

columns! {
    i32 => Int(|count| i64::from(*count));
    i64 => Int(|count| *count);
    Cents => Int(|amount| amount.0);
    RatePpm => Int(|rate| rate.0);
    Position => Int(|position| position.0);
    NaiveDate => Date(|date| *date);
    Uuid => Uuid(|id| *id);
    BookingId => Uuid(|id| id.0);
    ChefId => Uuid(|id| id.0);
    CustomerId => Uuid(|id| id.0);
    EventId => Uuid(|id| id.0);
    LeadId => Uuid(|id| id.0);
    PaymentId => Uuid(|id| id.0);
    PromoCodeId => Uuid(|id| id.0);
    StationId => Uuid(|id| id.0);
    UserId => Uuid(|id| id.0);
    BookingStatus => Text(|status| status.as_str().to_owned());
    PaymentKind => Text(|kind| kind.as_str().to_owned());
    PaymentMethod => Text(|method| method.as_str().to_owned());
    PlaceMethod => Text(|method| method.as_str().to_owned());
    Tz => Text(|zone| zone.name().to_owned());
    PlaceConfirmation => Text(|confirmation| match confirmation {
        PlaceConfirmation::NotNeeded => "not_needed".to_owned(),
        PlaceConfirmation::Needed => "needed".to_owned(),
    });
}

/// Types that are shown and never compared. What one takes beside itself is taken to be what its JSON takes, where it
/// is not said.
macro_rules! shown_only {
    ($( $type:ty $(= $heap:expr)?; )+) => { $(
        impl $crate::engine::Column for $type {
            const KIND: Option<$crate::engine::Kind> = None;
            fn value(&self) -> Option<$crate::engine::Value> {
                None
            }
            fn heap(&self) -> usize {
                $crate::engine::shown_only!(@heap self $(, $heap)?)
            }
        }
    )+ };
    (@heap $value:expr) => { $crate::engine::json_len($value) };
    (@heap $value:expr, $heap:expr) => {{
        let heap: fn(&Self) -> usize = $heap;
        heap($value)
    }};
}

pub(crate) use shown_only;

/// Bytes of a value's JSON.
pub(crate) fn json_len<T: Serialize>(value: &T) -> usize {
    struct Counted(usize);

    impl io::Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut counted = Counted(0);
    serde_json::to_writer(&mut counted, value).expect("values of rows have a JSON form");
    counted.0
}

shown_only! {
    bool = |_| 0;
    NaiveDateTime = |_| 0;
    Sealed = |sealed| sealed.sealed.capacity();
    Vec<QuoteLine> = |lines| {
        let texts: usize = lines.iter().map(|line| line.item.capacity() + line.label.capacity()).sum();
        lines.capacity() * size_of::<QuoteLine>() + texts
    };
    StationSettings;
    PriceList;
}
