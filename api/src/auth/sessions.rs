//! Where people are signed in. A session is prolonged by refresh tokens, each good once; one that comes again after it was
//! used is in more hands than one, and ends the session.

use chrono::{DateTime, Duration, Utc};
use domain::ids::{SessionId, TenantId, UserId};
use domain::user::{SessionEnd, SessionRevoked, UserNote};
use event_log::Transaction;
use uuid::Uuid;

use super::given::{self, Given};
use super::history::Origin;
use super::token::Holder;
use super::{Auth, SignInError, SignedIn};

/// How long a session lasts that is not prolonged.
const IDLE: Duration = Duration::days(14);

/// How long a session lasts at most.
const LONGEST: Duration = Duration::days(90);

/// For how long an ended session stays listed nowhere but known, so that a token of it that comes again is recognised.
const REMEMBERED: Duration = Duration::days(30);

/// How many sessions of a person are listed, the last ones.
const LISTED: i64 = 100;

/// Why a session is not prolonged.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token is unknown, was used before, or its session has ended.
    #[error("this refresh token is not good any more; sign in again")]
    Refused,
    /// Another request uses the token at the same moment, and has won.
    #[error("another request has just used this refresh token: go on with what it got")]
    Raced,
    /// It cannot be told now.
    #[error(transparent)]
    Unavailable(#[from] SignInError),
}

impl From<sqlx::Error> for RefreshError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

/// A place where a person is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSession {
    /// The session.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// When the person signed in.
    pub created_at: DateTime<Utc>,
    /// When it was prolonged last.
    pub used_at: DateTime<Utc>,
    /// Until when it lasts if it is not prolonged.
    pub expires_at: DateTime<Utc>,
    /// Where from, the last time; none once that cannot be opened any more.
    pub origin: Option<Origin>,
}

/// A refresh token as it is found.
struct Found {
    session: SessionId,
    user: UserId,
    created_at: DateTime<Utc>,
    used: bool,
    live: bool,
}

impl Auth {
    /// Begins a session; gives its id and its first refresh token.
    pub(super) async fn begin_session(
        &self,
        tx: &mut Transaction,
        of: (TenantId, UserId),
        origin: &str,
        now: DateTime<Utc>,
    ) -> Result<(SessionId, String), sqlx::Error> {
        let (tenant, user) = of;
        sqlx::query(
            "delete from sessions where tenant_id = $1 and user_id = $2
                 and least(expires_at, coalesce(ended_at, expires_at)) < $3",
        )
        .bind(tenant.0)
        .bind(user.0)
        .bind(now - REMEMBERED)
        .execute(&mut **tx)
        .await?;
        let session = SessionId(self.commands.new_id());
        sqlx::query(
            "insert into sessions (tenant_id, session_id, user_id, created_at, used_at, expires_at, origin)
             values ($1, $2, $3, $4, $4, $5, $6)",
        )
        .bind(tenant.0)
        .bind(session.0)
        .bind(user.0)
        .bind(now)
        .bind(now + IDLE)
        .bind(origin)
        .execute(&mut **tx)
        .await?;
        let token = self.give_refresh_token(tx, tenant, session).await?;
        Ok((session, token))
    }

    async fn give_refresh_token(
        &self,
        tx: &mut Transaction,
        tenant: TenantId,
        session: SessionId,
    ) -> Result<String, sqlx::Error> {
        let given = Given::refresh_token(&self.vault, tenant);
        sqlx::query("insert into refresh_tokens (tenant_id, token_hash, session_id) values ($1, $2, $3)")
            .bind(tenant.0)
            .bind(given.hash)
            .bind(session.0)
            .execute(&mut **tx)
            .await?;
        Ok(given.text)
    }

    /// Prolongs a session: a new access token and a new refresh token for one that was not used yet. One that was ends
    /// the session. Of two requests at once with one token, one wins, and the session goes on.
    ///
    /// # Errors
    /// [`RefreshError`].
    pub async fn refresh(&self, token: &str, origin: Origin) -> Result<SignedIn, RefreshError> {
        let Some(tenant) = given::of_refresh_token(token) else {
            return Err(RefreshError::Refused);
        };
        let (hash, now) = (given::hash(token), self.clock.now());
        let found = self
            .find_token(tenant, &hash)
            .await?
            .ok_or(RefreshError::Refused)?;
        if found.used {
            self.end_copied(tenant, &found).await?;
            return Err(RefreshError::Refused);
        }
        if !found.live || self.active(tenant, found.user).await?.is_none() {
            return Err(RefreshError::Refused);
        }
        let sealed = self.seal_origin(tenant, found.user, &origin).await?;
        let mut tx = self.database.begin(tenant).await.map_err(SignInError::from)?;
        // Who comes second waits here for the first, and then finds the token used, which it was not a moment ago.
        let taken = sqlx::query(
            "update refresh_tokens set used_at = $3 where tenant_id = $1 and token_hash = $2 and used_at is null",
        )
        .bind(tenant.0)
        .bind(hash)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        if taken.rows_affected() == 0 {
            return Err(RefreshError::Raced);
        }
        if !prolong(&mut tx, tenant, &found, &sealed, now).await? {
            return Err(RefreshError::Refused);
        }
        let refresh_token = self.give_refresh_token(&mut tx, tenant, found.session).await?;
        tx.commit().await?;
        let holder = Holder {
            tenant,
            user: found.user,
            session: found.session,
        };
        Ok(self.signed_in(holder, refresh_token).await?)
    }

    async fn find_token(&self, tenant: TenantId, hash: &[u8; 32]) -> Result<Option<Found>, SignInError> {
        let mut tx = self.database.begin_read(tenant).await?;
        let found = find(&mut tx, tenant, hash, self.clock.now()).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Ends the session of a token that has come again, and says so once.
    async fn end_copied(&self, tenant: TenantId, found: &Found) -> Result<(), SignInError> {
        let now = self.clock.now();
        let mut tx = self.database.begin(tenant).await?;
        let ended = end_session(&mut tx, tenant, found.session, now).await?;
        tx.commit().await?;
        if !ended {
            return Ok(());
        }
        let session = found.session;
        self.forget_session(tenant, session);
        tracing::warn!(%tenant, %session, "a refresh token that was used came again: its session is ended");
        let note = UserNote::SessionRevoked(SessionRevoked {
            session_id: session,
            because: SessionEnd::TokenReused,
            revoked_at: now,
        });
        self.note(tenant, found.user, "token_reused", &session.to_string(), note)
            .await
    }

    /// Where a person is signed in, the last place first.
    ///
    /// # Errors
    /// [`SignInError::Unavailable`].
    pub async fn sessions(&self, tenant: TenantId, user: UserId) -> Result<Vec<LiveSession>, SignInError> {
        type Row = (Uuid, DateTime<Utc>, DateTime<Utc>, DateTime<Utc>, Option<String>);
        let mut tx = self.database.begin_read(tenant).await?;
        let rows: Vec<Row> = sqlx::query_as(
            "select session_id, created_at, used_at, expires_at, origin from sessions
             where tenant_id = $1 and user_id = $2 and ended_at is null and expires_at > $3
             order by used_at desc, session_id desc limit $4",
        )
        .bind(tenant.0)
        .bind(user.0)
        .bind(self.clock.now())
        .bind(LISTED)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let sealed = rows.iter().map(|(.., origin)| origin.clone()).collect();
        let origins = self.open_origins(tenant, user, sealed).await?;
        let sessions = rows.into_iter().zip(origins);
        Ok(sessions
            .map(|((id, created_at, used_at, expires_at, _), origin)| LiveSession {
                id: SessionId(id),
                user,
                created_at,
                used_at,
                expires_at,
                origin,
            })
            .collect())
    }

    /// Whose a session is that has not ended; none where there is none.
    pub(super) async fn session_owner(
        &self,
        tenant: TenantId,
        session: SessionId,
    ) -> Result<Option<UserId>, SignInError> {
        let mut tx = self.database.begin_read(tenant).await?;
        let owner: Option<Uuid> =
            sqlx::query_scalar("select user_id from sessions where tenant_id = $1 and session_id = $2")
                .bind(tenant.0)
                .bind(session.0)
                .fetch_optional(&mut *tx)
                .await?;
        tx.commit().await?;
        Ok(owner.map(UserId))
    }

    /// Ends a session: its access token opens nothing from then on, here at once and on other servers within seconds.
    ///
    /// # Errors
    /// [`SignInError::Unavailable`].
    pub async fn end(&self, tenant: TenantId, session: SessionId) -> Result<(), SignInError> {
        let mut tx = self.database.begin(tenant).await?;
        end_session(&mut tx, tenant, session, self.clock.now()).await?;
        tx.commit().await?;
        self.forget_session(tenant, session);
        Ok(())
    }

    /// Ends every session of a person but one.
    pub(super) async fn end_others(
        &self,
        tenant: TenantId,
        user: UserId,
        but: Option<SessionId>,
    ) -> Result<(), SignInError> {
        let mut tx = self.database.begin(tenant).await?;
        sqlx::query(
            "update sessions set ended_at = $4 where tenant_id = $1 and user_id = $2 and ended_at is null
                 and session_id is distinct from $3",
        )
        .bind(tenant.0)
        .bind(user.0)
        .bind(but.map(|session| session.0))
        .bind(self.clock.now())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.forget_standings();
        Ok(())
    }
}

async fn find(
    tx: &mut Transaction,
    tenant: TenantId,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<Found>, sqlx::Error> {
    let row: Option<(Uuid, Uuid, DateTime<Utc>, bool, bool)> = sqlx::query_as(
        "select s.session_id, s.user_id, s.created_at, t.used_at is not null, s.ended_at is null and s.expires_at > $3
         from refresh_tokens t join sessions s on s.tenant_id = t.tenant_id and s.session_id = t.session_id
         where t.tenant_id = $1 and t.token_hash = $2",
    )
    .bind(tenant.0)
    .bind(hash)
    .bind(now)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|(session, user, created_at, used, live)| Found {
        session: SessionId(session),
        user: UserId(user),
        created_at,
        used,
        live,
    }))
}

/// Prolongs a session, if it has not ended meanwhile.
async fn prolong(
    tx: &mut Transaction,
    tenant: TenantId,
    found: &Found,
    origin: &str,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let prolonged = sqlx::query(
        "update sessions set used_at = $3, expires_at = $4, origin = $5
         where tenant_id = $1 and session_id = $2 and ended_at is null",
    )
    .bind(tenant.0)
    .bind(found.session.0)
    .bind(now)
    .bind((now + IDLE).min(found.created_at + LONGEST))
    .bind(origin)
    .execute(&mut **tx)
    .await?;
    Ok(prolonged.rows_affected() == 1)
}

/// Ends a session; says whether it had not ended before.
async fn end_session(
    tx: &mut Transaction,
    tenant: TenantId,
    session: SessionId,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let ended = sqlx::query(
        "update sessions set ended_at = $3 where tenant_id = $1 and session_id = $2 and ended_at is null",
    )
    .bind(tenant.0)
    .bind(session.0)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(ended.rows_affected() == 1)
}
