//! A row as a line of COPY's text format, written straight from its fields.

use std::fmt::{self, Display, Write};
use std::io;

use serde::ser::{Impossible, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::engine::fold::Row;

/// Appends one row, by the order of its columns.
pub(super) fn write<R: Row>(text: &mut String, row: &R) {
    let columns = Columns {
        text,
        names: R::COLUMNS.iter(),
    };
    row.serialize(columns)
        .expect("a row is a struct of its columns, and they have a JSON form");
}

/// What a row is written by: it takes the columns in their order and nothing else.
struct Columns<'a> {
    text: &'a mut String,
    names: std::slice::Iter<'static, &'static str>,
}

/// Why a value has no form of this kind.
#[derive(Debug)]
struct Unfit(String);

impl Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}

impl serde::ser::Error for Unfit {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Refuses what is not named, in a serializer of few forms.
macro_rules! refuse {
    ($( $method:ident($($type:ty),*); )+) => { $(
        fn $method(self $(, _: $type)*) -> Result<Self::Ok, Unfit> {
            Err(Unfit(stringify!($method).to_owned()))
        }
    )+ };
}

/// The compounds that neither serializer takes as they are.
macro_rules! refuse_compounds {
    () => {
        type SerializeSeq = Impossible<(), Unfit>;
        type SerializeTuple = Impossible<(), Unfit>;
        type SerializeTupleStruct = Impossible<(), Unfit>;
        type SerializeTupleVariant = Impossible<(), Unfit>;
        type SerializeMap = Impossible<(), Unfit>;
        type SerializeStructVariant = Impossible<(), Unfit>;

        fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Unfit> {
            Err(Unfit("a sequence".to_owned()))
        }
        fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Unfit> {
            Err(Unfit("a tuple".to_owned()))
        }
        fn serialize_tuple_struct(
            self,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeTupleStruct, Unfit> {
            Err(Unfit("a tuple".to_owned()))
        }
        fn serialize_tuple_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeTupleVariant, Unfit> {
            Err(Unfit("a tuple".to_owned()))
        }
        fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unfit> {
            Err(Unfit("a map".to_owned()))
        }
        fn serialize_struct_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeStructVariant, Unfit> {
            Err(Unfit("a struct".to_owned()))
        }
        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<(), Unfit> {
            Err(Unfit("a variant with a value".to_owned()))
        }
    };
}

impl<'a> Serializer for Columns<'a> {
    type Ok = ();
    type Error = Unfit;
    type SerializeStruct = Self;

    refuse! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }
    refuse_compounds!();

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unfit> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unfit> {
        value.serialize(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unfit> {
        Ok(self)
    }
}

impl SerializeStruct for Columns<'_> {
    type Ok = ();
    type Error = Unfit;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unfit> {
        if self.names.next() != Some(&name) {
            return Err(Unfit(format!("{name} is not the next column")));
        }
        let start = self.text.len();
        if value.serialize(Scalar(self.text)).is_err() {
            self.text.truncate(start);
            serde_json::to_writer(Escaped(self.text), value).map_err(|error| Unfit(error.to_string()))?;
        }
        self.text.push('\t');
        Ok(())
    }

    fn end(mut self) -> Result<(), Unfit> {
        if let Some(left) = self.names.next() {
            return Err(Unfit(format!("{left} is missing")));
        }
        // The line's end instead of the last column's.
        self.text.pop();
        self.text.push('\n');
        Ok(())
    }
}

/// A value of one column that is not JSON in its table.
struct Scalar<'a>(&'a mut String);

impl Scalar<'_> {
    fn shown(self, value: impl Display) -> Result<(), Unfit> {
        write!(Escaped(self.0), "{value}").map_err(|_| Unfit("it cannot be shown".to_owned()))
    }

    fn null(self) -> Result<(), Unfit> {
        self.0.push_str("\\N");
        Ok(())
    }
}

impl Serializer for Scalar<'_> {
    type Ok = ();
    type Error = Unfit;
    type SerializeStruct = Impossible<(), Unfit>;

    refuse! {
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_bytes(&[u8]);
    }
    refuse_compounds!();

    fn serialize_bool(self, value: bool) -> Result<(), Unfit> {
        self.0.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Unfit> {
        self.shown(value)
    }

    fn serialize_i16(self, value: i16) -> Result<(), Unfit> {
        self.shown(value)
    }

    fn serialize_i32(self, value: i32) -> Result<(), Unfit> {
        self.shown(value)
    }

    fn serialize_i64(self, value: i64) -> Result<(), Unfit> {
        self.shown(value)
    }

    fn serialize_u8(self, value: u8) -> Result<(), Unfit> {
        self.shown(value)
    }

    fn serialize_u16(self, value: u16) -> Result<(), Unfit> {
        self.shown(value)
    }

    fn serialize_u32(self, value: u32) -> Result<(), Unfit> {
        self.shown(value)
    }

    fn serialize_u64(self, value: u64) -> Result<(), Unfit> {
        self.shown(value)
    }

    fn serialize_str(self, value: &str) -> Result<(), Unfit> {
        escape(self.0, value);
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Unfit> {
        self.shown(value)
    }

    fn serialize_none(self) -> Result<(), Unfit> {
        self.null()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unfit> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Unfit> {
        self.null()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unfit> {
        self.null()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Unfit> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unfit> {
        value.serialize(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Unfit> {
        Err(Unfit("a struct".to_owned()))
    }
}

/// Takes text as COPY reads it back.
struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(self.0, text);
        Ok(())
    }
}

impl io::Write for Escaped<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // JSON is written in whole pieces of text.
        let text =
            std::str::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        escape(self.0, text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn escape(text: &mut String, value: &str) {
    let mut rest = value;
    while let Some(at) = rest.find(['\\', '\n', '\r', '\t']) {
        let (plain, special) = rest.split_at(at);
        text.push_str(plain);
        let mut letters = special.chars();
        match letters.next() {
            Some('\n') => text.push_str("\\n"),
            Some('\r') => text.push_str("\\r"),
            Some('\t') => text.push_str("\\t"),
            _ => text.push_str("\\\\"),
        }
        rest = letters.as_str();
    }
    text.push_str(rest);
}

#[cfg(test)]
mod tests {
    use domain::booking::BookingEvent;
    use proptest::prelude::*;

    use super::*;
    use crate::booking_list::{BookingList, BookingRow};
    use crate::testing::{BOOKING, booking_event, fold, requested};

    /// What COPY reads back, null as none.
    fn read(field: &str) -> Option<String> {
        if field == "\\N" {
            return None;
        }
        let mut text = String::new();
        let mut letters = field.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => match letters.next().unwrap() {
                    'n' => text.push('\n'),
                    'r' => text.push('\r'),
                    't' => text.push('\t'),
                    other => text.push(other),
                },
                other => text.push(other),
            }
        }
        Some(text)
    }

    fn assert_is_its_json(row: &BookingRow) {
        let mut line = String::new();
        write(&mut line, row);
        let fields: Vec<&str> = line.strip_suffix('\n').unwrap().split('\t').collect();
        assert_eq!(fields.len(), BookingRow::COLUMNS.len());
        let json = serde_json::to_value(row).unwrap();
        for (field, column) in fields.into_iter().zip(BookingRow::COLUMNS) {
            let read = read(field);
            match &json[column] {
                serde_json::Value::Null => assert_eq!(read, None, "{column}"),
                serde_json::Value::String(text) => assert_eq!(read.as_ref(), Some(text), "{column}"),
                other @ (serde_json::Value::Bool(_)
                | serde_json::Value::Number(_)
                | serde_json::Value::Array(_)
                | serde_json::Value::Object(_)) => {
                    let read: serde_json::Value = serde_json::from_str(&read.unwrap()).unwrap();
                    assert_eq!(&read, other, "{column}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_line_holds_each_column_as_json_has_it(city in any::<String>(), label in any::<String>(), tax_city in any::<Option<String>>()) {
            let rows = fold::<BookingList>(&[booking_event(1, 1, BookingEvent::Requested(requested(85_118)))]);
            let mut row = rows.get(&BOOKING).cloned().unwrap();
            row.city = city;
            row.tax_city = tax_city;
            row.lines[0].label = label;
            assert_is_its_json(&row);
        }
    }

    #[test]
    fn what_copy_reads_as_something_else_is_escaped() {
        let mut text = String::new();
        escape(&mut text, "a\tb\\N\nc\r\\.");
        assert_eq!(text, "a\\tb\\\\N\\nc\\r\\\\.");
    }
}
