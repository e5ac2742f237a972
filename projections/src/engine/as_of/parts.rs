//! A state that takes more memory than it may: its rows are folded a part of the keys at a time, and each part is asked
//! before the next is folded. No row looks at another, so that the answer is the same; it takes as many times longer.

use std::hash::{DefaultHasher, Hash, Hasher};

use domain::envelope::Position;
use domain::ids::TenantId;

use super::log_walk::{Walked, each_event};
use super::state::Size;
use crate::engine::error::ReadError;
use crate::engine::fold::{Fold, Rows};
use crate::engine::history::Read;
use crate::engine::history::beside;
use crate::engine::incomplete;
use crate::engine::models::ReadModels;
use crate::engine::select_memory::Sieve;

/// More parts than these are not made: a single row takes what it takes.
const MOST: u64 = 1 << 10;

/// Offers every row to a sieve, and says whether the answer lacks what is held back.
pub(crate) async fn sift<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    position: Position,
    sieve: Sieve<F::Row>,
) -> Result<(Sieve<F::Row>, bool), ReadError> {
    let _turn = models.states().turn().await;
    let mut parts = 2;
    loop {
        let largest = if parts < MOST {
            models.states().largest()
        } else {
            usize::MAX
        };
        let sifted = sift_in::<F>(models, tenant, position, sieve.clone(), (parts, largest)).await?;
        match sifted {
            Some(sifted) => return Ok(sifted),
            None => parts *= 2,
        }
    }
}

/// The same in so many parts; none where one of them is too large still.
async fn sift_in<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    position: Position,
    mut sieve: Sieve<F::Row>,
    (parts, largest): (u64, usize),
) -> Result<Option<(Sieve<F::Row>, bool)>, ReadError> {
    let mut lacks = false;
    for part in 0..parts {
        let step = move |(rows, size): &mut (Rows<F>, Size), read: Read| {
            rows.take_where(&read, |key| part_of(key, parts) == part)?;
            size.watch(rows)
        };
        // A panic costs nobody but whoever asks here: no other walk than a careful one.
        let begin = (Rows::<F>::default().careful(), Size::new(largest));
        match each_event::<F, _>(models, tenant, (Position::START, position), begin, step).await? {
            Walked::ToTheEnd((rows, _)) => {
                lacks |= incomplete::folded::<F>(rows.parked(), sieve.conditions());
                sieve = beside(move || {
                    rows.iter().for_each(|row| sieve.offer(row));
                    sieve
                })
                .await;
            }
            Walked::TooLarge => return Ok(None),
            Walked::Panicked => unreachable!("careful rows outlive a panic"),
        }
    }
    Ok(Some((sieve, lacks)))
}

fn part_of<K: Hash>(key: &K, parts: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish() % parts
}
