//! Looking again at the tax of parties that were held, by rates that were loaded since.

use std::collections::BTreeSet;
use std::pin::pin;

use chrono::NaiveDate;
use domain::booking::{BookingError, BookingEvent};
use domain::decider::Event;
use domain::envelope::Position;
use domain::ids::BookingId;
use domain::tax_rate::{CountyRates, TaxPlace};
use futures::TryStreamExt;

use crate::execute::Written;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// Parties that were held in a county while a rate was in force that is only known now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldUnder {
    /// The county, as the stream of its rates is named.
    pub county: String,
    /// First day of the rate.
    pub from: NaiveDate,
    /// Last day, inclusive; open where absent.
    pub until: Option<NaiveDate>,
}

impl HeldUnder {
    fn holds(&self, place: &TaxPlace, day: Option<NaiveDate>) -> bool {
        let there = &place.jurisdiction;
        CountyRates::stream_key(&there.state, &there.county) == self.county
            && day.is_none_or(|day| self.from <= day && self.until.is_none_or(|until| day <= until))
    }
}

impl Commands {
    /// As [`resolve_booking_tax`](Self::resolve_booking_tax), of the bookings that are named and of all that were held under
    /// a rate; those that the rates say nothing else of stay as they are. Says what the last one came to.
    pub(crate) async fn resolve_held_tax(
        &self,
        caller: Caller,
        key: &IdempotencyKey,
        bookings: Vec<BookingId>,
        held: Option<HeldUnder>,
    ) -> Result<Written, CommandError> {
        let mut bookings: BTreeSet<BookingId> = bookings.into_iter().collect();
        if let Some(held) = held {
            bookings.extend(self.held_under(&caller, &held).await?);
        }
        let mut last = Err(CommandError::refused(BookingError::Unchanged));
        for id in bookings {
            let key = key.derived(&id.to_string());
            match self.resolve_booking_tax(caller.clone(), key, id, None).await {
                Ok(written) => last = Ok(written),
                Err(CommandError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        last
    }

    /// Bookings whose tax was said to belong to the county: by the log, which forgets none.
    async fn held_under(
        &self,
        caller: &Caller,
        held: &HeldUnder,
    ) -> Result<BTreeSet<BookingId>, CommandError> {
        let types = [
            "booking.completed",
            "booking.tax_place_set",
            "booking.tax_adjusted",
        ];
        let mut found = BTreeSet::new();
        let mut said = pin!(self.log.stream_types(caller.tenant, Position::START, &types));
        while let Some(stored) = said.try_next().await? {
            let event = BookingEvent::decode(&stored.event_type, stored.event_version, &stored.payload)?;
            let is_there = if let BookingEvent::Completed(completed) = &event {
                held.holds(&completed.tax_place, Some(completed.event_on))
            } else if let BookingEvent::TaxPlaceSet(set) = &event {
                held.holds(&set.tax_place, None)
            } else if let BookingEvent::TaxAdjusted(adjusted) = &event {
                let kept = adjusted.kept.as_ref().map(|kept| kept.called_off_on);
                kept.is_some() && held.holds(&adjusted.tax_place, kept)
            } else {
                false
            };
            if is_there {
                found.extend(stored.stream.id.parse::<BookingId>().ok());
            }
        }
        Ok(found)
    }
}
