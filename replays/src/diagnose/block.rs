//! A block whose events each fit their hashes, though not the block's root: the hashes were made anew with them.

use std::pin::pin;

use domain::envelope::{Position, StoredEvent, Version};
use event_log::LogError;
use event_log::proof::{Hash, MerkleRoot, leaf_hash};
use futures::TryStreamExt;

use super::{Inquiry, at};
use crate::lie::{Finding, Lie};

/// Events of a block of which every two are tried. Half of its square times its size in hashes: some seconds.
const PAIRS: usize = 256;
/// Events of a block of which each is tried.
const SINGLES: usize = 4096;

impl Inquiry<'_> {
    /// Names what happened to the events of a block that begins at a position.
    pub(super) async fn changed_block(&self, first: Position, number: i64) -> Result<Finding, LogError> {
        let part = self.changed_part(first).await?;
        let unexplained = Finding {
            position: first,
            what: Lie::ChangedBlock { block: number, part },
        };
        let mut blocks = pin!(self.log.stream_blocks_after(self.tenant, number - 1));
        let Some(block) = blocks.try_next().await? else {
            return Ok(unexplained);
        };
        let mut events = Vec::new();
        let mut after = Position(first.0 - 1);
        // With the event after the block: it was the block's last if another was put in.
        while after <= block.last && events.len() <= SINGLES {
            let page = self.log.inspect(self.tenant, after).await?;
            let Some(last) = page.last() else { break };
            after = last.position;
            events.extend(page);
        }
        let mut within: Vec<StoredEvent> = events
            .into_iter()
            .filter(|event| event.position <= block.last.next())
            .collect();
        let next = within.pop_if(|event| event.position > block.last);
        if let Some((one, other)) = swapped(&within, &block.merkle_root) {
            return Ok(Finding {
                position: one,
                what: Lie::SwappedEvents { with: other },
            });
        }
        if let Some(position) = inserted(&within, next, &block.merkle_root) {
            return Ok(Finding {
                position,
                what: Lie::InsertedEvent,
            });
        }
        Ok(unexplained)
    }
}

fn root(leaves: impl IntoIterator<Item = Hash>) -> Option<Hash> {
    let mut root = MerkleRoot::default();
    leaves.into_iter().for_each(|leaf| root.push(leaf));
    root.root()
}

/// The two events that give the block's root when each stands in the other's place, with its sequence or without.
fn swapped(events: &[StoredEvent], expected: &Hash) -> Option<(Position, Position)> {
    if events.len() > PAIRS {
        return None;
    }
    let leaves: Vec<Hash> = events.iter().map(leaf_hash).collect();
    for (i, one) in events.iter().enumerate() {
        for (j, other) in events.iter().enumerate().skip(i + 1) {
            let back = (at(one, other.position), at(other, one.position));
            let in_stream = (
                resequenced(&back.0, other.sequence),
                resequenced(&back.1, one.sequence),
            );
            for (at_other, at_one) in [back, in_stream] {
                let mut restored = leaves.clone();
                restored[i] = leaf_hash(&at_one);
                restored[j] = leaf_hash(&at_other);
                if root(restored) == Some(*expected) {
                    return Some((one.position, other.position));
                }
            }
        }
    }
    None
}

/// The event without which the block's root comes out, all after it being one further down than they were.
fn inserted(events: &[StoredEvent], next: Option<StoredEvent>, expected: &Hash) -> Option<Position> {
    if events.len() > SINGLES {
        return None;
    }
    let all: Vec<StoredEvent> = events.iter().cloned().chain(next).collect();
    let kept: Vec<Hash> = all.iter().map(leaf_hash).collect();
    for (index, candidate) in all.iter().enumerate().take(events.len()) {
        let back = |event: &StoredEvent| at(event, Position(event.position.0 - 1));
        let in_stream = |event: &StoredEvent| {
            if event.stream == candidate.stream {
                resequenced(&back(event), Version(event.sequence.0 - 1))
            } else {
                back(event)
            }
        };
        let before = || kept[..index].iter().copied();
        let later = &all[index + 1..];
        let by_position = root(before().chain(later.iter().map(|event| leaf_hash(&back(event)))));
        let by_stream = root(before().chain(later.iter().map(|event| leaf_hash(&in_stream(event)))));
        if by_position == Some(*expected) || by_stream == Some(*expected) {
            return Some(candidate.position);
        }
    }
    None
}

fn resequenced(event: &StoredEvent, sequence: Version) -> StoredEvent {
    StoredEvent {
        sequence,
        ..event.clone()
    }
}
