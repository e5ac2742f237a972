//! Tax in plain sentences: where it belongs, what adds to it, and which periods are closed.

use domain::booking::{BookingTaxAdjusted, BookingTaxPlaceSet, TaxAdjustment};
use domain::money::RatePpm;
use domain::tax_period::TaxPeriodEvent;
use domain::tax_rate::{PlaceConfirmation, TaxPlace};

use super::place;
use crate::audit_trail::description::{Description, Told, percent};

fn rate(rate: Option<RatePpm>) -> String {
    rate.map_or_else(|| "no known rate".to_owned(), percent)
}

pub(super) fn describe_place(set: &BookingTaxPlaceSet) -> Description {
    let confirmation = |place: &TaxPlace| match place.confirmation {
        PlaceConfirmation::Needed => "to be confirmed",
        PlaceConfirmation::NotNeeded => "certain",
    };
    let (before, after) = (&set.before, &set.tax_place);
    let mut described = Description::of(format!(
        "Tax of the booking belongs to {} at {}, {}",
        place(&after.jurisdiction),
        rate(after.rate_ppm),
        set.because.as_str()
    ))
    .because(set.reason.as_ref());
    if before.jurisdiction != after.jurisdiction {
        described = described.changed(
            "tax.place",
            Some(place(&before.jurisdiction)),
            place(&after.jurisdiction),
        );
    }
    if before.rate_ppm != after.rate_ppm {
        described = match after.rate_ppm {
            Some(after) => described.changed("tax.rate", before.rate_ppm, after),
            None => described.gone("tax.rate", before.rate_ppm.unwrap_or_default()),
        };
    }
    if before.method != after.method {
        described = described.changed("tax.method", Some(before.method.as_str()), after.method.as_str());
    }
    if before.confirmation != after.confirmation {
        described = described.changed(
            "tax.confirmation",
            Some(Told::status(confirmation(before))),
            Told::status(confirmation(after)),
        );
    }
    described
}

pub(super) fn describe_adjustment(adjusted: &BookingTaxAdjusted) -> Description {
    let figures = &adjusted.figures;
    let at = format!(
        "{} at {}",
        place(&adjusted.tax_place.jurisdiction),
        rate(adjusted.tax_place.rate_ppm)
    );
    let said = match adjusted.kind {
        TaxAdjustment::CardFee => format!("Card fee of {} taxed", figures.card_fee_cents),
        TaxAdjustment::Tip if figures.non_taxable_cents == figures.tip_cents => {
            format!("Tip of {} noted; it is not taxed", figures.tip_cents)
        }
        TaxAdjustment::Tip => format!(
            "Tip of {} taxed: nothing shows that it was chosen",
            figures.tip_cents
        ),
        TaxAdjustment::Refund => format!("Tax of a refund of {} taken back", figures.refund_cents),
        TaxAdjustment::RefundFailed => format!("Refund of {} was not given", -figures.refund_cents),
        TaxAdjustment::Void if adjusted.kept.is_some() => {
            let less = figures.refund_cents - figures.gross_cents;
            format!("{less} of what was thought to be kept had not come in")
        }
        TaxAdjustment::Void => format!("Tip or card fee of {} had not come in", figures.refund_cents),
        TaxAdjustment::CorrectedFrom => format!("Tax taken back from {at}"),
        TaxAdjustment::CorrectedTo => format!("Tax taken at {at}"),
        TaxAdjustment::KeptDeposit => format!(
            "{} kept of a party that was called off taxed as a sale",
            figures.gross_cents
        ),
    };
    Description::of(format!(
        "{said}: tax of booking {} changes by {} on {}",
        adjusted.number,
        figures.net_tax(),
        adjusted.tax_on
    ))
    .because(adjusted.reason.as_ref())
    .set("tax.amount", figures.net_tax())
    .set("tax.on", adjusted.tax_on)
}

pub(super) fn describe_period(event: &TaxPeriodEvent) -> Description {
    let open = || Told::status("open");
    match event {
        TaxPeriodEvent::ClosingBegun(begun) => Description::of(format!(
            "Closing of {} in {} begun: {} to {}",
            begun.period.name, begun.state, begun.period.from, begun.period.until
        ))
        .changed("status", Some(open()), Told::status("closing")),
        TaxPeriodEvent::ClosingWithdrawn(withdrawn) => Description::of(format!(
            "Closing of {} in {} given up: {}",
            withdrawn.period.name, withdrawn.state, withdrawn.unresolved
        ))
        .changed("status", Some(Told::status("closing")), open()),
        TaxPeriodEvent::Closed(closed) => Description::of(format!(
            "Tax of {} in {} closed at position {}: {} to pay",
            closed.period.name, closed.state, closed.position, closed.net_tax_cents
        ))
        .changed("status", Some(Told::status("closing")), Told::status("closed"))
        .set("position", closed.position.0)
        .set("checksum", closed.checksum.as_str()),
        TaxPeriodEvent::Reopened(reopened) => Description::of(format!(
            "Tax of {} in {} opened again",
            reopened.period.name, reopened.state
        ))
        .because(Some(&reopened.reason))
        .changed("status", Some(Told::status("closed")), open()),
    }
}
