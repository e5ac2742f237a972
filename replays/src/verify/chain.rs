//! The chain of blocks, walked event by event.

use domain::envelope::Position;
use event_log::proof::{GENESIS, Hash, MerkleRoot, SignedHead, block_hash};
use event_log::{Block, Head};

use super::VerifiedTo;
use crate::lie::{Finding, Lie, Part};

/// The chain as far as it was walked.
pub(crate) struct Chain {
    pub(crate) position: Position,
    /// The block that the position is within.
    block: Option<Block>,
    root: MerkleRoot,
    closed: i64,
    hash: Hash,
}

impl From<VerifiedTo> for Chain {
    fn from(to: VerifiedTo) -> Self {
        Self {
            position: to.position,
            closed: to.block,
            hash: to.block_hash,
            ..Self::new()
        }
    }
}

impl Chain {
    /// Before the first event.
    pub(crate) fn new() -> Self {
        Self {
            position: Position::START,
            block: None,
            root: MerkleRoot::default(),
            closed: 0,
            hash: GENESIS,
        }
    }

    /// Right after a head that is known to be true.
    pub(crate) fn after(head: &SignedHead) -> Self {
        Self {
            position: head.statement.position,
            closed: head.statement.block,
            hash: head.statement.block_hash,
            ..Self::new()
        }
    }

    /// Where the walk has come to, between two blocks.
    pub(crate) fn verified_to(&self) -> VerifiedTo {
        VerifiedTo {
            position: self.position,
            block: self.closed,
            block_hash: self.hash,
        }
    }

    /// Whether the next event begins a block.
    pub(crate) fn is_between_blocks(&self) -> bool {
        self.block.is_none()
    }

    /// Number of the last block that was closed.
    pub(crate) fn closed(&self) -> i64 {
        self.closed
    }

    pub(crate) fn open(&mut self, block: Option<Block>) -> Result<(), Finding> {
        let number = self.closed + 1;
        let first = self.position.next();
        let finding = |what| Finding {
            position: first,
            what,
        };
        let block = block.ok_or(finding(Lie::MissingBlock { block: number }))?;
        if block.block != number {
            return Err(finding(Lie::MissingBlock { block: number }));
        }
        if block.first != first || block.last < first {
            return Err(finding(Lie::BrokenChain { block: number }));
        }
        self.root = MerkleRoot::default();
        self.block = Some(block);
        Ok(())
    }

    /// Adds an event's leaf, and closes the block with its last.
    pub(crate) fn push(&mut self, leaf: Hash) -> Result<(), Finding> {
        self.root.push(leaf);
        self.position = self.position.next();
        let Some(block) = self.block.take_if(|block| block.last == self.position) else {
            return Ok(());
        };
        let finding = |what| Finding {
            position: block.first,
            what,
        };
        if self.root.root() != Some(block.merkle_root) {
            return Err(finding(Lie::ChangedBlock {
                block: block.block,
                part: Part::Unknown,
            }));
        }
        self.hash = block_hash(&self.hash, &block.merkle_root, block.first, block.last);
        if self.hash != block.block_hash {
            return Err(finding(Lie::BrokenChain { block: block.block }));
        }
        self.closed = block.block;
        Ok(())
    }

    pub(crate) fn ends_at(&self, head: &Head) -> Result<(), Finding> {
        let right = self.block.is_none() && self.closed == head.block && self.hash == head.block_hash;
        let finding = Finding {
            position: self.position,
            what: Lie::WrongHead,
        };
        right.then_some(()).ok_or(finding)
    }

    /// Whether the chain, at the position it has come to, is the one that a head was signed over.
    pub(crate) fn leads_to(&self, head: &SignedHead) -> bool {
        self.block.is_none() && self.closed == head.statement.block && self.hash == head.statement.block_hash
    }
}
