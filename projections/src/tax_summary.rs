//! How much tax is owed to whom, day by day?

use chrono::NaiveDate;
use domain::ids::StationId;
use domain::money::{Cents, RatePpm};
use domain::recorded::Recorded;
use domain::tax_rate::PlaceConfirmation;

use crate::engine::{Fold, Poison, row};
use crate::tax_ledger::{TAXED, TaxLineRow, line};

/// Stands for a rate that is not known: a key has no empty columns.
pub const NO_RATE: RatePpm = RatePpm(-1);

row! {
    /// What one station's day comes to in one jurisdiction at one rate: the sum of the ledger's lines.
    pub struct TaxSummaryRow in "tax_summary",
    key (state: String, county: String, city: String, rate_ppm: RatePpm, tax_on: NaiveDate, station_id: StationId) {
        /// State that is owed the tax.
        pub state: String,
        /// County that is owed the tax.
        pub county: String,
        /// City with a rate of its own that is owed the tax; empty where there is none.
        pub city: String,
        /// Combined rate in millionths; [`NO_RATE`] where none is known.
        pub rate_ppm: RatePpm,
        /// Local day that the lines belong to.
        pub tax_on: NaiveDate,
        /// Station that served: a viewer may be kept to some.
        pub station_id: StationId,
        /// Parties that were held.
        pub orders: i64,
        /// Parties whose place a person must confirm.
        pub unconfirmed: i64,
        /// All that was charged, tips included, tax-inclusive, in cents.
        pub gross_cents: Cents,
        /// Part of it that is not taxed: tips that customers chose, in cents.
        pub non_taxable_cents: Cents,
        /// What tax is owed on, without the tax, in cents.
        pub taxable_cents: Cents,
        /// Tax in cents.
        pub tax_cents: Cents,
        /// What was given back with an effect on tax, tax-inclusive, in cents.
        pub refund_cents: Cents,
        /// Part of it that had not been taxed, in cents.
        pub refunded_non_taxable_cents: Cents,
        /// Part of it that had been taxed, without the tax, in cents.
        pub refunded_net_cents: Cents,
        /// Tax in it, in cents.
        pub refunded_tax_cents: Cents,
    }
}

/// The fold behind the tax report.
pub struct TaxSummary;

type DayKey = (String, String, String, RatePpm, NaiveDate, StationId);

impl Fold for TaxSummary {
    type Key = DayKey;
    type Row = TaxSummaryRow;
    const NAME: &'static str = "tax_summary";
    const VERSION: i32 = 3;
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
        let orders = line.orders;
        let mut sum = row.unwrap_or_else(|| nothing_yet(key(line.clone())));
        sum.orders += orders;
        if line.confirmation == PlaceConfirmation::Needed {
            sum.unconfirmed += orders;
        }
        sum.gross_cents += line.gross_cents;
        sum.non_taxable_cents += line.non_taxable_cents;
        sum.taxable_cents += line.taxable_cents;
        sum.tax_cents += line.tax_cents;
        sum.refund_cents += line.refund_cents;
        sum.refunded_non_taxable_cents += line.refunded_non_taxable_cents;
        sum.refunded_net_cents += line.refunded_net_cents;
        sum.refunded_tax_cents += line.refunded_tax_cents;
        Some(sum)
    }
}

fn key(line: TaxLineRow) -> DayKey {
    let rate = line.rate_ppm.unwrap_or(NO_RATE);
    (
        line.state,
        line.county,
        line.city,
        rate,
        line.tax_on,
        line.station_id,
    )
}

fn nothing_yet((state, county, city, rate_ppm, tax_on, station_id): DayKey) -> TaxSummaryRow {
    TaxSummaryRow {
        state,
        county,
        city,
        rate_ppm,
        tax_on,
        station_id,
        orders: 0,
        unconfirmed: 0,
        gross_cents: Cents::ZERO,
        non_taxable_cents: Cents::ZERO,
        taxable_cents: Cents::ZERO,
        tax_cents: Cents::ZERO,
        refund_cents: Cents::ZERO,
        refunded_non_taxable_cents: Cents::ZERO,
        refunded_net_cents: Cents::ZERO,
        refunded_tax_cents: Cents::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use domain::booking::{Booking, BookingCommand, BookingEvent, PaymentFact, PaymentWay, RecordTax};
    use domain::decider::Decider;
    use domain::ids::{EventId, PaymentId};
    use domain::payment::{PaymentMethod, RefundKind, TipChoice};
    use domain::tax_account::CardFeeTax;
    use domain::tax_period::TaxPeriods;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::tax_ledger::TaxLedger;
    use crate::testing::{at, booking_event, completed, fold, requested};

    fn sale(position: i64, total: i64, rate: Option<i64>) -> Recorded {
        booking_event(position, 3, BookingEvent::Completed(completed(total, rate)))
    }

    fn fact(cause: u128, tip: i64, fee: i64, way: PaymentWay) -> PaymentFact {
        PaymentFact {
            cause: EventId(Uuid::from_u128(cause)),
            payment_id: PaymentId(Uuid::from_u128(1)),
            method: PaymentMethod::Card,
            amount_cents: Cents(0),
            tip_cents: Cents(tip),
            fee_cents: Cents(fee),
            at: at("2026-12-06T05:00:00Z"),
            way,
        }
    }

    fn chosen() -> PaymentWay {
        PaymentWay::Captured {
            tip_choice: Some(TipChoice {
                chosen_at: at("2026-12-06T05:00:00Z"),
                screen: "pay by card".to_owned(),
                preselected: false,
            }),
        }
    }

    fn price_lowered(cause: u128, by: i64) -> PaymentFact {
        let way = PaymentWay::Refunded {
            refund_id: None,
            kind: RefundKind::PriceAdjustment,
            reason: Some("cold rice".to_owned()),
        };
        PaymentFact {
            amount_cents: Cents(by),
            at: at("2027-01-10T20:00:00Z"),
            ..fact(cause, 0, 0, way)
        }
    }

    /// A party that was held, with what came of its money afterwards.
    fn history(total: i64, rate: Option<i64>, facts: Vec<PaymentFact>) -> Vec<Recorded> {
        let mut booking = Booking::default();
        let held = BookingEvent::Completed(completed(total, rate));
        for event in [&BookingEvent::Requested(requested(total)), &held] {
            booking.evolve(event);
        }
        let mut events = vec![held];
        let adjusted = booking.decide(BookingCommand::RecordTax(RecordTax {
            facts,
            kept: None,
            card_fee: CardFeeTax::Whole,
            periods: TaxPeriods::default(),
            now: at("2027-01-11T00:00:00Z"),
        }));
        events.extend(adjusted.unwrap_or_default());
        let event = |(place, event)| booking_event(place, place, event);
        (1..).zip(events).map(event).collect()
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
    fn a_chosen_tip_is_shown_and_not_taxed_and_a_refund_is_of_its_own_day() {
        let facts = vec![fact(1, 12_000, 0, chosen()), price_lowered(2, 10_000)];
        let rows = fold::<TaxSummary>(&history(85_118, Some(91_250), facts));
        let mut rows: Vec<&TaxSummaryRow> = rows.iter().collect();
        rows.sort_by_key(|row| row.tax_on);
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].orders, rows[0].non_taxable_cents), (1, Cents(12_000)));
        assert_eq!(
            (rows[0].gross_cents, rows[0].taxable_cents),
            (Cents(97_118), Cents(78_000))
        );
        assert_eq!(rows[1].tax_on, "2027-01-10".parse().unwrap());
        assert_eq!(
            (
                rows[1].refund_cents,
                rows[1].refunded_tax_cents,
                rows[1].gross_cents
            ),
            (Cents(10_000), Cents(836), Cents(0))
        );
    }

    #[test]
    fn a_tip_that_nobody_is_known_to_have_chosen_is_taxed() {
        let unknown = fact(1, 12_000, 0, PaymentWay::Captured { tip_choice: None });
        let rows = fold::<TaxSummary>(&history(85_118, Some(91_250), vec![unknown]));
        let all: Cents = rows.iter().map(|row| row.tax_cents).sum();
        assert_eq!(
            all,
            domain::tax::extract(Cents(97_118), RatePpm(91_250)).tax_cents
        );
    }

    proptest! {
        #[test]
        fn the_summary_is_the_sum_of_the_ledger(
            sales in prop::collection::vec(
                (1_i64..1_000_000, prop::option::of(0_i64..250_000), 0_i64..20_000, 0_i64..5_000, 0_i64..400_000), 0..20,
            )
        ) {
            let events: Vec<Recorded> = sales
                .iter()
                .flat_map(|(total, rate, tip, fee, back)| {
                    history(*total, *rate, vec![fact(1, *tip, *fee, chosen()), price_lowered(2, *back)])
                })
                .zip(1..)
                .map(|(event, place)| Recorded { position: domain::envelope::Position(place), ..event })
                .collect();
            let (summary, ledger) = (fold::<TaxSummary>(&events), fold::<TaxLedger>(&events));
            let of_summary = |field: fn(&TaxSummaryRow) -> Cents| summary.iter().map(field).sum::<Cents>();
            let of_ledger = |field: fn(&TaxLineRow) -> Cents| ledger.iter().map(field).sum::<Cents>();
            prop_assert_eq!(of_summary(|row| row.gross_cents), of_ledger(|line| line.gross_cents));
            prop_assert_eq!(of_summary(|row| row.non_taxable_cents), of_ledger(|line| line.non_taxable_cents));
            prop_assert_eq!(of_summary(|row| row.taxable_cents), of_ledger(|line| line.taxable_cents));
            prop_assert_eq!(of_summary(|row| row.tax_cents), of_ledger(|line| line.tax_cents));
            prop_assert_eq!(of_summary(|row| row.refund_cents), of_ledger(|line| line.refund_cents));
            prop_assert_eq!(of_summary(|row| row.refunded_tax_cents), of_ledger(|line| line.refunded_tax_cents));
            let orders: i64 = summary.iter().map(|row| row.orders).sum();
            prop_assert_eq!(orders, i64::try_from(sales.len()).unwrap());
            for line in ledger.iter() {
                prop_assert_eq!(line.gross_cents, line.non_taxable_cents + line.net_cents + line.tax_cents);
                let parts = line.refunded_non_taxable_cents + line.refunded_net_cents + line.refunded_tax_cents;
                prop_assert_eq!(line.refund_cents, parts);
            }
        }
    }
}
