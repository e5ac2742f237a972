//! Commands on bookings: from the request to the end.

use async_graphql::{Context, ID, Object, Result};
use commands::{Caller, CommandError, IdempotencyKey, Written};
use domain::booking::{Booking as BookingAggregate, CancelledBy};
use domain::decider::Decider;
use domain::ids::BookingId;
use projections::booking_list;

use super::input::{BookingActionInput, BookingCancelInput, BookingRequestInput};
use super::{Booking, BookingPayload};
use crate::graphql::error::{UserError, outcome, unread};
use crate::graphql::id::local;
use crate::graphql::read::after as read_after;
use crate::graphql::session::{app, caller, under_key, viewer};

impl BookingPayload {
    /// The payload of a command on a booking.
    pub(in crate::graphql) async fn of(
        ctx: &Context<'_>,
        done: std::result::Result<Written, CommandError>,
    ) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        let at = read_after(written.position);
        let Ok(id) = written.id_of(BookingAggregate::STREAM).parse::<BookingId>() else {
            return Ok(Self::written(None, &written));
        };
        let found = booking_list::one(&app(ctx).views, viewer(ctx)?, id, at)
            .await
            .map_err(unread)?;
        let info = found.info;
        let booking = found.value.map(|row| Booking { row, at, info });
        Ok(Self::written(booking, &written))
    }
}

/// The answer to whoever names a booking that is not there.
pub(super) fn no_booking() -> BookingPayload {
    BookingPayload::refused(UserError::not_found("bookingId", "booking"))
}

/// Gives a command on a booking under the client's key.
pub(super) async fn change<F>(
    ctx: &Context<'_>,
    key: &ID,
    booking: &ID,
    command: impl FnOnce(Caller, IdempotencyKey, BookingId) -> F,
) -> Result<BookingPayload>
where
    F: Future<Output = std::result::Result<Written, CommandError>>,
{
    let caller = caller(ctx)?;
    let Some(booking_id) = local::<BookingId>(booking) else {
        return Ok(no_booking());
    };
    let done = under_key(key, |key| command(caller, key, booking_id)).await;
    BookingPayload::of(ctx, done).await
}

/// Commands on bookings.
#[derive(Default)]
pub(in crate::graphql) struct BookingMutation;

#[Object]
impl BookingMutation {
    /// Asks for a party and holds its place. A refusal that is worth a call is kept as a lead. Needs booking:write.
    async fn booking_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: BookingRequestInput,
    ) -> Result<BookingPayload> {
        let caller = caller(ctx)?;
        let (key, ask) = match input.read() {
            Ok(read) => read,
            Err(refused) => return Ok(BookingPayload::refused(refused)),
        };
        let done = under_key(&key, |key| app(ctx).commands.request_booking(caller, key, ask)).await;
        BookingPayload::of(ctx, done).await
    }

    /// Marks a party as held, from its start on; its tax is owed then. Needs booking:write.
    async fn booking_complete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: BookingActionInput,
    ) -> Result<BookingPayload> {
        let seen = input.expected_version.map(i64::from);
        change(
            ctx,
            &input.idempotency_key,
            &input.booking_id,
            |caller, key, id| {
                app(ctx)
                    .commands
                    .complete_booking(caller, key, id, seen, input.reason)
            },
        )
        .await
    }

    /// Calls a party off and frees its place; what is given back is proposed, not paid. Needs booking:write.
    async fn booking_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: BookingCancelInput,
    ) -> Result<BookingPayload> {
        let by = if input.by_company {
            CancelledBy::Company
        } else {
            CancelledBy::Customer
        };
        let seen = input.expected_version.map(i64::from);
        change(
            ctx,
            &input.idempotency_key,
            &input.booking_id,
            |caller, key, id| {
                app(ctx)
                    .commands
                    .cancel_booking(caller, key, id, seen, by, input.reason)
            },
        )
        .await
    }
}
