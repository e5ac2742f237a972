//! Reading a whole log in bounded memory: for rebuilding a read model, and for verifying.

use std::collections::VecDeque;

use domain::envelope::{Position, StoredEvent};
use domain::ids::TenantId;
use futures::stream::{Stream, try_unfold};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::error::LogError;
use crate::log::EventLog;
use crate::read::{Block, follows, stored_event};

/// Rows held in memory at a time.
const PAGE: u32 = 1000;

/// Where a paged read stands.
struct Pages<Item> {
    page: VecDeque<Item>,
    after: Position,
    last: bool,
}

impl<Item> Pages<Item> {
    fn after(after: Position) -> Self {
        Self {
            page: VecDeque::new(),
            after,
            last: false,
        }
    }

    fn fill(&mut self, page: Vec<Item>) {
        self.last = u32::try_from(page.len()).is_ok_and(|rows| rows < PAGE);
        self.page = page.into();
    }
}

impl EventLog {
    /// Every event after a position, up to and with another (to the end for none), of the given types or of
    /// all; page by page, each in a short transaction of its own. Without types it asserts that there is no hole
    /// between its events.
    ///
    /// The stream ends with its first error, one of [`read`](Self::read)'s, after the events before it.
    pub fn stream_all(
        &self,
        tenant: TenantId,
        after: Position,
        until: Option<Position>,
        types: Option<Vec<String>>,
    ) -> impl Stream<Item = Result<StoredEvent, LogError>> + Send + use<> {
        let log = self.clone();
        let until = until.unwrap_or(Position(i64::MAX));
        try_unfold(Pages::after(after), move |mut pages| {
            let log = log.clone();
            let types = types.clone();
            async move {
                if pages.page.is_empty() && !pages.last {
                    let types: Option<Vec<&str>> = types
                        .as_ref()
                        .map(|types| types.iter().map(String::as_str).collect());
                    pages.fill(
                        log.rows(tenant, pages.after, until, PAGE, types.as_deref())
                            .await?,
                    );
                }
                let Some(row) = pages.page.pop_front() else {
                    return Ok(None);
                };
                let event = stored_event(tenant, &row)?;
                if types.is_none() {
                    follows(pages.after, event.position)?;
                }
                pages.after = event.position;
                Ok(Some((event, pages)))
            }
        })
    }

    /// Every block of a tenant's log, page by page.
    ///
    /// The stream ends with its first error, [`LogError::Unavailable`].
    pub fn stream_blocks(
        &self,
        tenant: TenantId,
    ) -> impl Stream<Item = Result<Block, LogError>> + Send + use<> {
        let log = self.clone();
        try_unfold((Pages::after(Position::START), 0), move |(mut pages, after)| {
            let log = log.clone();
            async move {
                if pages.page.is_empty() && !pages.last {
                    pages.fill(log.blocks(tenant, after).await?);
                }
                Ok(pages.page.pop_front().map(|block| {
                    let after = block.block;
                    (block, (pages, after))
                }))
            }
        })
    }

    async fn blocks(&self, tenant: TenantId, after: i64) -> Result<Vec<Block>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let rows = sqlx::query(
            "select block, first_position, last_position, merkle_root, block_hash, closed_at from log_blocks
             where tenant_id = $1 and block > $2 order by block limit $3",
        )
        .bind(tenant.0)
        .bind(after)
        .bind(i64::from(PAGE))
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(rows.iter().map(block).collect::<Result<_, _>>()?)
    }

    /// The first position in `(after, until]` whose event does not follow, in its stream, right after an
    /// earlier one of the log.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn first_out_of_sequence(
        &self,
        tenant: TenantId,
        after: Position,
        until: Position,
    ) -> Result<Option<Position>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let position: Option<i64> = sqlx::query_scalar(
            "select min(e.position) from events e
             where e.tenant_id = $1 and e.position > $2 and e.position <= $3 and e.sequence <> 1
                 and not exists (
                     select from events p
                     where p.tenant_id = $1 and p.aggregate_type = e.aggregate_type
                         and p.aggregate_id = e.aggregate_id and p.sequence = e.sequence - 1
                         and p.position < e.position
                 )",
        )
        .bind(tenant.0)
        .bind(after.0)
        .bind(until.0)
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(position.map(Position))
    }
}

fn block(row: &PgRow) -> Result<Block, sqlx::Error> {
    Ok(Block {
        block: row.try_get("block")?,
        first: Position(row.try_get("first_position")?),
        last: Position(row.try_get("last_position")?),
        merkle_root: row.try_get("merkle_root")?,
        block_hash: row.try_get("block_hash")?,
        closed_at: row.try_get("closed_at")?,
    })
}
