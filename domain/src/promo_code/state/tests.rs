use super::*;
use crate::decider::{Event, Refusal};
use crate::envelope::Claim;
use crate::ids::{CustomerId, PromoCodeId, StationId};
use crate::money::RatePpm;
use crate::promo_code::{
    AppliedPromo, CustomerHold, PromoAsked, PromoAudience, PromoRefusal, PromoUses, fold_code,
};
use proptest::prelude::*;
use uuid::Uuid;

const NOW: &str = "2026-02-01T00:00:00Z";
const HERE: StationId = StationId(Uuid::from_u128(1));

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn terms() -> PromoTerms {
    PromoTerms {
        discount: Discount::Percent {
            rate_ppm: RatePpm(100_000),
        },
        starts_at: at("2026-01-01T00:00:00Z"),
        ends_at: Some(at("2026-03-01T00:00:00Z")),
        minimum_cents: Cents(50_000),
        limit_total: Some(3),
        limit_per_customer: Some(1),
        audience: PromoAudience::NewCustomers,
        stations: vec![HERE],
        customer_id: None,
    }
}

fn create(code: &str, terms: PromoTerms) -> Result<Vec<PromoCodeEvent>, PromoCodeError> {
    PromoCode::default().decide(PromoCodeCommand::Create {
        code: code.to_owned(),
        terms,
        now: at(NOW),
    })
}

fn made() -> PromoCode {
    let mut promo = PromoCode::default();
    promo.evolve(&create("Spring-26", terms()).unwrap()[0]);
    promo
}

fn asked(promo: PromoCode, uses: PromoUses) -> PromoAsked {
    PromoAsked {
        customer_id: None,
        promo_id: PromoCodeId(Uuid::from_u128(9)),
        promo,
        uses,
    }
}

fn used(promo: &PromoCode, when: &str) -> Result<AppliedPromo, PromoRefusal> {
    asked(promo.clone(), PromoUses::default()).check(HERE, Cents(80_000), at(when))
}

#[test]
fn a_code_is_taken_by_its_text_whatever_its_case() {
    let events = create(" Spring-26 ", terms()).unwrap();
    let PromoCodeEvent::Created(created) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(created.code, "Spring-26");
    assert_eq!(fold_code(" spring-26"), fold_code("SPRING-26"));
    let claim = Claim::TakeUnique {
        scope: "promo_code".into(),
        key: "SPRING-26".to_owned(),
    };
    assert_eq!(events[0].claims(), [claim]);
}

#[test]
fn a_code_that_cannot_be_is_refused_at_its_field() {
    let refused = |terms: PromoTerms| {
        let error = create("SPRING", terms).unwrap_err();
        (error.code(), error.field().last().copied().unwrap_or_default())
    };
    for code in ["ab", "has space", "ÄÖÜ", "", &"x".repeat(41)] {
        assert_eq!(create(code, terms()), Err(PromoCodeError::BadText), "{code}");
    }
    for discount in [
        Discount::Percent { rate_ppm: RatePpm(0) },
        Discount::Percent {
            rate_ppm: RatePpm(1_000_001),
        },
        Discount::Fixed {
            amount_cents: Cents::ZERO,
        },
        Discount::Fixed {
            amount_cents: Cents(Cents::MAX_INPUT.0 + 1),
        },
    ] {
        let terms = PromoTerms { discount, ..terms() };
        assert_eq!(refused(terms), ("INVALID_DISCOUNT", "discount"));
    }
    for end in ["2026-01-01T00:00:00Z", NOW] {
        let terms = PromoTerms {
            ends_at: Some(at(end)),
            ..terms()
        };
        assert_eq!(refused(terms), ("INVALID_WINDOW", "endsAt"));
    }
    let no_uses = PromoTerms {
        limit_per_customer: Some(0),
        ..terms()
    };
    assert_eq!(refused(no_uses), ("INVALID_LIMIT", "limit"));
    let below_zero = PromoTerms {
        minimum_cents: Cents(-1),
        ..terms()
    };
    assert_eq!(refused(below_zero), ("INVALID_AMOUNT", "minimumMinor"));
    let twice = PromoTerms {
        stations: vec![HERE, HERE],
        ..terms()
    };
    assert_eq!(refused(twice), ("INVALID_STATIONS", "stationIds"));
    let again = PromoCodeCommand::Create {
        code: "SPRING".to_owned(),
        terms: terms(),
        now: at(NOW),
    };
    assert_eq!(made().decide(again), Err(PromoCodeError::Exists));
}

#[test]
fn a_code_changes_and_ends_with_a_reason() {
    let mut promo = made();
    let change = |terms: PromoTerms, reason: &str| PromoCodeCommand::Change {
        terms,
        reason: reason.to_owned(),
        now: at(NOW),
    };
    let end = |reason: &str| PromoCodeCommand::End {
        reason: reason.to_owned(),
        now: at(NOW),
    };
    let more = PromoTerms {
        limit_total: Some(10),
        ..terms()
    };
    assert_eq!(
        PromoCode::default().decide(end("over")),
        Err(PromoCodeError::NotFound)
    );
    assert_eq!(
        promo.decide(change(terms(), "as it was")),
        Err(PromoCodeError::Unchanged)
    );
    assert_eq!(
        promo.decide(change(more.clone(), "  ")),
        Err(PromoCodeError::BadReason)
    );
    let changed = promo.decide(change(more.clone(), "it goes well")).unwrap();
    let PromoCodeEvent::Changed(told) = &changed[0] else {
        panic!("{changed:?}")
    };
    assert_eq!((&told.before, &told.terms), (&terms(), &more));
    promo.evolve(&changed[0]);
    assert_eq!(promo.decide(end("no")), Err(PromoCodeError::BadReason));
    promo.evolve(&promo.decide(end("it is enough")).unwrap()[0]);
    assert_eq!(promo.decide(end("once more")), Err(PromoCodeError::Ended));
    assert_eq!(promo.decide(change(terms(), "back")), Err(PromoCodeError::Ended));
    assert_eq!(
        used(&promo, "2026-02-02T00:00:00Z"),
        Err(PromoRefusal::Expired { since: at(NOW) })
    );
}

#[test]
fn a_code_is_used_within_its_window_half_open() {
    let promo = made();
    let starts_at = at("2026-01-01T00:00:00Z");
    assert_eq!(
        used(&promo, "2025-12-31T23:59:59Z"),
        Err(PromoRefusal::NotStarted { starts_at })
    );
    assert!(used(&promo, "2026-01-01T00:00:00Z").is_ok());
    assert!(used(&promo, "2026-02-28T23:59:59Z").is_ok());
    let since = at("2026-03-01T00:00:00Z");
    assert_eq!(
        used(&promo, "2026-03-01T00:00:00Z"),
        Err(PromoRefusal::Expired { since })
    );
}

#[test]
fn a_code_that_may_not_be_used_says_why() {
    let refused = |uses: PromoUses, station: StationId, subtotal: i64| {
        let checked = asked(made(), uses).check(station, Cents(subtotal), at(NOW));
        let refusal = checked.unwrap_err();
        assert_eq!(refusal.field(), ["promoCode"]);
        refusal.code()
    };
    let none = PromoUses::default();
    let unknown = asked(PromoCode::default(), none).check(HERE, Cents(80_000), at(NOW));
    assert_eq!(unknown.unwrap_err().code(), "PROMO_UNKNOWN");
    assert_eq!(
        refused(none, StationId(Uuid::from_u128(2)), 80_000),
        "PROMO_NOT_HERE"
    );
    assert_eq!(refused(none, HERE, 49_999), "PROMO_BELOW_MINIMUM");
    let old = PromoUses {
        bookings_of_customer: 1,
        ..none
    };
    assert_eq!(refused(old, HERE, 80_000), "PROMO_NOT_FIRST_TIME");
    let again = PromoUses {
        of_customer: 1,
        ..none
    };
    assert_eq!(refused(again, HERE, 80_000), "PROMO_USED_BY_CUSTOMER");
    let many = PromoUses { total: 3, ..none };
    assert_eq!(refused(many, HERE, 80_000), "PROMO_USED_UP");
    let last = PromoUses { total: 2, ..none };
    assert!(asked(made(), last).check(HERE, Cents(50_000), at(NOW)).is_ok());
}

#[test]
fn a_booking_takes_a_use_and_gives_back_what_it_took() {
    let hold = CustomerHold {
        customer_id: CustomerId(Uuid::from_u128(5)),
        promo: Some(used(&made(), NOW).unwrap()),
    };
    let limits: Vec<(String, i32)> = hold
        .take()
        .into_iter()
        .map(|claim| {
            let Claim::TakeCapacity { resource, limit, .. } = claim else {
                panic!("{claim:?}")
            };
            (resource, limit)
        })
        .collect();
    let of = |text: &str| {
        limits
            .iter()
            .find(|(resource, _)| resource.contains(text))
            .unwrap()
            .1
    };
    assert_eq!(
        (of("customer_bookings:"), of(":customer:"), limits[2].1),
        (1, 1, 3)
    );
    let taken: Vec<String> = limits.into_iter().map(|(resource, _)| resource).collect();
    let given: Vec<String> = hold
        .give_back()
        .into_iter()
        .map(|claim| {
            let Claim::ReleaseCapacity { resource } = claim else {
                panic!("{claim:?}")
            };
            resource
        })
        .collect();
    assert_eq!(taken, given);
    let refusals: Vec<String> = hold
        .refusals()
        .into_iter()
        .map(|(resource, _)| resource)
        .collect();
    assert_eq!(taken, refusals);
    // Without a code a customer may have any number.
    let plain = CustomerHold { promo: None, ..hold };
    let [Claim::TakeCapacity { limit, .. }] = plain.take()[..] else {
        panic!("one claim")
    };
    assert_eq!(limit, i32::MAX);
}

proptest! {
    #[test]
    fn a_discount_is_never_more_than_what_it_is_taken_from(
        subtotal in 0_i64..=1_000_000_000, ppm in 1_i64..=1_000_000, fixed in 1_i64..=1_000_000_000,
    ) {
        for discount in [
            Discount::Percent { rate_ppm: RatePpm(ppm) },
            Discount::Fixed { amount_cents: Cents(fixed) },
        ] {
            let off = discount.on(Cents(subtotal));
            prop_assert!(off >= Cents::ZERO && off <= Cents(subtotal));
        }
    }
}

#[test]
fn a_coupon_is_its_customers_alone() {
    let owner = CustomerId(Uuid::from_u128(21));
    let terms = PromoTerms {
        customer_id: Some(owner),
        ..terms()
    };
    let mut promo = PromoCode::default();
    promo.evolve(&create("SORRY-26", terms).unwrap()[0]);
    let by = |customer_id| {
        PromoAsked {
            customer_id,
            ..asked(promo.clone(), PromoUses::default())
        }
        .check(HERE, Cents(80_000), at("2026-02-02T00:00:00Z"))
    };
    assert!(by(Some(owner)).is_ok());
    assert_eq!(by(None), Err(PromoRefusal::NotYours));
    let another = CustomerId(Uuid::from_u128(22));
    assert_eq!(by(Some(another)), Err(PromoRefusal::NotYours));
}
