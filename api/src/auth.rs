//! Sign-in: who somebody is, and what shows it from request to request. What is a fact of the business goes to the log;
//! secrets, and what anybody can cause without being signed in, stay beside it (ADR 18).

mod account;
mod attempt;
mod given;
mod guesses;
mod history;
mod password;
mod second_factor;
mod sessions;
mod standing;
mod token;
mod token_keys;
mod totp;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use commands::ports::Clock;
use commands::user::NoteOfUser;
use commands::{Caller, CommandError, Commands, IdempotencyKey};
use domain::access::Viewer;
use domain::envelope::Channel;
use domain::ids::{TenantId, UserId};
use domain::user::{RecoveryCodeUsed, UserLockedOut, UserNote};
use event_log::{Database, LogError, Vault};
use tokio::time::Instant;

pub use account::{AccountError, Asked, NewKey, Person};
pub use history::{Origin, SignInOutcome, TriedSignIn};
pub use password::{AcceptedPassword, NewPassword, PasswordError};
pub use second_factor::{FactorState, NewSecret, Proof, RECOVERY_CODES};
pub use sessions::{LiveSession, RefreshError};
pub use standing::{Credential, Recognised, SignedInAs};
pub use token::TokenError;
pub use token_keys::{RetiredKey, TokenKey, TokenKeys, TokenRing};

use attempt::{Tried, Trying};
use guesses::Wrong;
use password::Passwords;
use standing::Standings;
use token::{Holder, Tokens};

/// A refusal comes at a multiple of this after it was asked for: nothing shorter that was done, or not done, for it can be
/// told from how long it took.
const REFUSED_EVERY: Duration = Duration::from_millis(100);

/// Signs people in and recognises them. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    commands: Commands,
    database: Database,
    vault: Arc<Vault>,
    passwords: Passwords,
    tokens: Tokens,
    standings: Standings,
    clock: Arc<dyn Clock>,
}

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Organisation, e-mail or password is wrong, or too many guesses were; which one is not said.
    #[error("organisation, e-mail or password is wrong")]
    WrongCredentials,
    /// The password is right; a second factor is needed.
    #[error("send a code of your authenticator app, or a recovery code, as well")]
    SecondFactorRequired,
    /// The code is wrong, too old or was used.
    #[error("this code is wrong, too old, or was used before; wait for the next one")]
    WrongSecondFactor,
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

impl From<sqlx::Error> for SignInError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

/// Who wants to sign in.
pub struct SignInAsk {
    /// Slug of the company.
    pub organisation: String,
    /// E-mail.
    pub email: String,
    /// Password.
    pub password: String,
    /// The second factor, where it was sent along.
    pub proof: Option<Proof>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Somebody who has just signed in.
pub struct SignedIn {
    /// The token to send with every request.
    pub access_token: String,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
    /// The token to get the next one with, once.
    pub refresh_token: String,
    /// Who it is, and how far they are signed in.
    pub recognised: Recognised,
}

impl SignedIn {
    /// Who it is.
    pub fn viewer(&self) -> &Viewer {
        &self.recognised.viewer
    }
}

impl Auth {
    /// Sign-in over the users of the log and their credentials.
    pub fn new(
        commands: Commands,
        database: Database,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        token_keys: impl TokenKeys + 'static,
    ) -> Self {
        Self {
            commands,
            database,
            vault,
            passwords: Passwords::new(),
            tokens: Tokens::new(token_keys),
            standings: Standings::new(),
            clock,
        }
    }

    /// The same, with other keys for access tokens.
    #[must_use]
    pub fn signing_with(&self, token_keys: impl TokenKeys + 'static) -> Self {
        Self {
            tokens: Tokens::new(token_keys),
            ..self.clone()
        }
    }

    /// Signs somebody in. Takes as long for an unknown organisation or user, and for one who is locked out, as for a wrong
    /// password.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn sign_in(&self, ask: SignInAsk) -> Result<SignedIn, SignInError> {
        let began = Instant::now();
        let done = self.try_sign_in(ask).await;
        if done.is_err() {
            tokio::time::sleep_until(next_refusal(began, Instant::now())).await;
        }
        done
    }

    async fn try_sign_in(&self, ask: SignInAsk) -> Result<SignedIn, SignInError> {
        let found = self.find(&ask.organisation, &ask.email).await?;
        let hash = found.as_ref().map(|(.., hash)| hash.clone());
        let right = self.passwords.check(ask.password, hash).await;
        let right = right.map_err(|error| SignInError::Unavailable(error.into()))?;
        let Some((tenant, user, _)) = found else {
            return Err(SignInError::WrongCredentials);
        };
        let trying = Trying {
            tenant,
            user,
            factor: self.factor(tenant, user).await?.filter(|factor| factor.confirmed),
            origin: self.seal_origin(tenant, user, &ask.origin).await?,
        };
        match self.settle(&trying, right, ask.proof.as_ref()).await? {
            Tried::SignedIn {
                session,
                refresh_token,
                codes_left,
            } => {
                if let Some(left) = codes_left {
                    let used_at = self.clock.now();
                    let note = UserNote::RecoveryCodeUsed(RecoveryCodeUsed { left, used_at });
                    self.note(tenant, user, "recovery_code_used", &session.to_string(), note)
                        .await?;
                }
                let holder = Holder {
                    tenant,
                    user,
                    session,
                };
                self.signed_in(holder, refresh_token).await
            }
            Tried::Refused(refused, wrong) => {
                self.note_lock_out(tenant, user, wrong).await?;
                Err(refused)
            }
        }
    }

    /// What somebody gets who has just shown who they are.
    async fn signed_in(&self, holder: Holder, refresh_token: String) -> Result<SignedIn, SignInError> {
        let recognised = self.standing_of(holder).await?;
        // Deactivated in the meantime.
        let recognised = recognised.ok_or(SignInError::WrongCredentials)?;
        let issued = self.tokens.issue(holder, self.clock.now());
        let (access_token, expires_at) = issued.map_err(SignInError::Unavailable)?;
        Ok(SignedIn {
            access_token,
            expires_at,
            refresh_token,
            recognised,
        })
    }

    async fn find(&self, slug: &str, email: &str) -> Result<Option<(TenantId, UserId, String)>, SignInError> {
        let Some(company) = self.database.organisation_by_slug(slug).await? else {
            return Ok(None);
        };
        let Some((id, _)) = self.commands.user_by_email(company.tenant, email).await? else {
            return Ok(None);
        };
        let hash = self.stored_hash(company.tenant, id).await?;
        Ok(hash.map(|hash| (company.tenant, id, hash)))
    }

    async fn stored_hash(&self, tenant: TenantId, user: UserId) -> Result<Option<String>, SignInError> {
        let mut tx = self.database.begin_read(tenant).await?;
        let hash =
            sqlx::query_scalar("select password_hash from credentials where tenant_id = $1 and user_id = $2")
                .bind(tenant.0)
                .bind(user.0)
                .fetch_optional(&mut *tx)
                .await?;
        tx.commit().await?;
        Ok(hash)
    }

    async fn note_lock_out(
        &self,
        tenant: TenantId,
        user: UserId,
        wrong: Option<Wrong>,
    ) -> Result<(), SignInError> {
        let Some(Wrong::LockedOut { failures, until }) = wrong else {
            return Ok(());
        };
        let note = UserNote::LockedOut(UserLockedOut {
            failures,
            until,
            locked_at: self.clock.now(),
        });
        let which = format!("{user} {}", until.timestamp_micros());
        self.note(tenant, user, "locked_out", &which, note).await
    }

    /// Notes something that happened at sign-in, once for each cause.
    async fn note(
        &self,
        tenant: TenantId,
        user: UserId,
        operation: &'static str,
        cause: &str,
        note: UserNote,
    ) -> Result<(), SignInError> {
        let caller = Caller {
            channel: Channel::Graphql,
            ..Caller::system(tenant, "sign-in")
        };
        let key = IdempotencyKey::of_reaction(operation, cause);
        let ask = NoteOfUser {
            user_id: user,
            operation,
            needs: None,
            note,
        };
        self.commands.note_of_user(caller, key, ask).await?;
        Ok(())
    }
}

/// When a refusal is told that is known now.
fn next_refusal(began: Instant, now: Instant) -> Instant {
    let every = REFUSED_EVERY.as_micros();
    let passed = now.duration_since(began).as_micros();
    let waits = u64::try_from(every - passed % every).unwrap_or_default();
    now + Duration::from_micros(waits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_comes_at_a_multiple_of_a_tenth_of_a_second() {
        let began = Instant::now();
        let told = |millis| next_refusal(began, began + Duration::from_millis(millis)) - began;
        for (took, comes) in [(0, 100), (1, 100), (99, 100), (100, 200), (130, 200), (250, 300)] {
            assert_eq!(told(took), Duration::from_millis(comes), "{took}");
        }
    }
}
