//! Reading a whole log in bounded memory: for rebuilding a read model, and for verifying.

use domain::envelope::{Position, StoredEvent};
use domain::ids::TenantId;
use futures::TryStreamExt;
use futures::stream::{Stream, iter, try_unfold};
use sqlx::postgres::PgRow;
use sqlx::{Executor, Row};
use tokio::sync::mpsc;

use crate::copied::Copied;
use crate::database::{BY_POSITION, Database, MidCopy};
use crate::error::LogError;
use crate::log::EventLog;
use crate::read::{Block, follows};

/// Blocks of a page.
const BLOCKS: u32 = 4096;
/// Events of the first page: what comes after them follows from how large they are.
const FIRST_PAGE: i64 = 512;
/// Events of a page at most.
const LARGEST_PAGE: i64 = 16_384;
/// What a page is meant to take in memory. There are two: the one that is read, and the one that is used.
const PAGE_BYTES: usize = 2 << 20;
/// Where a page ends although more was asked for, its events being larger than those before.
const PAGE_BYTES_LIMIT: usize = 4 << 20;

/// What the two copies say alike: they take no parameters, and find what they are of in the transaction's settings.
macro_rules! copy_events {
    ($but:literal) => {
        concat!(
            "copy (
                select position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                    event_id, command_id, recorded_at, leaf_hash
                from events
                where tenant_id = current_setting('hibachi.tenant')::uuid
                    and position > current_setting('hibachi.after')::bigint
                    and position <= current_setting('hibachi.until')::bigint",
            $but,
            "
                order by position
                limit current_setting('hibachi.page')::bigint
            ) to stdout (format binary)"
        )
    };
}

const COPY: &str = copy_events!("");
/// In a query of its own, so that the types are read once and not for each event.
const COPY_BUT: &str =
    copy_events!(" and event_type <> all((select current_setting('hibachi.but')::text[])::text[])");

impl EventLog {
    /// Every event after a position, up to and with another (to the end for none), but those of the given types:
    /// types that nobody has named come too. Where none is left out it asserts that there is no hole between its
    /// events; where some are, [`first_missing`](Self::first_missing) tells.
    ///
    /// The stream ends with its first error, one of [`read`](Self::read)'s, after the events before it. Read as
    /// [`stream_pages`](Self::stream_pages) says.
    pub fn stream_all(
        &self,
        tenant: TenantId,
        after: Position,
        until: Option<Position>,
        but: Option<Vec<String>>,
    ) -> impl Stream<Item = Result<StoredEvent, LogError>> + Send + use<> {
        self.stream_pages(tenant, after, until, but)
            .map_ok(|page| iter(page.into_iter().map(Ok)))
            .try_flatten()
    }

    /// The events of [`stream_all`](Self::stream_all), some thousands at a time; no page is empty.
    ///
    /// Each page is read in a short transaction of its own, while the one before it is used; both together take
    /// 8 MiB at most, or two events where those are larger. Dropped, the stream reads on to the end of the page it
    /// is at, and no further.
    pub fn stream_pages(
        &self,
        tenant: TenantId,
        after: Position,
        until: Option<Position>,
        but: Option<Vec<String>>,
    ) -> impl Stream<Item = Result<Vec<StoredEvent>, LogError>> + Send + use<> {
        read_ahead(EventPages {
            database: self.database().clone(),
            tenant,
            after,
            until: until.unwrap_or(Position(i64::MAX)),
            but,
            size: FIRST_PAGE,
        })
    }

    /// Every block of a tenant's log, read page by page as [`stream_pages`](Self::stream_pages) does.
    ///
    /// The stream ends with its first error, [`LogError::Unavailable`].
    pub fn stream_blocks(
        &self,
        tenant: TenantId,
    ) -> impl Stream<Item = Result<Block, LogError>> + Send + use<> {
        self.stream_blocks_after(tenant, 0)
    }

    /// The blocks of [`stream_blocks`](Self::stream_blocks) after one.
    pub fn stream_blocks_after(
        &self,
        tenant: TenantId,
        after: i64,
    ) -> impl Stream<Item = Result<Block, LogError>> + Send + use<> {
        let pages = BlockPages {
            database: self.database().clone(),
            tenant,
            after,
        };
        read_ahead(pages)
            .map_ok(|page| iter(page.into_iter().map(Ok)))
            .try_flatten()
    }

    /// The first position in `(after, until]` that has no event.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn first_missing(
        &self,
        tenant: TenantId,
        after: Position,
        until: Position,
    ) -> Result<Option<Position>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let count: i64 = sqlx::query_scalar(
            "select count(*) from events where tenant_id = $1 and position > $2 and position <= $3",
        )
        .bind(tenant.0)
        .bind(after.0)
        .bind(until.0)
        .fetch_one(&mut *transaction)
        .await?;
        let missing: Option<i64> = if count >= until.0 - after.0 {
            None
        } else {
            sqlx::query_scalar(
                "select min(before.position) + 1 from (
                     select $2 as position
                     union all
                     select position from events where tenant_id = $1 and position > $2 and position < $3
                 ) before
                 where not exists (
                     select from events e where e.tenant_id = $1 and e.position = before.position + 1
                 )",
            )
            .bind(tenant.0)
            .bind(after.0)
            .bind(until.0)
            .fetch_one(&mut *transaction)
            .await?
        };
        transaction.commit().await?;
        Ok(missing.map(Position))
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

/// What was read at a time.
struct Page<Item> {
    items: Vec<Item>,
    rest: Rest,
}

/// What comes after a page.
enum Rest {
    More,
    Nothing,
    Error(LogError),
}

/// Something that is read a page at a time, in order.
trait Pages: Send + 'static {
    type Item: Send + 'static;

    fn next(&mut self) -> impl Future<Output = Result<Page<Self::Item>, LogError>> + Send;
}

/// Reads one page ahead of whoever takes them, in a task of its own from the first that is asked for.
fn read_ahead<P: Pages>(pages: P) -> impl Stream<Item = Result<Vec<P::Item>, LogError>> + Send {
    try_unfold(Ahead::NotBegun(pages), async |ahead| {
        let mut read = match ahead {
            Ahead::NotBegun(pages) => {
                let (slots, read) = mpsc::channel(1);
                tokio::spawn(read_into(pages, slots));
                read
            }
            Ahead::Begun(read) => read,
        };
        match read.recv().await {
            Some(page) => Ok(Some((page?, Ahead::Begun(read)))),
            None => Ok(None),
        }
    })
}

enum Ahead<P: Pages> {
    NotBegun(P),
    Begun(mpsc::Receiver<Result<Vec<P::Item>, LogError>>),
}

async fn read_into<P: Pages>(mut pages: P, slots: mpsc::Sender<Result<Vec<P::Item>, LogError>>) {
    // No page is read before there is a place for it, and none for nobody.
    while let Ok(slot) = slots.reserve().await {
        let page = pages.next().await.unwrap_or_else(|error| Page {
            items: Vec::new(),
            rest: Rest::Error(error),
        });
        if page.items.is_empty() {
            drop(slot);
        } else {
            slot.send(Ok(page.items));
        }
        match page.rest {
            Rest::More => {}
            Rest::Nothing => return,
            Rest::Error(error) => {
                // Nobody asks any more where this fails.
                slots.send(Err(error)).await.ok();
                return;
            }
        }
    }
}

struct EventPages {
    database: Database,
    tenant: TenantId,
    after: Position,
    until: Position,
    /// Types of the events that are left out.
    but: Option<Vec<String>>,
    size: i64,
}

impl Pages for EventPages {
    type Item = StoredEvent;

    async fn next(&mut self) -> Result<Page<StoredEvent>, LogError> {
        let mut copy = MidCopy::of(self.begin().await?);
        let statement = if self.but.is_none() { COPY } else { COPY_BUT };
        let mut messages = copy.connection().copy_out_raw(statement).await?;
        let mut copied = Copied::new(self.tenant);
        let mut items = Vec::new();
        let mut bytes = 0;
        let mut cut = false;
        let mut damage = None;
        while let Some(message) = messages.try_next().await? {
            if let Err(error) = copied.take(&message, &mut items) {
                damage = Some(error);
                cut = true;
                break;
            }
            bytes += message.len() + size_of::<StoredEvent>();
            if bytes >= PAGE_BYTES_LIMIT {
                cut = true;
                break;
            }
        }
        drop(messages);
        if !cut {
            copy.at_its_end().commit().await?;
        }
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let rest = match (self.advance(&mut items), damage) {
            (Err(gap), _) => Rest::Error(gap),
            (Ok(()), Some(damage)) => Rest::Error(damage),
            (Ok(()), None) if cut || count == self.size => Rest::More,
            (Ok(()), None) => Rest::Nothing,
        };
        self.size = fitting(count, bytes);
        Ok(Page { items, rest })
    }
}

impl EventPages {
    /// A transaction that knows what the copy is of.
    async fn begin(&self) -> Result<crate::Transaction, LogError> {
        let mut transaction = self.database.begin_read(self.tenant).await?;
        transaction.execute(BY_POSITION).await?;
        sqlx::query(
            "select set_config('hibachi.after', $1, true), set_config('hibachi.until', $2, true),
                set_config('hibachi.page', $3, true), set_config('hibachi.but', $4::text[]::text, true)",
        )
        .bind(self.after.0.to_string())
        .bind(self.until.0.to_string())
        .bind(self.size.to_string())
        .bind(self.but.as_deref())
        .execute(&mut *transaction)
        .await?;
        Ok(transaction)
    }

    /// Goes to the last of the events, or to the last before a hole.
    fn advance(&mut self, events: &mut Vec<StoredEvent>) -> Result<(), LogError> {
        for (read, event) in events.iter().enumerate() {
            if self.but.is_none()
                && let Err(gap) = follows(self.after, event.position)
            {
                events.truncate(read);
                return Err(gap);
            }
            self.after = event.position;
        }
        Ok(())
    }
}

/// How many events a page may have if they are as large as these.
fn fitting(count: i64, bytes: usize) -> i64 {
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX).max(1);
    let meant = i64::try_from(PAGE_BYTES).unwrap_or(i64::MAX);
    meant
        .saturating_mul(count)
        .div_euclid(bytes)
        .clamp(1, LARGEST_PAGE)
}

struct BlockPages {
    database: Database,
    tenant: TenantId,
    after: i64,
}

impl Pages for BlockPages {
    type Item = Block;

    async fn next(&mut self) -> Result<Page<Block>, LogError> {
        let mut transaction = self.database.begin_read(self.tenant).await?;
        let rows = sqlx::query(
            "select block, first_position, last_position, merkle_root, block_hash, closed_at from log_blocks
             where tenant_id = $1 and block > $2 order by block limit $3",
        )
        .bind(self.tenant.0)
        .bind(self.after)
        .bind(i64::from(BLOCKS))
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let items: Vec<Block> = rows.iter().map(block).collect::<Result<_, _>>()?;
        self.after = items.last().map_or(self.after, |last| last.block);
        let full = u32::try_from(items.len()) == Ok(BLOCKS);
        Ok(Page {
            items,
            rest: if full { Rest::More } else { Rest::Nothing },
        })
    }
}

fn block(row: &PgRow) -> Result<Block, sqlx::Error> {
    Ok(Block {
        block: row.try_get(0)?,
        first: Position(row.try_get(1)?),
        last: Position(row.try_get(2)?),
        merkle_root: row.try_get(3)?,
        block_hash: row.try_get(4)?,
        closed_at: row.try_get(5)?,
    })
}
