use super::changes::{EARLY, delete, guests, restore, staff, to};
use super::*;
use crate::booking::FeeAgreed;
use crate::decider::{Event, Refusal};
use crate::ids::PromoCodeId;
use crate::promo_code::{
    Discount, PromoAsked, PromoAudience, PromoCode, PromoCodeCommand, PromoRefusal, PromoTerms, PromoUses,
};
use crate::quote::LineKind;
use proptest::prelude::*;

fn code(discount: Discount, minimum: i64, uses: PromoUses) -> PromoAsked {
    let mut promo = PromoCode::default();
    let made = promo.decide(PromoCodeCommand::Create {
        code: "FIRST".to_owned(),
        terms: PromoTerms {
            discount,
            starts_at: at("2025-01-01T00:00:00Z"),
            ends_at: None,
            minimum_cents: Cents(minimum),
            limit_total: Some(5),
            limit_per_customer: Some(1),
            audience: PromoAudience::NewCustomers,
            stations: vec![],
            customer_id: None,
        },
        now: at(NOW),
    });
    promo.evolve(&made.unwrap()[0]);
    PromoAsked {
        customer_id: None,
        promo_id: PromoCodeId(Uuid::from_u128(3)),
        promo,
        uses,
    }
}

const TENTH: Discount = Discount::Percent {
    rate_ppm: RatePpm(100_000),
};

fn with(promo: PromoAsked) -> Result<Vec<E>, BookingError> {
    request(RequestBooking {
        promo: Some(promo),
        ..ask()
    })
}

fn booked(discount: Discount, minimum: i64) -> Booking {
    let mut booking = Booking::default();
    booking.evolve(&with(code(discount, minimum, PromoUses::default())).unwrap()[0]);
    booking
}

fn after(mut booking: Booking, commands: &[BookingCommand]) -> Booking {
    for command in commands {
        for event in booking.decide(command.clone()).unwrap() {
            booking.evolve(&event);
        }
    }
    booking
}

/// Whether the claims of the events take or give back a use of the code.
fn uses(events: &[E]) -> (usize, usize) {
    let claims: Vec<Claim> = events.iter().flat_map(Event::claims).collect();
    let of_code =
        |resource: &str| resource.starts_with("promo:") || resource.starts_with("customer_bookings:");
    let taken = claims
        .iter()
        .filter(|claim| matches!(claim, Claim::TakeCapacity { resource, .. } if of_code(resource)));
    let given = claims
        .iter()
        .filter(|claim| matches!(claim, Claim::ReleaseCapacity { resource } if of_code(resource)));
    (taken.count(), given.count())
}

#[test]
fn a_code_is_fixed_in_the_request_with_its_discount_and_its_claims() {
    let events = with(code(TENTH, 0, PromoUses::default())).unwrap();
    let E::Requested(requested) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(
        requested.promo.as_ref().map(|promo| promo.code.as_str()),
        Some("FIRST")
    );
    assert_eq!(requested.quote.discount_cents, Cents(8_512));
    assert_eq!(requested.quote.total_cents, Cents(85_118 - 8_512));
    assert_eq!(requested.quote.sum_of(LineKind::Discount), Cents(-8_512));
    assert_eq!(uses(&events), (3, 0));
    assert_eq!(
        uses(&request(ask()).unwrap()),
        (1, 0),
        "without a code the booking counts"
    );
}

#[test]
fn a_code_that_cannot_be_used_refuses_the_request_at_its_field() {
    let used_up = PromoUses {
        total: 5,
        ..PromoUses::default()
    };
    let refused = with(code(TENTH, 0, used_up)).unwrap_err();
    assert_eq!(refused, BookingError::Promo(PromoRefusal::UsedUp));
    assert_eq!(
        (refused.code(), refused.field()),
        ("PROMO_USED_UP", &["promoCode"][..])
    );
    let dear = with(code(TENTH, 85_119, PromoUses::default())).unwrap_err();
    assert_eq!(dear.code(), "PROMO_BELOW_MINIMUM");
}

#[test]
fn a_discount_leaves_nothing_below_zero_and_no_deposit_above_the_total() {
    let all = Discount::Fixed {
        amount_cents: Cents(1_000_000),
    };
    let booking = booked(all, 0);
    let quote = &booking.requested().unwrap().quote;
    assert_eq!(
        (quote.total_cents, quote.deposit_cents),
        (Cents::ZERO, Cents::ZERO)
    );
    let most = Discount::Fixed {
        amount_cents: Cents(80_000),
    };
    let booking = booked(most, 0);
    let quote = &booking.requested().unwrap().quote;
    assert_eq!(
        (quote.total_cents, quote.deposit_cents),
        (Cents(5_118), Cents(5_118))
    );
}

#[test]
fn changes_and_moves_are_priced_with_the_same_code() {
    let booking = booked(TENTH, 0);
    let more = after(booking.clone(), &[guests(3, staff(EARLY))]);
    let quote = &more.requested().unwrap().quote;
    assert_eq!(quote.total_cents, Cents(85_118 * 3 - 25_535));
    let moved = after(more, &[to("2025-12-13T15:00:00", FeeAgreed::No, staff(EARLY))]);
    assert_eq!(
        moved.requested().unwrap().quote.total_cents,
        Cents(85_118 * 3 - 25_535)
    );
    let fee = after(moved, &[to("2025-12-14T15:00:00", FeeAgreed::Yes, staff(EARLY))]);
    let quote = &fee.requested().unwrap().quote;
    assert_eq!(quote.total_cents, Cents(85_118 * 3 - 25_535 + 5_000));
    assert_eq!(
        quote.discount_cents,
        Cents(25_535),
        "nothing is taken off the fee"
    );
}

#[test]
fn a_party_below_the_codes_minimum_has_no_discount_until_it_is_above_again() {
    let mut booking = Booking::default();
    let asked = RequestBooking {
        promo: Some(code(TENTH, 170_000, PromoUses::default())),
        guests: Guests {
            adults: 2,
            children: 0,
            under6: 0,
        },
        ..ask()
    };
    booking.evolve(&request(asked).unwrap()[0]);
    let total = |booking: &Booking| booking.requested().unwrap().quote.total_cents;
    assert_eq!(total(&booking), Cents(170_236 - 17_024));
    let one = after(booking, &[guests(1, staff(EARLY))]);
    assert_eq!(total(&one), Cents(85_118));
    let two = after(one, &[guests(2, staff(EARLY))]);
    assert_eq!(total(&two), Cents(170_236 - 17_024));
}

#[test]
fn a_use_is_given_back_before_the_event_and_not_once_it_has_begun() {
    let given_back = |now: &str| {
        let cancel = cancel(CancelledBy::Customer, now);
        uses(&booked(TENTH, 0).decide(cancel).unwrap())
    };
    assert_eq!(given_back("2025-12-07T01:59:59Z"), (0, 3));
    assert_eq!(given_back("2025-12-07T02:00:00Z"), (0, 0));
    let expire = BookingCommand::Expire {
        now: at("2025-11-02T12:00:00Z"),
    };
    assert_eq!(uses(&booked(TENTH, 0).decide(expire).unwrap()), (0, 3));
}

#[test]
fn a_deleted_booking_gives_its_use_back_and_takes_it_again_when_it_is_restored() {
    let booking = booked(TENTH, 0);
    assert_eq!(uses(&booking.decide(delete(NOW)).unwrap()), (0, 3));
    let deleted = after(booking.clone(), &[delete(NOW)]);
    assert_eq!(uses(&deleted.decide(restore(NOW)).unwrap()), (3, 0));
    // One that was called off has given it back already, and takes nothing.
    let off = after(booking, &[cancel(CancelledBy::Customer, NOW)]);
    assert_eq!(uses(&off.decide(delete(NOW)).unwrap()), (0, 0));
    let off = after(off, &[delete(NOW)]);
    assert_eq!(uses(&off.decide(restore(NOW)).unwrap()), (0, 0));
}

proptest! {
    #[test]
    fn whatever_guests_come_on_the_way_the_same_party_costs_the_same(
        on_the_way in proptest::collection::vec(1_i32..=50, 0..6), at_last in 1_i32..=50, ppm in 1_i64..=1_000_000,
        minimum in 0_i64..=85_118,
    ) {
        let discount = Discount::Percent { rate_ppm: RatePpm(ppm) };
        let change = |booking: &mut Booking, adults: i32| {
            // A party that is that large already is refused: it is so.
            for event in booking.decide(guests(adults, staff(EARLY))).unwrap_or_default() {
                booking.evolve(&event);
            }
        };
        let (mut by_way, mut straight) = (booked(discount, minimum), booked(discount, minimum));
        for adults in on_the_way {
            change(&mut by_way, adults);
        }
        change(&mut by_way, at_last);
        change(&mut straight, at_last);
        let (by_way, straight) = (by_way.requested().unwrap(), straight.requested().unwrap());
        prop_assert_eq!(&by_way.quote.lines, &straight.quote.lines);
        prop_assert_eq!(by_way.quote.total_cents, straight.quote.total_cents);
        let food = food_and_service(&by_way.quote.lines);
        prop_assert!(by_way.quote.discount_cents <= food);
        prop_assert!(by_way.quote.total_cents >= Cents::ZERO);
        prop_assert!(by_way.quote.deposit_cents <= by_way.quote.total_cents);
    }
}
