//! Who asks, and with which request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::{Context, ID, Result};
use commands::{Caller, CommandError, IdempotencyKey, Written};
use domain::access::Viewer;
use domain::envelope::{Actor, ActorKind, Channel};
use projections::ReadModels;

use super::error::coded;
use crate::app::App;
use crate::auth::{Asked, Credential, Origin, Person, Recognised, SignedInAs};

/// Who asks, and with which request.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who, once signed in; perhaps without the second factor that the company demands.
    pub recognised: Option<Recognised>,
    /// The request, to find it in the logs.
    pub request_id: String,
    /// Where it comes from.
    pub origin: Origin,
}

impl Session {
    /// Who asks, if signed in all the way.
    pub fn viewer(&self) -> Option<&Viewer> {
        let recognised = self.recognised.as_ref()?;
        (recognised.signed_in == SignedInAs::Full).then_some(&recognised.viewer)
    }
}

/// The running program among the data of the schema: out of reach but through what is here.
pub(super) struct Running(App);

impl Running {
    pub(super) fn of(app: &App) -> Self {
        Self(app.clone())
    }
}

/// Whether an answer was made from more than read models and the persons' keys: the time, who exactly asks, and what no event
/// tells. Clones are of one answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Beyond(Arc<AtomicBool>);

impl Beyond {
    /// Whether it was.
    pub(super) fn was_looked_at(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// From here on it is.
    pub(super) fn look(ctx: &Context<'_>) {
        // A subscription's answers are nobody's but its own.
        if let Some(Self(looked)) = ctx.data_opt::<Self>() {
            looked.store(true, Ordering::Relaxed);
        }
    }
}

/// The running program, for what is more than a question to read models: the answer is given once, and made anew for whoever asks
/// next.
pub(super) fn app<'a>(ctx: &Context<'a>) -> &'a App {
    Beyond::look(ctx);
    &ctx.data_unchecked::<Running>().0
}

/// The read models, for questions whose answer depends on nothing but the log and what the viewer may see
/// ([`Viewer::sight`]): it may be given again while nothing happens.
pub(super) fn views<'a>(ctx: &Context<'a>) -> &'a ReadModels {
    &ctx.data_unchecked::<Running>().0.views
}

/// Whoever is recognised, signed in all the way or not: what is answered from this is theirs alone.
pub(super) fn recognised<'a>(ctx: &Context<'a>) -> Result<&'a Recognised> {
    Beyond::look(ctx);
    found(ctx)
}

fn found<'a>(ctx: &Context<'a>) -> Result<&'a Recognised> {
    let recognised = ctx.data_unchecked::<Session>().recognised.as_ref();
    recognised.ok_or_else(|| {
        coded(
            "UNAUTHENTICATED",
            "sign in first: send an access token as Authorization: Bearer …",
        )
    })
}

/// Whoever asks, person or program.
pub(super) fn viewer<'a>(ctx: &Context<'a>) -> Result<&'a Viewer> {
    let recognised = found(ctx)?;
    match recognised.signed_in {
        SignedInAs::Full => Ok(&recognised.viewer),
        SignedInAs::WithoutSecondFactor => Err(coded(
            "SECOND_FACTOR_MISSING",
            "the company demands a second factor of your role: set one up (totpEnrol, totpConfirm) first",
        )),
    }
}

/// The person who asks, also without the second factor that the company demands, and no program in their place: for what
/// people do about how they sign in.
pub(super) fn person(ctx: &Context<'_>) -> Result<Person> {
    let recognised = recognised(ctx)?;
    match recognised.credential {
        Credential::Session(session) => Ok(Person {
            tenant: recognised.viewer.tenant,
            user: recognised.viewer.user,
            session,
        }),
        Credential::ApiKey(_) => Err(coded(
            "FORBIDDEN",
            "this is for people alone: a key cannot do it, sign in",
        )),
    }
}

/// The person who asks, as [`person`] has it, and how far they are signed in.
pub(super) fn oneself<'a>(ctx: &Context<'a>) -> Result<&'a Recognised> {
    person(ctx)?;
    recognised(ctx)
}

/// Whoever asks, as the giver of a command.
pub(super) fn caller(ctx: &Context<'_>) -> Result<Caller> {
    Ok(caller_for(ctx, viewer(ctx)?))
}

/// The person who asks, as [`person`] has it, as the giver of a command.
pub(super) fn caller_of_person(ctx: &Context<'_>) -> Result<Caller> {
    Ok(caller_for(ctx, &oneself(ctx)?.viewer))
}

fn caller_for(ctx: &Context<'_>, viewer: &Viewer) -> Caller {
    Caller {
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
        through: viewer.through.clone(),
    }
}

/// What a person asks about how they or others sign in, under the key that the client chose.
pub(super) fn asked(ctx: &Context<'_>, key: &ID) -> Result<std::result::Result<Asked, CommandError>> {
    let caller = caller_of_person(ctx)?;
    Ok(IdempotencyKey::from_client(key).map(|key| Asked { caller, key }))
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
