//! Which rows of a read model are meant, in the forms that people have a key in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDate, Utc};
use projections::{ColumnInfo, Kind};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Columns that hold the number people name a booking by.
pub(crate) const NUMBERS: [&str; 2] = ["number", "booking_number"];

/// Which rows of a read model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Those with these values in these columns.
    With(Map<String, Value>),
}

/// Text that is no key of a read model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no key of {view}: give {form}")]
pub struct BadKey {
    text: String,
    view: &'static str,
    form: String,
}

impl Which {
    /// Reads a key. Of one column: its value, where an id may also be the opaque id of the API, or the number of a
    /// booking where the read model has one. Of several: `a=b,c=d` or a JSON object, with every column of the key.
    ///
    /// # Errors
    /// [`BadKey`] says what a key of this read model looks like.
    pub fn parse(text: &str, view: &'static str, columns: &[ColumnInfo]) -> Result<Self, BadKey> {
        let keys: Vec<&ColumnInfo> = columns.iter().filter(|column| column.is_key).collect();
        let number = columns.iter().find(|column| NUMBERS.contains(&column.name));
        let read = read(text, &keys).or_else(|| {
            let number = number.filter(|_| is_number(text))?;
            Some(Map::from_iter([(number.name.to_owned(), text.into())]))
        });
        read.map(Self::With).ok_or_else(|| BadKey {
            text: text.to_owned(),
            view,
            form: form(&keys, number.is_some()),
        })
    }

    /// Whether it is one of them.
    pub(crate) fn takes(&self, row: &Value) -> bool {
        match self {
            Self::All => true,
            Self::With(values) => values
                .iter()
                .all(|(column, value)| row.get(column) == Some(value)),
        }
    }
}

/// What a key looks like.
fn form(keys: &[&ColumnInfo], numbered: bool) -> String {
    let names: Vec<String> = keys.iter().map(|column| format!("{}=…", column.name)).collect();
    match keys {
        [only] if numbered => format!("its {}, or the number of a booking", only.name),
        [only] => format!("its {}", only.name),
        _ => format!("{} or a JSON object of these", names.join(",")),
    }
}

/// A booking's number: ten letters and digits, with a dash in the middle.
pub(crate) fn is_number(text: &str) -> bool {
    text.split_once('-').is_some_and(|(first, second)| {
        [first, second]
            .iter()
            .all(|half| half.len() == 5 && half.chars().all(|letter| letter.is_ascii_alphanumeric()))
    })
}

fn read(text: &str, keys: &[&ColumnInfo]) -> Option<Map<String, Value>> {
    let parts = match (keys, serde_json::from_str::<Map<String, Value>>(text)) {
        (_, Ok(object)) => object
            .into_iter()
            .map(|(name, value)| (name, plain(&value)))
            .collect(),
        ([only], Err(_)) if !text.starts_with(&format!("{}=", only.name)) => {
            vec![(only.name.to_owned(), text.to_owned())]
        }
        (_, Err(_)) => pairs(text, keys)?,
    };
    let mut values = Map::new();
    for (name, text) in parts {
        let column = keys.iter().find(|column| column.name == name)?;
        let value = value(column, &text)?;
        if values.insert(name, value).is_some() {
            return None;
        }
    }
    (values.len() == keys.len()).then_some(values)
}

/// `a=b,c=d`, where a comma that no column of the key comes after is part of the value before it.
fn pairs(text: &str, keys: &[&ColumnInfo]) -> Option<Vec<(String, String)>> {
    let mut found: Vec<(String, String)> = Vec::new();
    for part in text.split(',') {
        let begun = part
            .split_once('=')
            .filter(|(name, _)| keys.iter().any(|column| column.name == *name));
        match (begun, found.last_mut()) {
            (Some((name, value)), _) => found.push((name.to_owned(), value.to_owned())),
            (None, Some((_, value))) => {
                value.push(',');
                value.push_str(part);
            }
            (None, None) => return None,
        }
    }
    Some(found)
}

/// A column's value as rows have it.
fn value(column: &ColumnInfo, text: &str) -> Option<Value> {
    let value = match column.kind {
        Some(Kind::Uuid) => serde_json::to_value(id(text)?),
        Some(Kind::Int) => serde_json::to_value(text.parse::<i64>().ok()?),
        Some(Kind::Instant) => serde_json::to_value(text.parse::<DateTime<Utc>>().ok()?),
        Some(Kind::Date) => serde_json::to_value(text.parse::<NaiveDate>().ok()?),
        Some(Kind::Text) | None => return Some(text.into()),
    };
    Some(value.expect("ids, numbers and dates have a JSON form"))
}

/// An id as it is, or the id in an opaque one.
fn id(text: &str) -> Option<Uuid> {
    Uuid::parse_str(text)
        .ok()
        .or_else(|| Uuid::parse_str(&opaque(text)?.1).ok())
}

/// The noun and the id in an opaque id of the API.
pub(crate) fn opaque(text: &str) -> Option<(String, String)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (noun, id) = text.split_once(':')?;
    Some((noun.to_owned(), id.to_owned()))
}

/// Text without its quotes, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A key as it can be given back to [`Which::parse`].
pub(crate) fn key_text(columns: &[ColumnInfo], row: &Value) -> String {
    let keys: Vec<&ColumnInfo> = columns.iter().filter(|column| column.is_key).collect();
    let text = |column: &ColumnInfo| plain(&row[column.name]);
    if let [only] = keys.as_slice() {
        return text(only);
    }
    let pairs: Vec<String> = keys
        .iter()
        .map(|column| format!("{}={}", column.name, text(column)))
        .collect();
    pairs.join(",")
}

#[cfg(test)]
mod tests {
    use projections::projection;
    use serde_json::json;

    use super::*;

    fn parse(view: &'static str, text: &str) -> Result<Which, BadKey> {
        Which::parse(text, view, &projection(view).unwrap().columns())
    }

    fn with(value: Value) -> Which {
        let Value::Object(values) = value else {
            panic!("{value}");
        };
        Which::With(values)
    }

    #[test]
    fn a_key_is_read_in_every_form_that_people_have_it_in() {
        let id = "01930000-0000-7000-8000-000000000001";
        let opaque = URL_SAFE_NO_PAD.encode(format!("Booking:{id}"));
        let object = format!("{{\"booking_id\":\"{id}\"}}");
        let named = format!("booking_id={id}");
        for text in [id, &opaque, &id.to_uppercase(), &object, &named] {
            assert_eq!(
                parse("booking_list", text),
                Ok(with(json!({ "booking_id": id }))),
                "{text}"
            );
        }
        assert_eq!(
            parse("booking_list", "7XBSB-BASH1"),
            Ok(with(json!({"number": "7XBSB-BASH1"})))
        );
        assert_eq!(
            parse("payment_list", "7XBSB-BASH1"),
            Ok(with(json!({"booking_number": "7XBSB-BASH1"})))
        );
        assert_eq!(parse("audit_trail", "12"), Ok(with(json!({"position": 12}))));
        let rate = json!({
            "state": "CA", "county_key": "a, b=c", "city_key": "", "effective_from": "2026-07-01",
        });
        for text in [
            "state=CA,county_key=a, b=c,city_key=,effective_from=2026-07-01".to_owned(),
            "effective_from=2026-07-01,city_key=,state=CA,county_key=a, b=c".to_owned(),
            rate.to_string(),
        ] {
            assert_eq!(parse("tax_rates", &text), Ok(with(rate.clone())), "{text}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_with_what_one_looks_like() {
        for (view, text, form) in [
            ("booking_list", "", "its booking_id, or the number of a booking"),
            ("station_list", "7XBSB-BASH1", "give its station_id"),
            ("audit_trail", "first", "give its position"),
            ("tax_rates", "CA", "give state=…,county_key=…"),
            ("tax_rates", "state=CA", "or a JSON object"),
            (
                "tax_rates",
                "state=CA,state=CA,county_key=,city_key=,effective_from=2026-07-01",
                "give state=…",
            ),
            (
                "tax_rates",
                "state=CA,county_key=,city_key=,effective_from=July",
                "give state=…",
            ),
            ("booking_list", "{\"number\":\"7XBSB-BASH1\"}", "its booking_id"),
        ] {
            let refused = parse(view, text).unwrap_err().to_string();
            assert!(refused.contains(form), "{view} {text}: {refused}");
        }
    }

    #[test]
    fn a_key_that_is_written_is_read_as_the_same() {
        let row = json!({
            "state": "CA", "county_key": "x,y", "city_key": "", "effective_from": "2026-07-01", "rate_ppm": 91_250,
        });
        let columns = projection("tax_rates").unwrap().columns();
        let which = parse("tax_rates", &key_text(&columns, &row)).unwrap();
        assert!(which.takes(&row));
        assert!(projection("tax_rates").unwrap().folding().is_empty());
    }
}
