//! The price list as its stream tells it, and how it decides.

mod bulk;
mod sheet;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    BookingPolicy, Confirmation, ItemAdded, ItemKind, MinimumSet, PriceChanged, PriceListCommand,
    PriceListError, PriceListEvent, TravelBandSet,
};
use crate::decider::Decider;
use crate::money::Cents;

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

    fn add(&self, added: ItemAdded) -> Result<PriceListEvent, PriceListError> {
        let name_fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let label = added.label.trim().chars().count();
        if !(1..=40).contains(&added.item.len())
            || !added.item.bytes().all(name_fits)
            || !(1..=120).contains(&label)
        {
            return Err(PriceListError::BadItem);
        }
        if self.items.contains_key(&added.item) {
            return Err(PriceListError::ItemExists(added.item));
        }
        check_amount(added.min_cents)?;
        check_amount(added.max_cents)?;
        check_range(added.price_cents, &added)?;
        Ok(PriceListEvent::ItemAdded(added))
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
        let item = self
            .items
            .get(&name)
            .ok_or_else(|| PriceListError::ItemUnknown(name.clone()))?;
        if from < now {
            return Err(PriceListError::InThePast);
        }
        let (since, old) = item
            .price_at(from)
            .ok_or_else(|| PriceListError::ItemUnknown(name.clone()))?;
        check_amount(new)?;
        check_range(new, &item.added)?;
        if since == from {
            return Err(PriceListError::SameInstant);
        }
        if old == new {
            return Err(PriceListError::Unchanged(old));
        }
        if confirmation == Confirmation::NotGiven && (new - old).0.abs() * 2 > old.0 {
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

fn check_amount(amount: Cents) -> Result<(), PriceListError> {
    if amount < Cents::ZERO || amount > Cents::MAX_INPUT {
        Err(PriceListError::BadPrice)
    } else {
        Ok(())
    }
}

fn check_range(price: Cents, item: &ItemAdded) -> Result<(), PriceListError> {
    check_amount(price)?;
    if price < item.min_cents || price > item.max_cents {
        return Err(PriceListError::OutOfRange {
            min: item.min_cents,
            max: item.max_cents,
        });
    }
    Ok(())
}

fn check_reason(reason: &str) -> Result<(), PriceListError> {
    if (3..=500).contains(&reason.trim().chars().count()) {
        Ok(())
    } else {
        Err(PriceListError::BadReason)
    }
}

fn check_policy(policy: &BookingPolicy) -> Result<(), PriceListError> {
    let share = |ppm: crate::money::RatePpm| (0..=1_000_000).contains(&ppm.0);
    let tiers = policy
        .cancellation_tiers
        .iter()
        .all(|tier| tier.hours_before >= 0 && share(tier.refund_ppm));
    let gratuity = policy
        .gratuity
        .as_ref()
        .is_none_or(|gratuity| gratuity.from_guests >= 1 && share(gratuity.rate_ppm));
    let deposit =
        check_amount(policy.deposit_cents).is_ok() && (1..=8_760).contains(&policy.deposit_due_hours);
    let changes = &policy.changes;
    let changes = changes.free_reschedules >= 0
        && changes.free_hours_before >= 0
        && changes.locked_hours_before >= 0
        && changes
            .reschedule_fee_cents
            .is_none_or(|fee| check_amount(fee).is_ok());
    if tiers && gratuity && deposit && changes && share(policy.card_fee_ppm) {
        Ok(())
    } else {
        Err(PriceListError::BadTerms)
    }
}

impl Decider for PriceList {
    const STREAM: &'static str = "price_list";
    type Command = PriceListCommand;
    type Event = PriceListEvent;
    type Error = PriceListError;

    fn decide(&self, command: PriceListCommand) -> Result<Vec<PriceListEvent>, PriceListError> {
        let event = match command {
            PriceListCommand::AddItem(added) => self.add(added)?,
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
            PriceListCommand::RetireItem(retired) => {
                check_reason(&retired.reason)?;
                if self.item_at(&retired.item, retired.effective_from).is_none() {
                    return Err(PriceListError::ItemUnknown(retired.item));
                }
                PriceListEvent::ItemRetired(retired)
            }
            PriceListCommand::SetTravelBand(band) => {
                check_amount(band.per_mile_cents)?;
                if band.free_miles < 0 || band.max_miles < band.free_miles {
                    return Err(PriceListError::BadTerms);
                }
                PriceListEvent::TravelBandSet(TravelBandSet {
                    before: self.travel.clone().map(Box::new),
                    ..band
                })
            }
            PriceListCommand::SetMinimum(minimum) => {
                check_amount(minimum.weekday_cents)?;
                check_amount(minimum.weekend_cents)?;
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
