//! What is said over a socket: the messages of graphql-transport-ws, and the codes with which it is closed.

use async_graphql::{Request, Response, ServerError};
use axum::extract::ws::{CloseFrame, Message};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Ended;
use crate::auth::TokenError;

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Said {
    /// Who it is.
    ConnectionInit {
        #[serde(default)]
        payload: Option<Init>,
    },
    /// Whether anybody is there.
    Ping {
        #[serde(default)]
        payload: Option<Value>,
    },
    /// That somebody is.
    Pong {},
    /// What it wants to follow, under an id of its own.
    Subscribe { id: String, payload: Box<Request> },
    /// That it wants it no more.
    Complete { id: String },
}

/// How a client says who it is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Init {
    /// `Bearer` and a token or a key, as in the header of a request.
    #[serde(default, alias = "Authorization")]
    pub(super) authorization: Option<String>,
}

impl Init {
    /// The token or key that is shown.
    pub(super) fn shown(&self) -> Result<Option<&str>, TokenError> {
        match self.authorization.as_deref() {
            None => Ok(None),
            Some(value) => value.strip_prefix("Bearer ").map(Some).ok_or(TokenError::Forged),
        }
    }
}

impl Said {
    /// What a message says.
    pub(super) fn of(text: &str) -> Result<Self, Closed> {
        let said: Self = serde_json::from_str(text).map_err(|_| Closed::NotUnderstood)?;
        if let Self::Subscribe { id, .. } = &said
            && (id.is_empty() || id.len() > LONGEST_ID)
        {
            return Err(Closed::NotUnderstood);
        }
        Ok(said)
    }
}

/// The longest id of a subscription, in bytes: it is sent back with each of its events.
const LONGEST_ID: usize = 128;

/// What the server says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Says<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Value>,
    },
    Next {
        id: &'a str,
        payload: &'a Response,
    },
    Error {
        id: &'a str,
        payload: &'a [ServerError],
    },
    Complete {
        id: &'a str,
    },
}

impl Says<'_> {
    pub(super) fn message(&self) -> Message {
        let text = serde_json::to_string(self).expect("a message is JSON");
        Message::Text(text.into())
    }
}

/// Why a socket is closed by the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Closed {
    /// What was said is no message of the protocol.
    NotUnderstood,
    /// Something was wanted before it was said who wants it.
    Unauthorized,
    /// Who it is was not said in time.
    InitTimeout,
    /// It was said twice.
    TooManyInits,
    /// Another protocol was asked for, or none.
    NoSubprotocol,
    /// The id of a subscription that is still open.
    SubscriberExists(String),
    /// More than a message may hold.
    TooBig,
    /// The server ends it.
    Ended(Ended),
}

impl Closed {
    /// The frame that says it.
    pub(super) fn frame(&self) -> Message {
        let (code, reason) = match self {
            Self::NotUnderstood => (4400, "Invalid message".to_owned()),
            Self::Unauthorized => (4401, "Unauthorized".to_owned()),
            Self::InitTimeout => (4408, "Connection initialisation timeout".to_owned()),
            Self::TooManyInits => (4429, "Too many initialisation requests".to_owned()),
            Self::NoSubprotocol => (4406, "Subprotocol not acceptable".to_owned()),
            Self::SubscriberExists(id) => (4409, format!("Subscriber for {} already exists", shortened(id))),
            Self::TooBig => (1009, "Message too big".to_owned()),
            Self::Ended(ended) => (code(*ended), ended.code().to_owned()),
        };
        Message::Close(Some(CloseFrame {
            code,
            reason: reason.into(),
        }))
    }
}

/// A reason has 123 bytes.
fn shortened(id: &str) -> &str {
    id.char_indices().nth(20).map_or(id, |(end, _)| &id[..end])
}

fn code(ended: Ended) -> u16 {
    match ended {
        // Try again later.
        Ended::Sign(TokenError::Unavailable) | Ended::TooMany(_) => 1013,
        Ended::Sign(TokenError::Forged | TokenError::Expired | TokenError::Ended | TokenError::NoKey)
        | Ended::RightsChanged
        | Ended::SecondFactorMissing => 4403,
        Ended::GoingDown => 1001,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_those_of_the_protocol_and_no_others() {
        assert!(matches!(
            Said::of(r#"{"type":"connection_init","payload":{"authorization":"Bearer x"}}"#),
            Ok(Said::ConnectionInit { payload: Some(init) }) if init.shown() == Ok(Some("x"))
        ));
        assert!(matches!(
            Said::of(r#"{"type":"ping"}"#),
            Ok(Said::Ping { payload: None })
        ));
        assert!(matches!(
            Said::of(r#"{"type":"pong","payload":{"a":1}}"#),
            Ok(Said::Pong {})
        ));
        assert!(matches!(
            Said::of(r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }"}}"#),
            Ok(Said::Subscribe { .. })
        ));
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"type":"start","id":"1"}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":1,"payload":{"query":"{ a }"}}"#,
        ] {
            assert_eq!(Said::of(wrong).unwrap_err(), Closed::NotUnderstood, "{wrong}");
        }
        let long = "é".repeat(60);
        assert!(Said::of(&format!(r#"{{"type":"complete","id":"{long}"}}"#)).is_ok());
        let Message::Close(Some(frame)) = Closed::SubscriberExists(long).frame() else {
            panic!("a frame that closes");
        };
        assert!(frame.reason.len() <= 123);
    }
}
