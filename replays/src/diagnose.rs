//! From the place where a walk stopped to what happened there, as far as the hashes prove it.
//!
//! Slow and thorough: it reads the log again, and only after a lie was found.

mod block;
mod event;

use domain::envelope::{Position, StoredEvent};
use domain::ids::TenantId;
use event_log::proof::{SignedHead, SpanDigests, leaf_hash};
use event_log::{EventLog, LogError};

use crate::lie::{Finding, Lie, Part};

/// Names what is behind a finding.
pub(crate) async fn diagnose(
    log: &EventLog,
    tenant: TenantId,
    finding: Finding,
    signed: &[SignedHead],
) -> Result<Finding, LogError> {
    let inquiry = Inquiry { log, tenant, signed };
    let position = finding.position;
    match finding.what {
        Lie::ChangedContent { .. } => inquiry.changed_event(position).await,
        Lie::MissingEvent => inquiry.missing(position).await,
        Lie::ChangedBlock { block, .. } => inquiry.changed_block(position, block).await,
        Lie::WrongHead => inquiry.wrong_head(position).await,
        Lie::InsertedEvent
        | Lie::SwappedEvents { .. }
        | Lie::MovedEvent { .. }
        | Lie::CutTail { .. }
        | Lie::OutOfSequence { .. }
        | Lie::TimeGoesBack
        | Lie::RepeatedId
        | Lie::MisattributedCommand
        | Lie::MissingBlock { .. }
        | Lie::BrokenChain { .. }
        | Lie::RewrittenChain { .. }
        | Lie::UnreadableEvent { .. }
        | Lie::MissingClaim { .. }
        | Lie::UnfoundedClaim { .. }
        | Lie::ForgedSignature { .. } => Ok(finding),
    }
}

/// What there is to ask.
struct Inquiry<'a> {
    log: &'a EventLog,
    tenant: TenantId,
    signed: &'a [SignedHead],
}

impl Inquiry<'_> {
    /// The row of a position.
    async fn row(&self, position: Position) -> Result<Option<StoredEvent>, LogError> {
        let page = self.log.inspect(self.tenant, Position(position.0 - 1)).await?;
        Ok(page.into_iter().next().filter(|event| event.position == position))
    }

    /// Nothing after a gap is a cut; something is a deletion.
    async fn missing(&self, position: Position) -> Result<Finding, LogError> {
        let what = if self.log.inspect(self.tenant, position).await?.is_empty() {
            Lie::CutTail {
                until: self.known_end(position).await?,
            }
        } else {
            Lie::MissingEvent
        };
        Ok(Finding { position, what })
    }

    /// A head that was turned back, with what it no longer counts cut off.
    async fn wrong_head(&self, position: Position) -> Result<Finding, LogError> {
        let until = self.known_end(position).await?;
        let cut = until > position && self.log.inspect(self.tenant, position).await?.is_empty();
        Ok(if cut {
            Finding {
                position: position.next(),
                what: Lie::CutTail { until },
            }
        } else {
            Finding {
                position,
                what: Lie::WrongHead,
            }
        })
    }

    /// The last position that anything knows of: the head, the results of commands, the signed heads.
    async fn known_end(&self, at_least: Position) -> Result<Position, LogError> {
        let head = self.log.head(self.tenant).await?.position;
        let commanded = self.log.last_commanded(self.tenant).await?;
        let signed = self.signed.iter().map(|head| head.statement.position);
        Ok([head, commanded]
            .into_iter()
            .chain(signed)
            .fold(at_least, Position::max))
    }

    /// Which part of a stretch is not as it was: told by the first signed head that covers it, which has digests
    /// of both parts.
    async fn changed_part(&self, position: Position) -> Result<Part, LogError> {
        let covers =
            |head: &&SignedHead| head.statement.since < position && position <= head.statement.position;
        // Of several, the one that covers least: another change is the less likely to be in it.
        let covering = self.signed.iter().filter(covers);
        let Some(head) = covering.min_by_key(|head| head.statement.position.0 - head.statement.since.0)
        else {
            return Ok(Part::Unknown);
        };
        let digests = self
            .digests(head.statement.since, head.statement.position)
            .await?;
        let was = head.statement.digests;
        Ok(
            match (digests.payloads == was.payloads, digests.metadata == was.metadata) {
                (false, true) => Part::Payload,
                (true, false) => Part::Metadata,
                (true, true) => Part::OtherColumn,
                (false, false) => Part::Unknown,
            },
        )
    }

    async fn digests(&self, since: Position, until: Position) -> Result<SpanDigests, LogError> {
        let mut digests = SpanDigests::over();
        let mut after = since;
        while after < until {
            let page = self.log.inspect(self.tenant, after).await?;
            let Some(last) = page.last() else { break };
            after = last.position;
            page.iter()
                .filter(|event| event.position <= until)
                .for_each(|event| digests.push(event));
        }
        Ok(digests.digests())
    }
}

/// The event as it would be at another position.
fn at(event: &StoredEvent, position: Position) -> StoredEvent {
    StoredEvent {
        position,
        ..event.clone()
    }
}

/// Whether an event is the one that its hash was made of, with its position or with another.
fn was_written_at(event: &StoredEvent, position: Position) -> bool {
    leaf_hash(&at(event, position)) == event.leaf_hash
}
