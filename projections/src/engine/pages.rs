//! Rows in the order of their `position` up to one, a page at a time: for what is too long for one answer.
//!
//! A row of one event never changes once it is there, and other rows say themselves how they stood after a position, so that
//! pages which are read one after the other, each in a short transaction of its own, are pages of the same list, whatever
//! comes to the log or is built anew meanwhile.

use std::time::Duration;

use domain::access::StationScope;
use domain::envelope::Position;
use domain::ids::{StationId, TenantId};
use event_log::{BY_POSITION, MidCopy};
use futures::TryStreamExt;
use sqlx::{Executor, PgConnection};
use tokio::sync::mpsc;

use super::as_of::recorded_at;
use super::column::Value;
use super::copy::read_line;
use super::error::ReadError;
use super::fold::{Fold, Row};
use super::incomplete;
use super::models::ReadModels;
use super::read::{At, Fresh, Late, ReadInfo, info};

/// Rows of a page at most.
const PAGE: i64 = 8_192;
/// Of the stations within reach: a query of its own, so that the list is read once and not for each row.
const WITHIN_REACH: &str =
    "and station_id = any((select current_setting('hibachi.stations')::uuid[])::uuid[])";
/// How long a page waits for the read model to have come to the position.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which rows of the tenant's: what a copy is asked for takes no parameters, and finds its values in the transaction's
/// settings.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Of which stations.
    pub(crate) stations: StationScope,
    /// Further conditions, as SQL over settings named `hibachi.<name>`.
    pub(crate) conditions: &'static str,
    /// Those settings.
    pub(crate) settings: Vec<(&'static str, String)>,
}

impl ReadModels {
    /// What an answer in pages holds: its pages are those up to its position.
    pub(crate) async fn moment<F: Fold>(&self, tenant: TenantId, at: At) -> Result<ReadInfo, ReadError> {
        match at {
            At::Live { fresh } => {
                let (mut snapshot, standing) = self.snapshot::<F>(tenant, fresh).await?;
                let incomplete = incomplete::stored::<F>(&mut snapshot, tenant, &standing, &[]).await?;
                snapshot.commit().await?;
                Ok(info(&standing, fresh, incomplete))
            }
            At::AsOf(position) => Ok(ReadInfo {
                position,
                recorded_at: recorded_at(self, tenant, position).await?,
                lag_events: 0,
                lag_ms: 0,
                stale: false,
                // Pages are refused where the read model has not come to the position.
                incomplete: false,
            }),
        }
    }

    /// The rows up to a position. Read ahead by one page; dropped, it reads on to the end of the page that it is at.
    pub(crate) fn pages_until<F: Fold>(
        &self,
        tenant: TenantId,
        position: Position,
        wanted: Wanted,
    ) -> mpsc::Receiver<Result<Vec<F::Row>, ReadError>> {
        let (slots, pages) = mpsc::channel(1);
        let models = self.clone();
        tokio::spawn(async move {
            let mut after = Position::START;
            // No page is read before there is a place for it, and none for nobody.
            while let Ok(slot) = slots.reserve().await {
                let page = page::<F>(&models, tenant, (after, position), &wanted).await;
                let last = page.as_ref().ok().and_then(|rows| rows.last());
                let reached = last.and_then(|row| row.value("position"));
                let full = page
                    .as_ref()
                    .is_ok_and(|rows| i64::try_from(rows.len()) == Ok(PAGE));
                if page.as_ref().is_ok_and(Vec::is_empty) {
                    return;
                }
                slot.send(page);
                match reached {
                    Some(Value::Int(reached)) if full => after = Position(reached),
                    _ => return,
                }
            }
        });
        pages
    }
}

async fn page<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    (after, until): (Position, Position),
    wanted: &Wanted,
) -> Result<Vec<F::Row>, ReadError> {
    let fresh = Fresh {
        at_least: until,
        wait: PATIENCE,
        then: Late::Refuse,
    };
    let (mut snapshot, standing) = models.snapshot::<F>(tenant, Some(fresh)).await?;
    let _asking = models.database().asking(F::NAME, "export_page");
    snapshot.execute(BY_POSITION).await?;
    let mut settings = wanted.settings.clone();
    settings.extend([
        ("generation", standing.generation().to_string()),
        ("after", after.0.to_string()),
        ("until", until.0.to_string()),
        ("page", PAGE.to_string()),
    ]);
    let mut within_reach = "";
    if let Some(stations) = wanted.stations.only() {
        let ids: Vec<String> = stations.iter().map(StationId::to_string).collect();
        settings.push(("stations", format!("{{{}}}", ids.join(","))));
        within_reach = WITHIN_REACH;
    }
    set(&mut snapshot, &settings).await?;
    let copy = format!(
        "copy (
            select {columns} from {table}
            where tenant_id = current_setting('hibachi.tenant')::uuid
                and generation = current_setting('hibachi.generation')::integer
                and position > current_setting('hibachi.after')::bigint
                and position <= current_setting('hibachi.until')::bigint
                {within_reach}
                {conditions}
            order by position
            limit current_setting('hibachi.page')::bigint
        ) to stdout",
        columns = F::Row::COLUMNS.join(", "),
        table = F::Row::TABLE,
        conditions = wanted.conditions,
    );
    let mut copying = MidCopy::of(snapshot);
    let mut messages = copying.connection().copy_out_raw(&copy).await?;
    let mut rows = Vec::new();
    while let Some(message) = messages.try_next().await? {
        let lines = std::str::from_utf8(&message).map_err(|error| ReadError::Unreadable {
            table: F::Row::TABLE,
            reason: error.to_string(),
        })?;
        for line in lines.split_terminator('\n') {
            rows.push(read_line::read(line)?);
        }
    }
    drop(messages);
    copying.at_its_end().commit().await?;
    Ok(rows)
}

async fn set(connection: &mut PgConnection, settings: &[(&str, String)]) -> Result<(), sqlx::Error> {
    let (names, values): (Vec<&str>, Vec<&str>) = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .unzip();
    sqlx::query(
        "select set_config('hibachi.' || name, value, true)
         from unnest($1::text[], $2::text[]) as settings (name, value)",
    )
    .bind(names)
    .bind(values)
    .execute(connection)
    .await?;
    Ok(())
}
