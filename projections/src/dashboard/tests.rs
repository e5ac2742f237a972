use chrono::Datelike;
use proptest::prelude::*;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn filter(from: &str, to: &str, grain: Grain) -> DashboardFilter {
    DashboardFilter {
        station_id: None,
        from: day(from),
        to: day(to),
        grain,
    }
}

fn spans(from: &str, to: &str, grain: Grain) -> Vec<(String, String)> {
    let filled = buckets::fill(&filter(from, to, grain), Vec::new());
    let spans = filled.buckets.iter();
    spans
        .map(|bucket| (bucket.from.to_string(), bucket.to.to_string()))
        .collect()
}

fn is(from: &str, to: &str) -> (String, String) {
    (from.to_owned(), to.to_owned())
}

#[test]
fn weeks_begin_on_monday_and_months_on_the_first_and_both_are_cut_at_the_period() {
    assert_eq!(
        spans("2026-03-14", "2026-03-17", Grain::Week),
        [is("2026-03-14", "2026-03-15"), is("2026-03-16", "2026-03-17")]
    );
    assert_eq!(
        spans("2026-01-31", "2026-03-01", Grain::Month),
        [
            is("2026-01-31", "2026-01-31"),
            is("2026-02-01", "2026-02-28"),
            is("2026-03-01", "2026-03-01")
        ]
    );
    assert_eq!(
        spans("2026-03-08", "2026-03-08", Grain::Day),
        [is("2026-03-08", "2026-03-08")]
    );
}

#[test]
fn a_period_that_cannot_be_shown_is_refused_by_its_reason() {
    let refused = |from, to, grain| check(&filter(from, to, grain)).unwrap_err().to_string();
    assert_eq!(
        refused("2026-03-02", "2026-03-01", Grain::Day),
        "the period 2026-03-02 to 2026-03-01 ends before it begins"
    );
    assert_eq!(
        refused("2026-01-01", "2027-02-05", Grain::Day),
        "a dashboard by day shows at most 400 days; these are 401"
    );
    assert!(check(&filter("2026-01-01", "2027-02-04", Grain::Day)).is_ok());
    assert!(check(&filter("2026-01-01", "2036-01-01", Grain::Month)).is_ok());
    assert!(check(&filter("2026-01-01", "2036-12-31", Grain::Week)).is_err());
}

#[test]
fn the_mean_order_is_half_up_and_there_is_none_of_nothing() {
    let of = |count, total| {
        let sums = Added {
            guests: 0,
            total: Cents(total),
            money: BookingMoney::default(),
        };
        Figures::of(BookingStatus::Confirmed, count, sums).average_order_cents()
    };
    assert_eq!(of(2, 85_117), Some(Cents(42_559)));
    assert_eq!(of(3, 100), Some(Cents(33)));
    assert_eq!(of(0, 0), None);
}

fn paid_in(cents: i64) -> BookingMoney {
    BookingMoney {
        paid_cents: Cents(cents),
        ..BookingMoney::default()
    }
}

fn bookings() -> impl Strategy<Value = Vec<(u64, usize, i64, i64)>> {
    proptest::collection::vec(
        (0_u64..400, 0_usize..5, 0_i64..1_000_000, 0_i64..1_000_000),
        0..60,
    )
}

proptest! {
    #[test]
    fn every_grain_has_the_sums_of_its_bookings_and_loses_none(
        bookings in bookings(), offset in 0_u64..800, length in 1_u64..400,
    ) {
        let from = day("2025-11-20") + Days::new(offset);
        let to = from + Days::new(length - 1);
        let days: Vec<_> = bookings
            .iter()
            .map(|(place, status, total, paid)| {
                let sums = Added { guests: 3, total: Cents(*total), money: paid_in(*paid) };
                (from + Days::new(place % length), Figures::of(BookingStatus::ALL[*status], 1, sums))
            })
            .collect();
        let mut all = Figures::default();
        for (_, figures) in &days {
            all.add(*figures);
        }
        for grain in Grain::ALL {
            let filter = DashboardFilter { station_id: None, from, to, grain };
            let filled = buckets::fill(&filter, days.clone());
            prop_assert_eq!(filled.total.figures, all);
            let mut expected = from;
            for bucket in &filled.buckets {
                prop_assert_eq!(bucket.from, expected);
                prop_assert!(bucket.to >= bucket.from);
                expected = local_day::next(bucket.to);
                let mut of_bucket = Figures::default();
                for (day, figures) in &days {
                    if (bucket.from..=bucket.to).contains(day) {
                        of_bucket.add(*figures);
                    }
                }
                prop_assert_eq!(bucket.figures, of_bucket);
                match grain {
                    Grain::Day => prop_assert_eq!(bucket.from, bucket.to),
                    Grain::Week => prop_assert!(bucket.from == from || bucket.from.weekday() == chrono::Weekday::Mon),
                    Grain::Month => prop_assert_eq!(bucket.from.month(), bucket.to.month()),
                }
            }
            prop_assert_eq!(expected, local_day::next(to));
        }
    }
}
