//! What customers' pages speak of: parties, times and prices. Money is whole cents of US dollars, tax included; nothing is a
//! fraction.

use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, Utc};
use domain::guests::Guests as DomainGuests;
use domain::quote::{AddOn as DomainAddOn, LineKind, QuoteLine};
use domain::schedule::EventTime;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;
use utoipa::ToSchema;

use super::problem::Problem;
use axum::http::StatusCode;

/// Three letters (ISO 4217) of what all amounts are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(super) enum Currency {
    /// US dollars; amounts are in cents.
    #[serde(rename = "USD")]
    Usd,
}

/// A whole number, however JSON writes it: `5.0` is one as well, as JSON Schema has it.
pub(crate) fn whole<'de, D: Deserializer<'de>, N: FromStr>(deserializer: D) -> Result<N, D::Error> {
    let number = Number::deserialize(deserializer)?.to_string();
    let digits = number.strip_suffix(".0").unwrap_or(&number);
    let told = |_| D::Error::custom(format_args!("{number} is no whole number that is taken here"));
    digits.parse().map_err(told)
}

/// The same, or nothing.
pub(super) fn whole_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    struct Whole(#[serde(deserialize_with = "whole")] i64);
    Ok(Option::<Whole>::deserialize(deserializer)?.map(|Whole(number)| number))
}

/// A party by kinds of guests; at most 2,000 in all, and at least one.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Guests {
    /// People from 13 years.
    #[serde(deserialize_with = "whole")]
    #[schema(minimum = 0, maximum = 2000)]
    adults: i32,
    /// People of 6 to 12 years.
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 0, maximum = 2000)]
    children: i32,
    /// People under 6 years, who are free.
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 0, maximum = 2000)]
    under6: i32,
}

impl From<Guests> for DomainGuests {
    fn from(guests: Guests) -> Self {
        Self {
            adults: guests.adults,
            children: guests.children,
            under6: guests.under6,
        }
    }
}

impl From<DomainGuests> for Guests {
    fn from(guests: DomainGuests) -> Self {
        Self {
            adults: guests.adults,
            children: guests.children,
            under6: guests.under6,
        }
    }
}

/// An extra and how many.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddOn {
    /// Name on the menu, `sauce`.
    item: String,
    /// How many.
    #[serde(deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 1000)]
    quantity: i32,
}

impl From<AddOn> for DomainAddOn {
    fn from(line: AddOn) -> Self {
        Self {
            item: line.item,
            quantity: line.quantity,
        }
    }
}

/// A local time without a zone, as a clock at the station shows it: `2026-03-14T18:00:00`.
#[derive(Debug, Clone, ToSchema)]
#[schema(
    value_type = String,
    pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?$",
    example = "2026-03-14T18:00:00"
)]
pub(super) struct LocalStart(String);

impl<'de> Deserialize<'de> for LocalStart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let shape = |text: &str| {
            let mut bytes = text.bytes();
            let fits = |(byte, of): (u8, u8)| match of {
                b'0' => byte.is_ascii_digit(),
                of => byte == of,
            };
            let form = "0000-00-00T00:00:00";
            [form.len(), form.len() - 3].contains(&text.len()) && bytes.by_ref().zip(form.bytes()).all(fits)
        };
        if shape(&text) {
            Ok(Self(text))
        } else {
            Err(D::Error::custom(
                "a local time is as 2026-03-14T18:00:00, without a zone",
            ))
        }
    }
}

impl LocalStart {
    /// The time, where there is such a day and such a time of day.
    ///
    /// # Errors
    /// `INVALID_START`.
    pub(super) fn read(&self) -> Result<NaiveDateTime, Problem> {
        let read = NaiveDateTime::parse_from_str(&self.0, "%Y-%m-%dT%H:%M:%S")
            .or_else(|_| NaiveDateTime::parse_from_str(&self.0, "%Y-%m-%dT%H:%M"));
        read.map_err(|_| {
            let told = format!("there is no {}", self.0);
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "INVALID_START", told).of_field(&["start"])
        })
    }
}

/// When a party starts.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartTime {
    /// The instant, in UTC (RFC 3339).
    utc: DateTime<Utc>,
    /// What a clock at the station shows then, without a zone.
    #[schema(value_type = String, example = "2026-03-14T18:00:00")]
    local: NaiveDateTime,
    /// IANA zone of the station.
    #[schema(example = "America/Los_Angeles")]
    zone: String,
    /// Distance from UTC at that instant, as `-07:00`.
    offset: String,
    /// Seconds by which a time that the clock skips was moved forward; 0 for one that there is.
    moved_forward_seconds: i64,
}

impl From<EventTime> for StartTime {
    fn from(time: EventTime) -> Self {
        Self {
            utc: time.utc,
            local: time.local,
            zone: time.zone.to_string(),
            offset: time.offset(),
            moved_forward_seconds: time.moved_forward_secs,
        }
    }
}

/// What a line of a price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum PriceLineKind {
    /// Guests.
    Guests,
    /// An extra.
    AddOn,
    /// What lifts a small party to the minimum.
    Minimum,
    /// The way to the venue.
    Travel,
    /// The gratuity that large parties pay.
    Gratuity,
    /// What moving the booking cost.
    Reschedule,
    /// What a promo code takes off: a negative line.
    Discount,
}

impl From<LineKind> for PriceLineKind {
    fn from(kind: LineKind) -> Self {
        match kind {
            LineKind::Guests => Self::Guests,
            LineKind::AddOn => Self::AddOn,
            LineKind::Minimum => Self::Minimum,
            LineKind::Travel => Self::Travel,
            LineKind::Gratuity => Self::Gratuity,
            LineKind::Reschedule => Self::Reschedule,
            LineKind::Discount => Self::Discount,
        }
    }
}

/// One line of a price, tax included.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PriceLine {
    /// What it is for.
    kind: PriceLineKind,
    /// Name on the menu, or of the charge.
    item: String,
    /// Name for customers.
    label: String,
    /// How many.
    quantity: i32,
    /// Price of one, in cents.
    unit_cents: i64,
    /// Price of all, in cents; negative for what is taken off.
    total_cents: i64,
}

impl From<QuoteLine> for PriceLine {
    fn from(line: QuoteLine) -> Self {
        Self {
            kind: line.kind.into(),
            item: line.item,
            label: line.label,
            quantity: line.quantity,
            unit_cents: line.unit_cents.0,
            total_cents: line.total_cents.0,
        }
    }
}

/// Who asks. A name, and an e-mail or a phone: known customers are found by either, and their contact stays as it is. Sealed,
/// and shown to nobody without the right.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Contact {
    /// Name.
    pub(super) name: String,
    /// E-mail.
    pub(super) email: Option<String>,
    /// Phone.
    pub(super) phone: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_one_however_it_is_written_and_a_part_is_none() {
        let adults = |text: &str| serde_json::from_str::<Guests>(&format!("{{\"adults\": {text}}}"));
        for (text, number) in [
            ("5", 5),
            ("5.0", 5),
            ("-5.0", -5),
            ("1e2", 100),
            ("2147483647", i32::MAX),
        ] {
            assert_eq!(adults(text).unwrap().adults, number, "{text}");
        }
        for bad in ["5.5", "1e99", "2147483648", "\"5\"", "null", "true"] {
            assert!(adults(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_local_start_has_no_zone_and_is_a_time_that_there_is() {
        let read = |text: &str| serde_json::from_value::<LocalStart>(serde_json::json!(text));
        for good in ["2026-03-14T18:00:00", "2026-03-14T18:00"] {
            let read = read(good).unwrap().read().unwrap();
            assert_eq!(read.to_string(), "2026-03-14 18:00:00");
        }
        for bad in [
            "",
            "2026-03-14",
            "2026-03-14T18:00:00Z",
            "2026-03-14 18:00:00",
            "2026-03-14T18:00:0x",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let refused = read("2026-02-30T18:00:00").unwrap().read().unwrap_err();
        assert_eq!(refused.code(), "INVALID_START");
    }
}
