mod items;
mod many;

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

fn add(added: ItemAdded) -> PriceListCommand {
    PriceListCommand::AddItem {
        added,
        now: at("2026-01-01T00:00:00Z"),
    }
}

fn retire(item: &str, from: &str, reason: &str) -> PriceListCommand {
    PriceListCommand::RetireItem {
        retired: ItemRetired {
            item: item.to_owned(),
            effective_from: at(from),
            reason: reason.to_owned(),
        },
        now: at("2026-02-01T00:00:00Z"),
    }
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
        list.decide(add(adult())),
        Err(PriceListError::ItemExists("adult".to_owned()))
    );
    let odd = ItemAdded {
        item: "Not Ok".to_owned(),
        ..adult()
    };
    assert_eq!(list.decide(add(odd)), Err(PriceListError::BadItem));
    let retire = retire("adult", "2026-06-01T00:00:00Z", "off season");
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
        before: None,
    };
    assert_eq!(
        list.decide(PriceListCommand::SetTravelBand(band)),
        Err(PriceListError::BadTerms(&["maxMiles"]))
    );
    let policy = BookingPolicy {
        deposit_due_hours: 0,
        ..BookingPolicy::default()
    };
    assert_eq!(
        list.decide(PriceListCommand::SetPolicy(policy)),
        Err(PriceListError::BadTerms(&["depositDueHours"]))
    );
    let minimum = MinimumSet {
        weekday_cents: Cents(-1),
        weekend_cents: Cents(0),
        below: BelowMinimum::TopUp,
        before: None,
    };
    assert_eq!(
        list.decide(PriceListCommand::SetMinimum(minimum)),
        Err(PriceListError::BadTerms(&["weekdayMinor"]))
    );
}

#[test]
fn terms_that_are_set_anew_tell_what_held_before_and_the_list_holds_only_what_holds() {
    let mut list = list();
    let set = |list: &mut PriceList, command| {
        let event = list.decide(command).unwrap().remove(0);
        list.evolve(&event);
        event
    };
    let band = |free_miles, before| TravelBandSet {
        free_miles,
        per_mile_cents: Cents(200),
        max_miles: 80,
        before,
    };
    let held = list.travel().cloned();
    let first = set(&mut list, PriceListCommand::SetTravelBand(band(20, None)));
    assert_eq!(first, PriceListEvent::TravelBandSet(band(20, held.map(Box::new))));
    let second = set(&mut list, PriceListCommand::SetTravelBand(band(30, None)));
    let before = Some(Box::new(band(20, None)));
    assert_eq!(second, PriceListEvent::TravelBandSet(band(30, before)));
    assert_eq!(list.travel(), Some(&band(30, None)));

    let minimum = |weekday, before| MinimumSet {
        weekday_cents: Cents(weekday),
        weekend_cents: Cents(60_000),
        below: BelowMinimum::TopUp,
        before,
    };
    set(&mut list, PriceListCommand::SetMinimum(minimum(50_000, None)));
    let again = set(&mut list, PriceListCommand::SetMinimum(minimum(55_000, None)));
    let before = Some(Box::new(minimum(50_000, None)));
    assert_eq!(again, PriceListEvent::MinimumSet(minimum(55_000, before)));
    assert_eq!(list.minimum(), Some(&minimum(55_000, None)));

    let terms = |hours, before| BookingPolicy {
        deposit_due_hours: hours,
        before,
        ..BookingPolicy::default()
    };
    set(&mut list, PriceListCommand::SetPolicy(terms(24, None)));
    let again = set(&mut list, PriceListCommand::SetPolicy(terms(48, None)));
    let before = Some(Box::new(terms(24, None)));
    assert_eq!(again, PriceListEvent::PolicySet(terms(48, before)));
    assert_eq!(list.policy(), terms(48, None));
}
