//! Inclusion proofs: that one event stands in a log whose head was signed, for somebody who has neither.
//!
//! The file's format is in `docs/proof-format.md`; the program `hibachi-verifier` checks it and shares no code with
//! this one.

use std::pin::pin;

use chrono::{DateTime, SecondsFormat, Utc};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use domain::envelope::{Position, StoredEvent};
use domain::ids::TenantId;
use event_log::proof::{GENESIS, Hash, SignedHead, leaf_form, leaf_hash};
use event_log::{Block, EventLog, LogError};
use futures::TryStreamExt;
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::Sha256;

use crate::lie::{Finding, Lie, Part};
use crate::verify::VerifyError;

/// Names the file's format and its version.
pub const PROOF_FORMAT: &str = "hibachi.inclusion-proof.v1";

/// Blocks between an event and the signed head that a proof may have. The schedule makes some thousands at most; a
/// log that was not signed for long is to be signed, not to be proved by a file of a hundred megabytes.
pub const MOST_BLOCKS: usize = 1_000_000;

/// Why an event was not proved.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The log has no such event.
    #[error("there is no event at position {0}")]
    NoEvent(Position),
    /// The signed head was made before the event.
    #[error("the signed head ends at position {head}, before position {position}")]
    BeyondHead {
        /// The event's position.
        position: Position,
        /// The head's.
        head: Position,
    },
    /// Between the event and the signed head there is too much.
    #[error("more than {MOST_BLOCKS} blocks are between the event and the nearest signed head")]
    TooFar,
    /// The log is not as it was written, or cannot be read.
    #[error(transparent)]
    Unverified(#[from] VerifyError),
}

impl From<LogError> for ProveError {
    fn from(error: LogError) -> Self {
        Self::Unverified(error.into())
    }
}

impl From<Finding> for ProveError {
    fn from(finding: Finding) -> Self {
        Self::Unverified(finding.into())
    }
}

#[derive(Serialize)]
struct File<'a> {
    format: &'static str,
    event: EventColumns<'a>,
    path: Path,
    /// The hash of the block before the event's.
    previous: String,
    blocks: Vec<Header>,
    head: Box<RawValue>,
}

/// The event's columns, as they are hashed.
#[derive(Serialize)]
struct EventColumns<'a> {
    tenant: TenantId,
    position: i64,
    aggregate_type: &'a str,
    aggregate_id: &'a str,
    sequence: i64,
    event_type: &'a str,
    event_version: String,
    payload: &'a str,
    metadata: &'a str,
    event_id: String,
    command_id: String,
    recorded_at: String,
}

/// RFC 6962's audit path from the event's leaf to its block's root.
#[derive(Serialize)]
struct Path {
    leaf_index: usize,
    leaves: usize,
    hashes: Vec<String>,
}

/// What a block's hash is made of, beside the hash before it.
#[derive(Serialize)]
struct Header {
    first: i64,
    last: i64,
    root: String,
}

/// The proof of one event, as a file: its columns, the path to its block's root, and the blocks from there to a
/// signed head.
///
/// # Errors
/// [`ProveError::NoEvent`]; [`ProveError::TooFar`]; [`ProveError::Unverified`] when what is stored does not lead from the
/// event to the head: no proof is written that would not hold.
pub async fn prove(
    log: &EventLog,
    tenant: TenantId,
    position: Position,
    head: &SignedHead,
) -> Result<String, ProveError> {
    let signed = &head.statement;
    if position < Position(1) {
        return Err(ProveError::NoEvent(position));
    }
    if position > signed.position {
        return Err(match log.head(tenant).await?.position {
            last if position > last => ProveError::NoEvent(position),
            _ => ProveError::BeyondHead {
                position,
                head: signed.position,
            },
        });
    }
    // The head knows of it.
    let cut = || Finding {
        position,
        what: Lie::CutTail {
            until: signed.position,
        },
    };
    let number = log.block_of(tenant, position).await?.ok_or_else(cut)?;
    let (previous, blocks) = blocks(log, tenant, number, head).await?;
    let block = blocks.first().ok_or_else(cut)?;
    let events = events(log, tenant, block).await?;
    let index = usize::try_from(position.0 - block.first.0).unwrap_or(usize::MAX);
    let event = events.get(index).ok_or(Finding {
        position,
        what: Lie::MissingEvent,
    })?;
    let path = path(&events, index, block)?;
    let header = |block: &Block| Header {
        first: block.first.0,
        last: block.last.0,
        root: hex::encode(block.merkle_root),
    };
    let signed = RawValue::from_string(head.to_json()).expect("a signed head's file is JSON");
    let file = File {
        format: PROOF_FORMAT,
        event: columns(event),
        path,
        previous: hex::encode(previous),
        blocks: blocks.iter().map(header).collect(),
        head: signed,
    };
    let mut text = serde_json::to_string_pretty(&file).expect("texts and numbers are JSON");
    text.push('\n');
    Ok(text)
}

/// The hash before a block, and the blocks from it to a head, which they are found to lead to.
async fn blocks(
    log: &EventLog,
    tenant: TenantId,
    number: i64,
    head: &SignedHead,
) -> Result<(Hash, Vec<Block>), ProveError> {
    let until = head.statement.block;
    let mut previous = GENESIS;
    let mut blocks: Vec<Block> = Vec::new();
    // One earlier, for its hash.
    let mut stored = pin!(log.stream_blocks_after(tenant, (number - 2).max(0)));
    while let Some(block) = stored.try_next().await? {
        if block.block > until {
            break;
        }
        if block.block < number {
            previous = block.block_hash;
        } else {
            blocks.push(block);
        }
        if blocks.len() > MOST_BLOCKS {
            return Err(ProveError::TooFar);
        }
    }
    let mut hash = previous;
    for block in &blocks {
        hash = event_log::proof::block_hash(&hash, &block.merkle_root, block.first, block.last);
        if hash != block.block_hash {
            return Err(ProveError::from(Finding {
                position: block.first,
                what: Lie::BrokenChain { block: block.block },
            }));
        }
    }
    let last = blocks.last();
    if last.is_none_or(|last| last.last < head.statement.position) {
        return Err(ProveError::from(Finding {
            position: last.map_or(Position(1), |last| last.last.next()),
            what: Lie::CutTail {
                until: head.statement.position,
            },
        }));
    }
    if hash != head.statement.block_hash || last.is_some_and(|last| last.last != head.statement.position) {
        return Err(ProveError::from(Finding {
            position: Position(1),
            what: Lie::RewrittenChain {
                until: head.statement.position,
                signed_at: head.statement.signed_at,
            },
        }));
    }
    Ok((previous, blocks))
}

/// A block's events, each of which fits its hash.
async fn events(log: &EventLog, tenant: TenantId, block: &Block) -> Result<Vec<StoredEvent>, ProveError> {
    let mut events: Vec<StoredEvent> = Vec::new();
    let mut after = Position(block.first.0 - 1);
    while after < block.last {
        let page = log.inspect(tenant, after).await?;
        let Some(last) = page.last() else { break };
        after = last.position;
        events.extend(page.into_iter().filter(|event| event.position <= block.last));
    }
    for (event, position) in events.iter().zip(block.first.0..) {
        let finding = |what| Finding {
            position: Position(position),
            what,
        };
        if event.position != Position(position) {
            return Err(finding(Lie::MissingEvent).into());
        }
        if leaf_hash(event) != event.leaf_hash {
            return Err(finding(Lie::ChangedContent { part: Part::Unknown }).into());
        }
    }
    Ok(events)
}

fn path(events: &[StoredEvent], index: usize, block: &Block) -> Result<Path, ProveError> {
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for event in events {
        tree.push(leaf_form(event));
    }
    let root: Hash = (*tree.root().as_bytes()).into();
    if root != block.merkle_root {
        return Err(ProveError::from(Finding {
            position: block.first,
            what: Lie::ChangedBlock {
                block: block.block,
                part: Part::Unknown,
            },
        }));
    }
    let proof = tree.prove_inclusion(index);
    Ok(Path {
        leaf_index: index,
        leaves: events.len(),
        hashes: proof.as_bytes().chunks(32).map(hex::encode).collect(),
    })
}

fn columns(event: &StoredEvent) -> EventColumns<'_> {
    EventColumns {
        tenant: event.tenant,
        position: event.position.0,
        aggregate_type: &event.stream.kind,
        aggregate_id: &event.stream.id,
        sequence: event.sequence.0,
        event_type: &event.event_type,
        event_version: event.event_version.to_string(),
        payload: &event.payload,
        metadata: &event.metadata,
        event_id: event.event_id.to_string(),
        command_id: event.command_id.to_string(),
        recorded_at: instant(event.recorded_at),
    }
}

fn instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}
