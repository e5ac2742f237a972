//! Single items: put on offer, repriced in between, and taken off.

use super::*;
use crate::decider::Refusal;
use crate::money::RatePpm;
use crate::price_list::{CancellationTier, DepositBack, MandatoryGratuity};

fn told(list: &PriceList, command: PriceListCommand) -> (&'static str, Vec<&'static str>) {
    let refused = list.decide(command).unwrap_err();
    (refused.code(), refused.field().to_vec())
}

fn tray() -> ItemAdded {
    ItemAdded {
        item: "tray".to_owned(),
        label: "Noodle tray".to_owned(),
        kind: ItemKind::AddOn,
        ..adult()
    }
}

#[test]
fn an_item_that_cannot_be_is_refused_at_its_field() {
    let list = list();
    for (code, field, item) in [
        (
            "INVALID_ITEM",
            "item",
            ItemAdded {
                item: String::new(),
                ..tray()
            },
        ),
        (
            "INVALID_ITEM",
            "item",
            ItemAdded {
                label: "  ".to_owned(),
                ..tray()
            },
        ),
        (
            "INVALID_ITEM",
            "item",
            ItemAdded {
                label: "two\nlines".to_owned(),
                ..tray()
            },
        ),
        (
            "INVALID_ITEM",
            "item",
            ItemAdded {
                label: "nul\0".to_owned(),
                ..tray()
            },
        ),
        (
            "INVALID_RANGE",
            "minMinor",
            ItemAdded {
                min_cents: Cents(-1),
                ..tray()
            },
        ),
        (
            "INVALID_RANGE",
            "minMinor",
            ItemAdded {
                min_cents: Cents(12_001),
                ..tray()
            },
        ),
        (
            "INVALID_RANGE",
            "minMinor",
            ItemAdded {
                max_cents: Cents(Cents::MAX_INPUT.0 + 1),
                ..tray()
            },
        ),
        (
            "PRICE_OUT_OF_RANGE",
            "priceMinor",
            ItemAdded {
                price_cents: Cents(2_999),
                ..tray()
            },
        ),
        (
            "INVALID_AMOUNT",
            "priceMinor",
            ItemAdded {
                price_cents: Cents(-1),
                ..tray()
            },
        ),
        (
            "EFFECTIVE_IN_PAST",
            "effectiveFrom",
            ItemAdded {
                effective_from: at("2025-12-31T23:59:59Z"),
                ..tray()
            },
        ),
        (
            "EFFECTIVE_TOO_FAR",
            "effectiveFrom",
            ItemAdded {
                effective_from: at("2036-01-01T00:00:01Z"),
                ..tray()
            },
        ),
    ] {
        let about = format!("{item:?}");
        assert_eq!(told(&list, add(item)), (code, vec![field]), "{about}");
    }
    let spaced = ItemAdded {
        label: " Noodle tray ".to_owned(),
        ..tray()
    };
    assert_eq!(
        list.decide(add(spaced)).unwrap(),
        [PriceListEvent::ItemAdded(tray())]
    );
}

#[test]
fn guests_of_a_kind_have_one_price_at_a_time() {
    let mut list = list();
    let other = |from: &str| ItemAdded {
        item: "aa_adult".to_owned(),
        price_cents: Cents(3_000),
        effective_from: at(from),
        ..adult()
    };
    assert_eq!(
        told(&list, add(other("2026-01-01T00:00:00Z"))),
        ("GUESTS_PRICED", vec!["kind"])
    );
    let children = ItemAdded {
        kind: ItemKind::Child,
        ..other("2026-01-01T00:00:00Z")
    };
    assert!(list.decide(add(children)).is_ok());
    let gone = retire("adult", "2026-06-01T00:00:00Z", "another menu");
    list.evolve(&list.decide(gone).unwrap()[0]);
    assert_eq!(told(&list, add(other("2026-05-31T23:59:59Z"))).0, "GUESTS_PRICED");
    assert!(list.decide(add(other("2026-06-01T00:00:00Z"))).is_ok());
}

#[test]
fn a_price_in_between_asks_to_confirm_the_step_that_follows_it_too() {
    let mut list = list();
    list.evolve(&list.decide(change(9_000, "2026-05-01T00:00:00Z")).unwrap()[0]);
    // 60.00 to 40.00 is a third; 40.00 to 90.00 in May is more than double.
    let between = |confirmation| PriceListCommand::ChangePrice {
        item: "adult".to_owned(),
        price_cents: Cents(4_000),
        effective_from: at("2026-04-01T00:00:00Z"),
        reason: "slow month".to_owned(),
        confirmation,
        now: at("2026-02-01T00:00:00Z"),
    };
    assert_eq!(
        list.decide(between(Confirmation::NotGiven)),
        Err(PriceListError::ConfirmationRequired {
            old: Cents(4_000),
            new: Cents(9_000)
        })
    );
    assert!(list.decide(between(Confirmation::Given)).is_ok());
    // What is off offer by then is no step.
    let gone = retire("adult", "2026-05-01T00:00:00Z", "off season");
    list.evolve(&list.decide(gone).unwrap()[0]);
    assert!(list.decide(between(Confirmation::NotGiven)).is_ok());
}

#[test]
fn an_item_goes_off_offer_from_now_on_or_later_with_a_reason() {
    let list = list();
    let from = "2026-06-01T00:00:00Z";
    assert_eq!(
        told(&list, retire("adult", "2026-01-31T23:59:59Z", "off season")),
        ("EFFECTIVE_IN_PAST", vec!["effectiveFrom"])
    );
    assert_eq!(
        told(&list, retire("adult", "9999-01-01T00:00:00Z", "off season")),
        ("EFFECTIVE_TOO_FAR", vec!["effectiveFrom"])
    );
    assert_eq!(
        told(&list, retire("adult", from, "no")),
        ("INVALID_REASON", vec!["reason"])
    );
    let name = "x".repeat(500);
    let refused = list.decide(retire(&name, from, "off season")).unwrap_err();
    assert_eq!(refused.code(), "ITEM_UNKNOWN");
    assert!(refused.to_string().len() < 120, "{refused}");
}

#[test]
fn terms_that_cannot_be_name_their_field() {
    let list = list();
    let set = |terms: BookingPolicy| told(&list, PriceListCommand::SetPolicy(terms));
    let terms = BookingPolicy::default;
    let gratuity = |from_guests, ppm| {
        Some(MandatoryGratuity {
            from_guests,
            rate_ppm: RatePpm(ppm),
        })
    };
    let tier = |hours_before, ppm| {
        vec![CancellationTier {
            hours_before,
            refund_ppm: RatePpm(ppm),
            deposit_back: DepositBack::Kept,
        }]
    };
    for (field, bad) in [
        (
            "depositMinor",
            BookingPolicy {
                deposit_cents: Cents(-1),
                ..terms()
            },
        ),
        (
            "depositDueHours",
            BookingPolicy {
                deposit_due_hours: 8_761,
                ..terms()
            },
        ),
        (
            "gratuity",
            BookingPolicy {
                gratuity: gratuity(0, 180_000),
                ..terms()
            },
        ),
        (
            "gratuity",
            BookingPolicy {
                gratuity: gratuity(1, 1_000_001),
                ..terms()
            },
        ),
        (
            "cancellationTiers",
            BookingPolicy {
                cancellation_tiers: tier(-1, 0),
                ..terms()
            },
        ),
        (
            "cancellationTiers",
            BookingPolicy {
                cancellation_tiers: tier(1, -1),
                ..terms()
            },
        ),
        (
            "cardFeeRate",
            BookingPolicy {
                card_fee_ppm: RatePpm(-1),
                ..terms()
            },
        ),
    ] {
        assert_eq!(set(bad), ("INVALID_TERMS", vec![field]));
    }
    let mut locked = terms();
    locked.changes.locked_hours_before = -1;
    assert_eq!(set(locked), ("INVALID_TERMS", vec!["changes"]));
    let travel = |free_miles, per_mile, max_miles| {
        told(
            &list,
            PriceListCommand::SetTravelBand(TravelBandSet {
                free_miles,
                per_mile_cents: Cents(per_mile),
                max_miles,
                before: None,
            }),
        )
    };
    assert_eq!(travel(-1, 1, 1), ("INVALID_TERMS", vec!["freeMiles"]));
    assert_eq!(travel(1, -1, 1), ("INVALID_TERMS", vec!["perMileMinor"]));
    assert_eq!(travel(2, 1, 1), ("INVALID_TERMS", vec!["maxMiles"]));
}
