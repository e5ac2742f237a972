use domain::price_list::{BookingPolicy, MandatoryGratuity, MinimumSet, TravelBandSet};
use domain::router::Particulars;
use domain::station::StationSettings;

use super::*;

fn item(label: &str, kind: ItemKind, price: i64) -> PricedItem {
    PricedItem {
        item: label.to_lowercase(),
        label: label.to_owned(),
        kind,
        price_cents: Cents(price),
        min_cents: Cents(0),
        max_cents: Cents(1_000_000),
        effective_from: "2026-01-01T00:00:00Z".parse().unwrap(),
    }
}

fn facts(price: i64) -> CompanyFacts {
    CompanyFacts {
        company: "My Hibachi".to_owned(),
        branches: vec![("San Jose".to_owned(), "95112".parse().unwrap(), "CA".to_owned())],
        branch: Some(BranchFacts {
            name: "San Jose".to_owned(),
            settings: StationSettings::default(),
            items: vec![
                item("Adult", ItemKind::Adult, price),
                item("Tofu", ItemKind::AddOn, 700),
            ],
            travel: Some(TravelBandSet {
                free_miles: 30,
                per_mile_cents: Cents(200),
                max_miles: 100,
                before: None,
            }),
            miles: Some(120),
            minimum: Some(MinimumSet {
                weekday_cents: Cents(50_000),
                weekend_cents: Cents(55_000),
                below: BelowMinimum::Refuse,
                before: None,
            }),
            policy: BookingPolicy {
                gratuity: Some(MandatoryGratuity {
                    from_guests: 20,
                    rate_ppm: RatePpm(185_000),
                }),
                ..BookingPolicy::default()
            },
        }),
        quote: None,
        free: Some(Ok(vec![NaiveTime::from_hms_opt(18, 30, 0).unwrap()])),
    }
}

fn ask(intent: Intent) -> Question {
    Question {
        text: String::new(),
        intent,
        particulars: Particulars {
            on: "2026-12-05".parse().ok(),
            ..Particulars::default()
        },
    }
}

#[test]
fn answers_are_of_the_companys_facts() {
    let said = |intent| FactsAssistant::say(&ask(intent), &facts(5_500));
    let pricing = said(Intent::Pricing);
    assert!(pricing.contains("Adult $55.00 each"), "{pricing}");
    assert!(
        pricing.contains("tell me how many guests come and the ZIP code"),
        "{pricing}"
    );
    assert!(said(Intent::Availability).contains("6:30 pm"));
    assert!(said(Intent::Location).contains("120 miles away, and we go 100 miles"));
    assert!(said(Intent::Dietary).contains("Tofu"));
    assert!(said(Intent::Policy).contains("18.5 %"));
    assert!(said(Intent::Other).contains("My Hibachi"));
}

#[test]
fn who_knows_nothing_names_no_price() {
    for intent in Intent::ALL {
        let said = FactsAssistant::say(&ask(intent), &CompanyFacts::default());
        assert!(!said.is_empty() && !said.contains('$'), "{said}");
    }
}

#[test]
fn whatever_the_prices_are_no_other_amount_is_named() {
    for price in [0, 1, 99, 100, 5_500, 99_999, 123_456_789] {
        for intent in Intent::ALL {
            let facts = facts(price);
            let said = FactsAssistant::say(&ask(intent), &facts);
            assert!(facts.covers(&said), "{said}");
        }
    }
}
