//! Each kind of case, run through the arithmetic that bookings are taxed by.

use serde_json::Value;

use super::figures::{Figures, dollars, dollars_at, percent_at};
use super::{BadVector, Kind};
use crate::money::{Cents, RatePpm};
use crate::tax::{Extracted, extract, on_net, reversed_by_refund, split};

/// The card fee of the published cases: 3 % of the tax-inclusive total and the tip.
const CARD_FEE: RatePpm = RatePpm(30_000);

/// Whether a case's figures come out, and what is taken out of its gross, where it is about that.
pub(super) fn run(kind: Kind, figures: &Figures) -> Result<(bool, Option<Extracted>), BadVector> {
    match kind {
        Kind::Inclusive | Kind::LocationDate | Kind::Property | Kind::Discount => {
            let ours = extracted(figures)?;
            Ok((ours == expected(figures)?, Some(ours)))
        }
        Kind::InclusiveScale0 => {
            let [gross, net_cents, tax_cents] = figures.whole()?;
            let expected = Extracted { net_cents, tax_cents };
            Ok((extract(gross, figures.rate()?) == expected, None))
        }
        Kind::Forward => Ok((forward(figures)?, None)),
        Kind::Trap => {
            let ours = extracted(figures)?;
            Ok((ours.net_cents == figures.net()?, Some(ours)))
        }
        Kind::SplitComponents => beside_extraction(figures, components(figures)?),
        Kind::Prorate => Ok((prorated(figures)?, None)),
        Kind::RefundSequence => beside_extraction(figures, refunds(figures)?),
        Kind::Aggregate => Ok((aggregate(figures)?, None)),
        Kind::Composite => beside_extraction(figures, composite(figures)?),
        Kind::Deposit => beside_extraction(figures, deposit(figures)?),
    }
}

fn extracted(figures: &Figures) -> Result<Extracted, BadVector> {
    Ok(extract(figures.gross()?, figures.rate()?))
}

fn expected(figures: &Figures) -> Result<Extracted, BadVector> {
    Ok(Extracted {
        net_cents: figures.net()?,
        tax_cents: figures.tax()?,
    })
}

/// A case whose gross must come apart as it says, and something else as well.
fn beside_extraction(figures: &Figures, also: bool) -> Result<(bool, Option<Extracted>), BadVector> {
    let ours = extracted(figures)?;
    Ok((also && ours == expected(figures)?, Some(ours)))
}

fn forward(figures: &Figures) -> Result<bool, BadVector> {
    let (net, tax) = (figures.net()?, figures.tax()?);
    Ok(on_net(net, figures.rate()?) == tax && net + tax == figures.gross()?)
}

fn components(figures: &Figures) -> Result<bool, BadVector> {
    let parts = figures.list("components")?;
    let weight = |part: &Value| percent_at(part, 1, "components").map(|rate| rate.0);
    let weights: Vec<i64> = parts.iter().map(weight).collect::<Result<_, _>>()?;
    let expected = parts.iter().map(|part| dollars_at(part, 2, "components"));
    let expected: Vec<Cents> = expected.collect::<Result<_, _>>()?;
    Ok(split(figures.tax()?, &weights) == expected)
}

fn prorated(figures: &Figures) -> Result<bool, BadVector> {
    let weights: Vec<i64> = figures
        .cents_list("weights")?
        .into_iter()
        .map(|weight| weight.0)
        .collect();
    if weights.iter().any(|weight| *weight < 0) {
        return Err(BadVector::Extra("weights are never negative".to_owned()));
    }
    let mut parts = split(figures.cents("total")?, &weights);
    if figures.has("expected_multiset") {
        parts.sort_unstable();
        let mut expected = figures.cents_list("expected_multiset")?;
        expected.sort_unstable();
        return Ok(parts == expected);
    }
    Ok(parts == figures.cents_list("expected")?)
}

fn refunds(figures: &Figures) -> Result<bool, BadVector> {
    let (gross, whole) = (figures.gross()?, figures.tax()?);
    let (mut refunded, mut reversed) = (Cents::ZERO, Cents::ZERO);
    let mut each = true;
    for refund in figures.list("refunds")? {
        let back = dollars_at(refund, 0, "refunds")?;
        refunded += back;
        let part = reversed_by_refund(whole, gross, refunded, reversed);
        reversed += part;
        each &= part == dollars_at(refund, 2, "refunds")? && back - part == dollars_at(refund, 1, "refunds")?;
    }
    Ok(each && reversed == figures.dollars("tax_refunded")?)
}

fn aggregate(figures: &Figures) -> Result<bool, BadVector> {
    let rate = figures.rate()?;
    let mut each = true;
    let mut sum = Cents::ZERO;
    for order in figures.list("orders")? {
        let tax = dollars_at(order, 1, "orders")?;
        each &= extract(dollars_at(order, 0, "orders")?, rate).tax_cents == tax;
        sum += tax;
    }
    let again = extracted(figures)?.tax_cents;
    Ok(each
        && sum == figures.tax()?
        && figures.gross()? - sum == figures.net()?
        && again == figures.dollars("period_recomputed_tax")?
        && sum - again == figures.dollars("variance")?)
}

fn composite(figures: &Figures) -> Result<bool, BadVector> {
    let rate = figures.rate()?;
    let tip = figures.net()?.share(figures.percent("tip_percent")?);
    let fee = (figures.gross()? + tip).share(CARD_FEE);
    let fee_parts = extract(fee, rate);
    Ok(tip == figures.dollars("tip")?
        && fee == figures.dollars("card_fee")?
        && fee_parts.net_cents == figures.dollars("fee_net")?
        && fee_parts.tax_cents == figures.dollars("fee_tax")?
        && extract(tip, rate).tax_cents == figures.dollars("tip_tax_if_mandatory")?)
}

fn deposit(figures: &Figures) -> Result<bool, BadVector> {
    let rate = figures.rate()?;
    let amounts = |name| {
        let list = figures.list(name)?.iter();
        list.map(|entry| dollars(Some(entry), name))
            .collect::<Result<Vec<Cents>, _>>()
    };
    let taxes = amounts("payments")?
        .into_iter()
        .map(|payment| extract(payment, rate).tax_cents);
    Ok(taxes.collect::<Vec<Cents>>() == amounts("tax_by_payment")?)
}
