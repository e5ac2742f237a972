//! One subscription of a socket, which may have several.

use std::sync::Arc;

use axum::extract::ws::Message;
use futures::StreamExt;
use tokio::sync::mpsc;

use super::message::Says;
use crate::graphql::Followed;
use crate::observing::Following;

/// A subscription that has begun.
pub(super) struct Operation {
    /// The client's name for it.
    pub(super) id: Arc<str>,
    /// Ours: a client may use a name again.
    pub(super) number: u64,
    pub(super) followed: Followed,
    /// Counts it while it is there.
    pub(super) following: Following,
}

/// What a subscription has to say.
pub(super) struct Part {
    pub(super) id: Arc<str>,
    pub(super) number: u64,
    pub(super) message: Message,
    /// Whether it is over with that.
    pub(super) is_last: bool,
}

impl Operation {
    /// Passes its answers on until there are no more, or nobody takes them. What the client has not taken holds the next back.
    pub(super) async fn relay(self, parts: mpsc::Sender<Part>) {
        let Self {
            id,
            number,
            mut followed,
            following,
        } = self;
        let part = |message, is_last| Part {
            id: id.clone(),
            number,
            message,
            is_last,
        };
        while let Some(answer) = followed.answers.next().await {
            let says = Says::Next {
                id: &id,
                payload: &answer,
            };
            if parts.send(part(says.message(), false)).await.is_err() {
                return;
            }
            following.sent();
        }
        drop(following);
        // Nobody is there to be told where that fails.
        parts
            .send(part(Says::Complete { id: &id }.message(), true))
            .await
            .ok();
    }
}
