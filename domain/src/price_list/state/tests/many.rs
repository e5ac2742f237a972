use std::collections::BTreeSet;

use super::*;
use crate::decider::Refusal;
use crate::money::RatePpm;
use crate::price_list::{Adjustment, BadRow, BulkChange, ImportSheet, ProposedPrice, SheetRow};
use proptest::prelude::*;

const NOW: &str = "2026-02-01T00:00:00Z";

fn menu() -> PriceList {
    let mut list = list();
    for (item, price) in [("child", 2_995), ("sauce", 599), ("tray", 2)] {
        list.evolve(&PriceListEvent::ItemAdded(ItemAdded {
            item: item.to_owned(),
            label: format!("The {item}"),
            kind: ItemKind::AddOn,
            price_cents: Cents(price),
            min_cents: Cents(0),
            max_cents: Cents(price * 2),
            effective_from: at("2026-01-01T00:00:00Z"),
        }));
    }
    list
}

fn bulk(items: &[&str], by: Adjustment, round_to: i64) -> BulkChange {
    BulkChange {
        items: items.iter().map(|item| (*item).to_owned()).collect(),
        by,
        round_to: Cents(round_to),
        effective_from: at("2026-03-01T00:00:00Z"),
        reason: "season".to_owned(),
        confirmation: Confirmation::NotGiven,
        now: at(NOW),
    }
}

fn percent(ppm: i64) -> Adjustment {
    Adjustment::Percent(RatePpm(ppm))
}

fn proposed(list: &PriceList, ask: &BulkChange) -> Vec<(String, i64, i64, Option<&'static str>)> {
    let told = |price: ProposedPrice| {
        let code = price.refused.map(|refused| refused.code());
        (
            price.item,
            price.old_cents.unwrap().0,
            price.new_cents.unwrap().0,
            code,
        )
    };
    list.propose(ask).unwrap().into_iter().map(told).collect()
}

#[test]
fn many_prices_change_at_once_as_they_were_proposed() {
    let list = menu();
    let ask = bulk(&["adult", "child", "sauce"], percent(50_000), 5);
    let told = proposed(&list, &ask);
    let row = |item: &str, old, new| (item.to_owned(), old, new, None);
    assert_eq!(
        told,
        [
            row("adult", 6_000, 6_300),
            row("child", 2_995, 3_145),
            row("sauce", 599, 630)
        ]
    );
    let events = list.decide(PriceListCommand::ChangeMany(ask)).unwrap();
    let changed: Vec<(&str, i64)> = events
        .iter()
        .map(|event| {
            let PriceListEvent::PriceChanged(changed) = event else {
                panic!("{event:?}")
            };
            (changed.item.as_str(), changed.new_cents.0)
        })
        .collect();
    assert_eq!(changed, [("adult", 6_300), ("child", 3_145), ("sauce", 630)]);
}

#[test]
fn one_price_that_cannot_change_keeps_all_as_they_are() {
    let list = menu();
    let ask = bulk(&[], Adjustment::Amount(Cents(300)), 1);
    let told = proposed(&list, &ask);
    let codes: Vec<_> = told
        .iter()
        .map(|(item, _, _, code)| (item.as_str(), *code))
        .collect();
    assert_eq!(
        codes,
        [
            ("adult", None),
            ("child", None),
            ("sauce", Some("CONFIRMATION_REQUIRED")),
            ("tray", Some("PRICE_OUT_OF_RANGE"))
        ]
    );
    let refused = list
        .decide(PriceListCommand::ChangeMany(ask.clone()))
        .unwrap_err();
    assert_eq!(
        (refused.code(), refused.field()),
        ("CONFIRMATION_REQUIRED", &["confirm"][..])
    );
    assert!(refused.to_string().starts_with("sauce: "), "{refused}");
    let unknown = bulk(&["adult", "unicorn"], percent(10_000), 1);
    let told = list.propose(&unknown).unwrap();
    assert_eq!(
        told[1].refused,
        Some(PriceListError::ItemUnknown("unicorn".to_owned()))
    );
    let refused = list.decide(PriceListCommand::ChangeMany(unknown)).unwrap_err();
    assert_eq!(refused.code(), "ITEM_UNKNOWN");
}

#[test]
fn a_price_that_rounding_leaves_as_it_is_is_no_change_and_all_of_them_are_refused() {
    let list = menu();
    let ask = bulk(&["adult", "tray"], percent(100_000), 1);
    assert_eq!(proposed(&list, &ask)[1], ("tray".to_owned(), 2, 2, None));
    assert_eq!(list.decide(PriceListCommand::ChangeMany(ask)).unwrap().len(), 1);
    let nothing = bulk(&["tray"], percent(100_000), 1);
    assert_eq!(
        list.decide(PriceListCommand::ChangeMany(nothing)),
        Err(PriceListError::NothingChanges)
    );
}

#[test]
fn a_change_that_is_none_is_refused() {
    let refused = |ask: BulkChange| {
        menu()
            .decide(PriceListCommand::ChangeMany(ask))
            .unwrap_err()
            .code()
    };
    for by in [
        percent(0),
        percent(-1_000_001),
        percent(1_000_001),
        Adjustment::Amount(Cents::ZERO),
        Adjustment::Amount(Cents(Cents::MAX_INPUT.0 + 1)),
    ] {
        assert_eq!(refused(bulk(&[], by, 1)), "INVALID_ADJUSTMENT", "{by:?}");
    }
    for round_to in [0, -5, 10_001] {
        assert_eq!(refused(bulk(&[], percent(1), round_to)), "INVALID_ROUNDING");
    }
    let unsaid = BulkChange {
        reason: " ".to_owned(),
        ..bulk(&[], percent(50_000), 1)
    };
    assert_eq!(refused(unsaid), "INVALID_REASON");
    let past = BulkChange {
        effective_from: at("2026-01-15T00:00:00Z"),
        ..bulk(&["adult"], percent(50_000), 1)
    };
    assert_eq!(refused(past), "EFFECTIVE_IN_PAST");
}

fn import(list: &PriceList, rows: Vec<SheetRow>) -> Result<Vec<PriceListEvent>, PriceListError> {
    list.decide(PriceListCommand::Import(ImportSheet {
        rows,
        reason: "new menu".to_owned(),
        confirmation: Confirmation::NotGiven,
        now: at(NOW),
    }))
}

#[test]
fn a_list_that_is_read_back_changes_nothing_what_is_to_come_included() {
    let mut list = menu();
    list.evolve(&list.decide(change(6_500, "2026-03-01T00:00:00Z")).unwrap()[0]);
    let rows = list.sheet(at(NOW));
    assert_eq!(rows.len(), 5);
    let of_adults: Vec<_> = rows
        .iter()
        .filter(|row| row.item == "adult")
        .map(|row| (row.price_cents.0, row.effective_from))
        .collect();
    assert_eq!(
        of_adults,
        [(6_000, None), (6_500, Some(at("2026-03-01T00:00:00Z")))]
    );
    assert_eq!(import(&list, rows), Err(PriceListError::NothingChanges));
}

#[test]
fn a_sheet_adds_what_is_new_and_changes_what_is_known() {
    let list = menu();
    let mut rows = list.sheet(at(NOW));
    rows[0].price_cents = Cents(6_600);
    rows.push(SheetRow {
        line: 9,
        item: "lobster".to_owned(),
        label: "Lobster tail".to_owned(),
        kind: ItemKind::AddOn,
        price_cents: Cents(1_500),
        min_cents: Cents(1_000),
        max_cents: Cents(3_000),
        effective_from: Some(at("2026-04-01T00:00:00Z")),
    });
    let events = import(&list, rows).unwrap();
    let [
        PriceListEvent::PriceChanged(changed),
        PriceListEvent::ItemAdded(added),
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(
        (changed.new_cents, changed.effective_from),
        (Cents(6_600), at(NOW))
    );
    assert_eq!(
        (added.item.as_str(), added.price_cents),
        ("lobster", Cents(1_500))
    );
}

#[test]
fn every_bad_row_of_a_sheet_is_named_and_none_is_taken_over() {
    let list = menu();
    let mut rows = list.sheet(at(NOW));
    rows.iter_mut().zip(2..).for_each(|(row, line)| row.line = line);
    rows[0].price_cents = Cents(20_000);
    rows[1].label = "Another child".to_owned();
    rows[2].price_cents = Cents(700);
    rows[3].item = "Not A Name".to_owned();
    let Err(PriceListError::BadRows(bad)) = import(&list, rows) else {
        panic!("it is refused")
    };
    let told: Vec<(u64, &str)> = bad.iter().map(|row| (row.line, row.refused.code())).collect();
    assert_eq!(
        told,
        [
            (2, "PRICE_OUT_OF_RANGE"),
            (3, "ITEM_DIFFERS"),
            (5, "INVALID_ITEM")
        ]
    );
    let refused = PriceListError::BadRows(bad);
    assert_eq!((refused.code(), refused.field()), ("INVALID_ROWS", &["csv"][..]));
    let said = refused.to_string();
    assert!(
        said.starts_with("line 2: ") && said.ends_with("(and 2 more)"),
        "{said}"
    );
    let one = PriceListError::BadRows(vec![BadRow {
        line: 7,
        refused: PriceListError::BadItem,
    }]);
    assert!(one.to_string().starts_with("line 7: "));
}

#[test]
fn two_rows_of_one_item_at_one_instant_contradict_each_other() {
    let list = menu();
    let mut rows = list.sheet(at(NOW));
    let (mut first, mut second) = (rows.remove(0), list.sheet(at(NOW)).remove(0));
    (first.price_cents, second.price_cents) = (Cents(6_100), Cents(6_200));
    (first.line, second.line) = (2, 3);
    let refused = import(&list, vec![first.clone(), second]);
    let bad = vec![BadRow {
        line: 3,
        refused: PriceListError::SameInstant,
    }];
    assert_eq!(refused, Err(PriceListError::BadRows(bad)));
    assert_eq!(
        import(&list, vec![first.clone(), first]).unwrap().len(),
        1,
        "twice the same is once"
    );
}

proptest! {
    #[test]
    fn what_is_proposed_is_what_is_changed(ppm in -400_000_i64..=400_000, round_to in 1_i64..=500) {
        prop_assume!(ppm != 0);
        let list = menu();
        let ask = BulkChange { items: BTreeSet::from(["adult".to_owned(), "child".to_owned()]), ..bulk(&[], percent(ppm), round_to) };
        let told = list.propose(&ask).unwrap();
        let decided = list.decide(PriceListCommand::ChangeMany(ask));
        let refused = told.iter().any(|price| price.refused.is_some());
        let same = told.iter().all(|price| price.old_cents == price.new_cents);
        prop_assert_eq!(decided.is_err(), refused || same);
        for price in &told {
            prop_assert_eq!(price.new_cents.unwrap().0 % round_to, 0);
        }
        let mut after = list.clone();
        decided.unwrap_or_default().iter().for_each(|event| after.evolve(event));
        for price in told {
            let now = after.item_at(&price.item, at("2026-03-01T00:00:00Z")).unwrap().price_cents;
            let expected = if refused { price.old_cents } else { price.new_cents };
            prop_assert_eq!(Some(now), expected);
        }
    }
}
