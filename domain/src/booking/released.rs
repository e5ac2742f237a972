//! Shapes that the events of a booking had before, as they were released, and what leads from each to the next.
//!
//! Nothing writes them any more; logs hold them for ever.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::event::{BookingCancelled, CancelledBy, RefundRule};
use crate::ids::StationId;
use crate::money::RatePpm;
use crate::price_list::{CancellationTier, DepositBack};
use crate::tax_account::KeptDepositTax;

/// `booking.cancelled` version 1. A company's cancellation proposed everything by way of a tier that was made up
/// for the day, so that nobody could tell it from one of the terms.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BookingCancelledV1 {
    /// The station whose place is free.
    pub station_id: StationId,
    /// Who called it off.
    pub by: CancelledBy,
    /// Why.
    pub reason: String,
    /// Whole hours before the start; negative after it.
    pub hours_before: i64,
    /// What is proposed to be given back; none is nothing.
    pub refund_tier: Option<CancellationTier>,
    /// When.
    pub cancelled_at: DateTime<Utc>,
}

/// A tier that gives everything back is the company's own when the company called it off; any other stays what it was,
/// so that no amount changes.
impl From<BookingCancelledV1> for BookingCancelled {
    fn from(old: BookingCancelledV1) -> Self {
        let everything = |tier: &CancellationTier| {
            tier.refund_ppm == RatePpm(1_000_000) && tier.deposit_back == DepositBack::Returned
        };
        let refund = match (old.by, old.refund_tier) {
            (_, None) => RefundRule::Nothing,
            (CancelledBy::Company, Some(tier)) if everything(&tier) => RefundRule::Everything,
            (CancelledBy::Company | CancelledBy::Customer, Some(tier)) => RefundRule::Tier(tier),
        };
        Self {
            station_id: old.station_id,
            by: old.by,
            reason: old.reason,
            hours_before: old.hours_before,
            was: None,
            refund,
            gives_back: None,
            kept: KeptDepositTax::NotASale,
            cancelled_at: old.cancelled_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::BookingEvent;
    use crate::decider::Event;

    /// What version 1 says is read as this.
    fn refund(by: &str, tier: &str) -> RefundRule {
        let payload = format!(
            "{{\"by\":\"{by}\",\"cancelled_at\":\"2026-03-13T19:00:00Z\",\"hours_before\":30,\"reason\":\"ill\",\
             \"refund_tier\":{tier},\"station_id\":\"0198c2e4-9b4e-7f3e-9b7b-4d1759cb8f88\"}}"
        );
        let BookingEvent::Cancelled(cancelled) =
            BookingEvent::decode("booking.cancelled", 1, &payload).unwrap()
        else {
            panic!("another event")
        };
        assert_eq!((cancelled.hours_before, cancelled.reason.as_str()), (30, "ill"));
        cancelled.refund
    }

    fn tier(hours_before: i64, refund_ppm: i64, deposit_back: DepositBack) -> RefundRule {
        RefundRule::Tier(CancellationTier {
            hours_before,
            refund_ppm: RatePpm(refund_ppm),
            deposit_back,
        })
    }

    #[test]
    fn a_made_up_tier_of_version_1_is_everything_and_a_real_one_stays() {
        const ALL: &str = "{\"deposit_back\":\"returned\",\"hours_before\":30,\"refund_ppm\":1000000}";
        const HALF: &str = "{\"deposit_back\":\"kept\",\"hours_before\":24,\"refund_ppm\":500000}";
        assert_eq!(refund("company", ALL), RefundRule::Everything);
        assert_eq!(
            refund("customer", ALL),
            tier(30, 1_000_000, DepositBack::Returned)
        );
        assert_eq!(refund("customer", HALF), tier(24, 500_000, DepositBack::Kept));
        assert_eq!(refund("customer", "null"), RefundRule::Nothing);
    }

    #[test]
    fn what_no_program_wrote_keeps_its_amounts_all_the_same() {
        const HALF: &str = "{\"deposit_back\":\"kept\",\"hours_before\":24,\"refund_ppm\":500000}";
        assert_eq!(refund("company", HALF), tier(24, 500_000, DepositBack::Kept));
        assert_eq!(refund("company", "null"), RefundRule::Nothing);
    }
}
