//! Inclusion proofs.

use serde::Deserialize;

use crate::form::{bytes, fields, micros, sha256, uuid};
use crate::head::{CheckedHead, HeadFile, check};
use crate::path::root_of;
use crate::{Fault, Hash};

const FORMAT: &str = "hibachi.inclusion-proof.v1";
const EVENT_TAG: &[u8] = b"hibachi.event.v1";
/// What stands for the hash of the block before the first.
const GENESIS: Hash = [0; 32];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofFile {
    format: String,
    event: EventColumns,
    path: Path,
    previous: String,
    blocks: Vec<Header>,
    head: HeadFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventColumns {
    tenant: String,
    position: i64,
    aggregate_type: String,
    aggregate_id: String,
    sequence: i64,
    event_type: String,
    event_version: String,
    payload: String,
    metadata: String,
    event_id: String,
    command_id: String,
    recorded_at: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Path {
    leaf_index: u64,
    leaves: u64,
    hashes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    first: i64,
    last: i64,
    root: String,
}

/// An event that is in a signed log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedProof {
    /// The event's position.
    pub position: i64,
    /// Its type and version, `booking.requested 1`.
    pub event: String,
    /// Its stream, `booking:<id>`.
    pub stream: String,
    /// Its payload, as it was stored.
    pub payload: String,
    /// When it was recorded.
    pub recorded_at: String,
    /// The head that it is in the log of.
    pub head: CheckedHead,
}

/// Checks a proof's file against a public key.
///
/// # Errors
/// [`Fault::Malformed`] when it is no such file, [`Fault::False`] when it proves nothing.
pub fn check_proof(text: &str, trusted: &[u8; 32]) -> Result<CheckedProof, Fault> {
    let file: ProofFile = serde_json::from_str(text).map_err(|error| Fault::Malformed(error.to_string()))?;
    if file.format != FORMAT {
        return Err(Fault::malformed("the format", &format!("is not {FORMAT}")));
    }
    let head = check(file.head, trusted)?;
    let (tenant, leaf) = leaf(&file.event)?;
    if tenant != head.tenant {
        return Err(Fault::lies("the event and the head are of different tenants"));
    }
    let block = file
        .blocks
        .first()
        .ok_or_else(|| Fault::malformed("the proof", "has no block"))?;
    let hashes: Vec<Hash> = file
        .path
        .hashes
        .iter()
        .map(|hash| bytes("a hash of the path", hash))
        .collect::<Result<_, _>>()?;
    stands_in(&file.event, block, &file.path)?;
    let root = root_of(leaf, file.path.leaf_index, file.path.leaves, &hashes);
    if root != Some(bytes("a block's root", &block.root)?) {
        return Err(Fault::lies("the event's path does not lead to its block's root"));
    }
    leads_to(&bytes("previous", &file.previous)?, &file.blocks, &head)?;
    Ok(CheckedProof {
        position: file.event.position,
        event: format!("{} {}", file.event.event_type, file.event.event_version),
        stream: format!("{}:{}", file.event.aggregate_type, file.event.aggregate_id),
        payload: file.event.payload,
        recorded_at: file.event.recorded_at,
        head,
    })
}

fn leaf(event: &EventColumns) -> Result<([u8; 16], Hash), Fault> {
    let tenant = uuid("the event's tenant", &event.tenant)?;
    let form = fields(&[
        EVENT_TAG,
        &tenant,
        &event.position.to_be_bytes(),
        event.aggregate_type.as_bytes(),
        event.aggregate_id.as_bytes(),
        &event.sequence.to_be_bytes(),
        event.event_type.as_bytes(),
        event.event_version.as_bytes(),
        event.payload.as_bytes(),
        event.metadata.as_bytes(),
        &uuid("the event's event_id", &event.event_id)?,
        &uuid("the event's command_id", &event.command_id)?,
        &micros("the event's recorded_at", &event.recorded_at)?.to_be_bytes(),
    ])?;
    Ok((tenant, sha256(&[&[0x00], &form])))
}

/// The path's leaf is the event's place in its block.
fn stands_in(event: &EventColumns, block: &Header, path: &Path) -> Result<(), Fault> {
    let count = |from: i64, to: i64| to.checked_sub(from).and_then(|count| u64::try_from(count).ok());
    let index = count(block.first, event.position);
    let last = count(block.first, block.last);
    let right = index == Some(path.leaf_index)
        && last.and_then(|last| last.checked_add(1)) == Some(path.leaves)
        && event.position <= block.last;
    right
        .then_some(())
        .ok_or_else(|| Fault::lies("the event's path is not that of its position in its block"))
}

/// From the block before the event's, block by block, to the one that was signed.
fn leads_to(previous: &Hash, blocks: &[Header], head: &CheckedHead) -> Result<(), Fault> {
    let mut hash = *previous;
    let mut before: Option<i64> = None;
    for block in blocks {
        let follows = before.is_none_or(|before| before.checked_add(1) == Some(block.first));
        if !follows || block.first < 1 || block.last < block.first {
            return Err(Fault::lies("the blocks do not follow one another"));
        }
        before = Some(block.last);
        hash = sha256(&[
            &hash,
            &bytes::<32>("a block's root", &block.root)?,
            &block.first.to_be_bytes(),
            &block.last.to_be_bytes(),
        ]);
    }
    if hash != head.block_hash || before != Some(head.position) {
        return Err(Fault::lies("the blocks do not lead to the signed head"));
    }
    let from_the_first = i64::try_from(blocks.len()) == Ok(head.block);
    let begins = blocks.first().is_some_and(|block| block.first == 1);
    let right = from_the_first == begins && begins == (*previous == GENESIS);
    right
        .then_some(())
        .ok_or_else(|| Fault::lies("the blocks are not as many as the signed head says"))
}
