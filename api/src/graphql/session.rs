//! Who asks, and with which request.

use async_graphql::{Context, ErrorExtensions, ID, Result};
use commands::{Caller, CommandError, IdempotencyKey, Written};
use domain::access::Viewer;
use domain::envelope::{Actor, ActorKind, Channel};

use crate::app::App;

/// Who asks, and with which request.
#[derive(Debug, Clone)]
pub struct Session {
    /// The person, once signed in.
    pub viewer: Option<Viewer>,
    /// The request, to find it in the logs.
    pub request_id: String,
}

/// The running program.
pub(super) fn app<'a>(ctx: &Context<'a>) -> &'a App {
    ctx.data_unchecked::<App>()
}

/// The person who asks.
pub(super) fn viewer<'a>(ctx: &Context<'a>) -> Result<&'a Viewer> {
    let unauthenticated = || {
        async_graphql::Error::new("sign in first: send an access token as Authorization: Bearer …")
            .extend_with(|_, extensions| extensions.set("code", "UNAUTHENTICATED"))
    };
    ctx.data_unchecked::<Session>()
        .viewer
        .as_ref()
        .ok_or_else(unauthenticated)
}

/// The person who asks, as the giver of a command.
pub(super) fn caller(ctx: &Context<'_>) -> Result<Caller> {
    let viewer = viewer(ctx)?;
    Ok(Caller {
        tenant: viewer.tenant,
        actor: Actor {
            kind: ActorKind::User,
            id: viewer.user.to_string(),
            role: Some(viewer.role),
        },
        stations: viewer.stations.clone(),
        channel: Channel::Graphql,
        request_id: Some(ctx.data_unchecked::<Session>().request_id.clone()),
        causation: None,
        correlation: None,
    })
}

/// Runs a command under the key that the client chose, or refuses the key.
pub(super) async fn under_key<F>(
    key: &ID,
    command: impl FnOnce(IdempotencyKey) -> F,
) -> std::result::Result<Written, CommandError>
where
    F: Future<Output = std::result::Result<Written, CommandError>>,
{
    // On the heap: the schema nests its lists of commands, and each of them would hold the largest command once more.
    Box::pin(command(IdempotencyKey::from_client(key)?)).await
}
