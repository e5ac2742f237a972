use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const RATE: RatePpm = RatePpm(91_250);

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn sale(gross: i64, rate: Option<RatePpm>) -> TaxFigures {
    TaxFigures {
        gross_cents: Cents(gross),
        net_cents: Cents(gross),
        ..TaxFigures::default()
    }
    .at(rate)
}

fn held(gross: i64) -> TaxAccount {
    TaxAccount::open(sale(gross, Some(RATE)), Some(RATE), day("2026-03-14"))
}

fn payment(number: u8) -> PaymentId {
    PaymentId(Uuid::from_u128(u128::from(number)))
}

/// Records movements one after the other, each under a cause of its own.
fn record(account: &mut TaxAccount, movements: &[(u8, Movement)]) {
    for (number, movement) in movements {
        let figures = account.figures(payment(*number), *movement);
        let cause = EventId(Uuid::from_u128(u128::try_from(account.known.len()).unwrap()));
        account.record(cause, payment(*number), *movement, day("2026-03-14"), figures);
    }
}

fn tip(cents: i64, untaxed: i64) -> Movement {
    Movement::Tip {
        cents: Cents(cents),
        untaxed_cents: Cents(untaxed),
    }
}

fn fee(cents: i64, untaxed: i64) -> Movement {
    Movement::CardFee {
        cents: Cents(cents),
        untaxed_cents: Cents(untaxed),
    }
}

fn back(price: i64, tip: i64, fee: i64) -> Movement {
    Movement::GivenBack {
        price_cents: Cents(price),
        tip_cents: Cents(tip),
        fee_cents: Cents(fee),
    }
}

fn holds(figures: TaxFigures) -> bool {
    figures.gross_cents == figures.non_taxable_cents + figures.net_cents + figures.tax_cents
        && figures.refund_cents
            == figures.refunded_non_taxable_cents + figures.refunded_net_cents + figures.refunded_tax_cents
}

#[test]
fn a_card_fee_is_taxed_with_the_price_and_a_chosen_tip_is_not() {
    let mut account = held(85_118);
    record(&mut account, &[(1, tip(17_024, 17_024)), (1, fee(3_064, 0))]);
    let all = account.recorded();
    assert_eq!(all.non_taxable_cents, Cents(17_024));
    assert_eq!(all.tax_cents, tax::extract(Cents(85_118 + 3_064), RATE).tax_cents);
    assert_eq!(all.gross_cents, Cents(85_118 + 17_024 + 3_064));
}

#[test]
fn a_tip_that_nobody_chose_is_taxed() {
    let mut account = held(85_118);
    record(&mut account, &[(1, tip(10_000, 0))]);
    assert_eq!(
        account.recorded().tax_cents,
        tax::extract(Cents(95_118), RATE).tax_cents
    );
    record(&mut account, &[(1, back(0, 10_000, 0))]);
    assert_eq!(account.recorded().net_tax(), Cents(7_118));
}

#[test]
fn no_more_comes_back_than_was_charged() {
    let mut account = held(10_000);
    record(&mut account, &[(1, tip(500, 500)), (1, back(20_000, 900, 700))]);
    let all = account.recorded();
    assert_eq!(all.refund_cents, Cents(10_500));
    assert_eq!(
        (all.net_tax(), all.refunded_non_taxable_cents),
        (Cents(0), Cents(500))
    );
}

#[test]
fn a_fee_on_taxed_charges_alone_leaves_the_part_on_the_tip_untaxed() {
    let part = |setting, price, tip, untaxed| {
        untaxed_fee(setting, Cents(306), Cents(price), Cents(tip), Cents(untaxed))
    };
    assert_eq!(part(CardFeeTax::Whole, 8_000, 2_200, 2_200), Cents(0));
    assert_eq!(part(CardFeeTax::OnTaxedCharges, 8_000, 2_200, 2_200), Cents(66));
    assert_eq!(part(CardFeeTax::OnTaxedCharges, 8_000, 2_200, 0), Cents(0));
    assert_eq!(part(CardFeeTax::OnTaxedCharges, 0, 2_200, 2_200), Cents(306));
    assert_eq!(part(CardFeeTax::OnTaxedCharges, 0, 0, 0), Cents(0));
}

#[test]
fn what_had_no_rate_is_taken_at_one_later_day_by_day() {
    let mut account = TaxAccount::open(sale(85_118, None), None, day("2026-03-14"));
    let refund = back(10_000, 0, 0);
    let figures = account.figures(payment(1), refund);
    assert_eq!(
        (figures.refunded_tax_cents, figures.refunded_net_cents),
        (Cents(0), Cents(10_000))
    );
    account.record(
        EventId(Uuid::nil()),
        payment(1),
        refund,
        day("2026-04-02"),
        figures,
    );
    let days = account.at_rate(Some(RATE));
    assert_eq!(days.len(), 2);
    assert_eq!(
        (days[0].day, days[0].there.tax_cents, days[0].parties),
        (day("2026-03-14"), Cents(7_118), 1)
    );
    assert_eq!(
        (days[1].day, days[1].there.tax_cents, days[1].parties),
        (day("2026-04-02"), Cents(0), 0)
    );
    assert_eq!(days[1].there.refunded_tax_cents, Cents(836));
}

/// Movements of up to three payments, small enough to be given back whole, and more.
fn movements() -> impl Strategy<Value = Vec<(u8, Movement)>> {
    let amount = 0_i64..30_000;
    let one = (0_u8..3, 0_u8..4, amount.clone(), amount).prop_map(|(payment, kind, a, b)| {
        let movement = match kind {
            0 => tip(a, a),
            1 => tip(a, 0),
            2 => fee(a, b.min(a)),
            _ => back(a, b / 3, b / 7),
        };
        (payment, movement)
    });
    prop::collection::vec(one, 0..10)
}

proptest! {
    #[test]
    fn parts_sum_to_wholes_after_every_fact(
        gross in 0_i64..5_000_000, ppm in prop::option::of(0_i64..=250_000), facts in movements(),
    ) {
        let rate = ppm.map(RatePpm);
        let mut account = TaxAccount::open(sale(gross, rate), rate, day("2026-03-14"));
        for fact in &facts {
            record(&mut account, &[*fact]);
            let all = account.recorded();
            prop_assert!(holds(all), "{:?}", all);
            prop_assert!(all.net_tax() >= Cents::ZERO && all.refunded_tax_cents <= all.tax_cents);
        }
    }

    #[test]
    fn the_order_of_the_facts_changes_no_total(
        gross in 0_i64..5_000_000, ppm in 0_i64..=250_000, facts in movements(), seed in any::<u64>(),
    ) {
        let rate = Some(RatePpm(ppm));
        let mut other = facts.clone();
        let mut state = seed;
        for last in (1..other.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            other.swap(last, usize::try_from(state >> 33).unwrap() % (last + 1));
        }
        let total = |facts: &[(u8, Movement)]| {
            let mut account = TaxAccount::open(sale(gross, rate), rate, day("2026-03-14"));
            record(&mut account, facts);
            account.recorded()
        };
        prop_assert_eq!(total(&facts), total(&other));
    }

    #[test]
    fn giving_everything_back_in_any_parts_leaves_no_tax(
        gross in 1_i64..5_000_000, ppm in 0_i64..=250_000, tipped in 0_i64..50_000, chosen in any::<bool>(),
        fee_paid in 0_i64..50_000, cuts in prop::collection::vec(0_i64..5_000_000, 0..8),
    ) {
        let rate = Some(RatePpm(ppm));
        let mut account = TaxAccount::open(sale(gross, rate), rate, day("2026-03-14"));
        record(&mut account, &[(1, tip(tipped, if chosen { tipped } else { 0 })), (1, fee(fee_paid, fee_paid / 5))]);
        let mut steps: Vec<i64> = cuts.into_iter().map(|cut| cut % gross).collect();
        steps.sort_unstable();
        steps.push(gross);
        let mut before = 0;
        for step in steps {
            record(&mut account, &[(1, back(step - before, 0, 0))]);
            before = step;
        }
        record(&mut account, &[(1, back(0, tipped, 0)), (1, back(0, 0, fee_paid))]);
        let all = account.recorded();
        prop_assert_eq!(all.net_tax(), Cents::ZERO);
        prop_assert_eq!(all.refunded_net_cents, all.net_cents);
        prop_assert_eq!(all.refunded_non_taxable_cents, all.non_taxable_cents);
    }

    #[test]
    fn more_that_is_taxed_is_never_less_tax(gross in 0_i64..5_000_000, ppm in 0_i64..=250_000, more in 0_i64..50_000) {
        let rate = Some(RatePpm(ppm));
        let mut account = TaxAccount::open(sale(gross, rate), rate, day("2026-03-14"));
        prop_assert!(account.figures(payment(1), fee(more, 0)).tax_cents >= Cents::ZERO);
        record(&mut account, &[(1, back(gross / 3, 0, 0))]);
        prop_assert!(account.figures(payment(1), back(more, 0, 0)).refunded_tax_cents >= Cents::ZERO);
    }

    #[test]
    fn a_correction_of_the_rate_takes_back_all_and_takes_what_the_rate_gives(
        gross in 0_i64..5_000_000, ppm in 0_i64..=250_000, right in 0_i64..=250_000, facts in movements(),
    ) {
        let wrong = Some(RatePpm(ppm));
        let mut account = TaxAccount::open(sale(gross, wrong), wrong, day("2026-03-14"));
        record(&mut account, &facts);
        let days = account.at_rate(Some(RatePpm(right)));
        let back: TaxFigures = days.iter().map(|day| day.here).sum();
        prop_assert_eq!(back, account.recorded());
        account.leave_place();
        for CorrectedDay { day, there, .. } in &days {
            prop_assert!(holds(*there));
            account.take_place(Some(RatePpm(right)), *day, *there);
        }
        prop_assert_eq!(account.recorded(), account.target());
    }
}
