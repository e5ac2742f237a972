//! An export in JSON, read without ever holding more than a row of it.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::marker::PhantomData;
use std::path::Path;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{Found, Parts, Stray, Unreadable, damaged};
use crate::tax_export::columns::{basis_of, line_columns, summary_columns};
use crate::tax_report::TaxBasis;

/// One row: the values of its columns.
type Object = Once<Value>;
type Sink<'a> = &'a mut dyn FnMut(Found) -> bool;

/// An object each of whose names is there once: of two values one program would show the first, another the last.
struct Once<V>(Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Once<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OnceVisitor(PhantomData))
    }
}

struct OnceVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for OnceVisitor<V> {
    type Value = Once<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Once<V>, A::Error> {
        let (mut names, mut fields) = (BTreeSet::new(), Vec::new());
        while let Some(name) = map.next_key::<String>()? {
            once(&mut names, &name)?;
            fields.push((name, map.next_value()?));
        }
        Ok(Once(fields))
    }
}

/// Refuses a name that was there before.
fn once<E: serde::de::Error>(names: &mut BTreeSet<String>, name: &str) -> Result<(), E> {
    if names.insert(name.to_owned()) {
        return Ok(());
    }
    Err(E::custom(format!("it says {name} twice")))
}

pub(super) fn read(path: &Path, row: Sink<'_>) -> Result<Parts, Unreadable> {
    let file = File::open(path).map_err(|error| Unreadable::File {
        path: path.to_owned(),
        error,
    })?;
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(file));
    let mut parts = Parts::default();
    let document = Document {
        row,
        parts: &mut parts,
    };
    document.deserialize(&mut json).map_err(damaged)?;
    json.end().map_err(damaged)?;
    Ok(parts)
}

/// The cells of a row that has these columns and no others.
fn cells(object: Object, columns: impl Iterator<Item = &'static str>) -> Result<Vec<String>, String> {
    let mut cells = Vec::new();
    let Once(mut fields) = object;
    for name in columns {
        let at = fields.iter().position(|(found, _)| found == name);
        let at = at.ok_or_else(|| format!("a row has no {name}"))?;
        cells.push(match fields.remove(at).1 {
            Value::Null => String::new(),
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            other @ (Value::Bool(_) | Value::Array(_) | Value::Object(_)) => other.to_string(),
        });
    }
    match fields.first() {
        None => Ok(cells),
        Some((more, _)) => Err(format!("a row has {more}, which is no column")),
    }
}

/// A line, and on which basis it is: its columns say so.
fn line_cells(object: Object) -> Result<(TaxBasis, Vec<String>), String> {
    let Once(fields) = &object;
    let basis = basis_of(fields.iter().map(|(name, _)| name.as_str()));
    Ok((basis, cells(object, line_columns(basis).map(|(name, _)| name))?))
}

fn summary_cells(object: Object) -> Result<Vec<String>, String> {
    cells(object, summary_columns().map(|(name, _)| name))
}

/// The whole file.
struct Document<'a> {
    row: Sink<'a>,
    parts: &'a mut Parts,
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an export")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let custom = <A::Error as serde::de::Error>::custom::<String>;
        let Self { row, parts } = self;
        let mut names = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            once(&mut names, &name)?;
            match name.as_str() {
                // It is named twice, for who looks at the start of the file alone.
                "format" => parts.format = Some(map.next_value()?),
                "summary" => map.next_value_seed(Rows {
                    row: &mut *row,
                    found: |object| summary_cells(object).map(Found::Summary),
                })?,
                "total" => {
                    let mut cells = summary_cells(map.next_value()?).map_err(custom)?;
                    // The file's name for the sums is that of the object.
                    if cells[0].is_empty() {
                        crate::tax_export::csv::TOTAL.clone_into(&mut cells[0]);
                    }
                    row(Found::Total(cells));
                }
                "lines" => map.next_value_seed(Rows {
                    row: &mut *row,
                    found: |object| {
                        let (basis, cells) = line_cells(object)?;
                        // Lines of both are none of either: their cells say so.
                        parts.lines.get_or_insert(basis);
                        Ok(Found::Line(cells))
                    },
                })?,
                "certificate" => Once(parts.fields) = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    parts.strays.push(Stray::beside(name, "something"));
                }
            }
        }
        // Where it is not named, that is said as well.
        parts.format.get_or_insert_default();
        Ok(())
    }
}

/// A table.
struct Rows<'a, F> {
    row: Sink<'a>,
    found: F,
}

impl<'de, F: FnMut(Object) -> Result<Found, String>> DeserializeSeed<'de> for Rows<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(Object) -> Result<Found, String>> Visitor<'de> for Rows<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut rows: A) -> Result<(), A::Error> {
        let mut wanted = true;
        while let Some(object) = rows.next_element::<Object>()? {
            let found = (self.found)(object).map_err(serde::de::Error::custom)?;
            // Read to the end in any case: JSON has no other way to what comes behind it.
            wanted = wanted && (self.row)(found);
        }
        Ok(())
    }
}
