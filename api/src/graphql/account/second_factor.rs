//! The own second factor: an authenticator app, and recovery codes for when the phone is lost.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use commands::Written;

use super::super::error::UserError;
use super::super::scalar::LogPosition;
use super::super::session::{app, asked, oneself, person};
use super::super::sign_in::{email_of, organisation_of};
use super::{AccountPayload, refused};
use crate::auth::AccountError;

/// A second factor to begin with.
#[derive(InputObject)]
pub(in crate::graphql) struct TotpEnrolInput {
    /// Your password.
    #[graphql(secret)]
    password: String,
}

/// A secret for an authenticator app.
#[derive(SimpleObject)]
pub(in crate::graphql) struct TotpEnrolPayload {
    /// The secret in base 32, to be typed into the app. It is shown once; null when it was refused.
    secret: Option<String>,
    /// The same as the app reads it from a QR code: `otpauth://…`.
    uri: Option<String>,
    /// Why it was refused; empty when it was not.
    user_errors: Vec<UserError>,
}

/// The first code of a new second factor.
#[derive(InputObject)]
pub(in crate::graphql) struct TotpConfirmInput {
    /// The same key gives the same result, but for the recovery codes, which are shown once.
    idempotency_key: ID,
    /// The six digits that the app shows.
    #[graphql(secret)]
    code: String,
}

/// Something that is asked with the password.
#[derive(InputObject)]
pub(in crate::graphql) struct WithPasswordInput {
    /// The same key gives the same result, but for recovery codes, which are shown once.
    idempotency_key: ID,
    /// Your password.
    #[graphql(secret)]
    password: String,
}

/// Recovery codes.
#[derive(SimpleObject)]
pub(in crate::graphql) struct RecoveryCodesPayload {
    /// The codes, each good once in place of a code of the app. They are shown once: null when the command was refused, and
    /// for a repeat.
    recovery_codes: Option<Vec<String>>,
    /// Why it was refused; empty when it was not.
    user_errors: Vec<UserError>,
    /// Position of the command's event in the log.
    position: Option<LogPosition>,
    /// Whether this is the result of an earlier command with the same key.
    replayed: bool,
}

impl RecoveryCodesPayload {
    fn of(done: std::result::Result<(Written, Vec<String>), AccountError>) -> Result<Self> {
        Ok(match done {
            Ok((written, codes)) => Self {
                recovery_codes: (!codes.is_empty()).then_some(codes),
                user_errors: Vec::new(),
                position: Some(written.position.into()),
                replayed: written.replayed,
            },
            Err(error) => Self {
                recovery_codes: None,
                user_errors: vec![refused(error)?],
                position: None,
                replayed: false,
            },
        })
    }
}

/// Commands on the own second factor.
#[derive(Default)]
pub(in crate::graphql) struct SecondFactorMutation;

#[Object]
impl SecondFactorMutation {
    /// Begins with a second factor: a secret for an authenticator app. It counts once totpConfirm has seen a code of it;
    /// asked again before that, it is another secret. For people, with their password.
    async fn totp_enrol(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: TotpEnrolInput,
    ) -> Result<TotpEnrolPayload> {
        let person = person(ctx)?;
        let viewer = &oneself(ctx)?.viewer;
        let organisation = organisation_of(ctx, viewer).await?.name;
        let email = email_of(ctx, viewer.tenant, viewer.user).await?;
        let begun = app(ctx)
            .auth
            .enrol(person, input.password, (&organisation, &email))
            .await;
        Ok(match begun {
            Ok(new) => TotpEnrolPayload {
                secret: Some(new.secret),
                uri: Some(new.uri),
                user_errors: Vec::new(),
            },
            Err(error) => TotpEnrolPayload {
                secret: None,
                uri: None,
                user_errors: vec![refused(error)?],
            },
        })
    }

    /// Takes the first code of a second factor; from then on one is asked for at sign-in. Gives recovery codes.
    async fn totp_confirm(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: TotpConfirmInput,
    ) -> Result<RecoveryCodesPayload> {
        let person = person(ctx)?;
        RecoveryCodesPayload::of(match asked(ctx, &input.idempotency_key)? {
            Ok(asked) => app(ctx).auth.confirm(asked, person, &input.code).await,
            Err(error) => Err(error.into()),
        })
    }

    /// Gives the own second factor up, unless the company demands one of the role. For people, with their password.
    async fn totp_disable(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: WithPasswordInput,
    ) -> Result<AccountPayload> {
        let person = person(ctx)?;
        AccountPayload::of(match asked(ctx, &input.idempotency_key)? {
            Ok(asked) => app(ctx).auth.give_up_factor(asked, person, input.password).await,
            Err(error) => Err(error.into()),
        })
    }

    /// Gives new recovery codes; those before are void. For people, with their password.
    async fn recovery_codes_renew(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: WithPasswordInput,
    ) -> Result<RecoveryCodesPayload> {
        let person = person(ctx)?;
        RecoveryCodesPayload::of(match asked(ctx, &input.idempotency_key)? {
            Ok(asked) => {
                let auth = &app(ctx).auth;
                auth.renew_recovery_codes(asked, person, input.password).await
            }
            Err(error) => Err(error.into()),
        })
    }
}
