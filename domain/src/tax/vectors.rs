//! The published tax cases: every `assert` row holds, no `negative_control` row comes out.

use crate::money::{Cents, RatePpm};
use crate::tax;
use serde_json::Value;

fn cents(text: &str) -> Cents {
    let negative = text.starts_with('-');
    let (whole, places) = text
        .trim_start_matches('-')
        .split_once('.')
        .unwrap_or((text, "00"));
    let amount: i64 = format!("{}{places:0<2}", whole.trim_start_matches('-'))
        .parse()
        .unwrap();
    Cents(if negative { -amount } else { amount })
}

fn percent(text: &str) -> RatePpm {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    RatePpm(format!("{whole}{places:0<4}").parse().unwrap())
}

fn list(value: &Value) -> Vec<Cents> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|part| Cents(part.as_i64().unwrap()))
        .collect()
}

fn pair(value: &Value, index: usize) -> Cents {
    cents(value[index].as_str().unwrap())
}

/// Whether a row comes out as it says.
fn comes_out(row: &csv::StringRecord) -> bool {
    let (kind, gross, rate) = (&row[1], &row[2], &row[3]);
    let (net, tax) = (&row[4], &row[5]);
    let extra: Value = if row[10].is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&row[10]).unwrap()
    };
    let extracted = || tax::extract(cents(gross), percent(rate));
    let agrees = || {
        extracted()
            == tax::Extracted {
                net_cents: cents(net),
                tax_cents: cents(tax),
            }
    };
    match kind {
        "inclusive" | "location_date" | "property" | "discount" => agrees(),
        "inclusive_scale0" => {
            // A currency without decimals: whole units take the place of cents.
            let whole = |text: &str| Cents(text.parse().unwrap());
            tax::extract(whole(gross), percent(rate))
                == tax::Extracted {
                    net_cents: whole(net),
                    tax_cents: whole(tax),
                }
        }
        "forward" => {
            tax::on_net(cents(net), percent(rate)) == cents(tax) && cents(net) + cents(tax) == cents(gross)
        }
        "trap" => extracted().net_cents == cents(net),
        "split_components" => {
            let parts = extra["components"].as_array().unwrap();
            let weights: Vec<i64> = parts
                .iter()
                .map(|part| percent(part[1].as_str().unwrap()).0)
                .collect();
            let expected: Vec<Cents> = parts.iter().map(|part| pair(part, 2)).collect();
            agrees() && tax::split(cents(tax), &weights) == expected
        }
        "prorate" => {
            let weights: Vec<i64> = list(&extra["weights"])
                .into_iter()
                .map(|weight| weight.0)
                .collect();
            let mut parts = tax::split(Cents(extra["total"].as_i64().unwrap()), &weights);
            if let Some(multiset) = extra.get("expected_multiset") {
                parts.sort_unstable();
                return parts == list(multiset);
            }
            parts == list(&extra["expected"])
        }
        "refund_sequence" => {
            let (gross, whole) = (cents(gross), cents(tax));
            let (mut refunded, mut reversed) = (Cents::ZERO, Cents::ZERO);
            let each = extra["refunds"].as_array().unwrap().iter().all(|refund| {
                refunded += pair(refund, 0);
                let part = tax::reversed_by_refund(whole, gross, refunded, reversed);
                reversed += part;
                part == pair(refund, 2) && pair(refund, 0) - part == pair(refund, 1)
            });
            agrees() && each && reversed == cents(extra["tax_refunded"].as_str().unwrap())
        }
        "aggregate" => {
            let orders = extra["orders"].as_array().unwrap();
            let each = orders
                .iter()
                .all(|order| tax::extract(pair(order, 0), percent(rate)).tax_cents == pair(order, 1));
            let sum: Cents = orders.iter().map(|order| pair(order, 1)).sum();
            let again = tax::extract(cents(gross), percent(rate)).tax_cents;
            each && sum == cents(tax)
                && again == cents(extra["period_recomputed_tax"].as_str().unwrap())
                && sum - again == cents(extra["variance"].as_str().unwrap())
        }
        "composite" => {
            let figure = |name: &str| cents(extra[name].as_str().unwrap());
            let tip = cents(net).share(percent(&extra["tip_percent"].to_string()));
            let fee = (cents(gross) + tip).share(percent("3"));
            let fee_parts = tax::extract(fee, percent(rate));
            agrees()
                && tip == figure("tip")
                && fee == figure("card_fee")
                && fee_parts.net_cents == figure("fee_net")
                && fee_parts.tax_cents == figure("fee_tax")
                && tax::extract(tip, percent(rate)).tax_cents == figure("tip_tax_if_mandatory")
        }
        "deposit" => {
            let by_payment: Vec<Cents> = extra["payments"]
                .as_array()
                .unwrap()
                .iter()
                .map(|payment| tax::extract(cents(payment.as_str().unwrap()), percent(rate)).tax_cents)
                .collect();
            let published: Vec<Cents> = extra["tax_by_payment"]
                .as_array()
                .unwrap()
                .iter()
                .map(|tax| cents(tax.as_str().unwrap()))
                .collect();
            agrees() && by_payment == published
        }
        other => panic!("a kind of row that this test does not know: {other}"),
    }
}

#[test]
fn every_asserted_case_comes_out_and_no_negative_control_does() {
    let mut reader = csv::Reader::from_reader(include_bytes!("../../data/tax_vectors.csv").as_slice());
    let (mut asserted, mut controls) = (0, 0);
    for row in reader.records() {
        let row = row.unwrap();
        match &row[7] {
            "assert" => {
                asserted += 1;
                assert!(comes_out(&row), "{row:?} does not come out");
            }
            "negative_control" => {
                controls += 1;
                assert!(!comes_out(&row), "{row:?} comes out and must not");
            }
            other => panic!("a use that this test does not know: {other}"),
        }
    }
    assert_eq!((asserted, controls), (ASSERTED, CONTROLS));
}

const ASSERTED: i32 = 102;
const CONTROLS: i32 = 8;
