//! What people see and change of how they sign in themselves.

mod second_factor;

use std::convert::Infallible;

use async_graphql::{Context, Description, Enum, Error, ID, InputObject, Object, Result, SimpleObject};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use commands::Written;
use domain::ids::SessionId;
use uuid::Uuid;

use super::connection::PageInfo;
use super::error::{UserError, coded, fault, outcome};
use super::id::{global, local};
use super::read::{cost, slice};
use super::scalar::LogPosition;
use super::session::{app, asked, oneself, person};
use super::sign_in::{email_of, new_password};
use super::user::whom;
use crate::auth::{
    AccountError, LiveSession, Origin, PasswordError, Person, SignInError, SignInOutcome as Outcome,
    TriedSignIn,
};

pub(super) use second_factor::SecondFactorMutation;

/// A place where a person is signed in.
#[derive(Description)]
pub(super) struct Session {
    live: LiveSession,
    current: bool,
}

#[Object(use_type_description)]
impl Session {
    /// Opaque id.
    async fn id(&self) -> ID {
        global(self.live.id)
    }
    /// When the person signed in there.
    async fn created_at(&self) -> DateTime<Utc> {
        self.live.created_at
    }
    /// When it was prolonged last.
    async fn used_at(&self) -> DateTime<Utc> {
        self.live.used_at
    }
    /// Until when it lasts if it is not prolonged.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.live.expires_at
    }
    /// The network address that it was prolonged from last; null where it is not known.
    async fn address(&self) -> Option<String> {
        address(self.live.origin.as_ref())
    }
    /// What the program called itself; null where it did not.
    async fn user_agent(&self) -> Option<String> {
        agent(self.live.origin.as_ref())
    }
    /// Whether the question comes from there.
    async fn current(&self) -> bool {
        self.current
    }
}

/// What a sign-in that was tried came to.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Outcome")]
pub(super) enum SignInOutcome {
    /// The person was signed in.
    SignedIn,
    /// The password or the second factor was wrong.
    Wrong,
    /// The person was locked out at the time; whether the password was right is not said.
    Locked,
    /// The password was right, and the second factor was asked for.
    SecondFactor,
}

/// A sign-in that was tried.
#[derive(Clone, Description)]
pub(super) struct SignInTry(TriedSignIn);

#[Object(use_type_description)]
impl SignInTry {
    /// When.
    async fn tried_at(&self) -> DateTime<Utc> {
        self.0.tried_at
    }
    /// What it came to.
    async fn outcome(&self) -> SignInOutcome {
        self.0.outcome.into()
    }
    /// The network address that it came from; null where it is not known.
    async fn address(&self) -> Option<String> {
        address(self.0.origin.as_ref())
    }
    /// What the program called itself; null where it did not.
    async fn user_agent(&self) -> Option<String> {
        agent(self.0.origin.as_ref())
    }
}

fn address(origin: Option<&Origin>) -> Option<String> {
    origin?.address.map(|address| address.to_string())
}

fn agent(origin: Option<&Origin>) -> Option<String> {
    origin?.agent.clone()
}

/// Sign-ins of a person that were tried, the last first. The last 200 are kept.
#[derive(SimpleObject)]
pub(super) struct SignInTryConnection {
    /// The rows with their cursors.
    edges: Vec<SignInTryEdge>,
    /// The rows.
    nodes: Vec<SignInTry>,
    /// Where the page begins and ends.
    page_info: PageInfo,
}

/// A row of the list with its cursor.
#[derive(Clone, SimpleObject)]
pub(super) struct SignInTryEdge {
    /// Where the row stands in the list; stays good while rows come and go.
    cursor: String,
    /// The row.
    node: SignInTry,
}

fn cursor(tried: &TriedSignIn) -> String {
    URL_SAFE_NO_PAD.encode(tried.id.as_bytes())
}

fn place(cursor: &str) -> Result<Uuid> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let id = bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok());
    id.ok_or_else(|| coded("INVALID_CURSOR", "this cursor is not one of this list"))
}

/// Questions about how somebody signs in.
#[derive(Default)]
pub(super) struct AccountQuery;

#[Object]
impl AccountQuery {
    /// Where a person is signed in, the place that was prolonged last first; at most 100. Oneself, or with user:read another.
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Opaque id of another user.")] user_id: Option<ID>,
    ) -> Result<Vec<Session>> {
        let Person {
            tenant,
            user,
            session,
        } = person(ctx)?;
        let Some(user) = whom(ctx, user, user_id)? else {
            return Ok(Vec::new());
        };
        let sessions = app(ctx).auth.sessions(tenant, user).await.map_err(fault_of)?;
        Ok(sessions
            .into_iter()
            .map(|live| Session {
                current: live.id == session,
                live,
            })
            .collect())
    }

    /// Sign-ins that were tried as a person, the last first. Oneself, or with user:read another.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn sign_ins(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Opaque id of another user.")] user_id: Option<ID>,
    ) -> Result<SignInTryConnection> {
        let Person { tenant, user, .. } = person(ctx)?;
        let user = whom(ctx, user, user_id)?;
        let before = after.as_deref().map(place).transpose()?;
        let first = slice(first, None)?.first;
        let mut tried = match user {
            Some(user) => app(ctx).auth.tried(tenant, user, before, first + 1).await,
            None => Ok(Vec::new()),
        }
        .map_err(fault_of)?;
        let has_next_page = tried.len() > usize::from(first);
        tried.truncate(usize::from(first));
        let edges = tried.iter().map(|tried| SignInTryEdge {
            cursor: cursor(tried),
            node: SignInTry(tried.clone()),
        });
        Ok(SignInTryConnection {
            edges: edges.collect(),
            page_info: PageInfo {
                has_next_page,
                has_previous_page: before.is_some(),
                start_cursor: tried.first().map(cursor),
                end_cursor: tried.last().map(cursor),
            },
            nodes: tried.into_iter().map(SignInTry).collect(),
        })
    }
}

/// A session to end.
#[derive(InputObject)]
pub(super) struct SessionRevokeInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The session.
    session_id: ID,
}

/// Another password.
#[derive(InputObject)]
pub(super) struct PasswordChangeInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The password that you have.
    #[graphql(secret)]
    current_password: String,
    /// The password that you want: 12 to 200 characters that nobody tries first.
    #[graphql(secret)]
    new_password: String,
}

/// What a command about how somebody signs in came to.
#[derive(SimpleObject)]
pub(super) struct AccountPayload {
    /// Why it was refused; empty when it was not.
    user_errors: Vec<UserError>,
    /// Position of the command's event in the log; null where it wrote none.
    position: Option<LogPosition>,
    /// Whether this is the result of an earlier command with the same key.
    replayed: bool,
}

impl AccountPayload {
    fn of(done: std::result::Result<Written, AccountError>) -> Result<Self> {
        Self::at(done, "password", "password")
    }

    /// The same where the own password and the new one are in fields of these names.
    fn at(
        done: std::result::Result<Written, AccountError>,
        own: &'static str,
        new: &'static str,
    ) -> Result<Self> {
        Ok(match done {
            Ok(written) => Self {
                user_errors: Vec::new(),
                position: Some(written.position.into()),
                replayed: written.replayed,
            },
            Err(error) => Self {
                user_errors: vec![refused_at(error, own, new)?],
                position: None,
                replayed: false,
            },
        })
    }
}

/// Commands on the own password and on where somebody is signed in.
#[derive(Default)]
pub(super) struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Signs out here: the access token and the refresh token are void. For people; a key is revoked instead.
    async fn sign_out(&self, ctx: &Context<'_>) -> Result<AccountPayload> {
        let Person { tenant, session, .. } = person(ctx)?;
        app(ctx).auth.end(tenant, session).await.map_err(fault_of)?;
        Ok(AccountPayload {
            user_errors: Vec::new(),
            position: None,
            replayed: false,
        })
    }

    /// Ends a session: whoever uses it is signed out. One's own, or with user:write anybody's.
    async fn session_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: SessionRevokeInput,
    ) -> Result<AccountPayload> {
        let person = person(ctx)?;
        let done = match (
            local::<SessionId>(&input.session_id),
            asked(ctx, &input.idempotency_key)?,
        ) {
            (None, _) => Err(AccountError::NoSession),
            (_, Err(error)) => Err(error.into()),
            (Some(session), Ok(asked)) => app(ctx).auth.revoke_session(asked, person, session).await,
        };
        AccountPayload::of(done)
    }

    /// Changes the own password; all other sessions end. A wrong current one counts as a wrong guess at sign-in does.
    async fn password_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: PasswordChangeInput,
    ) -> Result<AccountPayload> {
        let person = person(ctx)?;
        let done = match asked(ctx, &input.idempotency_key)? {
            Ok(asked) => {
                let viewer = &oneself(ctx)?.viewer;
                let email = email_of(ctx, viewer.tenant, viewer.user).await?;
                let new = new_password(ctx, viewer, input.new_password, &email).await?;
                let current = input.current_password;
                app(ctx).auth.change_password(asked, person, current, new).await
            }
            Err(error) => Err(error.into()),
        };
        AccountPayload::at(done, "currentPassword", "newPassword")
    }
}

/// What is told of why something about how somebody signs in is not changed; a fault where that is none of theirs.
pub(super) fn refused(error: AccountError) -> Result<UserError> {
    refused_at(error, "password", "password")
}

fn refused_at(error: AccountError, own: &'static str, new: &'static str) -> Result<UserError> {
    let said = error.to_string();
    Ok(match error {
        AccountError::WrongPassword => UserError::new("WRONG_PASSWORD", &[own], said),
        AccountError::WrongCode => UserError::new("INVALID_TOTP", &["code"], said),
        AccountError::NoFactor => UserError::new("NO_SECOND_FACTOR", &[], said),
        AccountError::FactorInUse => UserError::new("SECOND_FACTOR_IN_USE", &[], said),
        AccountError::FactorDemanded => UserError::new("SECOND_FACTOR_DEMANDED", &[], said),
        AccountError::NoSession => UserError::new("NOT_FOUND", &["sessionId"], said),
        AccountError::Password(PasswordError::BadLength) => UserError::new("INVALID_PASSWORD", &[new], said),
        AccountError::Password(PasswordError::TooEasy) => UserError::new("PASSWORD_TOO_EASY", &[new], said),
        AccountError::Password(error @ PasswordError::Unavailable(_)) => {
            return Err(fault("UNAVAILABLE", &error));
        }
        AccountError::Command(error) => match outcome(Err::<Infallible, _>(error))? {
            Err(refused) => refused,
            Ok(never) => match never {},
        },
        AccountError::Unavailable(error) => return Err(fault_of(error)),
    })
}

/// What cannot be told now.
pub(super) fn fault_of(error: SignInError) -> Error {
    fault("UNAVAILABLE", &error)
}
