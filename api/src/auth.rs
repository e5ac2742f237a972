//! Sign-in: who somebody is, and the token that says so for ten minutes.

mod password;
mod token;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use commands::ports::Clock;
use commands::{CommandError, Commands};
use domain::access::{Role, StationScope, Viewer};
use domain::ids::{TenantId, UserId};
use event_log::{Database, LogError};

pub use password::PasswordError;
pub use token::TokenError;

use password::Passwords;
use token::Tokens;

/// Signs people in and recognises them.
#[derive(Clone)]
pub struct Auth {
    commands: Commands,
    database: Database,
    passwords: Passwords,
    tokens: Tokens,
    clock: Arc<dyn Clock>,
}

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Organisation, e-mail or password is wrong; which one is not said.
    #[error("organisation, e-mail or password is wrong")]
    WrongCredentials,
    /// Passwords cannot be checked now.
    #[error("sign-in is not possible now; try again")]
    Unavailable(#[source] anyhow::Error),
}

impl From<LogError> for SignInError {
    fn from(error: LogError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<CommandError> for SignInError {
    fn from(error: CommandError) -> Self {
        Self::Unavailable(error.into())
    }
}

/// Somebody who has just signed in.
pub struct SignedIn {
    /// The token to send with every request.
    pub access_token: String,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
    /// Who it is.
    pub viewer: Viewer,
}

impl Auth {
    /// Sign-in over the users of the log and their credentials.
    pub fn new(commands: Commands, database: Database, clock: Arc<dyn Clock>, token_key: &[u8; 32]) -> Self {
        Self {
            commands,
            database,
            passwords: Passwords::new(),
            tokens: Tokens::new(token_key),
            clock,
        }
    }

    /// Signs somebody in. Takes as long for an unknown organisation or user as for a wrong password.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn sign_in(&self, slug: &str, email: &str, password: String) -> Result<SignedIn, SignInError> {
        let found = self.find(slug, email).await?;
        let hash = found.as_ref().map(|(_, hash)| hash.clone());
        let right = self
            .passwords
            .check(password, hash)
            .await
            .map_err(|error| SignInError::Unavailable(error.into()))?;
        let (viewer, _) = found.filter(|_| right).ok_or(SignInError::WrongCredentials)?;
        let (access_token, expires_at) = self.tokens.issue(&viewer, self.clock.now());
        Ok(SignedIn {
            access_token,
            expires_at,
            viewer,
        })
    }

    async fn find(&self, slug: &str, email: &str) -> Result<Option<(Viewer, String)>, SignInError> {
        let Some(company) = self.database.organisation_by_slug(slug).await? else {
            return Ok(None);
        };
        let Some((id, user)) = self.commands.user_by_email(company.tenant, email).await? else {
            return Ok(None);
        };
        let hash = self.stored_hash(company.tenant, id).await?;
        Ok(hash.map(|hash| (viewer(company.tenant, id, user.role, user.stations), hash)))
    }

    async fn stored_hash(&self, tenant: TenantId, user: UserId) -> Result<Option<String>, SignInError> {
        let mut tx = self.database.begin(tenant).await?;
        sqlx::query_scalar("select password_hash from credentials where tenant_id = $1 and user_id = $2")
            .bind(tenant.0)
            .bind(user.0)
            .fetch_optional(&mut *tx)
            .await
            .map_err(|error| SignInError::Unavailable(error.into()))
    }

    /// Sets a user's password.
    ///
    /// # Errors
    /// [`PasswordError`] for one that is too short or too long, or when it cannot be kept.
    pub async fn set_password(
        &self,
        tenant: TenantId,
        user: UserId,
        password: String,
    ) -> Result<(), PasswordError> {
        let hash = self.passwords.hash(password).await?;
        let keep = async {
            let mut tx = self.database.begin(tenant).await?;
            sqlx::query(
                "insert into credentials (tenant_id, user_id, password_hash) values ($1, $2, $3)
                 on conflict (tenant_id, user_id)
                 do update set password_hash = excluded.password_hash, changed_at = clock_timestamp()",
            )
            .bind(tenant.0)
            .bind(user.0)
            .bind(hash)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok::<_, anyhow::Error>(())
        };
        keep.await.map_err(PasswordError::Unavailable)
    }

    /// Who a token stands for.
    ///
    /// # Errors
    /// [`TokenError`] for a forged, broken or expired one.
    pub fn recognise(&self, token: &str) -> Result<Viewer, TokenError> {
        self.tokens.read(token, self.clock.now())
    }
}

fn viewer(tenant: TenantId, user: UserId, role: Role, stations: StationScope) -> Viewer {
    Viewer {
        tenant,
        user,
        role,
        stations,
    }
}
