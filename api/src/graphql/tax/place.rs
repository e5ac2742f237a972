//! Where the tax of a booking belongs: by hand, and by the rates that are loaded now.

use async_graphql::{Context, ID, InputObject, Object, Result};
use commands::booking::BookingTaxPlace;
use domain::ids::BookingId;
use domain::tax_rate::Jurisdiction;

use crate::graphql::booking::BookingPayload;
use crate::graphql::error::UserError;
use crate::graphql::id::local;
use crate::graphql::session::{app, caller, under_key};

/// The place that a booking's tax belongs to.
#[derive(InputObject)]
pub(in crate::graphql) struct BookingTaxPlaceSetInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The booking.
    booking_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Two-letter state.
    state: String,
    /// County without the word County.
    county: String,
    /// City, where it has a rate of its own.
    city: Option<String>,
    /// Why; 3 to 500 characters.
    reason: String,
}

/// A booking whose tax is to be looked at again.
#[derive(InputObject)]
pub(in crate::graphql) struct BookingTaxResolveInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The booking.
    booking_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
}

/// Commands on where tax belongs.
#[derive(Default)]
pub(in crate::graphql) struct TaxPlaceMutation;

#[Object]
impl TaxPlaceMutation {
    /// Says where a booking's tax belongs, before the party or after it: then what is on record elsewhere is taken back and
    /// taken there, on the same day or, where that is closed, on a later one. Needs tax:write.
    async fn booking_tax_place_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: BookingTaxPlaceSetInput,
    ) -> Result<BookingPayload> {
        let caller = caller(ctx)?;
        let Some(booking_id) = local::<BookingId>(&input.booking_id) else {
            return Ok(BookingPayload::refused(UserError::not_found(
                "bookingId",
                "booking",
            )));
        };
        let ask = BookingTaxPlace {
            booking_id,
            expected_version: input.expected_version.map(i64::from),
            jurisdiction: Jurisdiction {
                state: input.state,
                county: input.county,
                city: input.city,
            },
            reason: input.reason,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.set_booking_tax_place(caller, key, ask)
        })
        .await;
        BookingPayload::of(ctx, done).await
    }

    /// Looks again where a booking's tax belongs and at which rate, by the rates that are loaded now: for bookings without a
    /// rate, once it is loaded. Needs tax:write.
    async fn booking_tax_resolve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: BookingTaxResolveInput,
    ) -> Result<BookingPayload> {
        let caller = caller(ctx)?;
        let Some(booking_id) = local::<BookingId>(&input.booking_id) else {
            return Ok(BookingPayload::refused(UserError::not_found(
                "bookingId",
                "booking",
            )));
        };
        let seen = input.expected_version.map(i64::from);
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx)
                .commands
                .resolve_booking_tax(caller, key, booking_id, seen)
        })
        .await;
        BookingPayload::of(ctx, done).await
    }
}
