mod bookings;
mod chefs;
mod jobs;

use domain::money::{Cents, RatePpm};
use domain::price_list::{
    BookingPolicy, ChangePolicy, MinimumSet, PriceListEvent, PricesOfChange, TravelBandSet,
};
use domain::tax_rate::TaxRateSet;

use super::super::{FieldChange, FieldType};
use super::*;
use crate::testing::tax_place;

fn change(path: &str, kind: FieldType, before: Option<&str>, after: &str) -> FieldChange {
    FieldChange {
        path: path.to_owned(),
        kind,
        before: before.map(str::to_owned),
        after: Some(after.to_owned()),
    }
}

#[test]
fn how_a_booking_may_be_changed_is_told_where_it_is_not_as_it_was() {
    let terms = |fee, prices, before| BookingPolicy {
        changes: ChangePolicy {
            reschedule_fee_cents: fee,
            prices,
            ..ChangePolicy::default()
        },
        before,
        ..BookingPolicy::default()
    };
    let first = terms(None, PricesOfChange::Current, Some(Box::default()));
    let told = describe(&DomainEvent::PriceList(PriceListEvent::PolicySet(first.clone())));
    let fee = FieldChange {
        path: "policy.changes.reschedule_fee".to_owned(),
        kind: FieldType::Money,
        before: Some("50.00".to_owned()),
        after: None,
    };
    let prices = change(
        "policy.changes.prices",
        FieldType::Status,
        Some("as requested"),
        "current",
    );
    assert_eq!(told.changes[3..], [fee, prices]);
    let same = terms(None, PricesOfChange::Current, Some(Box::new(first)));
    let told = describe(&DomainEvent::PriceList(PriceListEvent::PolicySet(same)));
    assert_eq!(told.changes.len(), 3);
}

#[test]
fn what_was_set_before_is_told_beside_what_is_set_now() {
    let band = |free_miles, before| TravelBandSet {
        free_miles,
        per_mile_cents: Cents(200),
        max_miles: 80,
        before,
    };
    let set = PriceListEvent::TravelBandSet(band(30, Some(Box::new(band(25, None)))));
    let told = describe(&DomainEvent::PriceList(set));
    assert_eq!(
        told.changes[0],
        change("travel.free_miles", FieldType::Count, Some("25"), "30")
    );
    let least = |weekday, before| MinimumSet {
        weekday_cents: Cents(weekday),
        weekend_cents: Cents(60_000),
        below: domain::price_list::BelowMinimum::TopUp,
        before,
    };
    let set = PriceListEvent::MinimumSet(least(55_000, Some(Box::new(least(50_000, None)))));
    let told = describe(&DomainEvent::PriceList(set));
    assert_eq!(
        told.changes[0],
        change("minimum.weekday", FieldType::Money, Some("500.00"), "550.00")
    );
    let terms = BookingPolicy {
        deposit_cents: Cents(20_000),
        before: Some(Box::default()),
        ..BookingPolicy::default()
    };
    let told = describe(&DomainEvent::PriceList(PriceListEvent::PolicySet(terms)));
    assert_eq!(
        told.changes[0],
        change("policy.deposit", FieldType::Money, Some("100.00"), "200.00")
    );
    let set = TaxRateSet {
        jurisdiction: tax_place(None).jurisdiction,
        rate_ppm: RatePpm(97_500),
        effective_from: "2026-04-01".parse().unwrap(),
        effective_until: None,
        source: "CDTFA".to_owned(),
        before_ppm: Some(RatePpm(91_250)),
        correction: None,
        zips: Vec::new(),
    };
    let told = describe(&DomainEvent::TaxRate(TaxRateEvent::Set(set)));
    assert_eq!(
        told.changes[0],
        change("rate", FieldType::Rate, Some("0.09125"), "0.0975")
    );
    assert_eq!(
        told.changes[1],
        change("effective_from", FieldType::Date, None, "2026-04-01")
    );
}
