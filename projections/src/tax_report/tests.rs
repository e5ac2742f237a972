use domain::ids::StationId;
use proptest::prelude::*;

use super::*;

fn day(county: &str, city: &str, rate: i64, on: &str, gross: i64, tips: i64) -> TaxSummaryRow {
    let parts = tax::extract(Cents(gross), RatePpm(rate.max(0)));
    TaxSummaryRow {
        state: "CA".to_owned(),
        county: county.to_owned(),
        city: city.to_owned(),
        rate_ppm: RatePpm(rate),
        tax_on: on.parse().unwrap(),
        station_id: StationId(uuid::Uuid::nil()),
        orders: 1,
        unconfirmed: 0,
        gross_cents: Cents(gross + tips),
        non_taxable_cents: Cents(tips),
        taxable_cents: parts.net_cents,
        tax_cents: parts.tax_cents,
        refund_cents: Cents(0),
        refunded_non_taxable_cents: Cents(0),
        refunded_net_cents: Cents(0),
        refunded_tax_cents: Cents(0),
    }
}

fn report(days: &[TaxSummaryRow]) -> TaxReport {
    let rows = rows(days);
    let mut total = TaxReportRow::default();
    for row in &rows {
        total.add(row);
    }
    let position = Position(42);
    TaxReport {
        basis: TaxBasis::EventDate,
        state: "CA".to_owned(),
        period: "2026-12".parse().unwrap(),
        checksum: checksum(&rows),
        rows,
        total,
        unresolved: 0,
        unconfirmed: 0,
        position,
        info: ReadInfo {
            position,
            recorded_at: None,
            lag_events: 0,
            lag_ms: 0,
            stale: false,
            incomplete: false,
        },
    }
}

#[test]
fn days_of_one_place_and_rate_are_one_row() {
    let report = report(&[
        day("Santa Clara", "", 91_250, "2026-12-05", 85_118, 5_000),
        day("Santa Clara", "", 91_250, "2026-12-06", 85_118, 0),
        day("Santa Clara", "San Jose", 93_750, "2026-12-05", 10_000, 0),
        day("Alameda", "", -1, "2026-12-05", 9_000, 0),
    ]);
    let places: Vec<_> = report
        .rows
        .iter()
        .map(|row| (row.county.as_str(), row.city.as_deref()))
        .collect();
    assert_eq!(
        places,
        [
            ("Alameda", None),
            ("Santa Clara", None),
            ("Santa Clara", Some("San Jose"))
        ]
    );
    let santa_clara = &report.rows[1];
    assert_eq!(
        (
            santa_clara.orders,
            santa_clara.gross_cents,
            santa_clara.non_taxable_cents
        ),
        (2, Cents(175_236), Cents(5_000))
    );
    assert_eq!(
        (santa_clara.taxable_cents, santa_clara.tax_cents),
        (Cents(156_000), Cents(14_236))
    );
    assert_eq!(santa_clara.variance_cents, Cents(-1));
    assert_eq!(report.rows[0].rate_ppm, None);
    assert_eq!(report.total.gross_cents, Cents(194_236));
}

proptest! {
    #[test]
    fn the_total_is_the_sum_of_the_days(
        days in prop::collection::vec((0_usize..3, 0_usize..3, -1_i64..3, 0_i64..1_000_000, 0_i64..50_000), 0..40)
    ) {
        let days: Vec<TaxSummaryRow> = days
            .into_iter()
            .map(|(county, city, rate, gross, tips)| {
                let rate = if rate < 0 { -1 } else { rate * 30_000 };
                day(["A", "B", "C"][county], ["", "X", "Y"][city], rate, "2026-12-05", gross, tips)
            })
            .collect();
        let report = report(&days);
        prop_assert_eq!(report.total.gross_cents, days.iter().map(|day| day.gross_cents).sum());
        prop_assert_eq!(report.total.tax_cents, days.iter().map(|day| day.tax_cents).sum());
        for row in report.rows.iter().chain([&report.total]) {
            prop_assert_eq!(row.gross_cents, row.non_taxable_cents + row.taxable_cents + row.tax_cents);
            prop_assert_eq!(row.net_tax_cents, row.tax_cents - row.refunded_tax_cents);
        }
        let mut shuffled = days;
        shuffled.reverse();
        prop_assert_eq!(checksum(&rows(&shuffled)), report.checksum);
    }
}
