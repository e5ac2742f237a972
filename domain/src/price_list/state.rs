//! The price list as its stream tells it, and how it decides.

mod bulk;
mod checks;
mod sheet;

use std::collections::BTreeMap;
use std::ops::Bound;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    BookingPolicy, Confirmation, ItemAdded, ItemKind, ItemRetired, MinimumSet, PriceChanged,
    PriceListCommand, PriceListError, PriceListEvent, TravelBandSet,
};
use crate::decider::Decider;
use crate::money::Cents;

use checks::{
    check_amount, check_instant, check_limits, check_minimum, check_policy, check_range, check_reason,
    check_travel, unknown,
};

pub use bulk::{Adjustment, BulkChange, ProposedPrice};

/// A station's price list: every item with every price it ever had or will have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceList {
    items: BTreeMap<String, Item>,
    travel: Option<TravelBandSet>,
    minimum: Option<MinimumSet>,
    policy: Option<BookingPolicy>,
    version: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Item {
    added: ItemAdded,
    prices: BTreeMap<DateTime<Utc>, Cents>,
    retired_from: Option<DateTime<Utc>>,
}

impl Item {
    fn price_at(&self, at: DateTime<Utc>) -> Option<(DateTime<Utc>, Cents)> {
        if self.retired_from.is_some_and(|retired| retired <= at) {
            return None;
        }
        self.prices
            .range(..=at)
            .next_back()
            .map(|(from, price)| (*from, *price))
    }

    /// The price that follows what is in force at an instant, where one does while it is on offer.
    fn price_after(&self, at: DateTime<Utc>) -> Option<Cents> {
        self.prices
            .range((Bound::Excluded(at), Bound::Unbounded))
            .next()
            .filter(|(from, _)| self.retired_from.is_none_or(|retired| **from < retired))
            .map(|(_, price)| *price)
    }
}

/// An item at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedItem {
    /// Stable name.
    pub item: String,
    /// Name for customers.
    pub label: String,
    /// What the price is for.
    pub kind: ItemKind,
    /// Tax-inclusive price of one, in cents.
    pub price_cents: Cents,
    /// The lowest that it may become.
    pub min_cents: Cents,
    /// The highest that it may become.
    pub max_cents: Cents,
    /// Since when this price is in force.
    pub effective_from: DateTime<Utc>,
}

impl PriceList {
    /// Number of changes so far: what a quote cites.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// What is on offer at a time, by name.
    pub fn items_at(&self, at: DateTime<Utc>) -> Vec<PricedItem> {
        self.items
            .values()
            .filter_map(|item| Self::priced(item, at))
            .collect()
    }

    /// One item at a time.
    pub fn item_at(&self, name: &str, at: DateTime<Utc>) -> Option<PricedItem> {
        self.items.get(name).and_then(|item| Self::priced(item, at))
    }

    /// How travel is charged.
    pub fn travel(&self) -> Option<&TravelBandSet> {
        self.travel.as_ref()
    }

    /// The least that a booking costs.
    pub fn minimum(&self) -> Option<&MinimumSet> {
        self.minimum.as_ref()
    }

    /// The terms of booking; the defaults until some are set.
    pub fn policy(&self) -> BookingPolicy {
        self.policy.clone().unwrap_or_default()
    }

    fn priced(item: &Item, at: DateTime<Utc>) -> Option<PricedItem> {
        let (effective_from, price_cents) = item.price_at(at)?;
        Some(PricedItem {
            item: item.added.item.clone(),
            label: item.added.label.clone(),
            kind: item.added.kind,
            price_cents,
            min_cents: item.added.min_cents,
            max_cents: item.added.max_cents,
            effective_from,
        })
    }

    fn add(&self, added: ItemAdded, now: DateTime<Utc>) -> Result<PriceListEvent, PriceListError> {
        let name_fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let label = added.label.trim();
        if !(1..=40).contains(&added.item.len())
            || !added.item.bytes().all(name_fits)
            || !(1..=120).contains(&label.chars().count())
            || label.chars().any(char::is_control)
        {
            return Err(PriceListError::BadItem);
        }
        if self.items.contains_key(&added.item) {
            return Err(PriceListError::ItemExists(added.item));
        }
        check_instant(added.effective_from, now)?;
        check_limits(&added)?;
        check_range(added.price_cents, &added)?;
        if let Some(other) = self.priced_alike(&added) {
            return Err(PriceListError::GuestsPriced(other.to_owned()));
        }
        let label = label.to_owned();
        Ok(PriceListEvent::ItemAdded(ItemAdded { label, ..added }))
    }

    /// The item that prices the same guests at the same time: a quote could not tell which to take.
    fn priced_alike(&self, added: &ItemAdded) -> Option<&str> {
        match added.kind {
            ItemKind::AddOn => None,
            ItemKind::Adult | ItemKind::Child => self
                .items
                .values()
                .filter(|item| item.added.kind == added.kind)
                .find(|item| {
                    item.retired_from
                        .is_none_or(|retired| retired > added.effective_from)
                })
                .map(|item| item.added.item.as_str()),
        }
    }

    fn retire(&self, retired: ItemRetired, now: DateTime<Utc>) -> Result<PriceListEvent, PriceListError> {
        check_reason(&retired.reason)?;
        check_instant(retired.effective_from, now)?;
        if self.item_at(&retired.item, retired.effective_from).is_none() {
            return Err(unknown(&retired.item));
        }
        Ok(PriceListEvent::ItemRetired(retired))
    }

    fn change(
        &self,
        name: String,
        new: Cents,
        from: DateTime<Utc>,
        reason: String,
        confirmation: Confirmation,
        now: DateTime<Utc>,
    ) -> Result<PriceListEvent, PriceListError> {
        let item = self.items.get(&name).ok_or_else(|| unknown(&name))?;
        check_instant(from, now)?;
        let (since, old) = item.price_at(from).ok_or_else(|| unknown(&name))?;
        check_amount(new)?;
        check_range(new, &item.added)?;
        if since == from {
            return Err(PriceListError::SameInstant);
        }
        if old == new {
            return Err(PriceListError::Unchanged(old));
        }
        // What comes between two prices makes two steps.
        let steps = [Some((old, new)), item.price_after(from).map(|next| (new, next))];
        let steep = |(old, new): &(Cents, Cents)| (*new - *old).0.abs() * 2 > old.0;
        if confirmation == Confirmation::NotGiven
            && let Some((old, new)) = steps.into_iter().flatten().find(steep)
        {
            return Err(PriceListError::ConfirmationRequired { old, new });
        }
        check_reason(&reason)?;
        Ok(PriceListEvent::PriceChanged(PriceChanged {
            item: name,
            old_cents: old,
            new_cents: new,
            effective_from: from,
            reason,
        }))
    }
}

impl Decider for PriceList {
    const STREAM: &'static str = "price_list";
    type Command = PriceListCommand;
    type Event = PriceListEvent;
    type Error = PriceListError;

    fn decide(&self, command: PriceListCommand) -> Result<Vec<PriceListEvent>, PriceListError> {
        let event = match command {
            PriceListCommand::AddItem { added, now } => self.add(added, now)?,
            PriceListCommand::ChangePrice {
                item,
                price_cents,
                effective_from,
                reason,
                confirmation,
                now,
            } => self.change(item, price_cents, effective_from, reason, confirmation, now)?,
            PriceListCommand::ChangeMany(ask) => return self.change_many(&ask),
            PriceListCommand::Import(ask) => return self.import(&ask),
            PriceListCommand::RetireItem { retired, now } => self.retire(retired, now)?,
            PriceListCommand::SetTravelBand(band) => {
                check_travel(&band)?;
                PriceListEvent::TravelBandSet(TravelBandSet {
                    before: self.travel.clone().map(Box::new),
                    ..band
                })
            }
            PriceListCommand::SetMinimum(minimum) => {
                check_minimum(&minimum)?;
                PriceListEvent::MinimumSet(MinimumSet {
                    before: self.minimum.clone().map(Box::new),
                    ..minimum
                })
            }
            PriceListCommand::SetPolicy(policy) => {
                check_policy(&policy)?;
                PriceListEvent::PolicySet(BookingPolicy {
                    before: self.policy.clone().map(Box::new),
                    ..policy
                })
            }
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &PriceListEvent) {
        self.version += 1;
        match event {
            PriceListEvent::ItemAdded(added) => {
                let prices = BTreeMap::from([(added.effective_from, added.price_cents)]);
                self.items.insert(
                    added.item.clone(),
                    Item {
                        added: added.clone(),
                        prices,
                        retired_from: None,
                    },
                );
            }
            PriceListEvent::PriceChanged(changed) => {
                if let Some(item) = self.items.get_mut(&changed.item) {
                    item.prices.insert(changed.effective_from, changed.new_cents);
                }
            }
            PriceListEvent::ItemRetired(retired) => {
                if let Some(item) = self.items.get_mut(&retired.item) {
                    item.retired_from = Some(retired.effective_from);
                }
            }
            // What held before is the event's to tell: a state holds what holds.
            PriceListEvent::TravelBandSet(band) => {
                self.travel = Some(TravelBandSet {
                    before: None,
                    ..band.clone()
                });
            }
            PriceListEvent::MinimumSet(minimum) => {
                self.minimum = Some(MinimumSet {
                    before: None,
                    ..minimum.clone()
                });
            }
            PriceListEvent::PolicySet(policy) => {
                self.policy = Some(BookingPolicy {
                    before: None,
                    ..policy.clone()
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
