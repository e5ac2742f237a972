//! The price list as its stream tells it, and how it decides.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    BookingPolicy, Confirmation, ItemAdded, ItemKind, MinimumSet, PriceChanged, PriceListCommand,
    PriceListError, PriceListEvent, TravelBandSet,
};
use crate::decider::Decider;
use crate::money::Cents;

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
    if tiers && gratuity && deposit {
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
                PriceListEvent::TravelBandSet(band)
            }
            PriceListCommand::SetMinimum(minimum) => {
                check_amount(minimum.weekday_cents)?;
                check_amount(minimum.weekend_cents)?;
                PriceListEvent::MinimumSet(minimum)
            }
            PriceListCommand::SetPolicy(policy) => {
                check_policy(&policy)?;
                PriceListEvent::PolicySet(policy)
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
            PriceListEvent::TravelBandSet(band) => self.travel = Some(band.clone()),
            PriceListEvent::MinimumSet(minimum) => self.minimum = Some(minimum.clone()),
            PriceListEvent::PolicySet(policy) => self.policy = Some(policy.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price_list::{BelowMinimum, ItemRetired};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn adult() -> ItemAdded {
        ItemAdded {
            item: "adult".to_owned(),
            label: "Adult".to_owned(),
            kind: ItemKind::Adult,
            price_cents: Cents(6_000),
            min_cents: Cents(3_000),
            max_cents: Cents(12_000),
            effective_from: at("2026-01-01T00:00:00Z"),
        }
    }

    fn list() -> PriceList {
        let mut list = PriceList::default();
        list.evolve(&PriceListEvent::ItemAdded(adult()));
        list
    }

    fn change(price: i64, from: &str) -> PriceListCommand {
        PriceListCommand::ChangePrice {
            item: "adult".to_owned(),
            price_cents: Cents(price),
            effective_from: at(from),
            reason: "season".to_owned(),
            confirmation: Confirmation::NotGiven,
            now: at("2026-02-01T00:00:00Z"),
        }
    }

    #[test]
    fn a_price_changes_at_its_instant_and_not_before() {
        let mut list = list();
        list.evolve(&list.decide(change(6_500, "2026-03-01T00:00:00Z")).unwrap()[0]);
        let price = |when| list.item_at("adult", at(when)).map(|item| item.price_cents);
        assert_eq!(price("2025-12-31T23:59:59Z"), None);
        assert_eq!(price("2026-02-28T23:59:59Z"), Some(Cents(6_000)));
        assert_eq!(price("2026-03-01T00:00:00Z"), Some(Cents(6_500)));
        assert_eq!(list.version(), 2);
        assert_eq!(
            list.decide(change(6_600, "2026-03-01T00:00:00Z")),
            Err(PriceListError::SameInstant)
        );
    }

    #[test]
    fn a_change_that_breaks_a_rule_is_refused() {
        let list = list();
        let from = "2026-03-01T00:00:00Z";
        assert_eq!(list.decide(change(-1, from)), Err(PriceListError::BadPrice));
        assert_eq!(
            list.decide(change(2_999, from)),
            Err(PriceListError::OutOfRange {
                min: Cents(3_000),
                max: Cents(12_000)
            })
        );
        assert_eq!(
            list.decide(change(9_001, from)),
            Err(PriceListError::ConfirmationRequired {
                old: Cents(6_000),
                new: Cents(9_001)
            })
        );
        assert!(list.decide(change(9_000, from)).is_ok());
        assert_eq!(
            list.decide(change(6_000, from)),
            Err(PriceListError::Unchanged(Cents(6_000)))
        );
        assert_eq!(
            list.decide(change(6_100, "2026-01-15T00:00:00Z")),
            Err(PriceListError::InThePast)
        );
    }

    #[test]
    fn a_large_change_passes_when_it_is_confirmed_and_explained() {
        let list = list();
        let ask = |reason: &str| PriceListCommand::ChangePrice {
            item: "adult".to_owned(),
            price_cents: Cents(12_000),
            effective_from: at("2026-03-01T00:00:00Z"),
            reason: reason.to_owned(),
            confirmation: Confirmation::Given,
            now: at("2026-02-01T00:00:00Z"),
        };
        assert_eq!(list.decide(ask("")), Err(PriceListError::BadReason));
        assert!(list.decide(ask("new menu")).is_ok());
    }

    #[test]
    fn an_item_is_added_once_and_gone_when_retired() {
        let mut list = list();
        assert_eq!(
            list.decide(PriceListCommand::AddItem(adult())),
            Err(PriceListError::ItemExists("adult".to_owned()))
        );
        let odd = ItemAdded {
            item: "Not Ok".to_owned(),
            ..adult()
        };
        assert_eq!(
            list.decide(PriceListCommand::AddItem(odd)),
            Err(PriceListError::BadItem)
        );
        let retire = PriceListCommand::RetireItem(ItemRetired {
            item: "adult".to_owned(),
            effective_from: at("2026-06-01T00:00:00Z"),
            reason: "off season".to_owned(),
        });
        list.evolve(&list.decide(retire).unwrap()[0]);
        assert!(list.item_at("adult", at("2026-05-31T00:00:00Z")).is_some());
        assert!(list.item_at("adult", at("2026-06-01T00:00:00Z")).is_none());
        assert_eq!(
            list.decide(change(6_500, "2026-07-01T00:00:00Z")),
            Err(PriceListError::ItemUnknown("adult".to_owned()))
        );
    }

    #[test]
    fn terms_that_contradict_themselves_are_refused() {
        let list = list();
        let band = TravelBandSet {
            free_miles: 30,
            per_mile_cents: Cents(200),
            max_miles: 20,
        };
        assert_eq!(
            list.decide(PriceListCommand::SetTravelBand(band)),
            Err(PriceListError::BadTerms)
        );
        let policy = BookingPolicy {
            deposit_due_hours: 0,
            ..BookingPolicy::default()
        };
        assert_eq!(
            list.decide(PriceListCommand::SetPolicy(policy)),
            Err(PriceListError::BadTerms)
        );
        let minimum = MinimumSet {
            weekday_cents: Cents(-1),
            weekend_cents: Cents(0),
            below: BelowMinimum::TopUp,
        };
        assert_eq!(
            list.decide(PriceListCommand::SetMinimum(minimum)),
            Err(PriceListError::BadPrice)
        );
    }
}
