//! Where a walk takes a log from.

use domain::envelope::{Position, StoredEvent};
use domain::ids::TenantId;
use event_log::{Block, EventLog, LogError};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};

use super::{VerifyError, found};
use crate::lie::{Finding, Lie, Part};

/// Where a walk takes a log from: a database, or files.
pub(crate) trait Source {
    /// What a walk over it can end with.
    type Error: From<Finding>;

    /// The next events, of which the first is expected at a position; never none.
    async fn page(&mut self, expected: Position) -> Result<Vec<StoredEvent>, Self::Error>;

    /// The next block.
    async fn block(&mut self) -> Result<Option<Block>, Self::Error>;

    /// Whether what looks like a lie is none, on a closer look.
    async fn is_mistaken(&mut self, finding: &Finding) -> Result<bool, Self::Error>;

    /// Takes events that the walk has passed.
    async fn passed(&mut self, events: Vec<StoredEvent>) -> Result<(), Self::Error>;
}

/// A log in its database.
pub(crate) struct LogSource<'a> {
    log: &'a EventLog,
    tenant: TenantId,
    pages: BoxStream<'static, Result<Vec<StoredEvent>, LogError>>,
    blocks: BoxStream<'static, Result<Block, LogError>>,
}

impl<'a> LogSource<'a> {
    /// A log, up to a position.
    pub(crate) fn new(log: &'a EventLog, tenant: TenantId, until: Position) -> Self {
        let pages = log.stream_pages(tenant, Position::START, Some(until), None);
        Self {
            log,
            tenant,
            pages: pages.boxed(),
            blocks: log.stream_blocks(tenant).boxed(),
        }
    }
}

impl Source for LogSource<'_> {
    type Error = VerifyError;

    async fn page(&mut self, expected: Position) -> Result<Vec<StoredEvent>, VerifyError> {
        next_page(&mut self.pages, expected).await
    }

    async fn block(&mut self) -> Result<Option<Block>, VerifyError> {
        Ok(self.blocks.try_next().await?)
    }

    async fn is_mistaken(&mut self, finding: &Finding) -> Result<bool, VerifyError> {
        Ok(is_mistaken(self.log, self.tenant, finding).await?)
    }

    async fn passed(&mut self, _events: Vec<StoredEvent>) -> Result<(), VerifyError> {
        Ok(())
    }
}

/// Two streams of one hash look like a stream out of order: the log itself knows.
async fn is_mistaken(log: &EventLog, tenant: TenantId, finding: &Finding) -> Result<bool, LogError> {
    if !matches!(finding.what, Lie::OutOfSequence { .. }) {
        return Ok(false);
    }
    let before = Position(finding.position.0 - 1);
    let wrong = log
        .first_out_of_sequence(tenant, before, finding.position)
        .await?;
    Ok(wrong.is_none())
}

/// The next events, of which the first is expected at a position.
pub(crate) async fn next_page(
    pages: &mut (impl Stream<Item = Result<Vec<StoredEvent>, LogError>> + Unpin),
    expected: Position,
) -> Result<Vec<StoredEvent>, VerifyError> {
    match pages.next().await {
        Some(Ok(page)) => Ok(page),
        Some(Err(LogError::Gap { expected, .. })) => Err(found(expected, Lie::MissingEvent)),
        Some(Err(LogError::Corrupt { position, .. })) => Err(found(
            position,
            Lie::ChangedContent {
                part: Part::OtherColumn,
            },
        )),
        Some(Err(error)) => Err(error.into()),
        None => Err(found(expected, Lie::MissingEvent)),
    }
}
