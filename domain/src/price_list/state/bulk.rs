//! Many prices changed at once: all of them or none.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::super::{Confirmation, PriceListError, PriceListEvent};
use super::PriceList;
use crate::money::{Cents, RatePpm, div_half_up};

/// Many prices to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BulkChange {
    /// Whose prices; all that are on offer then where none is named.
    pub items: BTreeSet<String>,
    /// By how much.
    pub by: Adjustment,
    /// New prices are multiples of this many cents, 1 to 10,000: the nearest, half of it rounded up.
    pub round_to: Cents,
    /// From when, inclusive; not before `now`.
    pub effective_from: DateTime<Utc>,
    /// Why; 3 to 500 characters.
    pub reason: String,
    /// Whether changes of more than half were confirmed.
    pub confirmation: Confirmation,
    /// The time of asking.
    pub now: DateTime<Utc>,
}

/// By how much prices change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Adjustment {
    /// By a share of what each is: 50,000 ppm is 5 % up. From -1 to 1.
    Percent(RatePpm),
    /// By the same amount each.
    Amount(Cents),
}

/// What a change of many prices would do to one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedPrice {
    /// Whose price.
    pub item: String,
    /// Name for customers; none of an item that is not there.
    pub label: Option<String>,
    /// Tax-inclusive price right before, in cents.
    pub old_cents: Option<Cents>,
    /// Tax-inclusive price from then on, in cents; as before where rounding leaves it there, which records nothing.
    pub new_cents: Option<Cents>,
    /// Why it cannot change so: then none changes.
    pub refused: Option<PriceListError>,
}

impl Adjustment {
    fn check(self) -> Result<(), PriceListError> {
        let fits = match self {
            Self::Percent(share) => (-1_000_000..=1_000_000).contains(&share.0) && share.0 != 0,
            Self::Amount(amount) => amount.0.abs() <= Cents::MAX_INPUT.0 && !amount.is_zero(),
        };
        if fits {
            Ok(())
        } else {
            Err(PriceListError::BadAdjustment)
        }
    }

    /// The new price: rounded once, to a multiple.
    fn of(self, old: Cents, multiple: i128) -> Cents {
        let times = match self {
            Self::Percent(share) => div_half_up(
                i128::from(old.0) * (1_000_000 + i128::from(share.0)),
                1_000_000 * multiple,
            ),
            Self::Amount(amount) => div_half_up(i128::from(old.0) + i128::from(amount.0), multiple),
        };
        Cents(times).times(i64::try_from(multiple).expect("a multiple is 10,000 at most"))
    }
}

impl BulkChange {
    fn multiple(&self) -> Result<i128, PriceListError> {
        if (1..=10_000).contains(&self.round_to.0) {
            Ok(i128::from(self.round_to.0))
        } else {
            Err(PriceListError::BadRounding)
        }
    }
}

/// What becomes of one item: its price stays, or changes by an event.
type Changed = Option<PriceListEvent>;

impl PriceList {
    /// What a change of many prices would do, item by item, by name.
    ///
    /// # Errors
    /// [`PriceListError`] when it is not one at all: no adjustment, or no rounding.
    pub fn propose(&self, ask: &BulkChange) -> Result<Vec<ProposedPrice>, PriceListError> {
        let decided = self.decide_bulk(ask)?;
        Ok(decided.into_iter().map(|(proposed, _)| proposed).collect())
    }

    /// Every change, or the first reason why one of them cannot be.
    pub(super) fn change_many(&self, ask: &BulkChange) -> Result<Vec<PriceListEvent>, PriceListError> {
        super::check_reason(&ask.reason)?;
        let mut events = Vec::new();
        for (proposed, changed) in self.decide_bulk(ask)? {
            if let Some(refused) = proposed.refused {
                return Err(PriceListError::OfItem {
                    item: proposed.item,
                    refused: Box::new(refused),
                });
            }
            events.extend(changed);
        }
        if events.is_empty() {
            return Err(PriceListError::NothingChanges);
        }
        Ok(events)
    }

    fn decide_bulk(&self, ask: &BulkChange) -> Result<Vec<(ProposedPrice, Changed)>, PriceListError> {
        ask.by.check()?;
        let multiple = ask.multiple()?;
        let on_offer = || {
            let items = self.items_at(ask.effective_from).into_iter();
            items.map(|item| item.item).collect::<BTreeSet<_>>()
        };
        let names = if ask.items.is_empty() {
            on_offer()
        } else {
            ask.items.clone()
        };
        Ok(names
            .into_iter()
            .map(|name| self.decide_one(ask, name, multiple))
            .collect())
    }

    fn decide_one(&self, ask: &BulkChange, name: String, multiple: i128) -> (ProposedPrice, Changed) {
        let Some(item) = self.item_at(&name, ask.effective_from) else {
            let unknown = ProposedPrice {
                refused: Some(super::unknown(&name)),
                item: name,
                label: None,
                old_cents: None,
                new_cents: None,
            };
            return (unknown, None);
        };
        let old = item.price_cents;
        let new = ask.by.of(old, multiple);
        let decided = if new == old {
            Ok(None)
        } else {
            self.change(
                name.clone(),
                new,
                ask.effective_from,
                ask.reason.clone(),
                ask.confirmation,
                ask.now,
            )
            .map(Some)
        };
        let (refused, changed) = match decided {
            Ok(changed) => (None, changed),
            Err(refused) => (Some(refused), None),
        };
        let proposed = ProposedPrice {
            item: name,
            label: Some(item.label),
            old_cents: Some(old),
            new_cents: Some(new),
            refused,
        };
        (proposed, changed)
    }
}
