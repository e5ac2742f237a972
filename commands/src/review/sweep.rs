//! Uploads that no review names: of customers who sent more than their answer names, what came when a review was just over,
//! and what a program left that ended before it had destroyed it.

use std::collections::BTreeMap;

use domain::ids::{ReviewId, TenantId};
use domain::review::{Review, ReviewMedia, ReviewStatus};
use tokio::time::Instant;

use super::media::uploads;
use crate::{Caller, CommandError, Commands};

/// One look through a company's uploads, in pieces.
pub(crate) struct Sweep {
    /// The last review whose uploads were looked at.
    pub(crate) after: Option<ReviewId>,
    /// How many files were destroyed so far.
    pub(crate) destroyed: i64,
    /// When to stop, and to go on another time.
    pub(crate) until: Instant,
}

impl Commands {
    /// Goes on with a look through a company's uploads, and says whether it has come to their end. Files of a review that may
    /// still be answered are left alone: the answer may name them.
    pub(crate) async fn sweep_review_media(
        &self,
        caller: &Caller,
        sweep: &mut Sweep,
    ) -> Result<bool, CommandError> {
        let files = self.uploads_by_review(caller.tenant).await?;
        for (review, names) in files {
            if sweep.after.is_some_and(|after| review <= after) {
                continue;
            }
            if Instant::now() >= sweep.until {
                return Ok(false);
            }
            self.sweep_review(caller, review, &names, sweep).await?;
            sweep.after = Some(review);
        }
        Ok(true)
    }

    async fn sweep_review(
        &self,
        caller: &Caller,
        review: ReviewId,
        names: &[String],
        sweep: &mut Sweep,
    ) -> Result<(), CommandError> {
        let loaded = self.load::<Review>(caller, &review.to_string()).await?;
        let named: Vec<String> = match loaded.state.status() {
            Some(ReviewStatus::Pending | ReviewStatus::Opened) => return Ok(()),
            Some(ReviewStatus::Submitted) => {
                loaded.state.media().iter().map(ReviewMedia::file_name).collect()
            }
            Some(ReviewStatus::Expired | ReviewStatus::Cancelled) | None => Vec::new(),
        };
        for name in names {
            let is_named = name
                .rsplit_once('/')
                .is_some_and(|(_, file)| named.iter().any(|named| named == file));
            if !is_named {
                self.media.remove(name).await?;
                sweep.destroyed += 1;
            }
        }
        Ok(())
    }

    /// The names of a company's uploads, by review. What lies elsewhere is not ours to look at.
    async fn uploads_by_review(
        &self,
        tenant: TenantId,
    ) -> Result<BTreeMap<ReviewId, Vec<String>>, CommandError> {
        let folder = uploads(tenant);
        let mut files: BTreeMap<ReviewId, Vec<String>> = BTreeMap::new();
        for (name, _) in self.media.list(&folder).await? {
            let below = name
                .strip_prefix(&folder)
                .and_then(|below| below.strip_prefix('/'));
            let review = below
                .and_then(|below| below.split_once('/'))
                .and_then(|(review, _)| review.parse().ok());
            if let Some(review) = review {
                files.entry(review).or_default().push(name);
            }
        }
        Ok(files)
    }
}
