//! What people change about how they sign in, and what whoever sees to users changes for them. The log is told first: a
//! program that ends between the two leaves a fact without its deed, and the same key does it again.

mod factor;

use commands::user::{NoteOfUser, UserUnlock};
use commands::{Caller, CommandError, IdempotencyKey, Written};
use domain::access::Permission;
use domain::ids::{SessionId, TenantId, UserId};
use domain::user::{PasswordChange, SessionEnd, SessionRevoked, UserNote, UserPasswordChanged};

use super::given::Given;
use super::guesses::Guesses;
use super::password::{AcceptedPassword, NewPassword, PasswordError};
use super::{Auth, SignInError};

/// A person who is signed in, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// The company.
    pub tenant: TenantId,
    /// The person.
    pub user: UserId,
    /// Where they are signed in.
    pub session: SessionId,
}

/// Why something about how somebody signs in is not changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The password that they have is another one, or too many guesses were wrong.
    #[error("the password is wrong")]
    WrongPassword,
    /// The code is none of now, or was used.
    #[error("this code is wrong, too old, or was used before; wait for the next one")]
    WrongCode,
    /// Nothing is begun or in use.
    #[error("there is no second factor; begin with one first")]
    NoFactor,
    /// There is one already.
    #[error("a second factor is in use already; give that up first")]
    FactorInUse,
    /// The company demands one.
    #[error("the company demands a second factor of your role")]
    FactorDemanded,
    /// The session is somebody else's, or there is none.
    #[error("there is no such session")]
    NoSession,
    /// A password that cannot be set.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The log does not take it.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// It cannot be done now.
    #[error(transparent)]
    Unavailable(#[from] SignInError),
}

impl From<sqlx::Error> for AccountError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<event_log::LogError> for AccountError {
    fn from(error: event_log::LogError) -> Self {
        Self::Unavailable(error.into())
    }
}

/// A key for a program, to be shown once.
pub struct NewKey {
    /// The key.
    pub text: String,
    /// What is kept of it: SHA-256, in hexadecimal digits.
    pub secret_hash: String,
    /// Its last characters.
    pub ends_with: String,
}

/// What was asked, by whom, under which key.
pub struct Asked {
    /// Who asks.
    pub caller: Caller,
    /// The same gives the same result.
    pub key: IdempotencyKey,
}

impl Auth {
    /// Looks at a password that somebody is to have.
    ///
    /// # Errors
    /// [`PasswordError::BadLength`], [`PasswordError::TooEasy`]; [`PasswordError::Unavailable`] when too many are looked at.
    pub async fn accept_password(&self, new: NewPassword) -> Result<AcceptedPassword, PasswordError> {
        self.passwords.accept(new).await
    }

    /// Sets a user's password, without a word to the log: for the operator, and for somebody who has none yet.
    ///
    /// # Errors
    /// [`PasswordError::Unavailable`] when it cannot be kept.
    pub async fn set_password(
        &self,
        tenant: TenantId,
        user: UserId,
        password: AcceptedPassword,
    ) -> Result<(), PasswordError> {
        let hash = self.passwords.hash(password).await?;
        let keep = async {
            let mut tx = self.database.begin(tenant).await?;
            sqlx::query(
                "insert into credentials (tenant_id, user_id, password_hash) values ($1, $2, $3)
                 on conflict (tenant_id, user_id)
                 do update set password_hash = excluded.password_hash, changed_at = clock_timestamp(),
                     failures = 0, failed_at = null, locked_until = null",
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

    /// Gives somebody who has just been created a password, unless they have one: a repeat does not take back what they
    /// chose since.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn give_first_password(
        &self,
        tenant: TenantId,
        user: UserId,
        password: AcceptedPassword,
    ) -> Result<(), AccountError> {
        if self.stored_hash(tenant, user).await?.is_none() {
            self.set_password(tenant, user, password).await?;
        }
        Ok(())
    }

    /// Changes a person's own password. Their other sessions end.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn change_password(
        &self,
        asked: Asked,
        person: Person,
        current: String,
        new: NewPassword,
    ) -> Result<Written, AccountError> {
        let Person {
            tenant,
            user,
            session,
        } = person;
        // Of a repeat the first may have come to its end: then the password is the new one already.
        let done =
            self.is_repeat(&asked).await? && self.is_password(tenant, user, new.password.clone()).await?;
        let accepted = if done {
            None
        } else {
            self.expect_password(tenant, user, current).await?;
            Some(self.passwords.accept(new).await?)
        };
        let note = UserNote::PasswordChanged(UserPasswordChanged {
            how: PasswordChange::Own,
            changed_at: self.clock.now(),
        });
        let written = self.note_own(asked, user, "password_change", note).await?;
        if let Some(password) = accepted {
            self.set_password(tenant, user, password).await?;
        }
        self.end_others(tenant, user, Some(session)).await?;
        Ok(written)
    }

    /// Gives a person another password: they have lost theirs. Needs user:write. All their sessions end.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn reset_password(
        &self,
        asked: Asked,
        user: UserId,
        new: NewPassword,
    ) -> Result<Written, AccountError> {
        let new = self.passwords.accept(new).await?;
        let tenant = asked.caller.tenant;
        let note = UserNote::PasswordChanged(UserPasswordChanged {
            how: PasswordChange::Reset,
            changed_at: self.clock.now(),
        });
        let written = self.note_of_another(asked, user, "password_set", note).await?;
        if !written.replayed {
            self.set_password(tenant, user, new).await?;
            self.end_others(tenant, user, None).await?;
        }
        Ok(written)
    }

    /// Lets a person who is locked out sign in again. Needs user:write.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn unlock(&self, asked: Asked, ask: UserUnlock) -> Result<Written, AccountError> {
        let (tenant, user) = (asked.caller.tenant, ask.user_id);
        let written = self.commands.unlock_user(asked.caller, asked.key, ask).await?;
        let (mut tx, now) = (self.database.begin(tenant).await?, self.clock.now());
        if let Some(guesses) = Guesses::hold(&mut tx, tenant, user, now).await? {
            guesses.forget(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(written)
    }

    /// Ends a session of a person: their own, or with user:write anybody's.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn revoke_session(
        &self,
        asked: Asked,
        person: Person,
        session: SessionId,
    ) -> Result<Written, AccountError> {
        let tenant = person.tenant;
        let owner = self.session_owner(tenant, session).await?;
        let owner = owner.ok_or(AccountError::NoSession)?;
        let note = UserNote::SessionRevoked(SessionRevoked {
            session_id: session,
            because: SessionEnd::Revoked,
            revoked_at: self.clock.now(),
        });
        let written = if owner == person.user {
            self.note_own(asked, owner, "session_revoke", note).await?
        } else {
            match self.note_of_another(asked, owner, "session_revoke", note).await {
                // Whose sessions there are is nobody else's to know.
                Err(AccountError::Command(CommandError::Forbidden(_))) => {
                    return Err(AccountError::NoSession);
                }
                done => done?,
            }
        };
        self.end(tenant, session).await?;
        Ok(written)
    }

    /// A new key for a program, of which nothing is kept yet.
    pub fn new_key(&self, tenant: TenantId, user: UserId) -> NewKey {
        let given = Given::key(&self.vault, tenant, user);
        NewKey {
            secret_hash: hex::encode(given.hash),
            ends_with: given.ends_with(),
            text: given.text,
        }
    }

    /// Whether something was done under the key before.
    async fn is_repeat(&self, asked: &Asked) -> Result<bool, AccountError> {
        let key = std::slice::from_ref(&asked.key);
        let before = self.commands.done_before(&asked.caller, key).await?;
        Ok(before.iter().any(Option::is_some))
    }

    async fn is_password(
        &self,
        tenant: TenantId,
        user: UserId,
        password: String,
    ) -> Result<bool, AccountError> {
        let hash = self.stored_hash(tenant, user).await?;
        Ok(self.passwords.check(password, hash).await?)
    }

    /// Refuses whoever does not know the person's password. A wrong one counts as a wrong guess at sign-in does.
    async fn expect_password(
        &self,
        tenant: TenantId,
        user: UserId,
        password: String,
    ) -> Result<(), AccountError> {
        let right = self.is_password(tenant, user, password).await?;
        let (mut tx, now) = (self.database.begin(tenant).await?, self.clock.now());
        let Some(guesses) = Guesses::hold(&mut tx, tenant, user, now).await? else {
            return Err(AccountError::WrongPassword);
        };
        if guesses.are_locked() {
            return Err(AccountError::WrongPassword);
        }
        if right {
            guesses.forget(&mut tx).await?;
            tx.commit().await?;
            return Ok(());
        }
        let wrong = guesses.wrong(&mut tx, now).await?;
        tx.commit().await?;
        self.note_lock_out(tenant, user, Some(wrong)).await?;
        Err(AccountError::WrongPassword)
    }

    async fn note_own(
        &self,
        asked: Asked,
        user: UserId,
        operation: &'static str,
        note: UserNote,
    ) -> Result<Written, AccountError> {
        let ask = NoteOfUser {
            user_id: user,
            operation,
            needs: None,
            note,
        };
        Ok(self.commands.note_of_user(asked.caller, asked.key, ask).await?)
    }

    async fn note_of_another(
        &self,
        asked: Asked,
        user: UserId,
        operation: &'static str,
        note: UserNote,
    ) -> Result<Written, AccountError> {
        let ask = NoteOfUser {
            user_id: user,
            operation,
            needs: Some(Permission::UserWrite),
            note,
        };
        Ok(self.commands.note_of_user(asked.caller, asked.key, ask).await?)
    }
}
