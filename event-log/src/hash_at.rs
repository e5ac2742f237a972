//! The hash that a log has at a position: what a certificate of what was read up to there names.

use domain::envelope::Position;
use domain::ids::TenantId;
use futures::{TryStreamExt, pin_mut};

use crate::error::LogError;
use crate::log::EventLog;
use crate::proof::{GENESIS, Hash, LeafHasher, MerkleRoot, block_hash};
use crate::read::Block;

impl EventLog {
    /// The hash of the chain up to a position, and nothing after it: that of the block which ends there; inside a block,
    /// the hash that it would have if it ended there. [`GENESIS`] before the first event; none where the log is not that
    /// long. The same for ever, whatever is appended.
    ///
    /// # Errors
    /// [`LogError::Gap`] and [`LogError::Corrupt`] when the log is damaged there, [`LogError::Unavailable`].
    pub async fn hash_at(&self, tenant: TenantId, position: Position) -> Result<Option<Hash>, LogError> {
        if position <= Position::START {
            return Ok(Some(GENESIS));
        }
        let Some(number) = self.block_of(tenant, position).await? else {
            return Ok(None);
        };
        // Both may be read ahead of; neither is far.
        let before = self.block_numbered(tenant, number - 1).await?;
        let previous = before.map_or(GENESIS, |block| block.block_hash);
        let Some(block) = self.block_numbered(tenant, number).await? else {
            return Ok(None);
        };
        if block.last == position {
            return Ok(Some(block.block_hash));
        }
        let events = self.stream_all(tenant, Position(block.first.0 - 1), Some(position), None);
        pin_mut!(events);
        let (mut leaves, mut root) = (LeafHasher::default(), MerkleRoot::default());
        while let Some(event) = events.try_next().await? {
            root.push(leaves.hash(&event));
        }
        let hash = root
            .root()
            .map(|root| block_hash(&previous, &root, block.first, position));
        Ok(hash)
    }

    async fn block_numbered(&self, tenant: TenantId, number: i64) -> Result<Option<Block>, LogError> {
        let blocks = self.stream_blocks_after(tenant, number - 1);
        pin_mut!(blocks);
        let next = blocks.try_next().await?;
        Ok(next.filter(|block| block.block == number))
    }
}
