//! Changes of bookings: when, who, what, and whether they are shown.

use async_graphql::{Context, ID, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use commands::booking::{
    BookingChef, BookingChefRelease, BookingDelete, BookingDepositExtend, BookingGuestCountChange,
    BookingMenuChange, BookingNote, BookingReschedule, BookingRestore, BookingTermsAccept, OnBehalfOf,
    VenueInput as Venue,
};
use domain::booking::FeeAgreed;
use domain::ids::{BookingId, ChefId};
use domain::quote::AddOn;

use super::BookingPayload;
use super::command::{change, no_booking};
use super::input::{BookingActionInput, VenueInput};
use crate::graphql::error::UserError;
use crate::graphql::id::local;
use crate::graphql::quote::{GuestsInput, LineInput};
use crate::graphql::scalar::LocalDateTime;
use crate::graphql::session::{app, caller, under_key};

/// A party to move.
#[derive(InputObject)]
pub(in crate::graphql) struct BookingRescheduleInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The booking.
    booking_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Local start: one of the station's slots.
    start: LocalDateTime,
    /// Where; as before where absent.
    venue: Option<VenueInput>,
    /// Whether what the terms take for it is agreed to; without that a move that costs something is refused and told what.
    #[graphql(default = false)]
    accept_fee: bool,
    /// Whether the company moves it for reasons of its own: that costs nothing and needs a reason.
    #[graphql(default = false)]
    by_company: bool,
    /// Why; 3 to 500 characters, needed close to the start.
    reason: Option<String>,
}

/// A party that grows or shrinks.
#[derive(InputObject)]
pub(in crate::graphql) struct BookingGuestCountChangeInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The booking.
    booking_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Who comes.
    guests: GuestsInput,
    /// Why; 3 to 500 characters, needed close to the start.
    reason: Option<String>,
}

/// Other extras for a party.
#[derive(InputObject)]
pub(in crate::graphql) struct BookingMenuChangeInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The booking.
    booking_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// All extras from now on.
    add_ons: Vec<LineInput>,
    /// Why; 3 to 500 characters, needed close to the start.
    reason: Option<String>,
}

/// A chef who is to cook.
#[derive(InputObject)]
pub(in crate::graphql) struct BookingChefAssignInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The booking.
    booking_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// The chef.
    chef_id: ID,
}

/// A chef who is not to cook after all.
#[derive(InputObject)]
pub(in crate::graphql) struct BookingChefUnassignInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The booking.
    booking_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// The chef.
    chef_id: ID,
    /// Why; at most 500 characters.
    reason: Option<String>,
}

/// More time for a deposit.
#[derive(InputObject)]
pub(in crate::graphql) struct BookingDepositExtendInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The booking.
    booking_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Until when it must come: later than now and than before, and not after the start.
    due_at: DateTime<Utc>,
    /// Why; 3 to 500 characters.
    reason: String,
}

/// Something to write down about a booking.
#[derive(InputObject)]
pub(in crate::graphql) struct BookingNoteInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The booking.
    booking_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// What; 1 to 4,000 characters. Sealed.
    note: String,
}

/// Terms that the customer accepted.
#[derive(InputObject)]
pub(in crate::graphql) struct BookingTermsAcceptInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The booking.
    booking_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Version of their text; 1 to 60 characters.
    terms_version: String,
}

/// A booking to put away.
#[derive(InputObject)]
pub(in crate::graphql) struct BookingDeleteInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The booking.
    booking_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Why; 10 to 500 characters.
    reason: String,
}

/// Commands that change bookings.
#[derive(Default)]
pub(in crate::graphql) struct BookingChangeMutation;

fn no_chef() -> BookingPayload {
    BookingPayload::refused(UserError::not_found("chefId", "chef"))
}

#[Object]
impl BookingChangeMutation {
    /// Moves a party to another time or place: takes the new place and gives up the old one in one step, or neither. Its
    /// chefs are free then, tax place and rate are those of the new day, and the deposit is due when it was. Needs
    /// booking:write.
    async fn booking_reschedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: BookingRescheduleInput,
    ) -> Result<BookingPayload> {
        change(
            ctx,
            &input.idempotency_key,
            &input.booking_id,
            |caller, key, booking_id| {
                let ask = BookingReschedule {
                    booking_id,
                    expected_version: input.expected_version.map(i64::from),
                    start: input.start.0,
                    venue: input.venue.map(Venue::from),
                    fee: if input.accept_fee {
                        FeeAgreed::Yes
                    } else {
                        FeeAgreed::No
                    },
                    on_behalf_of: if input.by_company {
                        OnBehalfOf::Company
                    } else {
                        OnBehalfOf::Customer
                    },
                    reason: input.reason,
                };
                app(ctx).commands.reschedule_booking(caller, key, ask)
            },
        )
        .await
    }

    /// Serves more guests, or fewer, at the prices of the request unless the terms say others. Needs booking:write.
    async fn booking_guest_count_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: BookingGuestCountChangeInput,
    ) -> Result<BookingPayload> {
        change(
            ctx,
            &input.idempotency_key,
            &input.booking_id,
            |caller, key, booking_id| {
                let ask = BookingGuestCountChange {
                    booking_id,
                    expected_version: input.expected_version.map(i64::from),
                    guests: input.guests.into(),
                    reason: input.reason,
                };
                app(ctx).commands.change_guest_count(caller, key, ask)
            },
        )
        .await
    }

    /// Serves other extras, at the prices of the request unless the terms say others. Needs booking:write.
    async fn booking_menu_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: BookingMenuChangeInput,
    ) -> Result<BookingPayload> {
        change(
            ctx,
            &input.idempotency_key,
            &input.booking_id,
            |caller, key, booking_id| {
                let ask = BookingMenuChange {
                    booking_id,
                    expected_version: input.expected_version.map(i64::from),
                    add_ons: input.add_ons.into_iter().map(AddOn::from).collect(),
                    reason: input.reason,
                };
                app(ctx).commands.change_menu(caller, key, ask)
            },
        )
        .await
    }

    /// Lets a chef cook: nobody else has that chef from the way there until all is cleared away. Needs booking:write.
    async fn booking_chef_assign(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: BookingChefAssignInput,
    ) -> Result<BookingPayload> {
        let caller = caller(ctx)?;
        let Some(booking_id) = local::<BookingId>(&input.booking_id) else {
            return Ok(no_booking());
        };
        let Some(chef_id) = local::<ChefId>(&input.chef_id) else {
            return Ok(no_chef());
        };
        let ask = BookingChef {
            booking_id,
            expected_version: input.expected_version.map(i64::from),
            chef_id,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.assign_chef(caller, key, ask)
        })
        .await;
        BookingPayload::of(ctx, done).await
    }

    /// Lets a chef not cook after all. Needs booking:write.
    async fn booking_chef_unassign(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: BookingChefUnassignInput,
    ) -> Result<BookingPayload> {
        let caller = caller(ctx)?;
        let Some(booking_id) = local::<BookingId>(&input.booking_id) else {
            return Ok(no_booking());
        };
        let Some(chef_id) = local::<ChefId>(&input.chef_id) else {
            return Ok(no_chef());
        };
        let ask = BookingChefRelease {
            booking_id,
            expected_version: input.expected_version.map(i64::from),
            chef_id,
            reason: input.reason,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.unassign_chef(caller, key, ask)
        })
        .await;
        BookingPayload::of(ctx, done).await
    }

    /// Lets a deposit come later; the booking holds its place until then. Needs booking:write.
    async fn booking_deposit_extend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: BookingDepositExtendInput,
    ) -> Result<BookingPayload> {
        change(
            ctx,
            &input.idempotency_key,
            &input.booking_id,
            |caller, key, booking_id| {
                let ask = BookingDepositExtend {
                    booking_id,
                    expected_version: input.expected_version.map(i64::from),
                    due_at: input.due_at,
                    reason: input.reason,
                };
                app(ctx).commands.extend_deposit(caller, key, ask)
            },
        )
        .await
    }

    /// Writes something down about a booking. Needs booking:write.
    async fn booking_note_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: BookingNoteInput,
    ) -> Result<BookingPayload> {
        change(
            ctx,
            &input.idempotency_key,
            &input.booking_id,
            |caller, key, booking_id| {
                let ask = BookingNote {
                    booking_id,
                    expected_version: input.expected_version.map(i64::from),
                    note: input.note,
                };
                app(ctx).commands.add_note(caller, key, ask)
            },
        )
        .await
    }

    /// Records that the customer accepted the terms. Needs booking:write.
    async fn booking_terms_accept(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: BookingTermsAcceptInput,
    ) -> Result<BookingPayload> {
        change(
            ctx,
            &input.idempotency_key,
            &input.booking_id,
            |caller, key, booking_id| {
                let ask = BookingTermsAccept {
                    booking_id,
                    expected_version: input.expected_version.map(i64::from),
                    terms_version: input.terms_version,
                };
                app(ctx).commands.accept_terms(caller, key, ask)
            },
        )
        .await
    }

    /// Puts a booking away and frees its place: only lists of what was deleted show it, and the audit trail. A party that was
    /// held cannot be. Needs booking:write.
    async fn booking_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: BookingDeleteInput,
    ) -> Result<BookingPayload> {
        change(
            ctx,
            &input.idempotency_key,
            &input.booking_id,
            |caller, key, booking_id| {
                let ask = BookingDelete {
                    booking_id,
                    expected_version: input.expected_version.map(i64::from),
                    reason: input.reason,
                };
                app(ctx).commands.delete_booking(caller, key, ask)
            },
        )
        .await
    }

    /// Takes a booking out again within 30 days, where its place is still to be had. Needs booking:write.
    async fn booking_restore(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: BookingActionInput,
    ) -> Result<BookingPayload> {
        change(
            ctx,
            &input.idempotency_key,
            &input.booking_id,
            |caller, key, booking_id| {
                let ask = BookingRestore {
                    booking_id,
                    expected_version: input.expected_version.map(i64::from),
                    reason: input.reason,
                };
                app(ctx).commands.restore_booking(caller, key, ask)
            },
        )
        .await
    }
}
