//! How much tax is owed to whom, day by day?

use chrono::NaiveDate;
use domain::ids::StationId;
use domain::money::{Cents, RatePpm};
use domain::recorded::Recorded;
use domain::tax_rate::PlaceConfirmation;

use crate::engine::{Fold, Poison, row};
use crate::tax_ledger::{TAXED, TaxLineKind, TaxLineRow, line};

/// Stands for a rate that is not known: a key has no empty columns.
pub const NO_RATE: RatePpm = RatePpm(-1);

row! {
    /// What one station's day comes to in one jurisdiction at one rate: the sum of the ledger's lines.
    pub struct TaxSummaryRow in "tax_summary",
    key (state: String, county: String, city: String, rate_ppm: RatePpm, event_on: NaiveDate, station_id: StationId) {
        /// State that is owed the tax.
        pub state: String,
        /// County that is owed the tax.
        pub county: String,
        /// City with a rate of its own that is owed the tax; empty where there is none.
        pub city: String,
        /// Combined rate in millionths; [`NO_RATE`] where none is known.
        pub rate_ppm: RatePpm,
        /// Local date of the events.
        pub event_on: NaiveDate,
        /// Station that served: a viewer may be kept to some.
        pub station_id: StationId,
        /// Parties that were held.
        pub orders: i64,
        /// Parties whose place a person must confirm.
        pub unconfirmed: i64,
        /// All that was charged, tips included, tax-inclusive, in cents.
        pub gross_cents: Cents,
        /// Part of it that is not taxed: voluntary tips, in cents.
        pub non_taxable_cents: Cents,
        /// What tax is owed on, without the tax, in cents.
        pub taxable_cents: Cents,
        /// Tax in cents.
        pub tax_cents: Cents,
    }
}

/// The fold behind the tax report.
pub struct TaxSummary;

type DayKey = (String, String, String, RatePpm, NaiveDate, StationId);

impl Fold for TaxSummary {
    type Key = DayKey;
    type Row = TaxSummaryRow;
    const NAME: &'static str = "tax_summary";
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Halt;

    fn event_types() -> &'static [&'static str] {
        TAXED
    }

    fn key(event: &Recorded) -> Option<DayKey> {
        line(event).map(key)
    }

    fn apply(row: Option<TaxSummaryRow>, event: &Recorded) -> Option<TaxSummaryRow> {
        let Some(line) = line(event) else {
            return row;
        };
        let (orders, unconfirmed) = match line.kind {
            TaxLineKind::Sale => (1, i64::from(line.confirmation == Some(PlaceConfirmation::Needed))),
            TaxLineKind::Tip => (0, 0),
        };
        let added = TaxSummaryRow {
            orders,
            unconfirmed,
            gross_cents: line.gross_cents,
            non_taxable_cents: line.tip_cents,
            taxable_cents: line.taxable_cents,
            tax_cents: line.tax_cents,
            ..nothing_yet(key(line))
        };
        Some(match row {
            None => added,
            Some(row) => TaxSummaryRow {
                orders: row.orders + added.orders,
                unconfirmed: row.unconfirmed + added.unconfirmed,
                gross_cents: row.gross_cents + added.gross_cents,
                non_taxable_cents: row.non_taxable_cents + added.non_taxable_cents,
                taxable_cents: row.taxable_cents + added.taxable_cents,
                tax_cents: row.tax_cents + added.tax_cents,
                ..row
            },
        })
    }
}

fn key(line: TaxLineRow) -> DayKey {
    let rate = line.rate_ppm.unwrap_or(NO_RATE);
    (
        line.state,
        line.county,
        line.city,
        rate,
        line.event_on,
        line.station_id,
    )
}

fn nothing_yet((state, county, city, rate_ppm, event_on, station_id): DayKey) -> TaxSummaryRow {
    TaxSummaryRow {
        state,
        county,
        city,
        rate_ppm,
        event_on,
        station_id,
        orders: 0,
        unconfirmed: 0,
        gross_cents: Cents::ZERO,
        non_taxable_cents: Cents::ZERO,
        taxable_cents: Cents::ZERO,
        tax_cents: Cents::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use domain::booking::BookingEvent;
    use proptest::prelude::*;

    use super::*;
    use crate::tax_ledger::TaxLedger;
    use crate::testing::{booking_event, completed, fold, verified};

    fn sale(position: i64, total: i64, rate: Option<i64>) -> Recorded {
        booking_event(position, 3, BookingEvent::Completed(completed(total, rate)))
    }

    #[test]
    fn a_sale_without_a_rate_stands_alone_and_untaxed() {
        let rows = fold::<TaxSummary>(&[sale(1, 85_118, None), sale(2, 85_118, Some(91_250))]);
        let mut rows: Vec<&TaxSummaryRow> = rows.iter().collect();
        rows.sort_by_key(|row| row.rate_ppm);
        assert_eq!(
            (rows[0].rate_ppm, rows[0].taxable_cents, rows[0].tax_cents),
            (NO_RATE, Cents(85_118), Cents(0))
        );
        assert_eq!(
            (rows[1].orders, rows[1].unconfirmed, rows[1].tax_cents),
            (1, 1, Cents(7_118))
        );
    }

    #[test]
    fn a_tip_is_shown_and_not_taxed() {
        let rows = fold::<TaxSummary>(&[
            sale(1, 85_118, Some(91_250)),
            verified(2, 10_000, 12_000),
            verified(3, 1, 0),
        ]);
        let rows: Vec<&TaxSummaryRow> = rows.iter().collect();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].orders, rows[0].non_taxable_cents), (1, Cents(12_000)));
        assert_eq!(
            (rows[0].gross_cents, rows[0].taxable_cents),
            (Cents(97_118), Cents(78_000))
        );
    }

    proptest! {
        #[test]
        fn the_summary_is_the_sum_of_the_ledger(
            facts in prop::collection::vec((0_i64..1_000_000, prop::option::of(0_i64..250_000), 0_i64..20_000), 0..30)
        ) {
            let events: Vec<Recorded> = facts
                .iter()
                .zip(1..)
                .flat_map(|((total, rate, tip), place)| [sale(place * 2, *total, *rate), verified(place * 2 + 1, 5, *tip)])
                .collect();
            let (summary, ledger) = (fold::<TaxSummary>(&events), fold::<TaxLedger>(&events));
            let of_summary = |field: fn(&TaxSummaryRow) -> Cents| summary.iter().map(field).sum::<Cents>();
            let of_ledger = |field: fn(&TaxLineRow) -> Cents| ledger.iter().map(field).sum::<Cents>();
            prop_assert_eq!(of_summary(|row| row.gross_cents), of_ledger(|line| line.gross_cents));
            prop_assert_eq!(of_summary(|row| row.non_taxable_cents), of_ledger(|line| line.tip_cents));
            prop_assert_eq!(of_summary(|row| row.taxable_cents), of_ledger(|line| line.taxable_cents));
            prop_assert_eq!(of_summary(|row| row.tax_cents), of_ledger(|line| line.tax_cents));
            let orders: i64 = summary.iter().map(|row| row.orders).sum();
            prop_assert_eq!(orders, i64::try_from(facts.len()).unwrap());
            for line in ledger.iter() {
                prop_assert_eq!(line.gross_cents, line.tip_cents + line.net_cents + line.tax_cents);
            }
        }
    }
}
