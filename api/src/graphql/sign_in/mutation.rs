//! Signing in, and staying so.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};

use super::super::account::fault_of;
use super::super::error::UserError;
use super::super::session::{Session, app};
use super::Viewer;
use crate::auth::{Proof, RefreshError, SignInAsk, SignInError, SignedIn, SignedInAs};

/// Who wants to sign in.
#[derive(InputObject)]
pub(in crate::graphql) struct SignInInput {
    /// Slug of the company.
    organisation: String,
    /// E-mail.
    email: String,
    /// Password.
    #[graphql(secret)]
    password: String,
    /// The six digits that the authenticator app shows, where a second factor is in use. Each is good once.
    #[graphql(secret)]
    totp: Option<String>,
    /// A recovery code in place of the six digits, when the phone is lost. It is used up by it.
    #[graphql(secret)]
    recovery_code: Option<String>,
}

/// A sign-in to prolong.
#[derive(InputObject)]
pub(in crate::graphql) struct TokenRefreshInput {
    /// The refresh token that came last. Each is good once: one that comes again signs out whoever has a copy of it.
    #[graphql(secret)]
    refresh_token: String,
}

/// What a sign-in came to.
#[derive(SimpleObject)]
pub(in crate::graphql) struct SignInPayload {
    /// Send it with every request, as `Authorization: Bearer …`. Good for ten minutes.
    access_token: Option<String>,
    /// Exchange it for the next two tokens, once, before fourteen days have passed.
    refresh_token: Option<String>,
    /// Until when the access token is good.
    expires_at: Option<DateTime<Utc>>,
    /// Who is signed in.
    viewer: Option<Viewer>,
    /// Whether the company demands a second factor of the role that the person does not have: all that is left to do is to
    /// set one up (totpEnrol, totpConfirm).
    second_factor_missing: bool,
    /// Why nobody is.
    user_errors: Vec<UserError>,
}

impl SignInPayload {
    fn of(signed_in: SignedIn) -> Self {
        Self {
            access_token: Some(signed_in.access_token),
            refresh_token: Some(signed_in.refresh_token),
            expires_at: Some(signed_in.expires_at),
            second_factor_missing: signed_in.recognised.signed_in == SignedInAs::WithoutSecondFactor,
            viewer: Some(Viewer(signed_in.recognised)),
            user_errors: Vec::new(),
        }
    }

    fn with(refused: UserError) -> Self {
        Self {
            access_token: None,
            refresh_token: None,
            expires_at: None,
            viewer: None,
            second_factor_missing: false,
            user_errors: vec![refused],
        }
    }

    fn of_refused(error: SignInError) -> Result<Self> {
        let said = error.to_string();
        let error = match error {
            SignInError::WrongCredentials => UserError::new("WRONG_CREDENTIALS", &[], said),
            SignInError::SecondFactorRequired => UserError::new("TOTP_REQUIRED", &["totp"], said),
            SignInError::WrongSecondFactor => UserError::new("INVALID_TOTP", &["totp"], said),
            SignInError::Unavailable(_) => return Err(fault_of(error)),
        };
        Ok(Self::with(error))
    }
}

/// Sign-in.
#[derive(Default)]
pub(in crate::graphql) struct SignInMutation;

#[Object]
impl SignInMutation {
    /// Signs somebody in. Says WRONG_CREDENTIALS whatever is wrong, also to who is locked out after five wrong guesses, for
    /// fifteen minutes. With a second factor in use it says TOTP_REQUIRED to the right password without a code. For anybody.
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: SignInInput,
    ) -> Result<SignInPayload> {
        let proof = input.totp.map(Proof::Code);
        let ask = SignInAsk {
            organisation: input.organisation,
            email: input.email,
            password: input.password,
            proof: proof.or_else(|| input.recovery_code.map(Proof::Recovery)),
            origin: ctx.data_unchecked::<Session>().origin.clone(),
        };
        match Box::pin(app(ctx).auth.sign_in(ask)).await {
            Ok(signed_in) => Ok(SignInPayload::of(signed_in)),
            Err(error) => SignInPayload::of_refused(error),
        }
    }

    /// Prolongs a sign-in: the next two tokens for the last refresh token. For anybody who has one.
    async fn token_refresh(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: TokenRefreshInput,
    ) -> Result<SignInPayload> {
        let origin = ctx.data_unchecked::<Session>().origin.clone();
        let done = Box::pin(app(ctx).auth.refresh(&input.refresh_token, origin)).await;
        let error = match done {
            Ok(signed_in) => return Ok(SignInPayload::of(signed_in)),
            Err(error) => error,
        };
        let said = error.to_string();
        Ok(SignInPayload::with(match error {
            RefreshError::Refused => UserError::new("INVALID_REFRESH_TOKEN", &["refreshToken"], said),
            RefreshError::Raced => UserError::new("REFRESH_TOKEN_TAKEN", &["refreshToken"], said),
            RefreshError::Unavailable(error) => return SignInPayload::of_refused(error),
        }))
    }
}
