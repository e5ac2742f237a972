//! Keys with which programs act for people.

use std::collections::HashMap;

use async_graphql::{Context, Description, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::user::{ApiKeyCreate, ApiKeyRevoke};
use commands::{CommandError, IdempotencyKey};
use domain::access::Permission;
use domain::ids::ApiKeyId;
use projections::At;
use projections::api_key_list::{self, ApiKeyRow};

use super::account::fault_of;
use super::connection::{connection, counter};
use super::error::{UserError, outcome, unread};
use super::id::{global, local};
use super::read::{AsOf, Freshness, after as read_after, at, cost, slice};
use super::scalar::LogPosition;
use super::session::{app, caller, under_key, viewer};

/// A key with which a program acts for a person, as `Authorization: Bearer hib_…`.
#[derive(Clone, Description)]
pub(super) struct ApiKey {
    row: ApiKeyRow,
    used_at: Option<DateTime<Utc>>,
}

#[Object(use_type_description)]
impl ApiKey {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        global(self.row.key_id)
    }
    /// Opaque id of the person whom it acts for.
    async fn user_id(&self) -> ID {
        global(self.row.user_id)
    }
    /// What its owner calls it.
    async fn name(&self) -> &str {
        &self.row.name
    }
    /// The last characters of the key, to tell it from others.
    async fn ends_with(&self) -> &str {
        &self.row.ends_with
    }
    /// The permissions that it is for. Of these it has those that its owner has at the time.
    async fn scopes(&self) -> Vec<&'static str> {
        let permissions = self.row.permissions.iter();
        permissions.map(|permission| permission.as_str()).collect()
    }
    /// Until when it is good, exclusive; null without end.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.row.expires_at
    }
    /// When it was used last, to the minute; null while it was not. Also as of the past it is when it was used last by now.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.used_at
    }
    /// When it was revoked; null while it was not.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.row.revoked_at
    }
    /// Why it was revoked; null while it was not.
    async fn revoked_because(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }
    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }
}

connection!(ApiKeyConnection, ApiKeyEdge, ApiKey, "Keys, the last made first.");

/// When keys were used last, those of one page in one look-up.
async fn uses(ctx: &Context<'_>, keys: &[ApiKeyId]) -> Result<HashMap<ApiKeyId, DateTime<Utc>>> {
    let used = app(ctx).auth.keys_used(viewer(ctx)?.tenant, keys).await;
    Ok(used.map_err(fault_of)?.into_iter().collect())
}

/// One key, within the viewer's reach.
pub(super) async fn one(ctx: &Context<'_>, id: ApiKeyId, at: At) -> Result<Option<ApiKey>> {
    let found = api_key_list::one(&app(ctx).views, viewer(ctx)?, id, at).await;
    let Some(row) = found.map_err(unread)?.value else {
        return Ok(None);
    };
    let used_at = uses(ctx, &[id]).await?.remove(&id);
    Ok(Some(ApiKey { row, used_at }))
}

/// Questions about keys.
#[derive(Default)]
pub(super) struct ApiKeyQuery;

#[Object]
impl ApiKeyQuery {
    /// Keys for programs, the last made first: the own ones with api_key:write, all of the company with user:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn api_keys(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<ApiKeyConnection> {
        let at = at(ctx, as_of, fresh).await?;
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = api_key_list::page(views, viewer, slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone()),
            move |(views, viewer)| async move { api_key_list::count(&views, &viewer, at).await },
        );
        let ids: Vec<ApiKeyId> = page.rows.iter().map(|listed| listed.row.key_id).collect();
        let uses = uses(ctx, &ids).await?;
        let node = |row: ApiKeyRow| ApiKey {
            used_at: uses.get(&row.key_id).copied(),
            row,
        };
        Ok(ApiKeyConnection::new(page, previous, counter, node))
    }
}

/// A key to make, for oneself.
#[derive(InputObject)]
pub(super) struct ApiKeyCreateInput {
    /// The same key gives the same result, but for the key itself, which is shown once.
    idempotency_key: ID,
    /// What you call it; 1 to 80 characters.
    name: String,
    /// The permissions that it is for, such as `booking:read`: some of your role's, and never `user:write` or
    /// `api_key:write`.
    scopes: Vec<String>,
    /// Until when it is good, exclusive: in the future, at most two years from now. Without end where absent.
    expires_at: Option<DateTime<Utc>>,
}

/// A key to revoke.
#[derive(InputObject)]
pub(super) struct ApiKeyRevokeInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The key.
    api_key_id: ID,
    /// Why; 3 to 500 characters.
    reason: String,
}

/// What a command on a key came to.
#[derive(SimpleObject)]
pub(super) struct ApiKeyPayload {
    /// The key as it is after the command; null when it was refused.
    api_key: Option<ApiKey>,
    /// The key itself, `hib_…`. It is shown once, when it is made: null otherwise, and for a repeat.
    secret: Option<String>,
    /// Why it was refused; empty when it was not.
    user_errors: Vec<UserError>,
    /// Position of the command's event in the log: pass it as `atLeast` to read what it wrote.
    position: Option<LogPosition>,
    /// Whether this is the result of an earlier command with the same key.
    replayed: bool,
}

impl ApiKeyPayload {
    async fn of(
        ctx: &Context<'_>,
        id: ApiKeyId,
        done: std::result::Result<commands::Written, CommandError>,
        secret: Option<String>,
    ) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        Ok(Self {
            api_key: one(ctx, id, read_after(written.position)).await?,
            secret: secret.filter(|_| !written.replayed),
            user_errors: Vec::new(),
            position: Some(written.position.into()),
            replayed: written.replayed,
        })
    }

    fn refused(error: UserError) -> Self {
        Self {
            api_key: None,
            secret: None,
            user_errors: vec![error],
            position: None,
            replayed: false,
        }
    }
}

/// Commands on keys.
#[derive(Default)]
pub(super) struct ApiKeyMutation;

#[Object]
impl ApiKeyMutation {
    /// Makes a key with which a program acts for you. It may do what it is for and you may do at the time, at the stations
    /// within your reach; deactivated with you. Needs api_key:write.
    async fn api_key_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: ApiKeyCreateInput,
    ) -> Result<ApiKeyPayload> {
        let (caller, viewer) = (caller(ctx)?, viewer(ctx)?);
        let permissions = input.scopes.iter().map(|word| Permission::parse(word));
        let Some(permissions) = permissions.collect::<Option<Vec<_>>>() else {
            let said = "a scope is a permission as `viewer { permissions }` shows them, such as booking:read";
            return Ok(ApiKeyPayload::refused(UserError::new(
                "INVALID_SCOPE",
                &["scopes"],
                said,
            )));
        };
        let new = app(ctx).auth.new_key(viewer.tenant, viewer.user);
        let ask = ApiKeyCreate {
            name: input.name,
            permissions,
            expires_at: input.expires_at,
            secret_hash: new.secret_hash,
            ends_with: new.ends_with,
        };
        let key = match outcome(IdempotencyKey::from_client(&input.idempotency_key))? {
            Ok(key) => key,
            Err(refused) => return Ok(ApiKeyPayload::refused(refused)),
        };
        let id = ApiKeyCreate::id_under(&key);
        let done = Box::pin(app(ctx).commands.create_api_key(caller, key, ask)).await;
        ApiKeyPayload::of(ctx, id, done, Some(new.text)).await
    }

    /// Revokes a key: it opens nothing from then on. The own ones with api_key:write, anybody's with user:write.
    async fn api_key_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: ApiKeyRevokeInput,
    ) -> Result<ApiKeyPayload> {
        let caller = caller(ctx)?;
        let missing = || ApiKeyPayload::refused(UserError::not_found("apiKeyId", "key"));
        let Some(key_id) = local::<ApiKeyId>(&input.api_key_id) else {
            return Ok(missing());
        };
        let found = api_key_list::one(&app(ctx).views, viewer(ctx)?, key_id, At::NOW).await;
        let Some(row) = found.map_err(unread)?.value else {
            return Ok(missing());
        };
        let ask = ApiKeyRevoke {
            user_id: row.user_id,
            key_id,
            reason: input.reason,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.revoke_api_key(caller, key, ask)
        })
        .await;
        app(ctx).auth.forget_standings();
        ApiKeyPayload::of(ctx, key_id, done, None).await
    }
}
