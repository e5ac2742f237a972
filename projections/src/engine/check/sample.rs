//! Rows drawn at random and folded again by themselves: half of them from the table, which finds what should not be
//! there, half from the log, which finds what is missing.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::envelope::Position;
use futures::{TryStreamExt, pin_mut};
use serde_json::Value;
use sqlx::AssertSqlSafe;

use super::{Sample, Subject, remembered, whole};
use crate::engine::difference::{Checked, Comparison};
use crate::engine::error::ProjectionError;
use crate::engine::fold::{Fold, Row, Rows, Source};
use crate::engine::history::{self, Read};
use crate::engine::parked_table::key_of_text;
use crate::engine::progress::Progress;
use crate::engine::rows::Halted;
use crate::engine::select_sql::keyed;
use crate::engine::table;

/// Rows that are drawn from one by one; of more, a part is drawn first, by the page.
const FEW: i64 = 10_000;
/// Rows that such a part has, of all tenants and about.
const PART: i64 = 50_000;
/// Events that are looked at for one that the fold looks at too.
const NEAR: u32 = 256;
/// Events of a pass between two pauses.
const PAUSE_EVERY: u64 = 1_000;

/// Numbers that look random (SplitMix64) and follow from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

pub(super) async fn check<F: Fold>(
    mut subject: Subject<F>,
    sample: Sample,
    progress: &dyn Progress,
) -> Result<Checked, ProjectionError> {
    let rows = count(&mut subject, i64::from(sample.keys) + 1).await?;
    if rows <= i64::from(sample.keys) {
        // There is nothing to choose from.
        return whole::check(subject, u64::from(sample.keys).max(FEW.unsigned_abs()), progress).await;
    }
    let mut keys = from_log(&subject, sample).await?;
    // What is no key of ours is a row that no event gives.
    let mut unreadable = BTreeSet::new();
    let mut drawn = from_table(&mut subject, sample).await?;
    drawn.extend(remembered::keys::<F>(&mut subject.snapshot, subject.generation).await?);
    for text in drawn {
        match key_of_text::<F>(&text) {
            Ok(key) => {
                keys.insert(key);
            }
            Err(_) => {
                unreadable.insert(text);
            }
        }
    }
    let mut stored: HashMap<F::Key, Value> = HashMap::new();
    for json in table::load_json::<F::Row>(&mut subject.snapshot, subject.generation, &keys).await? {
        if let (Ok(key), row) = keyed::<F::Row>(&json)? {
            stored.insert(key, row);
        }
    }
    let rows = refold(&subject, &keys, sample, progress).await?;
    let mut comparison = Comparison::<F>::default();
    for json in with_keys(&mut subject, unreadable).await? {
        if let (Err(key), row) = keyed::<F::Row>(&json)? {
            comparison.unkeyed(key, row);
        }
    }
    for key in keys {
        let live = stored.remove(&key);
        let refolded = rows.get(&key);
        comparison.compare(key, live, refolded);
    }
    subject.snapshot.commit().await?;
    Ok(Checked {
        is_sample: true,
        ..comparison.checked(subject.position)
    })
}

/// How many rows there are, counted up to a limit.
async fn count<F: Fold>(subject: &mut Subject<F>, limit: i64) -> Result<i64, ProjectionError> {
    let table = F::Row::TABLE;
    let sql = format!(
        "select count(*) from (select from {table} where tenant_id = $1 and generation = $2 limit $3) counted"
    );
    Ok(sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(subject.generation.tenant.0)
        .bind(subject.generation.number)
        .bind(limit)
        .fetch_one(&mut *subject.snapshot)
        .await?)
}

/// The stored rows with keys of these texts, as far as they are there still.
async fn with_keys<F: Fold>(
    subject: &mut Subject<F>,
    keys: BTreeSet<String>,
) -> Result<Vec<String>, ProjectionError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "select distinct to_jsonb(t)::text from {} t, unnest($3::text[]) key
         where t.tenant_id = $1 and t.generation = $2 and {} = key::jsonb",
        F::Row::TABLE,
        key_sql::<F>()
    );
    Ok(sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(subject.generation.tenant.0)
        .bind(subject.generation.number)
        .bind(Vec::from_iter(keys))
        .fetch_all(&mut *subject.snapshot)
        .await?)
}

/// A row's key as the tables have it.
fn key_sql<F: Fold>() -> String {
    let columns: Vec<String> = F::Row::KEY
        .iter()
        .map(|column| format!("'{column}', t.{column}"))
        .collect();
    format!("jsonb_build_object({})", columns.join(", "))
}

/// Keys of stored rows, as texts. Of a large table pages are drawn, so that it costs no more than that of a small one.
async fn from_table<F: Fold>(
    subject: &mut Subject<F>,
    sample: Sample,
) -> Result<Vec<String>, ProjectionError> {
    let table = F::Row::TABLE;
    let is_large = count(subject, FEW + 1).await? > FEW;
    let part = if is_large {
        " tablesample system ($5::text::real)"
    } else {
        ""
    };
    let share: String = sqlx::query_scalar(
        "select least(100, 100.0 * $2 / greatest(1, c.reltuples))::text from pg_class c where c.oid = $1::regclass",
    )
    .bind(table)
    .bind(PART)
    .fetch_one(&mut *subject.snapshot)
    .await?;
    let sql = format!(
        "select drawn.key from (
             select {}::text as key from {table} t{part} where t.tenant_id = $1 and t.generation = $2
         ) drawn order by md5(drawn.key || $3) limit $4",
        key_sql::<F>()
    );
    let query = sqlx::query_scalar::<_, String>(AssertSqlSafe(sql))
        .bind(subject.generation.tenant.0)
        .bind(subject.generation.number)
        .bind(sample.seed.to_string())
        .bind(i64::from(sample.keys.div_ceil(2)));
    let query = if is_large { query.bind(share) } else { query };
    Ok(query.fetch_all(&mut *subject.snapshot).await?)
}

/// Keys of events of the log.
async fn from_log<F: Fold>(subject: &Subject<F>, sample: Sample) -> Result<HashSet<F::Key>, ProjectionError> {
    let (mut dice, empty) = (Dice(sample.seed), Rows::<F>::default());
    let length = subject.position.0.unsigned_abs().max(1);
    let mut keys = HashSet::new();
    for _ in 0..sample.keys.div_ceil(2) {
        let after = Position(i64::try_from(dice.roll() % length).unwrap_or_default());
        let left = u32::try_from(subject.position.0 - after.0).unwrap_or(u32::MAX);
        let near = subject
            .models
            .log()
            .read(subject.generation.tenant, after, NEAR.min(left), None)
            .await?;
        keys.extend(
            near.into_iter()
                .map(Read::of)
                .find_map(|read| empty.key_of(&read)),
        );
    }
    Ok(keys)
}

/// The rows of these keys as the log gives them: from their streams where these are known, else in one pass.
async fn refold<F: Fold>(
    subject: &Subject<F>,
    keys: &HashSet<F::Key>,
    sample: Sample,
    progress: &dyn Progress,
) -> Result<Rows<F>, ProjectionError> {
    let (log, tenant) = (subject.models.log(), subject.generation.tenant);
    let mut rows = Rows::<F>::default().with_parked(subject.parked.clone()).careful();
    let mut anywhere = HashSet::new();
    for key in keys {
        let events = match F::source(key) {
            Source::Stream(stream) => log.read_stream(tenant, &stream).await?,
            Source::At(position) => log.read(tenant, Position(position.0 - 1), 1, None).await?,
            Source::Anywhere => {
                anywhere.insert(key.clone());
                continue;
            }
        };
        let held = events
            .into_iter()
            .filter(|event| event.position <= subject.position);
        for read in held.map(Read::of) {
            rows.take_where(&read, |of| of == key)
                .map_err(Halted::error::<F>)?;
        }
    }
    if anywhere.is_empty() {
        return Ok(rows);
    }
    let place = |position: Position| u64::try_from(position.0).unwrap_or_default();
    let events = history::stream::<F>(&subject.models, tenant, Position::START, subject.position).await?;
    pin_mut!(events);
    let mut taken = 0_u64;
    while let Some(read) = events.try_next().await? {
        rows.take_where(&read, |of| anywhere.contains(of))
            .map_err(Halted::error::<F>)?;
        taken += 1;
        if taken.is_multiple_of(PAUSE_EVERY) {
            progress.at(place(read.position), place(subject.position));
            tokio::time::sleep(sample.pause).await;
        }
    }
    Ok(rows)
}
