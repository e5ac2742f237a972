//! A person's second factor: begun, confirmed, given up, taken away.

use commands::Written;
use domain::access::Permission;
use domain::ids::{TenantId, UserId};
use domain::user::{
    RecoveryCodesIssued, SecondFactorDisabled, SecondFactorEnabled, SecondFactorEnd, UserNote,
};

use super::super::Auth;
use super::super::second_factor::{NewSecret, RECOVERY_CODES};
use super::{AccountError, Asked, Person};

impl Auth {
    /// Begins with a second factor: a secret for an authenticator app, which counts once a code of it was shown.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn enrol(
        &self,
        person: Person,
        password: String,
        label: (&str, &str),
    ) -> Result<NewSecret, AccountError> {
        self.expect_password(person.tenant, person.user, password).await?;
        let begun = self.begin_factor(person.tenant, person.user, label).await?;
        begun.ok_or(AccountError::FactorInUse)
    }

    /// Takes the first code of a new second factor; from then on one is asked for. Gives recovery codes, to be shown once;
    /// none to a repeat.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn confirm(
        &self,
        asked: Asked,
        person: Person,
        code: &str,
    ) -> Result<(Written, Vec<String>), AccountError> {
        let Person { tenant, user, .. } = person;
        let factor = self.factor(tenant, user).await?.ok_or(AccountError::NoFactor)?;
        let now = self.clock.now();
        let note = UserNote::SecondFactorEnabled(SecondFactorEnabled { enabled_at: now });
        if factor.confirmed {
            if !self.is_repeat(&asked).await? {
                return Err(AccountError::FactorInUse);
            }
            let written = self.note_own(asked, user, "totp_confirm", note).await?;
            return Ok((written, Vec::new()));
        }
        let step = factor.step_of(code, now).ok_or(AccountError::WrongCode)?;
        let mut tx = self.database.begin(tenant).await?;
        let taken = Self::take_step(&mut tx, tenant, user, step).await?;
        tx.commit().await?;
        if !taken {
            return Err(AccountError::WrongCode);
        }
        let written = self.note_own(asked, user, "totp_confirm", note).await?;
        let mut tx = self.database.begin(tenant).await?;
        Self::confirm_factor(&mut tx, tenant, user, now).await?;
        let codes = self.new_recovery_codes(&mut tx, tenant, user).await?;
        tx.commit().await?;
        self.forget_standings();
        Ok((written, codes))
    }

    /// Gives a person's own second factor up, unless the company demands one.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn give_up_factor(
        &self,
        asked: Asked,
        person: Person,
        password: String,
    ) -> Result<Written, AccountError> {
        let Person { tenant, user, .. } = person;
        self.expect_password(tenant, user, password).await?;
        let rule = self.commands.second_factor_rule(tenant).await?;
        let role = self.active(tenant, user).await?.map(|user| user.role);
        if role.is_some_and(|role| rule.demands_of(role)) {
            return Err(AccountError::FactorDemanded);
        }
        if self.factor_state(tenant, user).await?.confirmed_at.is_none() {
            return Err(AccountError::NoFactor);
        }
        let note = UserNote::SecondFactorDisabled(SecondFactorDisabled {
            how: SecondFactorEnd::Own,
            disabled_at: self.clock.now(),
        });
        let written = self.note_own(asked, user, "totp_disable", note).await?;
        self.forget_factor(tenant, user).await?;
        Ok(written)
    }

    /// Takes a person's second factor away: the phone is lost, and the recovery codes too. Needs user:write. All their
    /// sessions end.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn reset_factor(&self, asked: Asked, user: UserId) -> Result<Written, AccountError> {
        let tenant = asked.caller.tenant;
        let is_there = self.commands.user_record(tenant, user).await?.created().is_some();
        let asks_for_nothing = is_there && self.factor(tenant, user).await?.is_none();
        if asks_for_nothing && asked.caller.may(Permission::UserWrite) && !self.is_repeat(&asked).await? {
            return Err(AccountError::NoFactor);
        }
        let note = UserNote::SecondFactorDisabled(SecondFactorDisabled {
            how: SecondFactorEnd::Reset,
            disabled_at: self.clock.now(),
        });
        let written = self.note_of_another(asked, user, "totp_reset", note).await?;
        if !written.replayed {
            self.forget_factor(tenant, user).await?;
            self.end_others(tenant, user, None).await?;
        }
        Ok(written)
    }

    async fn forget_factor(&self, tenant: TenantId, user: UserId) -> Result<(), AccountError> {
        let mut tx = self.database.begin(tenant).await?;
        Self::drop_factor(&mut tx, tenant, user).await?;
        tx.commit().await?;
        self.forget_standings();
        Ok(())
    }

    /// Gives a person new recovery codes, to be shown once; those before are void. None to a repeat.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn renew_recovery_codes(
        &self,
        asked: Asked,
        person: Person,
        password: String,
    ) -> Result<(Written, Vec<String>), AccountError> {
        let Person { tenant, user, .. } = person;
        self.expect_password(tenant, user, password).await?;
        if self.factor_state(tenant, user).await?.confirmed_at.is_none() {
            return Err(AccountError::NoFactor);
        }
        let note = UserNote::RecoveryCodesIssued(RecoveryCodesIssued {
            count: RECOVERY_CODES,
            issued_at: self.clock.now(),
        });
        let written = self.note_own(asked, user, "recovery_codes_renew", note).await?;
        if written.replayed {
            return Ok((written, Vec::new()));
        }
        let mut tx = self.database.begin(tenant).await?;
        let codes = self.new_recovery_codes(&mut tx, tenant, user).await?;
        tx.commit().await?;
        Ok((written, codes))
    }
}
