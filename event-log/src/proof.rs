//! The proof: what is hashed, and how the hashes hang together.
//!
//! **Leaf.** SHA-256 over the byte `00` and these fields of the event, each as its length in four bytes, big-endian,
//! and its bytes, in this order:
//!
//! | field | bytes |
//! |---|---|
//! | domain tag | `hibachi.event.v1` |
//! | tenant | the UUID's 16 bytes |
//! | position | 8 bytes, big-endian |
//! | aggregate type, aggregate id | UTF-8 |
//! | sequence | 8 bytes, big-endian |
//! | event type, event version | UTF-8 |
//! | payload, metadata | the stored text, UTF-8 |
//! | event id, command id | the UUIDs' 16 bytes |
//! | recorded at | microseconds since 1970-01-01T00:00:00Z, 8 bytes, big-endian |
//!
//! **Root.** RFC 6962's tree over the leaves of one batch: SHA-256 over the byte `01` and two children; an odd
//! one out goes up as it is.
//!
//! **Block.** SHA-256 over the previous block's hash, the root, and the first and last position, 8 bytes each,
//! big-endian. The first block's predecessor is [`GENESIS`].

use domain::envelope::{Position, StoredEvent};
use sha2::{Digest, Sha256};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// What stands for the hash of the block before the first.
pub const GENESIS: Hash = [0; 32];

const EVENT_TAG: &[u8] = b"hibachi.event.v1";

/// The hash of an event's stored columns; its own `leaf_hash` is not looked at.
pub fn leaf_hash(event: &StoredEvent) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x00]);
    let version = event.event_version.to_string();
    let fields: [&[u8]; 13] = [
        EVENT_TAG,
        event.tenant.0.as_bytes(),
        &event.position.0.to_be_bytes(),
        event.stream.kind.as_bytes(),
        event.stream.id.as_bytes(),
        &event.sequence.0.to_be_bytes(),
        event.event_type.as_bytes(),
        version.as_bytes(),
        event.payload.as_bytes(),
        event.metadata.as_bytes(),
        event.event_id.0.as_bytes(),
        event.command_id.0.as_bytes(),
        &event.recorded_at.timestamp_micros().to_be_bytes(),
    ];
    for field in fields {
        let length = u32::try_from(field.len()).expect("Postgres stores no field of 4 GiB");
        hasher.update(length.to_be_bytes());
        hasher.update(field);
    }
    hasher.finalize().into()
}

/// The hash that chains a block to all blocks before it.
pub fn block_hash(previous: &Hash, merkle_root: &Hash, first: Position, last: Position) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(merkle_root);
    hasher.update(first.0.to_be_bytes());
    hasher.update(last.0.to_be_bytes());
    hasher.finalize().into()
}

/// A Merkle root in the making; holds one hash per level, however many leaves there are.
#[derive(Debug, Clone, Default)]
pub struct MerkleRoot {
    /// Roots of full subtrees, largest first, with their number of leaves.
    peaks: Vec<(u64, Hash)>,
}

impl MerkleRoot {
    /// Adds the next leaf's hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut peak = (1, leaf);
        while let Some((leaves, left)) = self.peaks.pop_if(|(leaves, _)| *leaves == peak.0) {
            peak = (leaves * 2, node(&left, &peak.1));
        }
        self.peaks.push(peak);
    }

    /// The root over the leaves so far; none over no leaves.
    pub fn root(&self) -> Option<Hash> {
        let hashes = self.peaks.iter().rev().map(|(_, hash)| *hash);
        hashes.reduce(|right, left| node(&left, &right))
    }
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x01]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::{Hash, MerkleRoot, node};

    /// RFC 6962, 2.1: the split is at the largest power of two below the number of leaves.
    fn reference(leaves: &[Hash]) -> Hash {
        if let [leaf] = leaves {
            return *leaf;
        }
        let split = leaves.len().next_power_of_two() / 2;
        node(&reference(&leaves[..split]), &reference(&leaves[split..]))
    }

    #[test]
    fn the_root_is_that_of_rfc_6962() {
        let leaves: Vec<Hash> = (0..=40).map(|leaf| [leaf; 32]).collect();
        let mut root = MerkleRoot::default();
        assert_eq!(root.root(), None);
        for (index, leaf) in leaves.iter().enumerate() {
            root.push(*leaf);
            assert_eq!(
                root.root(),
                Some(reference(&leaves[..=index])),
                "over {} leaves",
                index + 1
            );
        }
    }
}
