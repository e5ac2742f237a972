//! Subscriptions: over a WebSocket at `/graphql/live` (graphql-transport-ws), or by server-sent events at `/graphql/stream` (GraphQL
//! over SSE, a connection for each). Either shows a bearer token or a key and nothing that a browser would send by itself, so that
//! no page of another origin can follow in a visitor's name.

mod conversation;
mod events;
mod message;
mod operation;
mod socket;
mod standing;

use std::time::Duration;

use async_graphql::{Response, ServerError, Value};

use super::code_of;
use crate::auth::TokenError;
use crate::graphql::Answered;
use crate::live::TooMany;
use crate::throttle::seconds;

pub(super) use events::events;
pub(super) use socket::socket;

/// How long a client may take to hear why a stream ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a stream is not begun, or is ended by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Ended {
    /// The token or key stands for nobody any more, or that cannot be told.
    #[error(transparent)]
    Sign(#[from] TokenError),
    /// They may do something else than when they began.
    #[error("what you may see has changed; follow again")]
    RightsChanged,
    /// The company demands a second factor of them, which they do not have.
    #[error("the company demands a second factor of your role: set one up (totpEnrol, totpConfirm) first")]
    SecondFactorMissing,
    /// There are as many as there may be.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The program ends.
    #[error("this server is going down; follow again, after the last position that you have seen")]
    GoingDown,
}

impl Ended {
    /// The code that it is told by.
    fn code(self) -> &'static str {
        match self {
            Self::Sign(error) => code_of(error),
            Self::RightsChanged => "RIGHTS_CHANGED",
            Self::SecondFactorMissing => "SECOND_FACTOR_MISSING",
            Self::TooMany(_) => "TOO_MANY_SUBSCRIPTIONS",
            Self::GoingDown => "UNAVAILABLE",
        }
    }

    /// The answer that says it.
    fn response(self, request_id: &str) -> Response {
        Response::from_errors(vec![error(self.code(), self.to_string(), request_id)])
    }
}

fn error(code: &str, message: String, request_id: &str) -> ServerError {
    let mut error = ServerError::new(message, None);
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("code", code);
    extensions.set("requestId", request_id);
    error
}

/// Why a subscription does not begin, as errors.
fn refused(answered: Answered, request_id: &str) -> Vec<ServerError> {
    let Some(throttled) = answered.throttled else {
        return answered.response.errors;
    };
    let wait = seconds(throttled.retry_after);
    let message = format!("this costs more than is left to you; ask again in {wait} s");
    let mut error = error("THROTTLED", message, request_id);
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("retryAfter", Value::from(wait));
    vec![error]
}
