//! Second factors: the secret of an authenticator app, and codes for when the phone is lost.

use chrono::{DateTime, Utc};
use domain::decider::Decider;
use domain::envelope::{Sealed, StreamId};
use domain::ids::{SubjectId, TenantId, UserId};
use domain::user::User;
use event_log::{Opened, Transaction};
use sha2::{Digest, Sha256};

use super::{Auth, SignInError, totp};

/// How many recovery codes somebody gets.
pub const RECOVERY_CODES: i32 = 10;

/// Bytes of a recovery code: as much to guess as nobody can, and no more to type than must be.
const CODE_LEN: usize = 10;

/// The field that a secret is sealed for.
const SECRET: &str = "second_factor";

/// What somebody shows beside the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A code of the authenticator app.
    Code(String),
    /// A recovery code, which is used up by it.
    Recovery(String),
}

/// A secret for an authenticator app, to be shown once.
pub struct NewSecret {
    /// In base 32, to be typed.
    pub secret: String,
    /// As a QR code holds it.
    pub uri: String,
}

/// How a person's second factor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorState {
    /// Since when it is asked for; none while it is not.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// How many recovery codes are left.
    pub recovery_codes: i64,
}

/// A secret that was begun with or is in use.
pub(super) struct Factor {
    secret: Vec<u8>,
    pub(super) confirmed: bool,
}

impl Factor {
    /// The time step of a code of now.
    pub(super) fn step_of(&self, typed: &str, now: DateTime<Utc>) -> Option<i64> {
        totp::step_of(&self.secret, typed, now)
    }
}

/// What is kept of a recovery code, however it is typed.
fn code_hash(user: UserId, typed: &str) -> [u8; 32] {
    let plain: String = typed
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != '-')
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    let mut hash = Sha256::new();
    hash.update(user.0.as_bytes());
    hash.update(plain.as_bytes());
    hash.finalize().into()
}

impl Auth {
    /// A person's factor, where there is one or one was begun with.
    pub(super) async fn factor(&self, tenant: TenantId, user: UserId) -> Result<Option<Factor>, SignInError> {
        let mut tx = self.database.begin_read(tenant).await?;
        let row: Option<(String, bool)> = sqlx::query_as(
            "select secret, confirmed_at is not null from second_factors where tenant_id = $1 and user_id = $2",
        )
        .bind(tenant.0)
        .bind(user.0)
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        let Some((sealed, confirmed)) = row else {
            return Ok(None);
        };
        let sealed = Sealed {
            subject: SubjectId(user.0),
            sealed,
        };
        let opened = self.vault.open(tenant, &stream(user), SECRET, &sealed).await?;
        Ok(match opened {
            Opened::Text(secret) => Some(Factor {
                secret: hex::decode(secret).map_err(|error| SignInError::Unavailable(error.into()))?,
                confirmed,
            }),
            Opened::Erased => None,
        })
    }

    /// How a person's second factor stands.
    ///
    /// # Errors
    /// [`SignInError::Unavailable`].
    pub async fn factor_state(&self, tenant: TenantId, user: UserId) -> Result<FactorState, SignInError> {
        let mut tx = self.database.begin_read(tenant).await?;
        let row: Option<(Option<DateTime<Utc>>, i64)> = sqlx::query_as(
            "select f.confirmed_at, (select count(*) from recovery_codes c
                 where c.tenant_id = f.tenant_id and c.user_id = f.user_id)
             from second_factors f where f.tenant_id = $1 and f.user_id = $2",
        )
        .bind(tenant.0)
        .bind(user.0)
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        let (confirmed_at, recovery_codes) = row.unwrap_or((None, 0));
        Ok(FactorState {
            confirmed_at,
            recovery_codes,
        })
    }

    /// Begins with a second factor: a new secret, which is not asked for before a code of it has been shown. None where
    /// one is in use.
    pub(super) async fn begin_factor(
        &self,
        tenant: TenantId,
        user: UserId,
        label: (&str, &str),
    ) -> Result<Option<NewSecret>, SignInError> {
        let (organisation, email) = label;
        let random = self.vault.secret();
        let secret = random.get(..totp::SECRET_LEN).unwrap_or_default();
        let (subject, stream) = (SubjectId(user.0), stream(user));
        let sealed = self
            .vault
            .seal(tenant, subject, &stream, SECRET, &hex::encode(secret))
            .await?;
        let mut tx = self.database.begin(tenant).await?;
        let begun = sqlx::query(
            "insert into second_factors (tenant_id, user_id, secret) values ($1, $2, $3)
             on conflict (tenant_id, user_id) do update set secret = excluded.secret, last_step = 0
             where second_factors.confirmed_at is null",
        )
        .bind(tenant.0)
        .bind(user.0)
        .bind(sealed.sealed)
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        Ok((begun == 1).then(|| NewSecret {
            secret: totp::base32(secret),
            uri: totp::uri(organisation, email, secret),
        }))
    }

    /// Takes a code of a time step, once: none of that step or one before it is taken again.
    pub(super) async fn take_step(
        tx: &mut Transaction,
        tenant: TenantId,
        user: UserId,
        step: i64,
    ) -> Result<bool, sqlx::Error> {
        let taken = sqlx::query(
            "update second_factors set last_step = $3 where tenant_id = $1 and user_id = $2 and last_step < $3",
        )
        .bind(tenant.0)
        .bind(user.0)
        .bind(step)
        .execute(&mut **tx)
        .await?;
        Ok(taken.rows_affected() == 1)
    }

    /// Takes a recovery code, once, and says how many are left; none where it is none.
    pub(super) async fn take_recovery_code(
        tx: &mut Transaction,
        tenant: TenantId,
        user: UserId,
        typed: &str,
    ) -> Result<Option<i32>, sqlx::Error> {
        let taken = sqlx::query(
            "delete from recovery_codes where tenant_id = $1 and user_id = $2 and code_hash = $3",
        )
        .bind(tenant.0)
        .bind(user.0)
        .bind(code_hash(user, typed))
        .execute(&mut **tx)
        .await?;
        if taken.rows_affected() == 0 {
            return Ok(None);
        }
        let left: i64 =
            sqlx::query_scalar("select count(*) from recovery_codes where tenant_id = $1 and user_id = $2")
                .bind(tenant.0)
                .bind(user.0)
                .fetch_one(&mut **tx)
                .await?;
        Ok(Some(i32::try_from(left).unwrap_or(i32::MAX)))
    }

    /// Has a factor asked for from now on.
    pub(super) async fn confirm_factor(
        tx: &mut Transaction,
        tenant: TenantId,
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "update second_factors set confirmed_at = coalesce(confirmed_at, $3)
             where tenant_id = $1 and user_id = $2",
        )
        .bind(tenant.0)
        .bind(user.0)
        .bind(now)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Gives a person new recovery codes in place of those before.
    pub(super) async fn new_recovery_codes(
        &self,
        tx: &mut Transaction,
        tenant: TenantId,
        user: UserId,
    ) -> Result<Vec<String>, sqlx::Error> {
        let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| self.recovery_code()).collect();
        sqlx::query("delete from recovery_codes where tenant_id = $1 and user_id = $2")
            .bind(tenant.0)
            .bind(user.0)
            .execute(&mut **tx)
            .await?;
        let hashes: Vec<Vec<u8>> = codes.iter().map(|code| code_hash(user, code).to_vec()).collect();
        sqlx::query(
            "insert into recovery_codes (tenant_id, user_id, code_hash) select $1, $2, unnest($3::bytea[])",
        )
        .bind(tenant.0)
        .bind(user.0)
        .bind(hashes)
        .execute(&mut **tx)
        .await?;
        Ok(codes)
    }

    /// Forgets a person's factor and recovery codes.
    pub(super) async fn drop_factor(
        tx: &mut Transaction,
        tenant: TenantId,
        user: UserId,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("delete from second_factors where tenant_id = $1 and user_id = $2")
            .bind(tenant.0)
            .bind(user.0)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    fn recovery_code(&self) -> String {
        let random = self.vault.secret();
        let code = totp::base32(random.get(..CODE_LEN).unwrap_or_default());
        let groups: Vec<&str> = (0..code.len())
            .step_by(4)
            .filter_map(|from| code.get(from..from + 4))
            .collect();
        groups.join("-")
    }
}

fn stream(user: UserId) -> StreamId {
    StreamId::new(User::STREAM, user.to_string())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_recovery_code_is_the_same_however_it_is_typed_and_another_for_another_person() {
        let user = UserId(Uuid::from_u128(1));
        let kept = code_hash(user, "ABCD-EFGH-IJKL-MNOP");
        assert_eq!(code_hash(user, " abcdefgh ijkl-mnop"), kept);
        assert_ne!(code_hash(user, "ABCD-EFGH-IJKL-MNOQ"), kept);
        assert_ne!(code_hash(UserId(Uuid::nil()), "ABCD-EFGH-IJKL-MNOP"), kept);
    }
}
