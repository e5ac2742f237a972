use super::*;
use crate::decider::Decider;
use crate::ids::PromoCodeId;
use crate::money::RatePpm;
use crate::price_list::{
    BookingPolicy, ItemAdded, MandatoryGratuity, MinimumSet, PriceListEvent, TravelBandSet,
};
use crate::promo_code::{AppliedPromo, Discount, PromoAudience};
use proptest::prelude::*;

fn item(name: &str, kind: ItemKind, price: i64) -> PriceListEvent {
    PriceListEvent::ItemAdded(ItemAdded {
        item: name.to_owned(),
        label: name.to_owned(),
        kind,
        price_cents: Cents(price),
        min_cents: Cents(0),
        max_cents: Cents::MAX_INPUT,
        effective_from: "2026-01-01T00:00:00Z".parse().unwrap(),
    })
}

fn list(below: BelowMinimum) -> PriceList {
    let mut list = PriceList::default();
    for event in [
        item("adult", ItemKind::Adult, 5_995),
        item("child", ItemKind::Child, 2_995),
        item("sauce", ItemKind::AddOn, 599),
        PriceListEvent::TravelBandSet(TravelBandSet {
            free_miles: 25,
            per_mile_cents: Cents(200),
            max_miles: 80,
            before: None,
        }),
        PriceListEvent::MinimumSet(MinimumSet {
            weekday_cents: Cents(50_000),
            weekend_cents: Cents(60_000),
            below,
            before: None,
        }),
        PriceListEvent::PolicySet(BookingPolicy {
            gratuity: Some(MandatoryGratuity {
                from_guests: 30,
                rate_ppm: RatePpm(180_000),
            }),
            ..BookingPolicy::default()
        }),
    ] {
        list.evolve(&event);
    }
    list
}

fn party(adults: i32, children: i32, under6: i32) -> QuoteRequest {
    QuoteRequest {
        guests: Guests {
            adults,
            children,
            under6,
        },
        add_ons: vec![],
        event_on: "2026-12-05".parse().unwrap(),
        travel: Travel {
            tenths_of_mile: 0,
            minutes: 0,
            source: "test".to_owned(),
        },
        asked_at: "2026-11-21T00:00:00Z".parse().unwrap(),
    }
}

#[test]
fn twelve_adults_and_four_children_with_two_extras_come_to_851_18() {
    let mut request = party(12, 4, 2);
    request.add_ons = vec![AddOn {
        item: "sauce".to_owned(),
        quantity: 2,
    }];
    let quote = quote(&list(BelowMinimum::TopUp), &request).unwrap();
    assert_eq!(quote.total_cents, Cents(85_118));
    assert_eq!(quote.deposit_cents, Cents(10_000));
    assert_eq!(quote.price_list_version, 6);
    assert_eq!(quote.lines.len(), 4);
}

#[test]
fn a_small_party_is_lifted_to_the_minimum_of_the_day_or_refused() {
    let mut request = party(4, 0, 0);
    let lifted = |request: &QuoteRequest| quote(&list(BelowMinimum::TopUp), request).unwrap().total_cents;
    assert_eq!(lifted(&request), Cents(60_000));
    request.event_on = "2026-12-03".parse().unwrap();
    assert_eq!(lifted(&request), Cents(50_000));
    assert_eq!(
        quote(&list(BelowMinimum::Refuse), &request),
        Err(QuoteError::BelowMinimum {
            minimum: Cents(50_000),
            total: Cents(23_980)
        })
    );
}

#[test]
fn travel_costs_each_started_mile_beyond_the_free_ones_and_ends_somewhere() {
    let list = list(BelowMinimum::TopUp);
    let travel = |tenths| {
        let mut request = party(20, 0, 0);
        request.travel.tenths_of_mile = tenths;
        quote(&list, &request).map(|quote| quote.sum_of(LineKind::Travel))
    };
    assert_eq!(travel(250), Ok(Cents(0)));
    assert_eq!(travel(251), Ok(Cents(200)));
    assert_eq!(travel(800), Ok(Cents(11_000)));
    assert_eq!(
        travel(801),
        Err(QuoteError::OutOfArea {
            miles: 81,
            max_miles: 80
        })
    );
}

#[test]
fn a_large_party_pays_the_gratuity_on_food_and_not_on_travel() {
    let mut request = party(30, 0, 0);
    request.travel.tenths_of_mile = 300;
    let quote = quote(&list(BelowMinimum::TopUp), &request).unwrap();
    assert_eq!(
        quote.sum_of(LineKind::Gratuity),
        Cents(179_850).share(RatePpm(180_000))
    );
}

#[test]
fn what_cannot_be_served_is_refused_with_its_reason() {
    let list = list(BelowMinimum::TopUp);
    assert_eq!(
        quote(&list, &party(0, 0, 0)),
        Err(QuoteError::Guests(BadGuests::Nobody))
    );
    let extra = |item: &str, quantity| {
        let mut request = party(12, 0, 0);
        request.add_ons = vec![AddOn {
            item: item.to_owned(),
            quantity,
        }];
        quote(&list, &request)
    };
    assert_eq!(
        extra("caviar", 1),
        Err(QuoteError::AddOnUnknown("caviar".to_owned()))
    );
    assert_eq!(
        extra("adult", 1),
        Err(QuoteError::AddOnUnknown("adult".to_owned()))
    );
    assert_eq!(extra("sauce", 0), Err(QuoteError::BadQuantity));
    assert_eq!(
        quote(&PriceList::default(), &party(1, 0, 0)),
        Err(QuoteError::NoPrice("adults"))
    );
}

proptest! {
    #[test]
    fn the_lines_sum_to_the_total_and_the_deposit_is_part_of_it(
        adults in 0_i32..100, children in 0_i32..100, sauces in 1_i32..50, tenths in 0_i64..800,
    ) {
        prop_assume!(adults + children > 0);
        let mut request = party(adults, children, 0);
        request.travel.tenths_of_mile = tenths;
        request.add_ons = vec![AddOn { item: "sauce".to_owned(), quantity: sauces }];
        let quote = quote(&list(BelowMinimum::TopUp), &request).unwrap();
        prop_assert_eq!(quote.lines.iter().map(|line| line.total_cents).sum::<Cents>(), quote.total_cents);
        prop_assert!(quote.deposit_cents <= quote.total_cents);
        for line in &quote.lines {
            prop_assert_eq!(line.unit_cents.times(i64::from(line.quantity)), line.total_cents);
        }
    }
}

fn code(discount: Discount, minimum: i64) -> AppliedPromo {
    AppliedPromo {
        promo_id: PromoCodeId(uuid::Uuid::nil()),
        code: "SPRING".to_owned(),
        discount,
        minimum_cents: Cents(minimum),
        limit_total: None,
        limit_per_customer: None,
        audience: PromoAudience::Everybody,
    }
}

#[test]
fn a_discount_is_taken_from_food_and_service_after_the_minimum_was_judged() {
    let mut request = party(4, 0, 0);
    request.travel.tenths_of_mile = 300;
    let before = quote(&list(BelowMinimum::TopUp), &request).unwrap();
    assert_eq!(before.total_cents, Cents(61_000));
    let half = code(
        Discount::Percent {
            rate_ppm: RatePpm(500_000),
        },
        60_000,
    );
    let after = before.clone().with(Some(&half));
    assert_eq!(
        (after.total_cents, after.discount_cents),
        (Cents(31_000), Cents(30_000))
    );
    let line = after.lines.last().unwrap();
    assert_eq!(
        (line.kind, line.total_cents, line.label.as_str()),
        (LineKind::Discount, Cents(-30_000), "Promo code SPRING")
    );
    // The party is above the code's minimum by the line that lifts it to the company's.
    let above = code(half.discount, 60_001);
    assert_eq!(before.clone().with(Some(&above)), before);
    assert_eq!(before.clone().with(None), before);
}

proptest! {
    #[test]
    fn a_discounted_price_is_the_sum_of_its_lines_and_its_parts_are_the_whole(
        adults in 1_i32..60, children in 0_i32..20, sauces in 1_i32..9, tenths in 0_i64..800,
        ppm in 1_i64..=1_000_000, fixed in 1_i64..=1_000_000, by_share in 0..2,
    ) {
        let mut request = party(adults, children, 0);
        request.travel.tenths_of_mile = tenths;
        request.add_ons = vec![AddOn { item: "sauce".to_owned(), quantity: sauces }];
        let discount = match by_share {
            0 => Discount::Percent { rate_ppm: RatePpm(ppm) },
            _ => Discount::Fixed { amount_cents: Cents(fixed) },
        };
        let list = list(BelowMinimum::TopUp);
        let priced = || quote(&list, &request).unwrap().with(Some(&code(discount, 0)));
        let quote = priced();
        prop_assert_eq!(&quote, &priced(), "the same asked is the same answered");
        prop_assert_eq!(quote.lines.iter().map(|line| line.total_cents).sum::<Cents>(), quote.total_cents);
        prop_assert_eq!(discount_of(&quote.lines), quote.discount_cents);
        prop_assert!(quote.discount_cents <= food_and_service(&quote.lines));
        prop_assert!(quote.total_cents >= Cents::ZERO && quote.deposit_cents <= quote.total_cents);
        let parts = quote.discount_by_line();
        prop_assert_eq!(parts.iter().copied().sum::<Cents>(), -quote.discount_cents);
        for (part, line) in parts.iter().zip(&quote.lines) {
            prop_assert!(*part <= Cents::ZERO);
            prop_assert!(!line.kind.is_food_and_service() && part.is_zero() || line.total_cents + *part >= Cents::ZERO);
        }
    }
}
