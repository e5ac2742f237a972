//! Rows as the database sends them, column by column: a row that it had to write as JSON, and that were parsed here, took it
//! three times as long.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use sqlx::postgres::{PgRow, PgValueRef};
use sqlx::{Column as _, Decode, Postgres, Row as _, TypeInfo as _, ValueRef as _};
use uuid::Uuid;

use super::error::ReadError;
use super::fold::Row;

/// What a column is sent as: the types that tables of read models have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Text,
    Uuid,
    Int4,
    Int8,
    Bool,
    Instant,
    Local,
    Date,
    Json,
}

impl Sent {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "TEXT" => Self::Text,
            "UUID" => Self::Uuid,
            "INT4" => Self::Int4,
            "INT8" => Self::Int8,
            "BOOL" => Self::Bool,
            "TIMESTAMPTZ" => Self::Instant,
            "TIMESTAMP" => Self::Local,
            "DATE" => Self::Date,
            "JSONB" => Self::Json,
            _ => return None,
        })
    }
}

/// The rows that were selected by all their columns.
///
/// # Errors
/// [`ReadError::Unreadable`] when one does not fit this program.
pub(super) fn rows<R: Row>(rows: &[PgRow]) -> Result<Vec<R>, ReadError> {
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    let read = columns(first).and_then(|columns| {
        let row = |row| R::deserialize(Fields::of(row, &columns));
        rows.iter().map(row).collect()
    });
    read.map_err(|error| ReadError::Unreadable {
        table: R::TABLE,
        reason: error.to_string(),
    })
}

fn columns(row: &PgRow) -> Result<Vec<(&str, Sent)>, Error> {
    let column = |column: &sqlx::postgres::PgColumn| {
        let unknown = || Error::custom(format_args!("{} is of a type of its own", column.name()));
        Sent::named(column.type_info().name()).ok_or_else(unknown)
    };
    row.columns()
        .iter()
        .map(|found| Ok((found.name(), column(found)?)))
        .collect()
}

/// A row as a map of its columns.
struct Fields<'r> {
    row: &'r PgRow,
    columns: &'r [(&'r str, Sent)],
    next: usize,
}

impl<'r> Fields<'r> {
    fn of(row: &'r PgRow, columns: &'r [(&'r str, Sent)]) -> Self {
        Self {
            row,
            columns,
            next: 0,
        }
    }
}

impl<'de> Deserializer<'de> for Fields<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'r> MapAccess<'r> for Fields<'r> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'r>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, _)) = self.columns.get(self.next) else {
            return Ok(None);
        };
        let name: StrDeserializer<'_, Error> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'r>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (name, sent) = self.columns[self.next];
        let value = self.row.try_get_raw(self.next).map_err(Error::custom)?;
        self.next += 1;
        let read = seed.deserialize(Cell { value, sent });
        read.map_err(|error| Error::custom(format_args!("{name}: {error}")))
    }
}

/// One value of a row.
struct Cell<'r> {
    value: PgValueRef<'r>,
    sent: Sent,
}

impl<'r> Cell<'r> {
    fn decode<T: Decode<'r, Postgres>>(self) -> Result<T, Error> {
        T::decode(self.value).map_err(Error::custom)
    }

    /// The JSON in a value: what comes before it is the version of how it is sent.
    fn json(self) -> Result<serde_json::Deserializer<serde_json::de::SliceRead<'r>>, Error> {
        match self.value.as_bytes().map_err(Error::custom)? {
            [1, json @ ..] => Ok(serde_json::Deserializer::from_slice(json)),
            _ => Err(Error::custom("JSON is sent in another way")),
        }
    }
}

impl<'de> Deserializer<'de> for Cell<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() {
            return visitor.visit_unit();
        }
        match self.sent {
            Sent::Text => visitor.visit_borrowed_str(self.decode()?),
            Sent::Uuid => {
                let id: Uuid = self.decode()?;
                visitor.visit_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
            }
            Sent::Int4 => visitor.visit_i32(self.decode()?),
            Sent::Int8 => visitor.visit_i64(self.decode()?),
            Sent::Bool => visitor.visit_bool(self.decode()?),
            Sent::Instant => {
                let at: DateTime<Utc> = self.decode()?;
                visitor.visit_string(at.to_rfc3339_opts(SecondsFormat::Micros, true))
            }
            Sent::Local => {
                let at: NaiveDateTime = self.decode()?;
                visitor.visit_string(format!("{}T{}", at.date(), at.time()))
            }
            Sent::Date => {
                let date: NaiveDate = self.decode()?;
                visitor.visit_string(date.to_string())
            }
            Sent::Json => self.json()?.deserialize_any(visitor).map_err(Error::custom),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.sent == Sent::Json {
            let read = self.json()?.deserialize_enum(name, variants, visitor);
            return read.map_err(Error::custom);
        }
        let text: &str = self.decode()?;
        let text: StrDeserializer<'_, Error> = text.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}
