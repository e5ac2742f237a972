//! One try to sign in: judged, counted, and kept in the history, in one transaction.

use domain::ids::{SessionId, TenantId, UserId};
use event_log::Transaction;

use super::guesses::{Guesses, Wrong};
use super::history::SignInOutcome;
use super::second_factor::{Factor, Proof};
use super::{Auth, SignInError};

/// A person who is trying to sign in, and what is known of them.
pub(super) struct Trying {
    pub(super) tenant: TenantId,
    pub(super) user: UserId,
    pub(super) factor: Option<Factor>,
    pub(super) origin: String,
}

/// What a try comes to.
pub(super) enum Tried {
    SignedIn {
        session: SessionId,
        refresh_token: String,
        /// Recovery codes left, where one was used.
        codes_left: Option<i32>,
    },
    Refused(SignInError, Option<Wrong>),
}

/// What a try is found to be.
enum Judged {
    Right { codes_left: Option<i32> },
    ProofMissing,
    Wrong(SignInError),
    Locked,
}

impl Auth {
    /// Judges a try, and keeps what comes of it: one at a time for each person.
    pub(super) async fn settle(
        &self,
        trying: &Trying,
        right: bool,
        proof: Option<&Proof>,
    ) -> Result<Tried, SignInError> {
        let Trying {
            tenant, user, origin, ..
        } = trying;
        let (tenant, user, now) = (*tenant, *user, self.clock.now());
        let mut tx = self.database.begin(tenant).await?;
        let Some(guesses) = Guesses::hold(&mut tx, tenant, user, now).await? else {
            return Ok(Tried::Refused(SignInError::WrongCredentials, None));
        };
        let judged = if guesses.are_locked() {
            Judged::Locked
        } else if right {
            self.judge_proof(&mut tx, trying, proof).await?
        } else {
            Judged::Wrong(SignInError::WrongCredentials)
        };
        let (outcome, tried) = match judged {
            Judged::Locked => (
                SignInOutcome::Locked,
                Tried::Refused(SignInError::WrongCredentials, None),
            ),
            Judged::ProofMissing => (
                SignInOutcome::SecondFactor,
                Tried::Refused(SignInError::SecondFactorRequired, None),
            ),
            Judged::Wrong(error) => {
                let wrong = guesses.wrong(&mut tx, now).await?;
                (SignInOutcome::Wrong, Tried::Refused(error, Some(wrong)))
            }
            Judged::Right { codes_left } => {
                guesses.forget(&mut tx).await?;
                let (session, refresh_token) =
                    self.begin_session(&mut tx, (tenant, user), origin, now).await?;
                let tried = Tried::SignedIn {
                    session,
                    refresh_token,
                    codes_left,
                };
                (SignInOutcome::SignedIn, tried)
            }
        };
        self.keep_tried(&mut tx, (tenant, user), outcome, origin).await?;
        tx.commit().await?;
        Ok(tried)
    }

    /// Whether the second factor is right, where there is one. A code is used up by it.
    async fn judge_proof(
        &self,
        tx: &mut Transaction,
        trying: &Trying,
        proof: Option<&Proof>,
    ) -> Result<Judged, SignInError> {
        let Some(factor) = &trying.factor else {
            return Ok(Judged::Right { codes_left: None });
        };
        let (tenant, user) = (trying.tenant, trying.user);
        let right = match proof {
            None => return Ok(Judged::ProofMissing),
            Some(Proof::Code(typed)) => match factor.step_of(typed, self.clock.now()) {
                Some(step) => Self::take_step(tx, tenant, user, step).await?.then_some(None),
                None => None,
            },
            Some(Proof::Recovery(typed)) => {
                Self::take_recovery_code(tx, tenant, user, typed).await?.map(Some)
            }
        };
        Ok(match right {
            Some(codes_left) => Judged::Right { codes_left },
            None => Judged::Wrong(SignInError::WrongSecondFactor),
        })
    }
}
