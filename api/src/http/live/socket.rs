//! graphql-transport-ws: several subscriptions over one socket, of one person or key.

use std::pin::pin;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::Response;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tracing::Instrument;

use super::super::{
    MAX_BODY, REQUEST_ID, Server, bearer, credential, failure, origin, text_header, unrecognised,
};
use super::conversation::Conversation;
use super::message::{Closed, Init, Said, Says};
use super::standing::Standing;
use super::{Ended, FAREWELL};
use crate::auth::{Origin, TokenError};
use crate::graphql::Session;

/// The one that is spoken.
const SUBPROTOCOL: &str = "graphql-transport-ws";
/// The most that is read of a message before the socket is given up: more than may be sent, so that it can be said.
const READ_AT_MOST: usize = 4 * MAX_BODY;
/// Memory of a socket that waits, in bytes.
const READ_BUFFER: usize = 2 * 1024;

/// `GET /graphql/live`.
pub(in crate::http) async fn socket(
    State(server): State<Server>,
    headers: HeaderMap,
    extensions: Extensions,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let request_id = text_header(&headers, &REQUEST_ID).unwrap_or_default().to_owned();
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejected) => {
            return failure(
                rejected.status(),
                "BAD_REQUEST",
                &rejected.body_text(),
                &request_id,
            );
        }
    };
    let in_header = match bearer(&headers) {
        Ok(shown) => shown.map(str::to_owned),
        Err(error) => return unrecognised(error, &request_id),
    };
    let Some(stranger) = server.app.live.stranger() else {
        server.app.figures.followers.refused();
        let told = "too many sockets have not said who they are; try again";
        return failure(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", told, &request_id);
    };
    let visitor = Visitor {
        origin: origin(&headers, &extensions),
        in_header,
        request_id,
        server,
    };
    let span = tracing::info_span!(
        parent: None,
        "socket",
        id = visitor.request_id,
        tenant = tracing::field::Empty,
        role = tracing::field::Empty,
    );
    upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(READ_AT_MOST)
        .max_frame_size(READ_AT_MOST)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .on_upgrade(move |socket| visitor.attended(socket, stranger).instrument(span))
}

/// Where a socket comes from.
struct Visitor {
    server: Server,
    origin: Origin,
    /// The token or key of the request that opened it.
    in_header: Option<String>,
    request_id: String,
}

/// The peer has gone.
pub(super) struct Gone;

/// How a conversation ends: closed by us, or by a peer that has gone.
pub(super) type End = Result<Closed, Gone>;

impl Visitor {
    async fn attended(self, mut socket: WebSocket, stranger: OwnedSemaphorePermit) {
        // The program that ends waits for the farewell as well.
        let _waited_for = self.server.app.live.closing();
        let Ok(closed) = self.conversation(&mut socket, stranger).await else {
            return;
        };
        if let Closed::Ended(ended) = &closed {
            self.server.app.figures.followers.ended(ended.code());
        }
        // The close is answered by one; whoever does not is not waited for.
        let farewell = async {
            if socket.send(closed.frame()).await.is_ok() {
                while let Some(Ok(_)) = socket.recv().await {}
            }
        };
        if timeout(FAREWELL, farewell).await.is_err() {
            tracing::debug!("a socket is cut: its peer does not close it");
        }
    }

    async fn conversation(&self, socket: &mut WebSocket, stranger: OwnedSemaphorePermit) -> End {
        if socket.protocol().is_none() {
            return Ok(Closed::NoSubprotocol);
        }
        let live = &self.server.app.live;
        let mut closing = live.closing();
        let init_within = live.settings().init_within;
        let introduced = tokio::select! {
            introduced = timeout(init_within, self.introduced(socket)) => introduced,
            () = closing.told() => return Ok(Closed::Ended(Ended::GoingDown)),
        };
        let standing = match introduced {
            Ok(Ok(standing)) => standing,
            Ok(Err(end)) => return end,
            Err(_) => return Ok(Closed::InitTimeout),
        };
        let recognised = standing.recognised();
        let span = tracing::Span::current();
        span.record("tenant", tracing::field::display(recognised.viewer.tenant));
        span.record("role", recognised.viewer.role.as_str());
        let session = Session {
            recognised: Some(recognised.clone()),
            request_id: self.request_id.clone(),
            origin: self.origin.clone(),
        };
        let who = credential(&session);
        let _place = match live.socket(&who) {
            Ok(place) => place,
            Err(too_many) => {
                self.server.app.figures.followers.refused();
                return Ok(Closed::Ended(too_many.into()));
            }
        };
        drop(stranger);
        let ended = async {
            tokio::select! {
                ended = standing.ended() => ended,
                () = closing.told() => Ended::GoingDown,
            }
        };
        let (conversation, spoken) = Conversation::new(&self.server, socket, &standing, session, who);
        conversation.held(spoken, pin!(ended)).await
    }

    /// Waits until the client has said who it is.
    async fn introduced(&self, socket: &mut WebSocket) -> Result<Standing, End> {
        loop {
            match heard(socket.recv().await)? {
                Some(Said::ConnectionInit { payload }) => {
                    return self.recognised(payload.unwrap_or_default()).await;
                }
                Some(Said::Ping { payload }) => {
                    let sent = socket.send(Says::Pong { payload }.message()).await;
                    sent.map_err(|_| Err(Gone))?;
                }
                Some(Said::Subscribe { .. }) => return Err(Ok(Closed::Unauthorized)),
                Some(Said::Complete { .. } | Said::Pong {}) | None => {}
            }
        }
    }

    async fn recognised(&self, init: Init) -> Result<Standing, End> {
        let ended = |ended| Err(Ok(Closed::Ended(ended)));
        let shown = match init.shown() {
            Ok(Some(shown)) => shown,
            Ok(None) => match &self.in_header {
                Some(shown) => shown,
                None => return ended(Ended::Sign(TokenError::Forged)),
            },
            Err(error) => return ended(Ended::Sign(error)),
        };
        let app = &self.server.app;
        let standing = Standing::of(&app.auth, shown, app.live.settings().check_every).await;
        standing.or_else(ended)
    }
}

/// What a frame says, where it says something of the protocol.
pub(super) fn heard(frame: Option<Result<Message, axum::Error>>) -> Result<Option<Said>, End> {
    match frame {
        None | Some(Err(_) | Ok(Message::Close(_))) => Err(Err(Gone)),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Binary(_))) => Err(Ok(Closed::NotUnderstood)),
        Some(Ok(Message::Text(text))) if text.len() > MAX_BODY => Err(Ok(Closed::TooBig)),
        Some(Ok(Message::Text(text))) => Said::of(&text).map(Some).map_err(Ok),
    }
}
