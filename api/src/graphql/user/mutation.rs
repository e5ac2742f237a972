//! Commands on users.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use commands::user::{UserDeactivate, UserReactivate, UserRoleChange, UserUnlock};
use commands::{CommandError, Written};
use domain::access::{Permission, StationScope, Viewer};
use domain::customer::fold_email;
use domain::decider::Decider;
use domain::ids::{StationId, UserId};
use domain::user::User as UserAggregate;
use projections::user_list;

use super::super::account::refused;
use super::super::connection::payload;
use super::super::error::{UserError, coded, outcome, unread};
use super::super::id::local;
use super::super::read::after as read_after;
use super::super::scalar::LogPosition;
use super::super::session::{app, asked, caller, under_key, viewer};
use super::super::sign_in::{Role, email_of, new_password};
use super::{SecondFactorRule, User};
use crate::auth::AccountError;

/// A person who is to sign in.
#[derive(InputObject)]
pub(in crate::graphql) struct UserCreateInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// E-mail that they sign in with; its own within the company.
    email: String,
    /// The first password, 12 to 200 characters that nobody tries first: tell them to change it.
    #[graphql(secret)]
    password: String,
    /// What they are there for.
    role: Role,
    /// Opaque ids of the stations within reach; all of the company where absent.
    station_ids: Option<Vec<ID>>,
}

/// Another role of a person, or other stations.
#[derive(InputObject)]
pub(in crate::graphql) struct UserRoleChangeInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The person; not oneself.
    user_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// What they are there for from now on.
    role: Role,
    /// Opaque ids of the stations within reach from now on; all of the company where absent.
    station_ids: Option<Vec<ID>>,
}

/// A person who is to sign in no more.
#[derive(InputObject)]
pub(in crate::graphql) struct UserDeactivateInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The person; not oneself.
    user_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Why; 3 to 500 characters.
    reason: String,
}

/// A person whom something is done for.
#[derive(InputObject)]
pub(in crate::graphql) struct UserActionInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The person.
    user_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
}

/// A password for somebody who has lost theirs.
#[derive(InputObject)]
pub(in crate::graphql) struct UserPasswordSetInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The person.
    user_id: ID,
    /// The password, 12 to 200 characters that nobody tries first: tell them to change it.
    #[graphql(secret)]
    password: String,
}

/// Whether people need a second factor.
#[derive(InputObject)]
pub(in crate::graphql) struct SecondFactorRuleSetInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// What holds from now on.
    rule: SecondFactorRule,
}

payload!(UserPayload, user: User);

/// What setting the rule came to.
#[derive(SimpleObject)]
pub(in crate::graphql) struct SecondFactorRulePayload {
    /// What holds after the command; null when it was refused.
    rule: Option<SecondFactorRule>,
    /// Why it was refused; empty when it was not.
    user_errors: Vec<UserError>,
    /// Position of the command's event in the log.
    position: Option<LogPosition>,
    /// Whether this is the result of an earlier command with the same key.
    replayed: bool,
}

impl UserPayload {
    async fn of(ctx: &Context<'_>, done: std::result::Result<Written, CommandError>) -> Result<Self> {
        match outcome(done)? {
            Ok(written) => Self::after(ctx, &written).await,
            Err(refused) => Ok(Self::refused(refused)),
        }
    }

    async fn of_account(ctx: &Context<'_>, done: std::result::Result<Written, AccountError>) -> Result<Self> {
        match done {
            Ok(written) => Self::after(ctx, &written).await,
            Err(error) => Ok(Self::refused(refused(error)?)),
        }
    }

    async fn after(ctx: &Context<'_>, written: &Written) -> Result<Self> {
        // Whoever was signed in as the person is so no more, or may do other things.
        app(ctx).auth.forget_standings();
        let Ok(id) = written.id_of(UserAggregate::STREAM).parse::<UserId>() else {
            return Ok(Self::written(None, written));
        };
        let at = read_after(written.position);
        let found = user_list::one(&app(ctx).views, viewer(ctx)?, id, at)
            .await
            .map_err(unread)?;
        Ok(Self::written(found.value.map(User), written))
    }

    fn unknown() -> Self {
        Self::refused(UserError::not_found("userId", "user"))
    }
}

/// The stations of their ids; all where there are none.
fn scope(ids: Option<Vec<ID>>) -> std::result::Result<StationScope, UserError> {
    let Some(ids) = ids else {
        return Ok(StationScope::All);
    };
    let stations = ids.iter().map(local::<StationId>).collect::<Option<Vec<_>>>();
    let stations = stations.ok_or_else(|| UserError::not_found("stationIds", "station"))?;
    Ok(StationScope::Only(stations))
}

/// Whoever sees to users: before a password is judged, which takes time.
fn sees_to_users<'a>(ctx: &Context<'a>) -> Result<&'a Viewer> {
    let viewer = viewer(ctx)?;
    let may = viewer.require(Permission::UserWrite);
    may.map_err(|forbidden| coded("FORBIDDEN", forbidden.to_string()))?;
    Ok(viewer)
}

/// Commands on who may sign in, and as what.
#[derive(Default)]
pub(in crate::graphql) struct UserMutation;

#[Object]
impl UserMutation {
    /// Lets a person of the company sign in. Needs user:write.
    async fn user_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: UserCreateInput,
    ) -> Result<UserPayload> {
        let caller = caller(ctx)?;
        let stations = match scope(input.station_ids) {
            Ok(stations) => stations,
            Err(refused) => return Ok(UserPayload::refused(refused)),
        };
        let (tenant, auth) = (caller.tenant, &app(ctx).auth);
        let seer = sees_to_users(ctx)?;
        // One that is none is refused below.
        let email = fold_email(&input.email).unwrap_or_default();
        let new = new_password(ctx, seer, input.password, &email).await?;
        let password = match auth.accept_password(new).await {
            Ok(password) => password,
            Err(error) => return Ok(UserPayload::refused(refused(error.into())?)),
        };
        let done = under_key(&input.idempotency_key, |key| {
            let commands = &app(ctx).commands;
            commands.create_user(caller, key, input.email, input.role.into(), stations)
        })
        .await;
        if let Ok(written) = &done
            && let Ok(user) = written.id_of(UserAggregate::STREAM).parse()
        {
            let given = auth.give_first_password(tenant, user, password).await;
            if let Err(error) = given {
                return Ok(UserPayload::refused(refused(error)?));
            }
        }
        UserPayload::of(ctx, done).await
    }

    /// Changes what a person may do, and where; it counts for their next request. Not of oneself. Needs user:write.
    async fn user_role_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: UserRoleChangeInput,
    ) -> Result<UserPayload> {
        let caller = caller(ctx)?;
        let Some(user_id) = local::<UserId>(&input.user_id) else {
            return Ok(UserPayload::unknown());
        };
        let stations = match scope(input.station_ids) {
            Ok(stations) => stations,
            Err(refused) => return Ok(UserPayload::refused(refused)),
        };
        let ask = UserRoleChange {
            user_id,
            expected_version: input.expected_version.map(i64::from),
            role: input.role.into(),
            stations,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.change_user_role(caller, key, ask)
        })
        .await;
        UserPayload::of(ctx, done).await
    }

    /// Lets a person sign in no more: they are signed out everywhere, and their keys open nothing. Not of oneself. Needs
    /// user:write.
    async fn user_deactivate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: UserDeactivateInput,
    ) -> Result<UserPayload> {
        let caller = caller(ctx)?;
        let Some(user_id) = local::<UserId>(&input.user_id) else {
            return Ok(UserPayload::unknown());
        };
        let ask = UserDeactivate {
            user_id,
            expected_version: input.expected_version.map(i64::from),
            reason: input.reason,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.deactivate_user(caller, key, ask)
        })
        .await;
        UserPayload::of(ctx, done).await
    }

    /// Lets a person sign in again who was deactivated. Needs user:write.
    async fn user_reactivate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: UserActionInput,
    ) -> Result<UserPayload> {
        let caller = caller(ctx)?;
        let Some(user_id) = local::<UserId>(&input.user_id) else {
            return Ok(UserPayload::unknown());
        };
        let ask = UserReactivate {
            user_id,
            expected_version: input.expected_version.map(i64::from),
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.reactivate_user(caller, key, ask)
        })
        .await;
        UserPayload::of(ctx, done).await
    }
}

/// Commands that let somebody in again who cannot get in.
#[derive(Default)]
pub(in crate::graphql) struct UserAccessMutation;

#[Object]
impl UserAccessMutation {
    /// Lets a person who is locked out sign in before the time is over. Needs user:write.
    async fn user_unlock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: UserActionInput,
    ) -> Result<UserPayload> {
        viewer(ctx)?;
        let Some(user_id) = local::<UserId>(&input.user_id) else {
            return Ok(UserPayload::unknown());
        };
        let ask = UserUnlock {
            user_id,
            expected_version: input.expected_version.map(i64::from),
        };
        let done = match asked(ctx, &input.idempotency_key)? {
            Ok(asked) => app(ctx).auth.unlock(asked, ask).await,
            Err(error) => Err(error.into()),
        };
        UserPayload::of_account(ctx, done).await
    }

    /// Gives a person another password who has lost theirs; they are signed out everywhere. Needs user:write.
    async fn user_password_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: UserPasswordSetInput,
    ) -> Result<UserPayload> {
        let seer = sees_to_users(ctx)?;
        let Some(user) = local::<UserId>(&input.user_id) else {
            return Ok(UserPayload::unknown());
        };
        let done = match asked(ctx, &input.idempotency_key)? {
            Ok(asked) => {
                let email = email_of(ctx, seer.tenant, user).await?;
                let new = new_password(ctx, seer, input.password, &email).await?;
                app(ctx).auth.reset_password(asked, user, new).await
            }
            Err(error) => Err(error.into()),
        };
        UserPayload::of_account(ctx, done).await
    }

    /// Takes a person's second factor away who has lost the phone and the recovery codes; they are signed out everywhere.
    /// Needs user:write.
    async fn user_totp_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: UserActionInput,
    ) -> Result<UserPayload> {
        viewer(ctx)?;
        let Some(user) = local::<UserId>(&input.user_id) else {
            return Ok(UserPayload::unknown());
        };
        let done = match asked(ctx, &input.idempotency_key)? {
            Ok(asked) => app(ctx).auth.reset_factor(asked, user).await,
            Err(error) => Err(error.into()),
        };
        UserPayload::of_account(ctx, done).await
    }

    /// Says whether the company's people need a second factor to sign in; it counts for their next request. Needs user:write.
    async fn second_factor_rule_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: SecondFactorRuleSetInput,
    ) -> Result<SecondFactorRulePayload> {
        let caller = caller(ctx)?;
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx)
                .commands
                .set_second_factor_rule(caller, key, input.rule.into())
        })
        .await;
        app(ctx).auth.forget_standings();
        Ok(match outcome(done)? {
            Ok(written) => SecondFactorRulePayload {
                rule: Some(input.rule),
                user_errors: Vec::new(),
                position: Some(written.position.into()),
                replayed: written.replayed,
            },
            Err(refused) => SecondFactorRulePayload {
                rule: None,
                user_errors: vec![refused],
                position: None,
                replayed: false,
            },
        })
    }
}
