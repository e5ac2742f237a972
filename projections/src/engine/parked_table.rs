//! What is held back, in its tables: written in the transaction of the rows, read before the next events.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use domain::envelope::{Position, StreamId};
use sqlx::PgConnection;

use super::error::{ProjectionError, ReadError};
use super::fold::{Fold, Row, Rows};
use super::parked::{Begun, Held, Parked, Waiting};
use super::table::Generation;

/// The tables' word for a key that is held back.
const KEY: &str = "key";
/// The tables' word for a stream that is held back.
const STREAM: &str = "stream";

/// A key as the tables have it.
pub(crate) fn key_text<F: Fold>(key: &F::Key) -> String {
    F::Row::key_json(key).to_string()
}

/// The key that a text of the tables is of.
///
/// # Errors
/// [`ReadError::Unreadable`] when it is of none.
pub(crate) fn key_of_text<F: Fold>(text: &str) -> Result<F::Key, ReadError> {
    let json = serde_json::from_str(text).ok();
    json.and_then(|json| F::Row::key_from_json(&json))
        .ok_or_else(|| ReadError::Unreadable {
            table: "projection_parked",
            reason: format!("{text} is no key of {}", F::NAME),
        })
}

fn stream_of_text(text: &str) -> Result<StreamId, ReadError> {
    let (kind, id) = text.split_once(':').ok_or_else(|| ReadError::Unreadable {
        table: "projection_parked",
        reason: format!("{text} is no stream"),
    })?;
    Ok(StreamId {
        kind: kind.to_owned().into(),
        id: id.to_owned(),
    })
}

fn held_words<F: Fold>(held: &Held<F::Key>) -> (&'static str, String) {
    match held {
        Held::Key(key) => (KEY, key_text::<F>(key)),
        Held::Stream(stream) => (STREAM, stream.to_string()),
    }
}

/// What a generation holds back.
///
/// # Errors
/// [`ReadError::Log`], [`ReadError::Unreadable`].
pub(crate) async fn load<F: Fold>(
    connection: &mut PgConnection,
    of: Generation,
) -> Result<Parked<F::Key>, ReadError> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "select kind, name, position from projection_parked
         where tenant_id = $1 and projection = $2 and generation = $3",
    )
    .bind(of.tenant.0)
    .bind(F::NAME)
    .bind(of.number)
    .fetch_all(connection)
    .await?;
    let held = |(kind, name, position): (String, String, i64)| {
        let held = if kind == KEY {
            Held::Key(key_of_text::<F>(&name)?)
        } else {
            Held::Stream(stream_of_text(&name)?)
        };
        Ok((held, Position(position)))
    };
    let held: Result<Vec<_>, ReadError> = rows.into_iter().map(held).collect();
    Ok(Parked::of(held?))
}

/// How many keys, and streams that do not tell theirs, a generation holds back.
///
/// # Errors
/// The driver's.
pub(crate) async fn count(
    connection: &mut PgConnection,
    projection: &str,
    of: Generation,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "select count(*) from projection_parked where tenant_id = $1 and projection = $2 and generation = $3",
    )
    .bind(of.tenant.0)
    .bind(projection)
    .bind(of.number)
    .fetch_one(connection)
    .await
}

/// Writes what rows hold back and had not held back before, and says so loudly.
///
/// # Errors
/// [`ProjectionError::Log`].
pub(crate) async fn write<F: Fold>(
    connection: &mut PgConnection,
    of: Generation,
    rows: &mut Rows<F>,
) -> Result<(), ProjectionError> {
    let (begun, waiting) = rows.parked_mut().unwritten();
    write_begun::<F>(connection, of, &begun).await?;
    write_waiting::<F>(connection, of, &waiting).await?;
    for begun in begun {
        let (_, held) = held_words::<F>(&begun.held);
        tracing::error!(
            tenant = %of.tenant, projection = F::NAME, generation = of.number, held, position = begun.position.0,
            event = begun.event_type, cause = begun.cause.as_str(), "held back until `projections park retry`"
        );
    }
    Ok(())
}

async fn write_begun<F: Fold>(
    connection: &mut PgConnection,
    of: Generation,
    begun: &[Begun<F::Key>],
) -> Result<(), sqlx::Error> {
    if begun.is_empty() {
        return Ok(());
    }
    let (kinds, names): (Vec<&str>, Vec<String>) =
        begun.iter().map(|begun| held_words::<F>(&begun.held)).unzip();
    let positions: Vec<i64> = begun.iter().map(|begun| begun.position.0).collect();
    let types: Vec<&str> = begun.iter().map(|begun| begun.event_type.as_str()).collect();
    let reasons: Vec<&str> = begun.iter().map(|begun| begun.reason.as_str()).collect();
    let causes: Vec<&str> = begun.iter().map(|begun| begun.cause.as_str()).collect();
    sqlx::query(
        "insert into projection_parked
             (tenant_id, projection, generation, kind, name, position, event_type, reason, cause)
         select $1, $2, $3, * from unnest($4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[])",
    )
    .bind(of.tenant.0)
    .bind(F::NAME)
    .bind(of.number)
    .bind(kinds)
    .bind(names)
    .bind(positions)
    .bind(types)
    .bind(reasons)
    .bind(causes)
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_waiting<F: Fold>(
    connection: &mut PgConnection,
    of: Generation,
    waiting: &[Waiting<F::Key>],
) -> Result<(), sqlx::Error> {
    if waiting.is_empty() {
        return Ok(());
    }
    let positions: Vec<i64> = waiting.iter().map(|waiting| waiting.position.0).collect();
    let types: Vec<&str> = waiting
        .iter()
        .map(|waiting| waiting.event_type.as_str())
        .collect();
    let streams: Vec<String> = waiting.iter().map(|waiting| waiting.stream.to_string()).collect();
    let keys: Vec<Option<String>> = waiting
        .iter()
        .map(|waiting| waiting.key.as_ref().map(key_text::<F>))
        .collect();
    sqlx::query(
        "insert into projection_waiting (tenant_id, projection, generation, position, event_type, stream, key)
         select $1, $2, $3, * from unnest($4::bigint[], $5::text[], $6::text[], $7::text[])",
    )
    .bind(of.tenant.0)
    .bind(F::NAME)
    .bind(of.number)
    .bind(positions)
    .bind(types)
    .bind(streams)
    .bind(keys)
    .execute(connection)
    .await?;
    Ok(())
}

/// Something that is held back, as its table has it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) is_key: bool,
    parked_at: DateTime<Utc>,
    tries: i32,
}

/// An event that waits, as its table has it.
#[derive(Debug, Clone)]
pub(crate) struct EventWaiting {
    pub(crate) position: Position,
    pub(crate) stream: String,
    pub(crate) key: Option<String>,
}

/// Everything that a generation holds back.
///
/// # Errors
/// The driver's.
pub(crate) async fn entries<F: Fold>(
    connection: &mut PgConnection,
    of: Generation,
) -> Result<Vec<Entry>, sqlx::Error> {
    let rows: Vec<(String, bool, DateTime<Utc>, i32)> = sqlx::query_as(
        "select name, kind = 'key', parked_at, tries from projection_parked
         where tenant_id = $1 and projection = $2 and generation = $3 order by position, name",
    )
    .bind(of.tenant.0)
    .bind(F::NAME)
    .bind(of.number)
    .fetch_all(connection)
    .await?;
    let entry = |(name, is_key, parked_at, tries)| Entry {
        name,
        is_key,
        parked_at,
        tries,
    };
    Ok(rows.into_iter().map(entry).collect())
}

/// The events that wait for these rows or in these streams, in order.
///
/// # Errors
/// The driver's.
pub(crate) async fn waiting_of<F: Fold>(
    connection: &mut PgConnection,
    of: Generation,
    names: &HashSet<String>,
) -> Result<Vec<EventWaiting>, sqlx::Error> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows: Vec<(i64, String, Option<String>)> = sqlx::query_as(
        "select position, stream, key from projection_waiting
         where tenant_id = $1 and projection = $2 and generation = $3 and (key = any($4) or stream = any($4))
         order by position",
    )
    .bind(of.tenant.0)
    .bind(F::NAME)
    .bind(of.number)
    .bind(names)
    .fetch_all(connection)
    .await?;
    let waiting = |(position, stream, key)| EventWaiting {
        position: Position(position),
        stream,
        key,
    };
    Ok(rows.into_iter().map(waiting).collect())
}

/// Holds these back no more.
///
/// # Errors
/// The driver's.
pub(crate) async fn free<F: Fold>(
    connection: &mut PgConnection,
    of: Generation,
    entries: &[Entry],
    positions: &BTreeSet<Position>,
) -> Result<(), sqlx::Error> {
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let positions: Vec<i64> = positions.iter().map(|position| position.0).collect();
    sqlx::query(
        "delete from projection_parked
         where tenant_id = $1 and projection = $2 and generation = $3 and name = any($4)",
    )
    .bind(of.tenant.0)
    .bind(F::NAME)
    .bind(of.number)
    .bind(names)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "delete from projection_waiting
         where tenant_id = $1 and projection = $2 and generation = $3 and position = any($4)",
    )
    .bind(of.tenant.0)
    .bind(F::NAME)
    .bind(of.number)
    .bind(positions)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes of those that are held back again that they were tried once more, and since when they are.
///
/// # Errors
/// The driver's.
pub(crate) async fn count_try<F: Fold>(
    connection: &mut PgConnection,
    of: Generation,
    entries: &[Entry],
) -> Result<(), sqlx::Error> {
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let tries: Vec<i32> = entries
        .iter()
        .map(|entry| entry.tries.saturating_add(1))
        .collect();
    let since: Vec<DateTime<Utc>> = entries.iter().map(|entry| entry.parked_at).collect();
    sqlx::query(
        "update projection_parked p set tries = again.tries, parked_at = again.parked_at
         from unnest($4::text[], $5::integer[], $6::timestamptz[]) again (name, tries, parked_at)
         where p.tenant_id = $1 and p.projection = $2 and p.generation = $3 and p.name = again.name",
    )
    .bind(of.tenant.0)
    .bind(F::NAME)
    .bind(of.number)
    .bind(names)
    .bind(tries)
    .bind(since)
    .execute(connection)
    .await?;
    Ok(())
}
