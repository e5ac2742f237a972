//! Pictures and videos of customers: kept beside the log under the hash of their bytes, and named in it by that.

use domain::ids::{ReviewId, StationId, TenantId};
use domain::review::{Moderation, Review, ReviewError, ReviewMedia, media};
use sha2::{Digest, Sha256};

use crate::execute::to_the_end;
use crate::{Caller, CommandError, Commands};

/// A picture or video as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMedia {
    /// What it is.
    pub media: ReviewMedia,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether its review may be published.
    pub moderation: Moderation,
}

/// What is below it a company's customers have uploaded: a folder for each review.
pub(super) fn uploads(tenant: TenantId) -> String {
    format!("{tenant}/reviews")
}

fn folder(tenant: TenantId, review: ReviewId) -> String {
    format!("{}/{review}", uploads(tenant))
}

impl Commands {
    /// Keeps a picture or video for an answer that is still to come, and says what it is by its bytes. The same bytes again
    /// are the same file.
    ///
    /// # Errors
    /// `LINK_UNKNOWN`, `LINK_USED`, `LINK_EXPIRED`, `LINK_CANCELLED`, `MEDIA_TYPE_REFUSED`, `MEDIA_TOO_LARGE`,
    /// `VIDEO_UNREADABLE`, `VIDEO_TOO_LONG`, `TOO_MANY_MEDIA`; or when the log or the store is out of reach.
    pub async fn upload_review_media(
        &self,
        token: String,
        bytes: Vec<u8>,
    ) -> Result<ReviewMedia, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            let found = this.review_of(&token).await?;
            found
                .loaded
                .state
                .answerable(&found.token_key, this.ports.now())
                .map_err(CommandError::refused)?;
            // Fifty megabytes are looked at and hashed where nobody else waits for it.
            let looked = tokio::task::spawn_blocking(move || (look(&bytes), bytes)).await;
            let (media, bytes) = match looked {
                Ok((media, bytes)) => (media?, bytes),
                Err(failed) => std::panic::resume_unwind(failed.into_panic()),
            };
            let folder = folder(found.caller.tenant, found.review_id);
            let there = this.listed(&folder).await?;
            if there.contains(&media) {
                return Ok(media);
            }
            let limit = if media.kind.is_video() {
                media::MAX_VIDEOS
            } else {
                media::MAX_IMAGES
            };
            let alike = |other: &&ReviewMedia| other.kind.is_video() == media.kind.is_video();
            if there.iter().filter(alike).count() >= limit {
                return Err(CommandError::refused(ReviewError::TooManyMedia));
            }
            let name = format!("{folder}/{}", media.file_name());
            this.media.put(&name, bytes).await?;
            Ok(media)
        })
        .await
    }

    /// The files of these names, as they were uploaded for a review.
    pub(super) async fn uploaded(
        &self,
        tenant: TenantId,
        review: ReviewId,
        names: &[String],
    ) -> Result<Vec<ReviewMedia>, CommandError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let there = self.listed(&folder(tenant, review)).await?;
        let named = |name: &String| {
            let found = there.iter().find(|media| media.file_name() == *name);
            found
                .cloned()
                .ok_or_else(|| CommandError::refused(ReviewError::MediaNotFound))
        };
        names.iter().map(named).collect()
    }

    async fn listed(&self, folder: &str) -> Result<Vec<ReviewMedia>, CommandError> {
        let listed = self.media.list(folder).await?;
        let media = |(name, bytes): (String, i64)| {
            let (_, file) = name.rsplit_once('/')?;
            ReviewMedia::of_file(file, bytes)
        };
        Ok(listed.into_iter().filter_map(media).collect())
    }

    /// A file that a review was answered with; none where there is none of the name. Whether whoever asks may see it is for
    /// the caller to decide, by its moderation.
    ///
    /// # Errors
    /// When the log or the store is out of reach.
    pub async fn review_media(
        &self,
        tenant: TenantId,
        review: ReviewId,
        file: &str,
    ) -> Result<Option<StoredMedia>, CommandError> {
        let system = Caller::system(tenant, "review");
        let loaded = self.load::<Review>(&system, &review.to_string()).await?;
        let mut media = loaded.state.media().iter();
        let Some(media) = media.find(|media| media.file_name() == file) else {
            return Ok(None);
        };
        let name = format!("{}/{}", folder(tenant, review), media.file_name());
        let bytes = self.media.get(&name).await?;
        Ok(bytes.map(|bytes| StoredMedia {
            media: media.clone(),
            bytes,
            moderation: loaded.state.moderation(),
        }))
    }

    /// The station of a review; none where there is none.
    ///
    /// # Errors
    /// When the log is out of reach.
    pub async fn review_station(
        &self,
        tenant: TenantId,
        review: ReviewId,
    ) -> Result<Option<StationId>, CommandError> {
        let system = Caller::system(tenant, "review");
        let loaded = self.load::<Review>(&system, &review.to_string()).await?;
        Ok(loaded.state.issued().map(|issued| issued.party.station_id))
    }

    /// Destroys what was uploaded for a review.
    pub(super) async fn drop_media(&self, tenant: TenantId, review: ReviewId) -> Result<(), CommandError> {
        Ok(self.media.delete(&folder(tenant, review)).await?)
    }
}

fn look(bytes: &[u8]) -> Result<ReviewMedia, CommandError> {
    let kind = media::check(bytes).map_err(CommandError::refused)?;
    Ok(ReviewMedia {
        sha256: hex::encode(Sha256::digest(bytes)),
        kind,
        bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
    })
}
