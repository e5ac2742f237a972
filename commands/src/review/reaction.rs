//! What the company's policies do about reviews.

use domain::feature_flag::FeatureFlag;

use super::Notify;
use crate::policies::ReviewStep;
use crate::{Caller, CommandError, Commands, Correspondence, IdempotencyKey};

impl Commands {
    /// Asks for a review, or stops to. What is no longer so is left as it is.
    pub(crate) async fn review_step(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        step: ReviewStep,
    ) -> Result<(), CommandError> {
        let asks = matches!(step, ReviewStep::Ask { .. } | ReviewStep::Remind { .. });
        if asks && self.correspondence == Correspondence::Paused {
            return Ok(());
        }
        if let ReviewStep::Ask { booking_id } = &step {
            let asks_by_itself = FeatureFlag::ReviewRequests;
            if !self
                .is_in(&caller, asks_by_itself, &booking_id.to_string())
                .await?
            {
                return Ok(());
            }
        }
        let policy = caller.actor.id.clone();
        let done = match step {
            ReviewStep::Ask { booking_id } => self
                .issue_review_link(caller, key, booking_id, Notify::Customer)
                .await
                .map(|_| ()),
            ReviewStep::Remind { review_id, number } => self
                .remind_review(caller, key, review_id, number)
                .await
                .map(|_| ()),
            ReviewStep::Expire { review_id } => self.expire_review(caller, key, review_id).await.map(|_| ()),
            ReviewStep::Cancel { review_id, because } => self
                .cancel_review(caller, key, review_id, because)
                .await
                .map(|_| ()),
            ReviewStep::Forget { reviews } => self.forget_reviewer(caller, key, reviews).await,
        };
        match done {
            Ok(()) => Ok(()),
            Err(CommandError::Refused(refused)) => {
                tracing::info!(policy, code = refused.code, "nothing to do");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
