//! Verifying a tenant's log: every hash is computed anew from what is stored, and the first lie is named.
//!
//! Nothing recorded after the start is looked at, so that a log in use can be verified. A log whose hashes were
//! all computed anew, head included, fits itself: against that there are signed heads, those that the log keeps and,
//! better, those that were kept elsewhere.

mod chain;
mod onward;
mod source;
mod streams;

use chrono::{DateTime, Utc};
use domain::envelope::{Position, StoredEvent};
use domain::ids::TenantId;
use event_log::proof::{LeafHasher, PublicKey, SignedHead};
use event_log::{EventLog, Head, LogError};

pub(crate) use self::chain::Chain;
pub use self::onward::{Onward, VerifiedTo, verify_onward};
pub(crate) use self::source::{LogSource, Source, next_page};
use self::streams::Streams;
use crate::diagnose::diagnose;
use crate::lie::{Finding, Lie, Part};

/// Hears how far a long walk has come.
pub trait Progress: Send + Sync {
    /// The walk begins; so many events are before it.
    fn begins(&self, events: i64);
    /// So many events are behind it.
    fn reaches(&self, events: i64);
}

/// Nobody watches.
impl Progress for () {
    fn begins(&self, _events: i64) {}
    fn reaches(&self, _events: i64) {}
}

/// What a log is held to besides itself.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Whose signatures count. Without a key no signed head does.
    pub keys: Vec<PublicKey>,
    /// Heads that were kept elsewhere.
    pub heads: Vec<SignedHead>,
}

/// A log in which no lie was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Events checked.
    pub events: i64,
    /// Blocks checked.
    pub blocks: i64,
    /// The head that they lead to.
    pub head: Head,
    /// Signed heads that the chain was found to lead to.
    pub signed_heads: usize,
    /// Heads that the log keeps and that another key signed; they were left aside.
    pub heads_of_other_keys: usize,
}

/// Why a log does not count as verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The log lies.
    #[error(transparent)]
    Lie(#[from] Finding),
    /// A head that it was to be held to is of another log.
    #[error("the signed head of position {position} is of another organisation: {organisation}")]
    OtherLog {
        /// The head's position.
        position: Position,
        /// Slug of the organisation that it is of.
        organisation: String,
    },
    /// The log could not be read to its end.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Verifies a tenant's log against nothing but itself.
///
/// # Errors
/// As [`verify_against`].
pub async fn verify(
    log: &EventLog,
    tenant: TenantId,
    progress: &dyn Progress,
) -> Result<Verified, VerifyError> {
    verify_against(log, tenant, &Trust::default(), progress).await
}

/// Verifies a tenant's log from its first event to its head, in memory that grows with the number of its
/// streams only.
///
/// # Errors
/// [`VerifyError::Lie`] with the first lie, [`VerifyError::OtherLog`], [`VerifyError::Log`] when the log cannot be read.
pub async fn verify_against(
    log: &EventLog,
    tenant: TenantId,
    trust: &Trust,
    progress: &dyn Progress,
) -> Result<Verified, VerifyError> {
    // In this order: what is signed later is beyond the head at hand.
    let heads = Heads::gather(log, tenant, trust).await?;
    let head = log.head(tenant).await?;
    match walk(log, tenant, head, &heads, progress).await {
        Err(VerifyError::Lie(finding)) => Err(diagnose(log, tenant, finding, &heads.signed).await?.into()),
        other => other,
    }
}

/// The signed heads that a log is held to, their signatures verified, by position.
pub(crate) struct Heads {
    pub(crate) signed: Vec<SignedHead>,
    of_other_keys: usize,
}

impl Heads {
    pub(crate) async fn gather(log: &EventLog, tenant: TenantId, trust: &Trust) -> Result<Self, VerifyError> {
        let forged = |head: &SignedHead, why| Finding {
            position: head.statement.position,
            what: Lie::ForgedSignature { why },
        };
        for head in &trust.heads {
            head.verify(&trust.keys).map_err(|why| forged(head, why))?;
            if head.statement.tenant != tenant {
                return Err(VerifyError::OtherLog {
                    position: head.statement.position,
                    organisation: head.statement.organisation.clone(),
                });
            }
        }
        let mut signed = trust.heads.clone();
        let mut of_other_keys = 0;
        for head in log.signed_heads(tenant).await? {
            let fingerprints = trust.keys.iter().map(PublicKey::fingerprint);
            if fingerprints.into_iter().any(|key| key == head.key_id) {
                head.verify(&trust.keys).map_err(|why| forged(&head, why))?;
                signed.push(head);
            } else {
                of_other_keys += 1;
            }
        }
        signed.sort_by_key(|head| head.statement.position);
        Ok(Self {
            signed,
            of_other_keys,
        })
    }
}

async fn walk(
    log: &EventLog,
    tenant: TenantId,
    head: Head,
    heads: &Heads,
    progress: &dyn Progress,
) -> Result<Verified, VerifyError> {
    walk_to(
        &mut LogSource::new(log, tenant, head.position),
        &head,
        &heads.signed,
        progress,
    )
    .await?;
    nothing_beyond(log, tenant, head.position).await?;
    Ok(Verified {
        events: head.position.0,
        blocks: head.block,
        head,
        signed_heads: heads.signed.len(),
        heads_of_other_keys: heads.of_other_keys,
    })
}

/// Walks a log from its first event to a head, and past the signed heads on the way.
pub(crate) async fn walk_to<S: Source>(
    source: &mut S,
    head: &Head,
    signed: &[SignedHead],
    progress: &dyn Progress,
) -> Result<(), S::Error> {
    progress.begins(head.position.0);
    let mut walk = Walk::new(Chain::new(), signed);
    while walk.chain.position < head.position {
        let events = source.page(walk.chain.position.next()).await?;
        for event in &events {
            if walk.chain.is_between_blocks() {
                walk.chain.open(source.block().await?)?;
            }
            if let Err(finding) = walk.push(event)
                && !source.is_mistaken(&finding).await?
            {
                return Err(finding.into());
            }
        }
        source.passed(events).await?;
        progress.reaches(walk.chain.position.0);
    }
    walk.chain.ends_at(head)?;
    if let Some(signed) = walk.heads_to_come.last() {
        let cut = Finding {
            position: head.position.next(),
            what: Lie::CutTail {
                until: signed.statement.position,
            },
        };
        return Err(cut.into());
    }
    Ok(())
}

/// Everything that is checked of event after event.
pub(crate) struct Walk<'a> {
    pub(crate) chain: Chain,
    leaves: LeafHasher,
    streams: Option<Streams>,
    recorded_at: DateTime<Utc>,
    heads_to_come: &'a [SignedHead],
    /// Up to where the chain is known to be the one that was signed.
    signed: Position,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(chain: Chain, heads: &'a [SignedHead]) -> Self {
        Self {
            // Whoever begins in the middle does not know how far the streams have come.
            streams: (chain.position == Position::START).then(Streams::default),
            chain,
            leaves: LeafHasher::default(),
            recorded_at: DateTime::<Utc>::MIN_UTC,
            heads_to_come: heads,
            signed: Position::START,
        }
    }

    /// Checks the next event, whose block is open. After [`Lie::OutOfSequence`] the walk can go on.
    pub(crate) fn push(&mut self, event: &StoredEvent) -> Result<(), Finding> {
        let finding = |what| Finding {
            position: event.position,
            what,
        };
        if self.leaves.hash(event) != event.leaf_hash {
            return Err(finding(Lie::ChangedContent { part: Part::Unknown }));
        }
        if event.recorded_at < self.recorded_at {
            return Err(finding(Lie::TimeGoesBack));
        }
        self.recorded_at = event.recorded_at;
        self.chain.push(event.leaf_hash)?;
        self.meet_heads()?;
        let followed = self
            .streams
            .as_mut()
            .map_or(Ok(()), |streams| streams.push(event));
        followed.map_err(|expected| {
            finding(Lie::OutOfSequence {
                expected,
                found: event.sequence,
            })
        })
    }

    fn meet_heads(&mut self) -> Result<(), Finding> {
        while let [head, later @ ..] = self.heads_to_come
            && head.statement.position == self.chain.position
        {
            if !self.chain.leads_to(head) {
                return Err(Finding {
                    position: self.signed.next(),
                    what: Lie::RewrittenChain {
                        until: head.statement.position,
                        signed_at: head.statement.signed_at,
                    },
                });
            }
            self.signed = head.statement.position;
            self.heads_to_come = later;
        }
        Ok(())
    }
}

/// An event after the head is an append's only if the head has moved by the time it is looked at again; and so is a
/// command's result.
async fn nothing_beyond(log: &EventLog, tenant: TenantId, verified: Position) -> Result<(), VerifyError> {
    let beyond = match log.read(tenant, verified, 1, None).await {
        Ok(events) => events.first().map(|event| event.position),
        Err(LogError::Gap { found, .. }) => Some(found),
        Err(error) => return Err(error.into()),
    };
    let commanded = log.last_commanded(tenant).await?;
    let now = log.head(tenant).await?.position;
    if let Some(position) = beyond.filter(|position| *position > now) {
        return Err(found(position, Lie::InsertedEvent));
    }
    if commanded > now {
        return Err(found(now.next(), Lie::CutTail { until: commanded }));
    }
    Ok(())
}

/// Checks what stands beside the chain, and follows from it: that events have ids of their own, and that the results of
/// commands name the events that they wrote. Two queries over the whole log, which take longer than the walk.
///
/// # Errors
/// [`VerifyError::Lie`] with the first lie of the first kind that there is, [`VerifyError::Log`].
pub async fn verify_references(log: &EventLog, tenant: TenantId, until: Position) -> Result<(), VerifyError> {
    if let Some(position) = log.first_repeated_id(tenant, until).await? {
        return Err(found(position, Lie::RepeatedId));
    }
    match log.first_misattributed(tenant, until).await? {
        Some(position) => Err(found(position, Lie::MisattributedCommand)),
        None => Ok(()),
    }
}

fn found(position: Position, what: Lie) -> VerifyError {
    VerifyError::Lie(Finding { position, what })
}
