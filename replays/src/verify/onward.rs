//! Verifying on from where a log was verified to: what has come since, and for no longer than somebody has.

use std::pin::pin;
use std::time::{Duration, Instant};

use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::EventLog;
use event_log::proof::{GENESIS, Hash};
use futures::TryStreamExt;

use super::{Chain, VerifyError, Walk, next_page, nothing_beyond};
use crate::lie::{Finding, Lie};

/// A place between two blocks up to which a log was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedTo {
    /// The last event.
    pub position: Position,
    /// Number of the block that it closes; 0 where there is none.
    pub block: i64,
    /// That block's hash.
    pub block_hash: Hash,
}

impl VerifiedTo {
    /// Before the first event.
    pub const START: Self = Self {
        position: Position::START,
        block: 0,
        block_hash: GENESIS,
    };
}

/// How far a log was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onward {
    /// Up to its head, as it was when the walk began.
    Head(VerifiedTo),
    /// Up to here: then the time was over.
    Part(VerifiedTo),
}

/// Verifies a tenant's log from a place up to which it was verified before, up to its head or until the time is over, one
/// block at least. That the log before that place is still the one that was verified shows in the chain, which goes on from its hash.
///
/// # Errors
/// [`VerifyError::Lie`] with the first lie, as [`verify`](super::verify) finds it but for events out of the sequence of their
/// stream; [`VerifyError::Log`] when the log cannot be read.
pub async fn verify_onward(
    log: &EventLog,
    tenant: TenantId,
    from: VerifiedTo,
    at_most: Duration,
) -> Result<Onward, VerifyError> {
    let started = Instant::now();
    let head = log.head(tenant).await?;
    if head.position < from.position {
        let cut = Finding {
            position: head.position.next(),
            what: Lie::CutTail { until: from.position },
        };
        return Err(cut.into());
    }
    let mut pages = pin!(log.stream_pages(tenant, from.position, Some(head.position), None));
    let mut blocks = pin!(log.stream_blocks_after(tenant, from.block));
    let mut walk = Walk::new(Chain::from(from), &[]);
    while walk.chain.position < head.position {
        for event in &next_page(&mut pages, walk.chain.position.next()).await? {
            if walk.chain.is_between_blocks() {
                let here = walk.chain.verified_to();
                if here != from && started.elapsed() >= at_most {
                    return Ok(Onward::Part(here));
                }
                let block = blocks.try_next().await?;
                walk.chain.open(block)?;
            }
            walk.push(event)?;
        }
    }
    walk.chain.ends_at(&head)?;
    nothing_beyond(log, tenant, head.position).await?;
    Ok(Onward::Head(walk.chain.verified_to()))
}
