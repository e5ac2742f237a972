//! People who sign in, as those see them who see to users.

mod mutation;

use async_graphql::{Context, Description, Enum, ID, Object, Result};
use chrono::{DateTime, Utc};
use domain::decider::Decider;
use domain::envelope::StreamId;
use domain::ids::UserId;
use domain::organisation::SecondFactorRule as DomainRule;
use domain::user::{User as UserAggregate, UserStatus as DomainStatus};
use projections::At;
use projections::user_list::{self, SecondFactor, UserRow};

use super::connection::{connection, counter};
use super::error::{coded, refused_question, unread};
use super::id::{global, local};
use super::loaders::Loaders;
use super::read::{AsOf, Freshness, at, cost, slice};
use super::session::{app, viewer};
use super::sign_in::Role;

pub(super) use mutation::{UserAccessMutation, UserMutation};

/// A person of the company who signs in, or did.
#[derive(Clone, Description)]
pub(super) struct User(pub(super) UserRow);

/// Whether a person may sign in.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainStatus")]
pub(super) enum UserStatus {
    /// They may.
    Active,
    /// They may no more, until they are reactivated.
    Deactivated,
}

/// Whether people need a second factor to sign in.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainRule")]
pub(super) enum SecondFactorRule {
    /// Whoever wants one has one.
    Optional,
    /// SUPER_ADMIN, ADMIN and ACCOUNTANT need one: without it they can set one up, and nothing else.
    Demanded,
}

#[Object(use_type_description)]
impl User {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        global(self.0.user_id)
    }
    /// Events of the person so far: what `expectedVersion` compares.
    async fn version(&self) -> i32 {
        i32::try_from(self.0.version).unwrap_or(i32::MAX)
    }
    /// E-mail that they sign in with.
    async fn email(&self, ctx: &Context<'_>) -> Result<String> {
        let stream = StreamId::new(UserAggregate::STREAM, self.0.user_id.to_string());
        ctx.data_unchecked::<Loaders>()
            .text_or_erased(stream, "email", &self.0.email)
            .await
    }
    /// What they are there for.
    async fn role(&self) -> Role {
        self.0.role.into()
    }
    /// Opaque ids of the stations within reach; null for all of the company.
    async fn station_ids(&self) -> Option<Vec<ID>> {
        let stations = self.0.stations.only()?;
        Some(stations.iter().copied().map(global).collect())
    }
    /// Whether they may sign in.
    async fn status(&self) -> UserStatus {
        self.0.status.into()
    }
    /// Whether they sign in with a second factor.
    async fn second_factor(&self) -> bool {
        self.0.second_factor == SecondFactor::On
    }
    /// Until when nobody signs in as them, since too many guesses were wrong; null while they may.
    async fn locked_until(&self, ctx: &Context<'_>) -> Option<DateTime<Utc>> {
        let now = app(ctx).clock.now();
        self.0.locked_until.filter(|until| *until > now)
    }
    /// Since when they are there.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

connection!(UserConnection, UserEdge, User, "Users, the newest first.");

/// Questions about users.
#[derive(Default)]
pub(super) struct UserQuery;

#[Object]
impl UserQuery {
    /// A user; null for one who is not there. Everybody may ask for themselves; for others it needs user:read.
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Opaque id of a user.")] id: ID,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<Option<User>> {
        viewer(ctx)?;
        let at = at(ctx, as_of, fresh).await?;
        match local::<UserId>(&id) {
            Some(id) => one(ctx, id, at).await,
            None => Ok(None),
        }
    }

    /// The company's users, the newest first, deactivated ones as well. Needs user:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<UserConnection> {
        let at = at(ctx, as_of, fresh).await?;
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = user_list::page(views, viewer, slice, at).await.map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone()),
            move |(views, viewer)| async move { user_list::count(&views, &viewer, at).await },
        );
        Ok(UserConnection::new(page, previous, counter, User))
    }

    /// Whether the company's people need a second factor to sign in. Whoever is signed in may ask.
    async fn second_factor_rule(&self, ctx: &Context<'_>) -> Result<SecondFactorRule> {
        let tenant = viewer(ctx)?.tenant;
        let rule = app(ctx).commands.second_factor_rule(tenant).await;
        Ok(rule.map_err(refused_question)?.into())
    }
}

/// One user, within the viewer's reach.
pub(super) async fn one(ctx: &Context<'_>, id: UserId, at: At) -> Result<Option<User>> {
    let found = user_list::one(&app(ctx).views, viewer(ctx)?, id, at)
        .await
        .map_err(unread)?;
    Ok(found.value.map(User))
}

/// The person that a question is about: oneself, or with user:read another.
pub(super) fn whom(ctx: &Context<'_>, oneself: UserId, named: Option<ID>) -> Result<Option<UserId>> {
    let Some(named) = named else {
        return Ok(Some(oneself));
    };
    let named = local::<UserId>(&named);
    if named != Some(oneself) {
        let allowed = viewer(ctx)?.require(domain::access::Permission::UserRead);
        allowed.map_err(|forbidden| coded("FORBIDDEN", forbidden.to_string()))?;
    }
    Ok(named)
}
