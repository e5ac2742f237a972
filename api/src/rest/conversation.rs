//! Talking on a company's page: a visitor begins, and comes back by the secret of the conversation's link. The assistant
//! answers at once, unless only a person may; then one of the company does, later.

#![expect(
    unused_qualifications,
    reason = "what utoipa writes for a handler names its arguments in full"
)]

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, Utc};
use commands::conversation::{MessageInput, Speaker};
use domain::conversation::{Conversation, ConversationChannel, MessageAuthor};
use domain::decider::Decider;
use domain::envelope::{Position, StreamId};
use domain::ids::{ConversationId, StationId};
use event_log::{Opened, SealedField};
use projections::conversation_thread::{self, ThreadRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::booking::{UnderKey, told, up_to_now};
use super::problem::{BodyRefusals, Problem, Refusals, RuleRefusals};
use super::sent::{Asked, Body, idempotency_key};
use super::{OfCompany, Visit, cached, visit};
use crate::app::App;

/// Messages of one answer at most.
const PAGE: u16 = 100;
/// The latest message that can be asked after.
const LATEST: u16 = 10_000;
/// The field that a message's text is sealed for.
const TEXT: &str = "text";

/// A conversation to begin.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ConversationAsked {
    /// What is said; 1 to 10,000 characters. Sealed.
    text: String,
    /// The station that is written to, where it is known.
    station_id: Option<Uuid>,
}

/// Something that a visitor says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageAsked {
    /// What is said; 1 to 10,000 characters. Sealed.
    text: String,
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Author {
    /// The customer.
    Customer,
    /// The assistant.
    Assistant,
    /// A person of the company.
    Staff,
}

/// A message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Message {
    /// Its place in the conversation, from 1 on.
    number: u16,
    /// Who says it.
    author: Author,
    /// What is said; null once it was erased.
    text: Option<String>,
    /// When, in UTC.
    at: DateTime<Utc>,
}

/// A conversation, or the part of it that was asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Thread {
    /// The secret of the conversation's link: whoever has it reads and goes on.
    link: String,
    /// Where it is read.
    path: String,
    /// Whether the assistant answers; a person of the company does where not.
    assistant_active: bool,
    /// The messages, in order; at most 100.
    messages: Vec<Message>,
}

/// A conversation by its link.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OfConversation {
    /// The company's short name.
    organisation: String,
    /// The secret of the conversation's link.
    link: String,
}

/// From where on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct MessagesAfter {
    /// The number of the last message that is known; all of them from the first on where absent.
    #[serde(default)]
    #[param(required = false, minimum = 0, maximum = 10000)]
    after: u16,
}

/// Begins a conversation. The assistant has answered by the time that this does, unless only a person may.
#[utoipa::path(
    post,
    path = "/api/v1/organisations/{organisation}/conversations",
    tag = "conversation",
    params(OfCompany, UnderKey),
    request_body = ConversationAsked,
    responses(
        (
            status = 201,
            description = "The conversation so far.",
            body = Thread,
            headers(
                ("location" = String, description = "The conversation's path."),
                ("idempotency-replayed" = bool, description = "Whether it was begun before with this key."),
            )
        ),
        Refusals,
        BodyRefusals,
        RuleRefusals,
    )
)]
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    Path(of): Path<OfCompany>,
    headers: HeaderMap,
    Body(asked): Body<ConversationAsked>,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let visit = visit(&app, &of.organisation, &headers).await?;
    let input = MessageInput {
        conversation_id: None,
        channel: Some(ConversationChannel::Web),
        speaker: Speaker::Customer,
        text: asked.text,
        customer_id: None,
        station_id: asked.station_id.map(StationId),
    };
    let written = app
        .commands
        .post_message(visit.caller.clone(), key, input)
        .await?;
    let id = written.id_of(Conversation::STREAM).parse::<ConversationId>();
    let id = id.map_err(|error| Problem::unavailable(&error))?;
    let thread = thread(&app, &visit, id, Part::Said(written.position)).await?;
    let location = HeaderValue::try_from(&thread.path);
    let mut response = cached::private(StatusCode::CREATED, thread);
    told(response.headers_mut(), written.replayed);
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Says something in a conversation. The assistant has answered by the time that this does, unless only a person may.
#[utoipa::path(
    post,
    path = "/api/v1/organisations/{organisation}/conversations/{link}/messages",
    tag = "conversation",
    params(OfConversation, UnderKey),
    request_body = MessageAsked,
    responses(
        (
            status = 201,
            description = "What was said, and what came after it.",
            body = Thread,
            headers(
                ("idempotency-replayed" = bool, description = "Whether it was said before with this key."),
            )
        ),
        Refusals,
        BodyRefusals,
        RuleRefusals,
    )
)]
pub(super) async fn say(
    State(app): State<Arc<App>>,
    Path(of): Path<OfConversation>,
    headers: HeaderMap,
    Body(asked): Body<MessageAsked>,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let visit = visit(&app, &of.organisation, &headers).await?;
    let id = linked(&app, &visit, &of.link).await?;
    let input = MessageInput {
        conversation_id: Some(id),
        channel: Some(ConversationChannel::Web),
        speaker: Speaker::Customer,
        text: asked.text,
        customer_id: None,
        station_id: None,
    };
    let written = app
        .commands
        .post_message(visit.caller.clone(), key, input)
        .await?;
    let thread = thread(&app, &visit, id, Part::Said(written.position)).await?;
    let mut response = cached::private(StatusCode::CREATED, thread);
    told(response.headers_mut(), written.replayed);
    Ok(response)
}

/// What was said in a conversation, from a message on.
#[utoipa::path(
    get,
    path = "/api/v1/organisations/{organisation}/conversations/{link}/messages",
    tag = "conversation",
    params(OfConversation, MessagesAfter),
    responses(
        (status = 200, description = "The messages.", body = Thread),
        Refusals,
        RuleRefusals,
    )
)]
pub(super) async fn messages(
    State(app): State<Arc<App>>,
    Path(of): Path<OfConversation>,
    headers: HeaderMap,
    Asked(asked): Asked<MessagesAfter>,
) -> Result<Response, Problem> {
    let visit = visit(&app, &of.organisation, &headers).await?;
    if asked.after > LATEST {
        let told = format!("after is a number from 0 to {LATEST}");
        let refused = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "INVALID_RANGE", told);
        return Err(refused.of_field(&["after"]));
    }
    let id = linked(&app, &visit, &of.link).await?;
    let thread = thread(&app, &visit, id, Part::After(asked.after)).await?;
    Ok(cached::private(StatusCode::OK, thread))
}

async fn linked(app: &App, visit: &Visit, link: &str) -> Result<ConversationId, Problem> {
    let id = app
        .commands
        .linked_conversation(visit.company.tenant, link)
        .await?;
    id.ok_or_else(|| Problem::not_found("conversation"))
}

/// Which part of a conversation.
#[derive(Clone, Copy)]
enum Part {
    /// What comes after a message.
    After(u16),
    /// What a command that wrote up to here has said, and the answer to it: the same for the same command.
    Said(Position),
}

/// A part of a conversation.
async fn thread(app: &App, visit: &Visit, id: ConversationId, part: Part) -> Result<Thread, Problem> {
    let tenant = visit.company.tenant;
    let assistant_active = app.commands.assistant_answers(&visit.caller, id).await?;
    let at = up_to_now(app, tenant).await?;
    let most = match part {
        Part::After(after) => after + PAGE,
        Part::Said(_) => LATEST,
    };
    let rows = conversation_thread::by_link(&app.views, tenant, id, most, at).await?;
    let known = match part {
        Part::After(after) => usize::from(after),
        Part::Said(up_to) => {
            let said = |row: &ThreadRow| row.author == MessageAuthor::Customer && row.position <= up_to;
            rows.iter().rposition(said).unwrap_or(0)
        }
    };
    let is_asked = |row: &ThreadRow| match part {
        Part::After(_) => true,
        Part::Said(up_to) => row.position <= up_to,
    };
    let rows = (1..).zip(rows).skip(known);
    let asked: Vec<(u16, ThreadRow)> = rows.filter(|(_, row)| is_asked(row)).collect();
    let stream = StreamId::new(Conversation::STREAM, id.to_string());
    let sealed: Vec<SealedField<'_>> = asked
        .iter()
        .map(|(_, row)| SealedField {
            stream: &stream,
            field: TEXT,
            sealed: &row.text,
        })
        .collect();
    let opened = app.vault.open_many(tenant, &sealed).await;
    let opened = opened.map_err(|error| Problem::unavailable(&error))?;
    let messages = asked.iter().zip(opened).map(|((number, row), opened)| Message {
        number: *number,
        author: match row.author {
            MessageAuthor::Customer => Author::Customer,
            MessageAuthor::Assistant => Author::Assistant,
            MessageAuthor::Staff => Author::Staff,
        },
        text: match opened {
            Opened::Text(text) => Some(text),
            Opened::Erased => None,
        },
        at: row.posted_at,
    });
    let link = app.commands.conversation_link(tenant, id).await?;
    let slug = &visit.company.slug;
    Ok(Thread {
        path: format!("/api/v1/organisations/{slug}/conversations/{link}/messages"),
        link,
        assistant_active,
        messages: messages.collect(),
    })
}
