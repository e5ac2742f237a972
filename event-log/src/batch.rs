//! One batch of appends as the arrays that the database takes, and its answer read back.

mod answers;
mod claims;

use domain::envelope::{Expectation, NewEvent, StreamId, Version};
use serde::Serialize;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::{Query, QueryScalar};
use sqlx::types::Json;
use sqlx::{FromRow, Postgres};
use uuid::Uuid;

use self::answers::AnswerRow;
use self::claims::Claims;
use crate::append::{Outcome, StreamWrite};
use crate::error::LogError;
use crate::prepared::{Prepared, lead};

/// What became of one append, or why it could not be tried.
pub(crate) type Answer = Result<Outcome, LogError>;

/// A batch of one tenant.
const APPEND_TO_LOG: &str = "select 1 as r_tenant, r_append, r_outcome, r_first, r_last, r_streams
    from append_to_log(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
        $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37)";

/// A batch of one event.
const APPEND_EVENT: &str =
    "select append_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

/// A batch of several.
const APPEND_TO_LOGS: &str = "select r_tenant, r_append, r_outcome, r_first, r_last, r_streams
    from append_to_logs(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
        $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42)";

/// One tenant's part of the arrays.
#[derive(Default)]
struct Tenants {
    id: Vec<Uuid>,
    lead: Vec<Vec<u8>>,
    exact: Vec<bool>,
    appends: Vec<i32>,
    streams: Vec<i32>,
    events: Vec<i32>,
    claims: Vec<i32>,
    subjects: Vec<i32>,
}

#[derive(Default)]
struct Appends<'a> {
    command: Vec<Uuid>,
    digest: Vec<&'a [u8]>,
    events: Vec<i32>,
    streams: Vec<Json<Vec<Written<'a>>>>,
}

/// A stream and the version that it is expected to come to.
#[derive(Serialize)]
struct Written<'a> {
    kind: &'a str,
    id: &'a str,
    version: i64,
}

#[derive(Default)]
struct Streams<'a> {
    append: Vec<i32>,
    kind: Vec<&'a str>,
    id: Vec<&'a str>,
    expected: Vec<i64>,
    events: Vec<Option<i32>>,
}

#[derive(Default)]
struct Events<'a> {
    append: Vec<i32>,
    stream: Vec<i32>,
    kind: Vec<&'a str>,
    stream_id: Vec<&'a str>,
    sequence: Vec<i64>,
    id: Vec<Uuid>,
    command: Vec<Uuid>,
    name: Vec<&'a str>,
    version: Vec<&'a str>,
    payload: Vec<&'a str>,
    metadata: Vec<&'a str>,
    of_stream: Vec<&'a [u8]>,
    of_type: Vec<&'a [u8]>,
    of_ids: Vec<&'a [u8]>,
}

#[derive(Default)]
struct Subjects {
    append: Vec<i32>,
    id: Vec<Uuid>,
}

/// Where an append's streams and claims begin in the arrays.
struct First {
    stream: usize,
    claim: usize,
}

/// A batch on its way to the database. Within a tenant's part every index counts from 1.
#[derive(Default)]
pub(crate) struct Batch<'a> {
    /// Where the appends stood in the caller's order.
    order: Vec<usize>,
    /// Per append, in the order of the arrays.
    first: Vec<First>,
    tenants: Tenants,
    appends: Appends<'a>,
    streams: Streams<'a>,
    events: Events<'a>,
    claims: Claims<'a>,
    subjects: Subjects,
}

impl<'a> Batch<'a> {
    /// Lays out appends that do not touch each other's streams or command ids.
    pub(crate) fn new(appends: &[&'a Prepared]) -> Self {
        let mut order: Vec<usize> = (0..appends.len()).collect();
        order.sort_by_key(|index| appends[*index].append.tenant);
        let mut batch = Self::default();
        for index in &order {
            batch.push(appends[*index]);
        }
        batch.order = order;
        batch
    }

    fn push(&mut self, prepared: &'a Prepared) {
        let append = &prepared.append;
        let tenants = &mut self.tenants;
        if tenants.id.last() != Some(&append.tenant.0) {
            tenants.id.push(append.tenant.0);
            tenants.lead.push(lead(append.tenant));
            tenants.exact.push(true);
            for counts in [
                &mut tenants.appends,
                &mut tenants.streams,
                &mut tenants.events,
                &mut tenants.claims,
                &mut tenants.subjects,
            ] {
                counts.push(0);
            }
        }
        let place = add(&mut tenants.appends);
        self.first.push(First {
            stream: self.streams.id.len(),
            claim: self.claims.name.len(),
        });
        self.appends.command.push(append.command_id.0);
        self.appends.digest.push(&append.digest);
        self.appends
            .events
            .push(count(append.streams.iter().map(|write| write.events.len()).sum()));
        self.appends
            .streams
            .push(Json(append.streams.iter().map(written).collect()));
        let mut of_event = prepared.of_event.iter();
        for (write, of_stream) in append.streams.iter().zip(&prepared.of_stream) {
            let events = Some(count(write.events.len()));
            let stream = self.push_stream(place, &write.stream, expected(write.expected), events);
            for ((event, of_event), sequence) in write
                .events
                .iter()
                .zip(&mut of_event)
                .zip(base(write.expected) + 1..)
            {
                self.events.command.push(append.command_id.0);
                self.events.metadata.push(&prepared.metadata);
                self.events.kind.push(&write.stream.kind);
                self.events.stream_id.push(&write.stream.id);
                self.events.sequence.push(sequence);
                self.events.of_stream.push(of_stream);
                self.events.version.push(&of_event.version);
                self.events.of_type.push(&of_event.of_type);
                self.events.of_ids.push(&of_event.of_ids);
                self.push_event(place, stream, event);
            }
        }
        for (stream, Version(version)) in &append.reads {
            self.push_stream(place, stream, *version, None);
        }
        for subject in &append.erases {
            add(&mut self.tenants.subjects);
            self.subjects.append.push(place);
            self.subjects.id.push(subject.0);
        }
    }

    fn push_stream(&mut self, append: i32, stream: &'a StreamId, expected: i64, events: Option<i32>) -> i32 {
        if expected < 0
            && let Some(exact) = self.tenants.exact.last_mut()
        {
            *exact = false;
        }
        self.streams.append.push(append);
        self.streams.kind.push(&stream.kind);
        self.streams.id.push(&stream.id);
        self.streams.expected.push(expected);
        self.streams.events.push(events);
        add(&mut self.tenants.streams)
    }

    fn push_event(&mut self, append: i32, stream: i32, event: &'a NewEvent) {
        add(&mut self.tenants.events);
        let events = &mut self.events;
        events.append.push(append);
        events.stream.push(stream);
        events.id.push(event.event_id.0);
        events.name.push(event.event_type);
        events.payload.push(&event.payload);
        for claim in &event.claims {
            add(&mut self.tenants.claims);
            self.claims.push(append, stream, claim);
        }
    }

    /// Carries the batch out in one transaction, and in one round trip but where an append alone was not what it
    /// expected. Answers in the caller's order.
    pub(crate) async fn run(
        &self,
        connection: &mut PgConnection,
        appends: &[&Prepared],
    ) -> Result<Vec<Answer>, sqlx::Error> {
        if let Some(event) = self.event_alone()
            && let Some(position) = event.fetch_one(&mut *connection).await?
        {
            return Ok(self.answers(vec![AnswerRow::alone(position)], appends));
        }
        let tenants = &self.tenants;
        let query = if let ([tenant], [lead], [exact]) = (
            tenants.id.as_slice(),
            tenants.lead.as_slice(),
            tenants.exact.as_slice(),
        ) {
            sqlx::query(APPEND_TO_LOG).bind(*tenant).bind(lead).bind(*exact)
        } else {
            sqlx::query(APPEND_TO_LOGS)
                .bind(&tenants.id)
                .bind(&tenants.lead)
                .bind(&tenants.exact)
                .bind(&tenants.appends)
                .bind(&tenants.streams)
                .bind(&tenants.events)
                .bind(&tenants.claims)
                .bind(&tenants.subjects)
        };
        let rows: Vec<PgRow> = self.bind(query).fetch_all(connection).await?;
        let rows: Vec<AnswerRow> = rows.iter().map(AnswerRow::from_row).collect::<Result<_, _>>()?;
        Ok(self.answers(rows, appends))
    }

    /// The statement for a batch that is one event to one stream and nothing else.
    fn event_alone(&self) -> Option<QueryScalar<'_, Postgres, Option<i64>, PgArguments>> {
        let plain = self.events.id.len() == 1
            && self.appends.command.len() == 1
            && self.streams.id.len() == 1
            && self.claims.name.is_empty()
            && self.subjects.id.is_empty()
            && self.tenants.exact == [true];
        let query = || {
            sqlx::query_scalar(APPEND_EVENT)
                .bind(self.tenants.id[0])
                .bind(&self.tenants.lead[0])
                .bind(self.appends.command[0])
                .bind(self.appends.digest[0])
                .bind(&self.appends.streams[0])
                .bind(self.streams.kind[0])
                .bind(self.streams.id[0])
                .bind(self.streams.expected[0])
                .bind(self.events.id[0])
                .bind(self.events.name[0])
                .bind(self.events.version[0])
                .bind(self.events.payload[0])
                .bind(self.events.metadata[0])
                .bind(self.events.of_stream[0])
                .bind(self.events.of_type[0])
                .bind(self.events.of_ids[0])
        };
        plain.then(query)
    }

    fn bind<'q>(&'q self, query: Query<'q, Postgres, PgArguments>) -> Query<'q, Postgres, PgArguments> {
        query
            .bind(&self.appends.command)
            .bind(&self.appends.digest)
            .bind(&self.appends.events)
            .bind(&self.appends.streams)
            .bind(&self.streams.append)
            .bind(&self.streams.kind)
            .bind(&self.streams.id)
            .bind(&self.streams.expected)
            .bind(&self.streams.events)
            .bind(&self.events.append)
            .bind(&self.events.stream)
            .bind(&self.events.kind)
            .bind(&self.events.stream_id)
            .bind(&self.events.sequence)
            .bind(&self.events.id)
            .bind(&self.events.command)
            .bind(&self.events.name)
            .bind(&self.events.version)
            .bind(&self.events.payload)
            .bind(&self.events.metadata)
            .bind(&self.events.of_stream)
            .bind(&self.events.of_type)
            .bind(&self.events.of_ids)
            .bind(&self.claims.append)
            .bind(&self.claims.stream)
            .bind(&self.claims.action)
            .bind(&self.claims.name)
            .bind(&self.claims.key)
            .bind(&self.claims.from)
            .bind(&self.claims.until)
            .bind(&self.claims.units)
            .bind(&self.claims.limit)
            .bind(&self.subjects.append)
            .bind(&self.subjects.id)
    }
}

fn count(length: usize) -> i32 {
    i32::try_from(length).expect("a batch has fewer than two thousand million parts")
}

/// Counts one more for the last tenant; its place, from 1.
fn add(counts: &mut [i32]) -> i32 {
    let count = counts.last_mut().expect("a tenant was pushed before its counts");
    *count += 1;
    *count
}

fn expected(expectation: Expectation) -> i64 {
    match expectation {
        Expectation::NoStream => 0,
        Expectation::Exact(Version(version)) => version,
        Expectation::Exists => -2,
        Expectation::Any => -1,
    }
}

/// The version that the events of a write count from, where it is known beforehand.
fn base(expectation: Expectation) -> i64 {
    expected(expectation).max(0)
}

fn written(write: &StreamWrite) -> Written<'_> {
    Written {
        kind: &write.stream.kind,
        id: &write.stream.id,
        version: base(write.expected) + i64::from(count(write.events.len())),
    }
}
