//! A row from a line of COPY's text format, read straight into its fields: the other way round than [`line`](super::line).

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::str::Split;

use serde::Deserializer;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, IntoDeserializer, SeqAccess, Visitor};

use crate::engine::column::Kind;
use crate::engine::error::ReadError;
use crate::engine::fold::Row;

/// What stands for a null.
const NULL: &str = "\\N";

/// Reads one line, without its end, whose fields are the row's columns in their order.
pub(crate) fn read<R: Row>(line: &str) -> Result<R, ReadError> {
    let of = |column: &&'static str| R::kind(column) == Some(Kind::Instant);
    R::deserialize(Line(line, &of)).map_err(|error| ReadError::Unreadable {
        table: R::TABLE,
        reason: error.0,
    })
}

/// Why a line is no row.
#[derive(Debug)]
struct Misfit(String);

impl Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misfit {}

impl serde::de::Error for Misfit {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// A line, and which of its columns are instants.
struct Line<'de, 'a>(&'de str, &'a dyn Fn(&&'static str) -> bool);

impl<'de> Deserializer<'de> for Line<'de, '_> {
    type Error = Misfit;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        columns: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_seq(Fields {
            fields: self.0.split('\t'),
            columns: columns.iter(),
            is_instant: self.1,
        })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Misfit> {
        Err(Misfit("a row is a struct of its columns".to_owned()))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Fields<'de, 'a> {
    fields: Split<'de, char>,
    columns: std::slice::Iter<'static, &'static str>,
    is_instant: &'a dyn Fn(&&'static str) -> bool,
}

impl<'de> SeqAccess<'de> for Fields<'de, '_> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let is_instant = self.columns.next().is_some_and(self.is_instant);
        let Some(text) = self.fields.next() else {
            return Ok(None);
        };
        seed.deserialize(Field { text, is_instant }).map(Some)
    }
}

/// One column's text.
struct Field<'de> {
    text: &'de str,
    is_instant: bool,
}

impl<'de> Field<'de> {
    fn text(&self) -> Result<Cow<'de, str>, Misfit> {
        if self.text == NULL {
            return Err(Misfit("a column is null that must not be".to_owned()));
        }
        // The server leaves out the minutes of an offset that has none.
        if self.is_instant
            && self
                .text
                .as_bytes()
                .iter()
                .rev()
                .nth(2)
                .is_some_and(|sign| matches!(sign, b'+' | b'-'))
        {
            return Ok(Cow::Owned(format!("{}:00", self.text)));
        }
        Ok(unescaped(self.text))
    }
}

/// What COPY escapes, as it was.
fn unescaped(field: &str) -> Cow<'_, str> {
    if !field.contains('\\') {
        return Cow::Borrowed(field);
    }
    let mut text = String::with_capacity(field.len());
    let mut letters = field.chars();
    while let Some(letter) = letters.next() {
        let meant = if letter == '\\' {
            match letters.next() {
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('v') => '\u{b}',
                Some(other) => other,
                None => letter,
            }
        } else {
            letter
        };
        text.push(meant);
    }
    Cow::Owned(text)
}

macro_rules! numbers {
    ($( $method:ident $visit:ident; )+) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match self.text.parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(Misfit(format!("{:?} is not a number that fits its column", self.text))),
            }
        }
    )+ };
}

impl<'de> Deserializer<'de> for Field<'de> {
    type Error = Misfit;

    numbers! {
        deserialize_i8 visit_i8;
        deserialize_i16 visit_i16;
        deserialize_i32 visit_i32;
        deserialize_i64 visit_i64;
        deserialize_u8 visit_u8;
        deserialize_u16 visit_u16;
        deserialize_u32 visit_u32;
        deserialize_u64 visit_u64;
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.text {
            "t" => visitor.visit_bool(true),
            "f" => visitor.visit_bool(false),
            other => Err(Misfit(format!("{other:?} is neither t nor f"))),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.text()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.text == NULL {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let text = self.text()?;
        let word: StrDeserializer<'_, Misfit> = text.as_ref().into_deserializer();
        visitor.visit_enum(word)
    }

    /// A column of JSON, whatever it holds.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let json = |error: serde_json::Error| Misfit(error.to_string());
        let value: serde_json::Value = serde_json::from_str(&self.text()?).map_err(json)?;
        value.deserialize_any(visitor).map_err(json)
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use domain::booking::BookingEvent;
    use proptest::prelude::*;

    use super::*;
    use crate::engine::copy::line;
    use crate::tax_ledger::{TaxLedger, TaxLineRow};
    use crate::testing::{booking_event, completed, fold};

    fn lines() -> Vec<TaxLineRow> {
        let events = [
            booking_event(1, 1, BookingEvent::Completed(completed(85_118, Some(91_250)))),
            booking_event(2, 2, BookingEvent::Completed(completed(-85_118, None))),
        ];
        fold::<TaxLedger>(&events).iter().cloned().collect()
    }

    proptest! {
        #[test]
        fn a_row_survives_its_line(county in any::<String>(), city in any::<String>(), zip in any::<Option<String>>()) {
            for mut row in lines() {
                row.county.clone_from(&county);
                row.city.clone_from(&city);
                row.venue_county.clone_from(&zip);
                let mut text = String::new();
                line::write(&mut text, &row);
                prop_assert_eq!(read::<TaxLineRow>(text.strip_suffix('\n').unwrap()).unwrap(), row);
            }
        }

        #[test]
        fn no_line_makes_it_panic(text in "[a-z0-9\\\\\t]{0,60}") {
            let _ = read::<TaxLineRow>(&text);
        }
    }

    #[test]
    fn an_instant_is_read_as_the_server_writes_it() {
        let row = lines().remove(0);
        let mut text = String::new();
        line::write(&mut text, &row);
        let written = serde_json::to_value(&row).unwrap()["recorded_at"]
            .as_str()
            .unwrap()
            .to_owned();
        for zone in ["+00", "-08", "+05:30"] {
            let there = row.recorded_at.format("%Y-%m-%d %H:%M:%S%.f").to_string() + zone;
            let line = text.trim_end().replace(&written, &there);
            let read = read::<TaxLineRow>(&line).unwrap();
            assert_eq!(
                read.recorded_at.naive_utc() == row.recorded_at.naive_utc(),
                zone == "+00",
                "{there}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_table() {
        let error = read::<TaxLineRow>("one\ttwo").unwrap_err().to_string();
        assert!(error.contains("tax_ledger") && error.contains("one"), "{error}");
    }
}
