//! Commands on escalations.

use async_graphql::{Context, ID, InputObject, Object, Result};
use commands::escalation::EscalationInput;
use commands::{CommandError, Written};
use domain::decider::Decider;
use domain::escalation::Escalation as Aggregate;
use domain::ids::{BookingId, ConversationId, EscalationId, UserId};
use projections::escalation_list;

use super::{Escalation, EscalationAskedBy};
use crate::graphql::connection::payload;
use crate::graphql::error::{UserError, outcome, unread};
use crate::graphql::id::local;
use crate::graphql::read::after as read_after;
use crate::graphql::session::{app, caller, under_key, viewer};

/// Calling for a person.
#[derive(InputObject)]
pub(in crate::graphql) struct EscalationOpenInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The booking that it is about.
    booking_id: Option<ID>,
    /// The conversation that it is about: its assistant is silent from then on.
    conversation_id: Option<ID>,
    /// Why, in a sentence without personal data; 3 to 500 characters.
    reason: String,
    /// How bad it is: from 1, the worst, to 3.
    #[graphql(default = 2)]
    severity: i32,
    /// Who asks for it.
    #[graphql(default_with = "EscalationAskedBy::Staff")]
    asked_by: EscalationAskedBy,
}

/// Saying who is to see to an escalation.
#[derive(InputObject)]
pub(in crate::graphql) struct EscalationAssignInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Which escalation.
    escalation_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// The user; you, where absent.
    assignee_id: Option<ID>,
}

/// Doing something with an escalation.
#[derive(InputObject)]
pub(in crate::graphql) struct EscalationActionInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Which escalation.
    escalation_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
}

/// Saying that an escalation was seen to.
#[derive(InputObject)]
pub(in crate::graphql) struct EscalationResolveInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Which escalation.
    escalation_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// What was done, without personal data; 3 to 500 characters.
    note: String,
}

/// What the customer says of it.
#[derive(InputObject)]
pub(in crate::graphql) struct EscalationSurveyInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Which escalation.
    escalation_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// From 1, badly, to 5, very well.
    score: i32,
}

payload!(EscalationPayload, escalation: Escalation);

impl EscalationPayload {
    async fn of(ctx: &Context<'_>, done: std::result::Result<Written, CommandError>) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        let at = read_after(written.position);
        let Ok(id) = written.id_of(Aggregate::STREAM).parse::<EscalationId>() else {
            return Ok(Self::written(None, &written));
        };
        let found = escalation_list::one(&app(ctx).views, viewer(ctx)?, id, at)
            .await
            .map_err(unread)?;
        Ok(Self::written(
            found.value.map(|row| Escalation { row, at }),
            &written,
        ))
    }
}

fn unknown() -> EscalationPayload {
    EscalationPayload::refused(UserError::not_found("escalationId", "escalation"))
}

/// Commands on escalations.
#[derive(Default)]
pub(in crate::graphql) struct EscalationMutation;

#[Object]
impl EscalationMutation {
    /// Calls for a person, about a booking, a conversation or neither. Needs escalation:write.
    async fn escalation_open(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: EscalationOpenInput,
    ) -> Result<EscalationPayload> {
        let caller = caller(ctx)?;
        let booking = input.booking_id.map(|id| local::<BookingId>(&id));
        if booking == Some(None) {
            return Ok(EscalationPayload::refused(UserError::not_found(
                "bookingId",
                "booking",
            )));
        }
        let conversation = input.conversation_id.map(|id| local::<ConversationId>(&id));
        if conversation == Some(None) {
            return Ok(EscalationPayload::refused(UserError::not_found(
                "conversationId",
                "conversation",
            )));
        }
        let asked = EscalationInput {
            booking_id: booking.flatten(),
            conversation_id: conversation.flatten(),
            asked_by: input.asked_by.into(),
            severity: u8::try_from(input.severity).unwrap_or(0),
            reason: input.reason,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.escalate(caller, key, asked)
        })
        .await;
        EscalationPayload::of(ctx, done).await
    }

    /// Says who is to see to an escalation. Needs escalation:write, and so does whoever is to.
    async fn escalation_assign(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: EscalationAssignInput,
    ) -> Result<EscalationPayload> {
        let caller = caller(ctx)?;
        let Some(id) = local::<EscalationId>(&input.escalation_id) else {
            return Ok(unknown());
        };
        let assignee = input.assignee_id.map(|id| local::<UserId>(&id));
        if assignee == Some(None) {
            return Ok(EscalationPayload::refused(UserError::not_found(
                "assigneeId",
                "person",
            )));
        }
        let seen = input.expected_version.map(i64::from);
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx)
                .commands
                .assign_escalation(caller, key, id, seen, assignee.flatten())
        })
        .await;
        EscalationPayload::of(ctx, done).await
    }

    /// Takes an escalation over: in its conversation the assistant is silent until it is resolved or told to go on. Needs
    /// escalation:write.
    async fn escalation_join(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: EscalationActionInput,
    ) -> Result<EscalationPayload> {
        let caller = caller(ctx)?;
        let Some(id) = local::<EscalationId>(&input.escalation_id) else {
            return Ok(unknown());
        };
        let seen = input.expected_version.map(i64::from);
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.join_escalation(caller, key, id, seen)
        })
        .await;
        EscalationPayload::of(ctx, done).await
    }

    /// Says that an escalation was seen to; in its conversation the assistant goes on. Needs escalation:write.
    async fn escalation_resolve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: EscalationResolveInput,
    ) -> Result<EscalationPayload> {
        let caller = caller(ctx)?;
        let Some(id) = local::<EscalationId>(&input.escalation_id) else {
            return Ok(unknown());
        };
        let seen = input.expected_version.map(i64::from);
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx)
                .commands
                .resolve_escalation(caller, key, id, seen, input.note)
        })
        .await;
        EscalationPayload::of(ctx, done).await
    }

    /// Keeps how well the customer says that an escalation was seen to, once. Needs escalation:write.
    async fn escalation_survey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: EscalationSurveyInput,
    ) -> Result<EscalationPayload> {
        let caller = caller(ctx)?;
        let Some(id) = local::<EscalationId>(&input.escalation_id) else {
            return Ok(unknown());
        };
        let seen = input.expected_version.map(i64::from);
        let score = u8::try_from(input.score).unwrap_or(0);
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.survey_escalation(caller, key, id, seen, score)
        })
        .await;
        EscalationPayload::of(ctx, done).await
    }
}
