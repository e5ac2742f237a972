//! What a fold makes of a log up to a position, as one state in memory: shared by all who ask for it at the same time,
//! begun from the nearest one that is kept, and kept itself, as are some on the way.

use std::sync::Arc;

use domain::envelope::Position;
use domain::ids::TenantId;

use super::log_walk::{Cut, Walked, each_event};
use super::states::{Shared, States};
use crate::engine::error::ReadError;
use crate::engine::fold::{Fold, Row, Rows};
use crate::engine::history::Read;
use crate::engine::history::beside;
use crate::engine::models::ReadModels;

/// Positions between states that are kept on the way, at first. The nearer they are, the more memory they take, and the
/// less is left to fold for a position in between.
const SPACING: i64 = 1 << 15;

/// Stands for rows that take more memory than one state may.
struct TooLarge;

/// What a fold has made of a log up to a position; none where it takes more memory than one state may.
pub(crate) async fn state<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    position: Position,
) -> Result<Option<Arc<Rows<F>>>, ReadError> {
    let flight = models.states().flight::<F>(tenant, position);
    let shared = flight.come_to(fold::<F>(models, tenant, position)).await?;
    Ok(shared.downcast().ok())
}

async fn fold<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    position: Position,
) -> Result<Shared, ReadError> {
    let states = models.states();
    if let Some((at, rows)) = states.nearest::<F>(tenant, position)
        && at == position
    {
        return Ok(rows);
    }
    let _turn = states.turn().await;
    let nearest = states.nearest::<F>(tenant, position);
    let (after, rows) = nearest.map_or((Position::START, None), |(at, rows)| (at, Some(rows)));
    let on_the_way = Arc::clone(states);
    let step = move |folding: &mut Folding<F>, read: Read| {
        folding
            .way
            .pass(&on_the_way, tenant, &folding.rows, read.position);
        folding.rows.take(&read)?;
        folding.size.watch(&folding.rows)
    };
    let largest = states.largest();
    let begin = |careful| {
        let rows = rows.clone();
        beside(move || {
            let rows = rows.map(|rows| Rows::clone(&rows)).unwrap_or_default();
            Folding {
                rows: if careful { rows.careful() } else { rows },
                way: Way::new(after),
                size: Size::new(largest),
            }
        })
    };
    let span = (after, position);
    let mut walked = each_event::<F, _>(models, tenant, span, begin(false).await, step.clone()).await?;
    if let Walked::Panicked = walked {
        walked = each_event::<F, _>(models, tenant, span, begin(true).await, step).await?;
    }
    match walked {
        Walked::ToTheEnd(folding) => {
            let rows = Arc::new(folding.rows);
            states.keep(tenant, position, Arc::clone(&rows), heap(&rows));
            Ok(rows)
        }
        Walked::TooLarge => Ok(Arc::new(TooLarge)),
        Walked::Panicked => unreachable!("careful rows outlive a panic"),
    }
}

struct Folding<F: Fold> {
    rows: Rows<F>,
    way: Way,
    size: Size,
}

/// Where states are kept on the way.
struct Way {
    spacing: i64,
    last: i64,
    kept: Vec<(Position, usize)>,
}

impl Way {
    fn new(after: Position) -> Self {
        Self {
            spacing: SPACING,
            last: after.0,
            kept: Vec::new(),
        }
    }

    /// Keeps the state right before an event, where it is the first beyond a place for one.
    fn pass<F: Fold>(&mut self, states: &States, tenant: TenantId, rows: &Rows<F>, next: Position) {
        let place = (next.0 - 1).div_euclid(self.spacing) * self.spacing;
        if place <= self.last {
            return;
        }
        self.last = place;
        let (size, part) = (heap(rows), states.part());
        // A copy of many rows is not made to be dropped again.
        if size > part / 2 {
            return;
        }
        states.keep(tenant, Position(place), Arc::new(rows.clone()), size);
        self.kept.push((Position(place), size));
        while self.kept.iter().map(|(_, size)| size).sum::<usize>() > part {
            self.spacing *= 2;
            let spacing = self.spacing;
            self.kept.retain(|(at, _)| {
                let stays = at.0.rem_euclid(spacing) == 0;
                if !stays {
                    states.forget::<F>(tenant, *at);
                }
                stays
            });
        }
    }
}

/// Looks now and then what rows take, which is to count them all.
pub(crate) struct Size {
    largest: usize,
    look_at: u64,
}

impl Size {
    /// Where they may take so many bytes, about.
    pub(crate) fn new(largest: usize) -> Self {
        Self { largest, look_at: 1 }
    }

    /// Looks, when they have become a fourth more.
    pub(crate) fn watch<F: Fold>(&mut self, rows: &Rows<F>) -> Result<(), Cut> {
        if rows.len() < self.look_at {
            return Ok(());
        }
        self.look_at = rows.len() + rows.len() / 4 + 1;
        if heap(rows) > self.largest {
            Err(Cut::TooLarge)
        } else {
            Ok(())
        }
    }
}

/// What rows take in memory, in bytes and roughly.
fn heap<F: Fold>(rows: &Rows<F>) -> usize {
    rows.iter()
        .map(|row| row.heap() + size_of::<<F::Row as Row>::Key>())
        .sum()
}
