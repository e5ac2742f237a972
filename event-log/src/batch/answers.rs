//! What the database says of a batch, read back as an answer for each append.

use domain::envelope::{Position, Version};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row};

use super::{Answer, Batch, Written, count, written};
use crate::append::{Append, Outcome, Receipt};
use crate::error::LogError;
use crate::prepared::Prepared;
use crate::read::StreamVersion;

impl Batch<'_> {
    /// The answers in the caller's order.
    pub(super) fn answers(&self, rows: Vec<AnswerRow>, appends: &[&Prepared]) -> Vec<Answer> {
        let mut answers = vec![Err(LogError::beside("an append has no answer")); appends.len()];
        for row in rows {
            let Some(part) = self.part(row.tenant) else {
                continue;
            };
            match row.append {
                None => self.all_in(part, &row, appends, &mut answers),
                Some(append) => {
                    let place = index(i64::from(append)).map(|within| part.start + within);
                    let asked = place.and_then(|place| Some((place, *self.order.get(place)?)));
                    if let Some((place, asked)) = asked {
                        answers[asked] = self.one(part, place, row, &appends[asked].append);
                    }
                }
            }
        }
        answers
    }

    /// The appends of a tenant, of all of which one row says that they are in the log.
    fn all_in(&self, part: Part, row: &AnswerRow, appends: &[&Prepared], answers: &mut [Answer]) {
        let Some(before) = row.first else { return };
        let mut last = before;
        for asked in &self.order[part.start..part.start + part.appends] {
            let append = &appends[*asked].append;
            let first = last + 1;
            let events: usize = append.streams.iter().map(|write| write.events.len()).sum();
            last += i64::from(count(events));
            let streams = append.streams.iter().map(|write| {
                let Written { version, .. } = written(write);
                (write.stream.clone(), Version(version))
            });
            answers[*asked] = Ok(Outcome::Appended(Receipt {
                first: Position(first),
                last: Position(last),
                streams: streams.collect(),
            }));
        }
    }

    fn one(&self, part: Part, place: usize, row: AnswerRow, append: &Append) -> Answer {
        match row.outcome.as_str() {
            "appended" => Ok(Outcome::Appended(row.receipt()?)),
            "replayed" => Ok(Outcome::Replayed(row.receipt()?)),
            "mismatch" => Ok(Outcome::IdempotencyMismatch),
            "conflict" => self.conflict(part, place, &row, append),
            "refused" => {
                let claim = row
                    .first
                    .and_then(index)
                    .map(|claim| claim + part.first_claim(self));
                let claim = claim.and_then(|claim| self.claims.claim.get(claim));
                let claim = claim.ok_or_else(|| LogError::beside("an unknown claim was refused"))?;
                Ok(Outcome::ClaimRefused {
                    claim: (*claim).clone(),
                })
            }
            "unknown_tenant" => Err(LogError::UnknownTenant(append.tenant)),
            other => Err(LogError::beside(format!("unknown outcome {other}"))),
        }
    }

    fn conflict(&self, part: Part, place: usize, row: &AnswerRow, append: &Append) -> Answer {
        let unknown = || LogError::beside("an unknown stream is in conflict");
        let stream = row.first.and_then(index).ok_or_else(unknown)? + part.first_stream(self);
        let within = stream.checked_sub(self.first[place].stream).ok_or_else(unknown)?;
        let written = append.streams.iter().map(|write| &write.stream);
        let guarded = append.reads.iter().map(|(stream, _)| stream);
        let stream = written.chain(guarded).nth(within).ok_or_else(unknown)?;
        Ok(Outcome::Conflict {
            stream: stream.clone(),
            actual: Version(row.last.ok_or_else(unknown)?),
        })
    }

    /// A tenant's part, counted from 1.
    fn part(&self, tenant: i32) -> Option<Part> {
        let tenant = index(i64::from(tenant))?;
        let appends = |counts: &[i32]| counts.iter().map(|count| length(*count)).sum();
        Some(Part {
            start: appends(self.tenants.appends.get(..tenant)?),
            appends: length(*self.tenants.appends.get(tenant)?),
        })
    }
}

/// Which of the arrays' appends are one tenant's.
#[derive(Clone, Copy)]
struct Part {
    start: usize,
    appends: usize,
}

impl Part {
    fn first_stream(self, batch: &Batch<'_>) -> usize {
        batch.first[self.start].stream
    }

    fn first_claim(self, batch: &Batch<'_>) -> usize {
        batch.first[self.start].claim
    }
}

/// A row of the database's answer.
pub(super) struct AnswerRow {
    tenant: i32,
    append: Option<i32>,
    outcome: String,
    first: Option<i64>,
    last: Option<i64>,
    streams: Option<Json<Vec<StreamVersion>>>,
}

impl FromRow<'_, PgRow> for AnswerRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            tenant: row.try_get("r_tenant")?,
            append: row.try_get("r_append")?,
            outcome: row.try_get("r_outcome")?,
            first: row.try_get("r_first")?,
            last: row.try_get("r_last")?,
            streams: row.try_get("r_streams")?,
        })
    }
}

impl AnswerRow {
    /// What an event alone comes to.
    pub(super) fn alone(position: i64) -> Self {
        Self {
            tenant: 1,
            append: None,
            outcome: "appended".to_owned(),
            first: Some(position - 1),
            last: None,
            streams: None,
        }
    }

    fn receipt(self) -> Result<Receipt, LogError> {
        match (self.first, self.last, self.streams) {
            (Some(first), Some(last), Some(Json(streams))) => Ok(Receipt {
                first: Position(first),
                last: Position(last),
                streams: streams.into_iter().map(StreamVersion::into_pair).collect(),
            }),
            _ => Err(LogError::beside("an append's answer has no place in the log")),
        }
    }
}

/// The place in a Rust slice of an index that SQL counts from 1.
fn index(counted_from_one: i64) -> Option<usize> {
    usize::try_from(counted_from_one).ok()?.checked_sub(1)
}

fn length(count: i32) -> usize {
    usize::try_from(count).expect("nothing is counted below zero")
}
