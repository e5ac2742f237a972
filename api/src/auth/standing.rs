//! Who a token or a key stands for at the moment: what they may do is what the log says now, and not what it said when they
//! signed in.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use domain::access::{ApiKeyGrant, Viewer};
use domain::ids::{ApiKeyId, SessionId, TenantId, UserId};
use domain::user::UserCreated;
use lru::LruCache;
use uuid::Uuid;

use super::given;
use super::token::Holder;
use super::{Auth, SignInError, TokenError};

/// For how long somebody is taken to be who they were when it was looked up. What ends a sign-in here is heard of at once;
/// what ends it on another server, after so long at the latest.
const BELIEVED: Duration = Duration::from_secs(5);

/// How many are remembered.
const MOST: usize = 20_000;

/// How far apart two uses of a key are that are both written down, in seconds.
const USE_EVERY_SECS: i64 = 60;

/// With what somebody shows who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// The person, signed in there.
    Session(SessionId),
    /// A program with a key.
    ApiKey(ApiKeyId),
}

/// How far somebody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedInAs {
    /// All the way.
    Full,
    /// The company demands a second factor of them, and they have none yet: they may set it up, and nothing else.
    WithoutSecondFactor,
}

/// Somebody who is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// Who, and what they may do.
    pub viewer: Viewer,
    /// With what they showed it.
    pub credential: Credential,
    /// How far they are signed in.
    pub signed_in: SignedInAs,
}

impl Recognised {
    /// Who it is, if they are signed in all the way.
    pub fn full(self) -> Option<Viewer> {
        (self.signed_in == SignedInAs::Full).then_some(self.viewer)
    }
}

/// What is looked up under a company and a session, or the hash of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Shown {
    Session(TenantId, SessionId),
    Key([u8; 32]),
}

/// Whoever was looked up of late. Cheap to clone.
#[derive(Clone)]
pub(super) struct Standings {
    known: Arc<Mutex<LruCache<Shown, Known>>>,
}

/// Who it was when it was looked up.
struct Known {
    recognised: Recognised,
    /// When a key expires.
    ends_at: Option<DateTime<Utc>>,
    looked_up: Instant,
}

impl Standings {
    pub(super) fn new() -> Self {
        let most = NonZeroUsize::new(MOST).expect("it is not zero");
        Self {
            known: Arc::new(Mutex::new(LruCache::new(most))),
        }
    }

    fn get(&self, shown: &Shown, now: DateTime<Utc>, believed: Duration) -> Option<Recognised> {
        let mut known = lock(&self.known);
        let known = known.get(shown)?;
        let holds = known.looked_up.elapsed() < believed && known.ends_at.is_none_or(|end| now < end);
        holds.then(|| known.recognised.clone())
    }

    fn put(&self, shown: Shown, known: Known) {
        lock(&self.known).put(shown, known);
    }
}

impl Auth {
    /// Who a token or a key stands for.
    ///
    /// # Errors
    /// [`TokenError`] for one that stands for nobody.
    pub async fn recognise(&self, shown: &str) -> Result<Recognised, TokenError> {
        self.recognise_within(shown, BELIEVED).await
    }

    /// As [`recognise`](Self::recognise), by what was looked up no longer than this ago.
    ///
    /// # Errors
    /// [`TokenError`] for one that stands for nobody.
    pub async fn recognise_within(&self, shown: &str, believed: Duration) -> Result<Recognised, TokenError> {
        if given::is_key(shown) {
            return self.recognise_key(shown, believed).await;
        }
        let now = self.clock.now();
        let holder = self.tokens.read(shown, now)?;
        let place = Shown::Session(holder.tenant, holder.session);
        if let Some(known) = self.standings.get(&place, now, believed) {
            return Ok(known);
        }
        let began = Instant::now();
        let recognised = self.standing_of(holder).await.map_err(unavailable)?;
        let recognised = recognised.ok_or(TokenError::Ended)?;
        self.standings.put(
            place,
            Known {
                recognised: recognised.clone(),
                ends_at: None,
                looked_up: began,
            },
        );
        Ok(recognised)
    }

    /// Looks everybody up anew: something has changed of what somebody may do.
    pub fn forget_standings(&self) {
        lock(&self.standings.known).clear();
    }

    /// Looks one session up anew: it has ended.
    pub(super) fn forget_session(&self, tenant: TenantId, session: SessionId) {
        lock(&self.standings.known).pop(&Shown::Session(tenant, session));
    }

    /// How far the holder of a session that has not ended is signed in.
    pub(super) async fn standing_of(&self, holder: Holder) -> Result<Option<Recognised>, SignInError> {
        let mut tx = self.database.begin_read(holder.tenant).await?;
        let row: Option<bool> = sqlx::query_scalar(
            "select f.confirmed_at is not null from sessions s
             left join second_factors f on f.tenant_id = s.tenant_id and f.user_id = s.user_id
             where s.tenant_id = $1 and s.session_id = $2 and s.user_id = $3 and s.ended_at is null
                 and s.expires_at > $4",
        )
        .bind(holder.tenant.0)
        .bind(holder.session.0)
        .bind(holder.user.0)
        .bind(self.clock.now())
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        let (Some(has_factor), Some(user)) = (row, self.active(holder.tenant, holder.user).await?) else {
            return Ok(None);
        };
        let rule = self.commands.second_factor_rule(holder.tenant).await?;
        let signed_in = if !has_factor && rule.demands_of(user.role) {
            SignedInAs::WithoutSecondFactor
        } else {
            SignedInAs::Full
        };
        Ok(Some(Recognised {
            viewer: viewer(holder.tenant, holder.user, user, None),
            credential: Credential::Session(holder.session),
            signed_in,
        }))
    }

    /// A person who may sign in.
    pub(super) async fn active(
        &self,
        tenant: TenantId,
        user: UserId,
    ) -> Result<Option<UserCreated>, SignInError> {
        Ok(self.commands.user(tenant, user).await?)
    }

    async fn recognise_key(&self, shown: &str, believed: Duration) -> Result<Recognised, TokenError> {
        let (tenant, user) = given::of_key(shown).ok_or(TokenError::NoKey)?;
        let (hash, now) = (given::hash(shown), self.clock.now());
        if let Some(known) = self.standings.get(&Shown::Key(hash), now, believed) {
            return Ok(known);
        }
        let began = Instant::now();
        let record = self.commands.user_record(tenant, user).await;
        let record = record.map_err(|error| unavailable(error.into()))?;
        // Found by what a hash makes of it: how long that takes tells nothing of the secret.
        let usable = record
            .usable_key(&hex::encode(hash), now)
            .ok_or(TokenError::NoKey)?;
        let through = ApiKeyGrant {
            key_id: usable.key.key_id,
            permissions: usable.key.permissions.clone(),
        };
        let recognised = Recognised {
            credential: Credential::ApiKey(through.key_id),
            viewer: viewer(tenant, user, usable.owner.clone(), Some(through)),
            signed_in: SignedInAs::Full,
        };
        let used = self.note_use(tenant, usable.key.key_id, now).await;
        used.map_err(unavailable)?;
        self.standings.put(
            Shown::Key(hash),
            Known {
                recognised: recognised.clone(),
                ends_at: usable.key.expires_at,
                looked_up: began,
            },
        );
        Ok(recognised)
    }

    async fn note_use(&self, tenant: TenantId, key: ApiKeyId, now: DateTime<Utc>) -> Result<(), SignInError> {
        let mut tx = self.database.begin_unflushed(tenant).await?;
        sqlx::query(
            "insert into api_key_uses (tenant_id, key_id, used_at) values ($1, $2, $3)
             on conflict (tenant_id, key_id) do update set used_at = excluded.used_at
             where api_key_uses.used_at < excluded.used_at - $4::bigint * interval '1 second'",
        )
        .bind(tenant.0)
        .bind(key.0)
        .bind(now)
        .bind(USE_EVERY_SECS)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// When each of these keys was used last, to the minute.
    ///
    /// # Errors
    /// [`SignInError::Unavailable`].
    pub async fn keys_used(
        &self,
        tenant: TenantId,
        keys: &[ApiKeyId],
    ) -> Result<Vec<(ApiKeyId, DateTime<Utc>)>, SignInError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let mut tx = self.database.begin_read(tenant).await?;
        let rows: Vec<(Uuid, DateTime<Utc>)> = sqlx::query_as(
            "select key_id, used_at from api_key_uses where tenant_id = $1 and key_id = any($2)",
        )
        .bind(tenant.0)
        .bind(ids)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(rows
            .into_iter()
            .map(|(key, used)| (ApiKeyId(key), used))
            .collect())
    }
}

/// Logged here: whoever is told hears only that it cannot be told.
fn unavailable(error: SignInError) -> TokenError {
    tracing::error!(%error, "who this is cannot be told");
    TokenError::Unavailable
}

fn viewer(tenant: TenantId, user: UserId, of: UserCreated, through: Option<ApiKeyGrant>) -> Viewer {
    Viewer {
        tenant,
        user,
        role: of.role,
        stations: of.stations,
        through,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
