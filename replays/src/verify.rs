//! Verifying a tenant's log: every hash is computed anew from what is stored, and the first lie is named.
//!
//! Nothing recorded after the start is looked at, so that a log in use can be verified. A log whose hashes were
//! all forged alike, head included, passes: against that there are heads kept outside.

use std::pin::pin;

use domain::envelope::{Position, StoredEvent};
use domain::ids::TenantId;
use event_log::proof::{GENESIS, Hash, MerkleRoot, block_hash, leaf_hash};
use event_log::{Block, EventLog, Head, LogError};
use futures::{Stream, StreamExt, TryStreamExt};

/// Events checked between two reports of progress, and two checks of the streams' sequences.
const STRETCH: i64 = 1000;

/// Hears how far a long walk has come.
pub trait Progress: Send + Sync {
    /// The walk begins; so many events are before it.
    fn begins(&self, events: i64);
    /// So many events are behind it.
    fn reaches(&self, events: i64);
}

/// Nobody watches.
impl Progress for () {
    fn begins(&self, _events: i64) {}
    fn reaches(&self, _events: i64) {}
}

/// A log in which no lie was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Events checked.
    pub events: i64,
    /// Blocks checked.
    pub blocks: i64,
    /// The head that they lead to.
    pub head: Head,
}

/// The first lie, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The first position that it concerns.
    pub position: Position,
    /// What is wrong there.
    pub what: Lie,
}

/// What can be wrong with a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// The event's columns are not those that were hashed: changed, or another event's.
    ChangedContent,
    /// There is no event.
    MissingEvent,
    /// There is an event that the head knows nothing of.
    InsertedEvent,
    /// The event does not follow an earlier one in its stream.
    OutOfSequence,
    /// The events are not those that the block was closed over, though each fits its own hash.
    ChangedBlock {
        /// The block's number.
        block: i64,
    },
    /// There is no such block.
    MissingBlock {
        /// The block's number.
        block: i64,
    },
    /// The block does not continue the chain of those before it.
    BrokenChain {
        /// The block's number.
        block: i64,
    },
    /// The head is not where events and blocks lead.
    WrongHead,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "position {}: ", self.position)?;
        match self.what {
            Lie::ChangedContent => write!(f, "the stored event does not match its hash"),
            Lie::MissingEvent => write!(f, "the event is missing"),
            Lie::InsertedEvent => write!(f, "the event is beyond the head of the log"),
            Lie::OutOfSequence => write!(f, "the event does not follow an earlier one in its stream"),
            Lie::ChangedBlock { block } => write!(f, "the events from here do not match block {block}"),
            Lie::MissingBlock { block } => write!(f, "block {block} is missing"),
            Lie::BrokenChain { block } => write!(f, "block {block} does not continue the chain"),
            Lie::WrongHead => write!(f, "the head of the log is not where its events lead"),
        }
    }
}

impl std::error::Error for Finding {}

/// Why a log does not count as verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The log lies.
    #[error(transparent)]
    Lie(#[from] Finding),
    /// The log could not be read to its end.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Verifies a tenant's log from its first event to its head, in bounded memory.
///
/// # Errors
/// [`VerifyError::Lie`] with the first lie, [`VerifyError::Log`] when the log cannot be read.
pub async fn verify(
    log: &EventLog,
    tenant: TenantId,
    progress: &dyn Progress,
) -> Result<Verified, VerifyError> {
    let head = log.head(tenant).await?;
    progress.begins(head.position.0);
    let mut events = pin!(log.stream_all(tenant, Position::START, Some(head.position), None));
    let mut blocks = pin!(log.stream_blocks(tenant));
    let mut chain = Chain::new();
    let mut in_sequence = Position::START;
    while chain.position < head.position {
        let expected = chain.position.next();
        let event = next_event(&mut events, expected).await?;
        if leaf_hash(&event) != event.leaf_hash {
            return Err(found(expected, Lie::ChangedContent));
        }
        if chain.block.is_none() {
            chain.open(blocks.try_next().await?, expected)?;
        }
        chain.push(event.leaf_hash)?;
        if chain.position.0 % STRETCH == 0 || chain.position == head.position {
            if let Some(position) = log
                .first_out_of_sequence(tenant, in_sequence, chain.position)
                .await?
            {
                return Err(found(position, Lie::OutOfSequence));
            }
            in_sequence = chain.position;
            progress.reaches(in_sequence.0);
        }
    }
    chain.ends_at(&head)?;
    nothing_beyond(log, tenant, head.position).await?;
    Ok(Verified {
        events: head.position.0,
        blocks: head.block,
        head,
    })
}

/// The chain as far as it was walked.
struct Chain {
    position: Position,
    /// The block that the position is within.
    block: Option<Block>,
    root: MerkleRoot,
    closed: i64,
    hash: Hash,
}

impl Chain {
    fn new() -> Self {
        Self {
            position: Position::START,
            block: None,
            root: MerkleRoot::default(),
            closed: 0,
            hash: GENESIS,
        }
    }

    fn open(&mut self, block: Option<Block>, first: Position) -> Result<(), Finding> {
        let number = self.closed + 1;
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
    fn push(&mut self, leaf: Hash) -> Result<(), Finding> {
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
            return Err(finding(Lie::ChangedBlock { block: block.block }));
        }
        self.hash = block_hash(&self.hash, &block.merkle_root, block.first, block.last);
        if self.hash != block.block_hash {
            return Err(finding(Lie::BrokenChain { block: block.block }));
        }
        self.closed = block.block;
        Ok(())
    }

    fn ends_at(&self, head: &Head) -> Result<(), Finding> {
        let right = self.block.is_none() && self.closed == head.block && self.hash == head.block_hash;
        let finding = Finding {
            position: self.position,
            what: Lie::WrongHead,
        };
        right.then_some(()).ok_or(finding)
    }
}

async fn next_event(
    events: &mut (impl Stream<Item = Result<StoredEvent, LogError>> + Unpin),
    expected: Position,
) -> Result<StoredEvent, VerifyError> {
    match events.next().await {
        Some(Ok(event)) => Ok(event),
        Some(Err(LogError::Gap { expected, .. })) => Err(found(expected, Lie::MissingEvent)),
        Some(Err(LogError::Corrupt { position, .. })) => Err(found(position, Lie::ChangedContent)),
        Some(Err(error)) => Err(error.into()),
        None => Err(found(expected, Lie::MissingEvent)),
    }
}

/// An event after the head is an append's only if the head has moved by the time it is looked at again.
async fn nothing_beyond(log: &EventLog, tenant: TenantId, verified: Position) -> Result<(), VerifyError> {
    let beyond = match log.read(tenant, verified, 1, None).await {
        Ok(events) => events.first().map(|event| event.position),
        Err(LogError::Gap { found, .. }) => Some(found),
        Err(error) => return Err(error.into()),
    };
    match beyond {
        Some(position) if position > log.head(tenant).await?.position => {
            Err(found(position, Lie::InsertedEvent))
        }
        Some(_) | None => Ok(()),
    }
}

fn found(position: Position, what: Lie) -> VerifyError {
    VerifyError::Lie(Finding { position, what })
}
