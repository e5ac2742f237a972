//! Signing heads: only of a log that this program has checked from the last signed head on.

use std::pin::pin;

use chrono::{DateTime, Utc};
use domain::envelope::Position;
use event_log::proof::{HeadSigner, SignedHead, SpanDigests, Statement};
use event_log::{EventLog, LogError, Organisation};
use futures::TryStreamExt;

use crate::lie::{Finding, Lie};
use crate::verify::{Chain, Progress, VerifyError, Walk, next_page};

/// Why a head was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// There is nothing to sign.
    #[error("the log is empty")]
    Empty,
    /// The log is not as it was written, or cannot be read.
    #[error(transparent)]
    Unverified(#[from] VerifyError),
}

impl From<LogError> for SignError {
    fn from(error: LogError) -> Self {
        Self::Unverified(error.into())
    }
}

/// Signs the head of an organisation's log. The events since the newest kept head of the same key are checked as
/// `verify` does it; without one, all.
///
/// # Errors
/// [`SignError::Empty`]; [`SignError::Unverified`] with the first lie: nothing is signed over it.
pub async fn sign_head(
    log: &EventLog,
    organisation: &Organisation,
    signer: &HeadSigner,
    now: DateTime<Utc>,
    progress: &dyn Progress,
) -> Result<SignedHead, SignError> {
    let tenant = organisation.tenant;
    let before = last_of(log, organisation, signer).await?;
    let head = log.head(tenant).await?;
    if head.position == Position::START {
        return Err(SignError::Empty);
    }
    let chain = before.as_ref().map_or_else(Chain::new, Chain::after);
    let since = chain.position;
    if head.position < since {
        let cut = Finding {
            position: head.position.next(),
            what: Lie::CutTail { until: since },
        };
        return Err(SignError::Unverified(cut.into()));
    }
    if let Some(before) = before.filter(|before| before.statement.position == head.position) {
        // Nothing has happened since: the same events stand behind it, and the digests are over the same.
        let statement = Statement {
            signed_at: now,
            ..before.statement
        };
        let right = statement.block == head.block && statement.block_hash == head.block_hash;
        let rewritten = Finding {
            position: head.position,
            what: Lie::WrongHead,
        };
        return if right {
            Ok(signer.sign(statement))
        } else {
            Err(SignError::Unverified(rewritten.into()))
        };
    }
    progress.begins(head.position.0 - since.0);
    let mut digests = SpanDigests::over();
    let mut pages = pin!(log.stream_pages(tenant, since, Some(head.position), None));
    let mut blocks = pin!(log.stream_blocks_after(tenant, chain.closed()));
    let mut walk = Walk::new(chain, &[]);
    while walk.chain.position < head.position {
        for event in &next_page(&mut pages, walk.chain.position.next()).await? {
            if walk.chain.is_between_blocks() {
                let block = blocks.try_next().await?;
                walk.chain.open(block).map_err(VerifyError::from)?;
            }
            walk.push(event).map_err(VerifyError::from)?;
            digests.push(event);
        }
        progress.reaches(walk.chain.position.0 - since.0);
    }
    walk.chain.ends_at(&head).map_err(VerifyError::from)?;
    Ok(signer.sign(Statement {
        organisation: organisation.slug.clone(),
        tenant,
        position: head.position,
        block: head.block,
        block_hash: head.block_hash,
        recorded_at: head.recorded_at,
        signed_at: now,
        since,
        digests: digests.digests(),
    }))
}

/// The newest kept head, where it is this key's.
async fn last_of(
    log: &EventLog,
    organisation: &Organisation,
    signer: &HeadSigner,
) -> Result<Option<SignedHead>, VerifyError> {
    let key = signer.public_key();
    let last = log.last_signed_head(organisation.tenant).await?;
    let Some(last) = last.filter(|last| last.key_id == key.fingerprint()) else {
        return Ok(None);
    };
    last.verify(&[key]).map_err(|why| Finding {
        position: last.statement.position,
        what: Lie::ForgedSignature { why },
    })?;
    Ok(Some(last))
}
