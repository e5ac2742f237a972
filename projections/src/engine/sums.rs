//! Counts and sums of rows by some of their columns: one definition, answered alike by SQL and in memory.

use std::collections::BTreeMap;

use domain::ids::TenantId;

use super::as_of;
use super::column::{Kind, Value};
use super::error::ReadError;
use super::fold::{Fold, Row};
use super::models::ReadModels;
use super::read::{Answer, At, info};
use super::select::Condition;
use super::select_memory::Sieve;
use super::select_sql;

/// What to add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sums {
    /// Of the rows that meet all of these.
    pub(crate) conditions: Vec<Condition>,
    /// Rows that are alike in these columns, which are never null, are added up.
    pub(crate) by: &'static [&'static str],
    /// The columns of whole numbers that are added up.
    pub(crate) of: &'static [&'static str],
}

/// Rows that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// What they have in common, column by column.
    pub(crate) by: Vec<Value>,
    /// How many they are.
    pub(crate) count: i64,
    /// The sums of their columns.
    pub(crate) sums: Vec<i64>,
}

impl ReadModels {
    /// The groups of rows, in no order.
    pub(crate) async fn sums<F: Fold>(
        &self,
        tenant: TenantId,
        sums: Sums,
        at: At,
    ) -> Result<Answer<Vec<Group>>, ReadError> {
        match at {
            At::Live { fresh } => {
                let (mut snapshot, standing) = self.snapshot::<F>(tenant, fresh).await?;
                let _asking = self.database().asking(F::NAME, "sums");
                let mut query = select_sql::from::<F::Row>(
                    columns(&sums),
                    tenant,
                    standing.generation(),
                    &sums.conditions,
                );
                query.push(" group by ").push(sums.by.join(", "));
                let groups: Vec<String> = query.build_query_scalar().fetch_all(&mut *snapshot).await?;
                snapshot.commit().await?;
                let groups: Result<_, _> = groups.iter().map(|json| group::<F::Row>(&sums, json)).collect();
                Ok(Answer {
                    value: groups?,
                    info: info(&standing, fresh, !standing.is_whole()),
                })
            }
            At::AsOf(position) => {
                let sieve = Sieve::sums(sums);
                let sifted = Box::pin(as_of::answer::<F>(self, tenant, position, sieve)).await?;
                Ok(sifted.map(Sieve::into_groups))
            }
        }
    }
}

/// Each group as one JSON array: what it has in common, its count, its sums.
fn columns(sums: &Sums) -> String {
    let mut columns: Vec<String> = sums.by.iter().map(|column| (*column).to_owned()).collect();
    columns.push("count(*)".to_owned());
    columns.extend(sums.of.iter().map(|column| format!("sum({column})::bigint")));
    format!("select jsonb_build_array({})::text from ", columns.join(", "))
}

fn group<R: Row>(sums: &Sums, json: &str) -> Result<Group, ReadError> {
    let unreadable = |reason: String| ReadError::Unreadable {
        table: R::TABLE,
        reason,
    };
    let cells: Vec<serde_json::Value> =
        serde_json::from_str(json).map_err(|error| unreadable(error.to_string()))?;
    let misfit = || unreadable(format!("a group is {json}"));
    let mut cells = cells.into_iter();
    let mut by = Vec::with_capacity(sums.by.len());
    for column in sums.by {
        let cell = cells.next().ok_or_else(misfit)?;
        by.push(value(R::kind(column), cell).ok_or_else(misfit)?);
    }
    let mut numbers = cells.map(|cell| cell.as_i64());
    let count = numbers.next().flatten().ok_or_else(misfit)?;
    let sums: Option<Vec<i64>> = numbers.collect();
    Ok(Group {
        by,
        count,
        sums: sums.ok_or_else(misfit)?,
    })
}

fn value(kind: Option<Kind>, cell: serde_json::Value) -> Option<Value> {
    match kind? {
        Kind::Text => serde_json::from_value(cell).ok().map(Value::Text),
        Kind::Uuid => serde_json::from_value(cell).ok().map(Value::Uuid),
        Kind::Int => cell.as_i64().map(Value::Int),
        Kind::Instant => serde_json::from_value(cell).ok().map(Value::Instant),
        Kind::Date => serde_json::from_value(cell).ok().map(Value::Date),
    }
}

/// Groups that rows in memory are added to, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Adding {
    sums: Sums,
    groups: BTreeMap<Vec<Value>, (i64, Vec<i64>)>,
}

impl Adding {
    pub(crate) fn new(sums: Sums) -> Self {
        Self {
            sums,
            groups: BTreeMap::new(),
        }
    }

    /// Adds a row, which meets the conditions.
    pub(crate) fn add<R: Row>(&mut self, row: &R) {
        let by = self
            .sums
            .by
            .iter()
            .filter_map(|column| row.value(column))
            .collect();
        let (count, added) = self
            .groups
            .entry(by)
            .or_insert_with(|| (0, vec![0; self.sums.of.len()]));
        *count += 1;
        for (sum, column) in added.iter_mut().zip(self.sums.of) {
            if let Some(Value::Int(number)) = row.value(column) {
                *sum += number;
            }
        }
    }

    pub(crate) fn into_groups(self) -> Vec<Group> {
        let groups = self.groups.into_iter();
        groups
            .map(|(by, (count, sums))| Group { by, count, sums })
            .collect()
    }
}
