//! Server-sent events: an answer in parts. `next` holds an answer, with the position to resume after as its id, and `complete` says
//! that there are no more.

use std::convert::Infallible;
use std::pin::pin;

use async_graphql::Response as Answer;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::envelope::Position;
use futures::StreamExt;
use futures::stream::poll_fn;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::super::{
    REQUEST_ID, Server, bearer, credential, failure, origin, received, text_header, told, unrecognised,
};
use super::standing::Standing;
use super::{Ended, FAREWELL};
use crate::graphql::Followed;
use crate::live::{Closing, Live, Place};
use crate::observing::{Following, Way};

/// Where a client was when it was cut off.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Lets proxies pass on what there is.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// `POST /graphql/stream`.
pub(in crate::http) async fn events(
    State(server): State<Server>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let request_id = text_header(&headers, &REQUEST_ID).unwrap_or_default().to_owned();
    let origin = origin(&headers, &extensions);
    let (session, request) = match received(&server, &headers, origin, body, &request_id).await {
        Ok(received) => received,
        Err(refused) => return *refused,
    };
    let refuse = |status, ended: Ended| failure(status, ended.code(), &ended.to_string(), &request_id);
    let resumed = match resumed(&headers) {
        Ok(resumed) => resumed,
        Err(told) => return failure(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", told, &request_id),
    };
    let live = &server.app.live;
    let standing = match bearer(&headers) {
        Ok(Some(shown)) => Standing::of(&server.app.auth, shown, live.settings().check_every).await,
        Ok(None) => {
            return failure(
                StatusCode::UNAUTHORIZED,
                "UNAUTHENTICATED",
                "sign in first",
                &request_id,
            );
        }
        Err(error) => Err(Ended::Sign(error)),
    };
    let standing = match standing {
        Ok(standing) => standing,
        Err(Ended::Sign(error)) => return unrecognised(error, &request_id),
        Err(ended) => return refuse(StatusCode::FORBIDDEN, ended),
    };
    let who = credential(&session);
    let place = match live.subscription(&who) {
        Ok(place) => place,
        Err(too_many) => {
            server.app.figures.followers.refused();
            return refuse(StatusCode::TOO_MANY_REQUESTS, too_many.into());
        }
    };
    let followed = match server.schema.subscribe(request, session, &who, resumed).await {
        Ok(followed) => followed,
        Err(answered) => {
            let throttled = answered.throttled.is_some();
            let mut response = told(*answered, &request_id);
            if !throttled {
                *response.status_mut() = StatusCode::BAD_REQUEST;
            }
            return response;
        }
    };
    let stream = Stream {
        followed,
        standing,
        closing: live.closing(),
        following: server.app.figures.followers.opened(Way::Events),
        place,
        server,
        request_id,
    };
    stream.answer()
}

/// The position that a client which comes back has seen last.
fn resumed(headers: &HeaderMap) -> Result<Option<Position>, &'static str> {
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let number = value.to_str().ok().and_then(|id| id.parse::<i64>().ok());
    let position = number.filter(|number| *number >= 0).map(Position);
    let position = position.ok_or("Last-Event-ID is a position in the log, as the id of an event had it")?;
    Ok(Some(position))
}

/// A subscription that is answered in parts.
struct Stream {
    server: Server,
    followed: Followed,
    standing: Standing,
    closing: Closing,
    following: Following,
    place: Place,
    request_id: String,
}

impl Stream {
    fn answer(self) -> Response {
        let live: Live = self.server.app.live.clone();
        // One at a time: what the client does not take is not looked up.
        let (parts, mut taken) = mpsc::channel(1);
        let span = tracing::info_span!(
            parent: None,
            "stream",
            id = self.request_id,
            tenant = %self.standing.recognised().viewer.tenant,
            role = self.standing.recognised().viewer.role.as_str(),
        );
        tokio::spawn(tracing::Instrument::instrument(self.relay(parts), span));
        let stream = poll_fn(move |context| taken.poll_recv(context)).map(Ok::<Event, Infallible>);
        let keep_alive = KeepAlive::new().interval(live.settings().keep_alive);
        let mut response = Sse::new(stream).keep_alive(keep_alive).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(UNBUFFERED, HeaderValue::from_static("no"));
        response
    }

    /// Passes answers on until there are no more, nobody takes them, or the server ends it.
    async fn relay(self, parts: mpsc::Sender<Event>) {
        let Self {
            server,
            mut followed,
            standing,
            mut closing,
            following,
            place,
            request_id,
        } = self;
        let patience = server.app.live.settings().patience;
        let ended = async {
            tokio::select! {
                ended = standing.ended() => ended,
                () = closing.told() => Ended::GoingDown,
            }
        };
        let mut ended = pin!(ended);
        let why = loop {
            let answer = tokio::select! {
                biased;
                ended = &mut ended => break Some(ended),
                () = parts.closed() => return,
                answer = followed.answers.next() => answer,
            };
            let Some(answer) = answer else {
                break None;
            };
            let part = next(&answer, followed.seen.position());
            tokio::select! {
                biased;
                ended = &mut ended => break Some(ended),
                sent = timeout(patience, parts.send(part)) => match sent {
                    Ok(Ok(())) => following.sent(),
                    // Gone, or as good as gone.
                    Ok(Err(_)) | Err(_) => return,
                },
            }
        };
        let mut last = Vec::with_capacity(2);
        if let Some(why) = why {
            server.app.figures.followers.ended(why.code());
            last.push(next(&why.response(&request_id), None));
        }
        last.push(Event::default().event("complete").data(""));
        for part in last {
            if !matches!(timeout(FAREWELL, parts.send(part)).await, Ok(Ok(()))) {
                break;
            }
        }
        drop(place);
    }
}

fn next(answer: &Answer, position: Option<Position>) -> Event {
    let data = serde_json::to_string(answer).expect("an answer is JSON");
    let event = Event::default().event("next").data(data);
    match position {
        Some(position) => event.id(position.to_string()),
        None => event,
    }
}
