//! Keeping leads and working on them.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use commands::lead::{LeadCapture, LeadChange};
use commands::{CommandError, Written};
use domain::decider::Decider;
use domain::ids::{BookingId, LeadId};
use domain::lead::{Abandoned, FollowUp, Lead as Aggregate, LeadStatus as DomainStatus};
use projections::lead_list;

use super::stats::LeadWindow;
use super::{Lead, LeadStatus};
use crate::graphql::booking::CustomerInput;
use crate::graphql::connection::payload;
use crate::graphql::error::{UserError, outcome, unread};
use crate::graphql::id::local;
use crate::graphql::quote::{GuestsInput, named_station};
use crate::graphql::read::after as read_after;
use crate::graphql::scalar::LocalDateTime;
use crate::graphql::session::{app, caller, under_key, viewer};

/// What somebody looked at and left without booking.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Abandoned")]
pub(in crate::graphql) enum LeadAbandoned {
    /// A quote.
    Quote,
    /// Free slots.
    Availability,
}

/// Somebody who left without booking, and agreed to be called.
#[derive(InputObject)]
pub(in crate::graphql) struct LeadCaptureInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The station that they asked; the nearest where absent.
    station_id: Option<ID>,
    /// Who. Consent to text messages is not taken from here.
    customer: CustomerInput,
    /// ZIP code of where the event would have been.
    zip: String,
    /// Local start that was wanted.
    start: LocalDateTime,
    /// The party.
    guests: GuestsInput,
    /// What they left.
    abandoned: LeadAbandoned,
    /// Where they came from; at most 200 characters.
    source: Option<String>,
    /// Version of the text by which they agreed to be called, 1 to 60 characters; without it nobody is kept.
    consent_text_version: Option<String>,
}

impl LeadCaptureInput {
    fn read(self) -> std::result::Result<(ID, LeadCapture), UserError> {
        let station = named_station(self.station_id.as_ref())
            .map_err(|()| UserError::not_found("stationId", "station"))?;
        let capture = LeadCapture {
            station,
            customer: self.customer.read()?,
            zip: self.zip,
            start: self.start.0,
            guests: self.guests.into(),
            abandoned: self.abandoned.into(),
            source: self.source,
            consent_text_version: self.consent_text_version,
        };
        Ok((self.idempotency_key, capture))
    }
}

/// How the work on a lead went on. What is absent stays as it is.
#[derive(InputObject)]
pub(in crate::graphql) struct LeadUpdateInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Which lead.
    lead_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// How far it is: CONTACTED after each call, WON, or LOST. A lost one can still be won.
    status: Option<LeadStatus>,
    /// What was said, with CONTACTED; 1 to 4,000 characters. Sealed.
    note: Option<String>,
    /// Why it was given up, with LOST; 3 to 500 characters. Stays in the log for ever: no personal data.
    reason: Option<String>,
    /// The booking that it became, with WON.
    booking_id: Option<ID>,
    /// When it is to be called, within 366 days from now; instead of another time, where there is one.
    follow_up_at: Option<DateTime<Utc>>,
    /// That it was called as it was to be. Not with `followUpAt`.
    #[graphql(default = false)]
    follow_up_done: bool,
}

impl LeadUpdateInput {
    fn read(self) -> std::result::Result<(ID, LeadChange), UserError> {
        let lead_id = local::<LeadId>(&self.lead_id);
        let lead_id = lead_id.ok_or_else(|| UserError::not_found("leadId", "lead"))?;
        let unknown = || UserError::not_found("bookingId", "booking");
        let booking_id = self
            .booking_id
            .map(|id| local::<BookingId>(&id).ok_or_else(unknown))
            .transpose()?;
        let follow_up = match (self.follow_up_at, self.follow_up_done) {
            (Some(_), true) => {
                return Err(UserError::new(
                    "INVALID_DUE_AT",
                    &["followUpAt"],
                    "a call is to come or is done: say one of them",
                ));
            }
            (Some(due_at), false) => Some(FollowUp::At(due_at)),
            (None, true) => Some(FollowUp::Done),
            (None, false) => None,
        };
        let change = LeadChange {
            lead_id,
            expected_version: self.expected_version.map(i64::from),
            status: self.status.map(DomainStatus::from),
            note: self.note,
            reason: self.reason,
            booking_id,
            follow_up,
        };
        Ok((self.idempotency_key, change))
    }
}

/// For how long personal data of leads is to be kept.
#[derive(InputObject)]
pub(in crate::graphql) struct LeadWindowSetInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// For how many months, 1 to 120.
    months: i32,
}

payload!(LeadPayload, lead: Lead);
payload!(LeadWindowPayload, lead_window: LeadWindow);

impl LeadPayload {
    async fn of(ctx: &Context<'_>, done: std::result::Result<Written, CommandError>) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        let at = read_after(written.position);
        let Ok(id) = written.id_of(Aggregate::STREAM).parse::<LeadId>() else {
            return Ok(Self::written(None, &written));
        };
        let found = lead_list::one(&app(ctx).views, viewer(ctx)?, id, at)
            .await
            .map_err(unread)?;
        Ok(Self::written(found.value.map(|row| Lead { row, at }), &written))
    }
}

/// Commands on leads.
#[derive(Default)]
pub(in crate::graphql) struct LeadMutation;

#[Object]
impl LeadMutation {
    /// Keeps somebody who left a quote or the free slots without booking, and agreed to be called. Requests that are
    /// refused are kept by themselves. Needs lead:write.
    async fn lead_capture(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: LeadCaptureInput,
    ) -> Result<LeadPayload> {
        let caller = caller(ctx)?;
        let (key, capture) = match input.read() {
            Ok(read) => read,
            Err(refused) => return Ok(LeadPayload::refused(refused)),
        };
        let done = under_key(&key, |key| {
            app(ctx).commands.capture_abandoned(caller, key, capture)
        })
        .await;
        LeadPayload::of(ctx, done).await
    }

    /// Says how the work on a lead went on: calls, when to call again, and what it came to. Needs lead:write.
    async fn lead_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: LeadUpdateInput,
    ) -> Result<LeadPayload> {
        let caller = caller(ctx)?;
        let (key, change) = match input.read() {
            Ok(read) => read,
            Err(refused) => return Ok(LeadPayload::refused(refused)),
        };
        let done = under_key(&key, |key| app(ctx).commands.update_lead(caller, key, change)).await;
        LeadPayload::of(ctx, done).await
    }

    /// Sets for how long personal data of leads is kept: then each lead's own key is destroyed. A shorter time takes
    /// effect on older leads within a month. Needs station:write.
    async fn lead_window_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: LeadWindowSetInput,
    ) -> Result<LeadWindowPayload> {
        let caller = caller(ctx)?;
        let months = u32::try_from(input.months).unwrap_or(0);
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.set_lead_window(caller, key, months)
        })
        .await;
        match outcome(done)? {
            Ok(written) => Ok(LeadWindowPayload::written(
                Some(LeadWindow { months: input.months }),
                &written,
            )),
            Err(refused) => Ok(LeadWindowPayload::refused(refused)),
        }
    }
}
