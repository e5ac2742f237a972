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
//!
//! **Signed head.** See [`SignedHead`]. The whole format, for whoever writes a verifier: `docs/proof-format.md`.

mod signed_head;

use domain::envelope::{Position, StoredEvent};
use sha2::{Digest, Sha256};

pub use signed_head::{
    BUNDLE_FORMAT, Fingerprint, HeadError, HeadSigner, PublicKey, SIGNED_HEAD_FORMAT, SignedHead,
    SpanDigests, SpanHasher, Statement,
};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// What stands for the hash of the block before the first.
pub const GENESIS: Hash = [0; 32];

pub(crate) const EVENT_TAG: &[u8] = b"hibachi.event.v1";

/// The hash of an event's stored columns; its own `leaf_hash` is not looked at.
pub fn leaf_hash(event: &StoredEvent) -> Hash {
    LeafHasher::default().hash(event)
}

/// Hashes leaves one after the other, in memory that it keeps.
#[derive(Debug, Clone, Default)]
pub struct LeafHasher {
    form: Vec<u8>,
}

impl LeafHasher {
    /// The hash of an event's stored columns; its own `leaf_hash` is not looked at.
    pub fn hash(&mut self, event: &StoredEvent) -> Hash {
        self.form.clear();
        self.form.push(0x00);
        write_leaf(event, &mut self.form);
        Sha256::digest(&self.form).into()
    }
}

/// The canonical form of an event, without the byte that marks a leaf: what RFC 6962 calls the entry.
pub fn leaf_form(event: &StoredEvent) -> Vec<u8> {
    let mut form = Vec::new();
    write_leaf(event, &mut form);
    form
}

fn write_leaf(event: &StoredEvent, form: &mut Vec<u8>) {
    let mut version = [0; 5];
    let fields: [&[u8]; 13] = [
        EVENT_TAG,
        event.tenant.0.as_bytes(),
        &event.position.0.to_be_bytes(),
        event.stream.kind.as_bytes(),
        event.stream.id.as_bytes(),
        &event.sequence.0.to_be_bytes(),
        event.event_type.as_bytes(),
        decimal(event.event_version, &mut version),
        event.payload.as_bytes(),
        event.metadata.as_bytes(),
        event.event_id.0.as_bytes(),
        event.command_id.0.as_bytes(),
        &event.recorded_at.timestamp_micros().to_be_bytes(),
    ];
    for field in fields {
        write_field(field, form);
    }
}

/// A field: its length in four bytes, big-endian, and its bytes.
fn write_field(field: &[u8], form: &mut Vec<u8>) {
    let length = u32::try_from(field.len()).expect("Postgres stores no field of 4 GiB");
    form.extend_from_slice(&length.to_be_bytes());
    form.extend_from_slice(field);
}

/// A number's decimal digits, at the end of the space given: without an allocation for each event.
fn decimal(mut number: u16, space: &mut [u8; 5]) -> &[u8] {
    let mut start = space.len();
    loop {
        start -= 1;
        let [digit, _] = (number % 10).to_le_bytes();
        space[start] = b'0' + digit;
        number /= 10;
        if number == 0 {
            return &space[start..];
        }
    }
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
    use super::{Hash, MerkleRoot, decimal, node};

    #[test]
    fn versions_are_written_in_decimal() {
        for version in 0..=u16::MAX {
            assert_eq!(decimal(version, &mut [0; 5]), version.to_string().as_bytes());
        }
    }

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
