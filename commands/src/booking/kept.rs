//! What had come for a party by the time it was called off: by the log, whose payments forget none.

use std::pin::pin;

use domain::booking::{Booking, BookingError};
use domain::decider::{Decider, Event};
use domain::envelope::{StoredEvent, StreamId};
use domain::ids::BookingId;
use domain::money::Cents;
use domain::payment::{BookingMoney, PaymentEvent};
use futures::TryStreamExt;

use crate::{Caller, CommandError, Commands};

/// Events of payments that move money.
const MONEY: &[&str] = &[
    "payment.verified",
    "payment.succeeded",
    "payment.voided",
    "payment.refund_succeeded",
    "payment.refund_failed",
    "payment.dispute_closed",
];

impl Commands {
    /// What had come towards the price of a booking by the time it was called off, less what had been given back, in cents.
    ///
    /// # Errors
    /// `NOT_FOUND` for a booking that was not called off.
    pub(super) async fn held_when_called_off(
        &self,
        caller: &Caller,
        id: BookingId,
    ) -> Result<Cents, CommandError> {
        let stream = StreamId::new(Booking::STREAM, id.to_string());
        let story = self.log.read_stream(caller.tenant, &stream).await?;
        let position = |named: &str| {
            let found = story.iter().rev().find(|event| event.event_type == named);
            found.map(|event| event.position)
        };
        let bounds = position("booking.requested").zip(position("booking.cancelled"));
        let (after, until) = bounds.ok_or_else(|| CommandError::refused(BookingError::NotFound))?;
        let mut money = BookingMoney::default();
        let mut moved = pin!(self.log.stream_types(caller.tenant, after, MONEY));
        while let Some(event) = moved.try_next().await? {
            if event.position >= until {
                break;
            }
            money = money.plus(of_booking(&event, id)?);
        }
        Ok(money.held_cents().max(Cents::ZERO))
    }
}

fn of_booking(stored: &StoredEvent, id: BookingId) -> Result<BookingMoney, CommandError> {
    let event = PaymentEvent::decode(&stored.event_type, stored.event_version, &stored.payload)?;
    let moved = event.money().filter(|_| event.booking().booking_id == id);
    Ok(moved.unwrap_or_default())
}
