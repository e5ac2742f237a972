//! What has happened, told as it happens: every event that somebody may see, from a position on, in order, each once.
//!
//! The log is followed once for each company that anybody listens to, by a tail that all its listeners share (`tail.rs`). One that
//! is behind what the tail remembers reads pages of the log until it meets it. Nothing is kept for a listener but its place, so that
//! a slow one holds up nobody and misses nothing (ADR 20).

mod feeds;
mod reach;
mod tail;

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use domain::access::{Forbidden, Viewer};
use domain::booking::BookingEvent;
use domain::chef::ChefEvent;
use domain::envelope::{Position, StoredEvent};
use domain::ids::{ChefId, StationId, TenantId, UserId};
use domain::recorded::{DomainEvent, Recorded};
use tokio::sync::watch;

use crate::audit_trail::station;
use crate::engine::{ReadError, ReadModels};

pub(crate) use feeds::Feeds;
use reach::Reach;
use tail::{Next, Tail};

/// Events of the log that a listener who is behind reads at once.
const PAGE: u32 = 500;

/// That something happened: where to look, and not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its place in the company's log.
    pub position: Position,
    /// Wire name of the event.
    pub event_type: String,
    /// Kind of the aggregate that it happened to.
    pub entity_type: String,
    /// Id of that aggregate.
    pub entity_id: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The station that it is about; none where it concerns the whole company, or its event does not say.
    station: Option<StationId>,
    /// Whom it gives a party, or takes one from.
    crew: Crew,
}

/// What an event does to who cooks, as far as a chef has to hear of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crew {
    /// Nothing.
    Stays,
    /// The chef cooks the booking's party.
    Joins(ChefId),
    /// The chef does not after all.
    Leaves(ChefId),
    /// The chef of this record signs in as this user.
    SignsInAs(UserId),
}

impl Change {
    /// What an event tells. Of one that this program cannot read, such as a newer one's, nobody knows whom it concerns: those alone
    /// see it who see everything of its kind.
    fn of(stored: StoredEvent) -> Self {
        let mut change = Self {
            position: stored.position,
            event_type: stored.event_type.clone(),
            entity_type: stored.stream.kind.clone().into_owned(),
            entity_id: stored.stream.id.clone(),
            recorded_at: stored.recorded_at,
            station: None,
            crew: Crew::Stays,
        };
        match Recorded::try_from(stored) {
            Ok(recorded) => {
                change.station = station::of(&recorded);
                change.crew = Crew::of(&recorded.event);
            }
            Err(error) => {
                tracing::debug!(position = %change.position, %error, "an event is told of whose payload cannot be read");
            }
        }
        change
    }
}

impl Crew {
    fn of(event: &DomainEvent) -> Self {
        if let DomainEvent::Booking(BookingEvent::ChefAssigned(assigned)) = event {
            Self::Joins(assigned.chef_id)
        } else if let DomainEvent::Booking(BookingEvent::ChefUnassigned(unassigned)) = event {
            Self::Leaves(unassigned.chef_id)
        } else if let DomainEvent::Chef(ChefEvent::Registered(registered)) = event {
            registered.user_id.map_or(Self::Stays, Self::SignsInAs)
        } else {
            Self::Stays
        }
    }
}

/// Every wire name that there is, once.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut names: Vec<&'static str> = domain::recorded::catalogue()
        .into_iter()
        .map(|kind| kind.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
});

/// Why nobody can be told of changes.
#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    /// No event has this name.
    #[error("there are no events of the type {0:?}")]
    UnknownType(String),
    /// The log ends before it.
    #[error("the log ends at {head}, before {asked}: it is another log, or an older state of it")]
    InFuture {
        /// The position that was asked for.
        asked: Position,
        /// Where the log ends.
        head: Position,
    },
    /// No answer, or no right to one.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<Forbidden> for ChangesError {
    fn from(forbidden: Forbidden) -> Self {
        Self::Read(forbidden.into())
    }
}

/// Somebody who listens to what happens in a company.
#[derive(Debug)]
pub struct Changes {
    models: ReadModels,
    tail: Arc<Tail>,
    reached: watch::Receiver<Position>,
    tenant: TenantId,
    reach: Reach,
    /// The types that were asked for; all where absent.
    wanted: Option<HashSet<&'static str>>,
    /// What has to be read of the log to know what to tell; all of it where absent.
    read: Option<Vec<&'static str>>,
    /// All up to here has been looked at.
    looked_to: Position,
    ready: VecDeque<Arc<Change>>,
}

/// Listens from a position on, for events of these types, or of all where there are none.
///
/// # Errors
/// [`ChangesError`] for a type that there is not, a position that the log has not come to, and types that the viewer may not
/// see: some of them, where they were named, or else all that there are.
pub async fn after(
    models: &ReadModels,
    viewer: &Viewer,
    after: Position,
    types: &[String],
) -> Result<Changes, ChangesError> {
    let wanted = types
        .iter()
        .map(|name| known(name))
        .collect::<Result<HashSet<_>, _>>()?;
    for name in &wanted {
        reach::require(viewer, reach::kind(name))?;
    }
    let wanted = (!wanted.is_empty()).then_some(wanted);
    let read = reach::readable(viewer, wanted.as_ref())?;
    let tenant = viewer.tenant;
    let head = models.log().head(tenant).await.map_err(ReadError::from)?.position;
    if after > head {
        return Err(ChangesError::InFuture { asked: after, head });
    }
    let tail = models
        .feeds()
        .tail(models.log(), tenant)
        .await
        .map_err(ReadError::from)?;
    Ok(Changes {
        reach: Reach::of(models, viewer, after).await?,
        reached: tail.reached(),
        models: models.clone(),
        tail,
        tenant,
        wanted,
        read,
        looked_to: after,
        ready: VecDeque::new(),
    })
}

fn known(name: &str) -> Result<&'static str, ChangesError> {
    let place = NAMES.binary_search(&name);
    let place = place.map_err(|_| ChangesError::UnknownType(name.to_owned()))?;
    Ok(NAMES[place])
}

impl Changes {
    /// The next one, which may be long in coming.
    ///
    /// # Errors
    /// [`ReadError`] when the log cannot be read. Whoever listens then begins anew, after the last that was told.
    pub async fn next(&mut self) -> Result<Arc<Change>, ReadError> {
        loop {
            if let Some(change) = self.ready.pop_front() {
                return Ok(change);
            }
            // Before the look: what comes after it is seen as a change.
            self.reached.borrow_and_update();
            match self.tail.after(self.looked_to) {
                Next::Here(changes) => self.look_at(changes),
                Next::Forgotten => self.read_page().await?,
                Next::NotYet => {
                    let lives = self.reached.changed().await;
                    lives.expect("the tail is held by whoever listens to it");
                }
            }
        }
    }

    fn look_at(&mut self, changes: Vec<Arc<Change>>) {
        for change in changes {
            self.looked_to = change.position;
            let is_wanted = match &self.wanted {
                None => true,
                Some(wanted) => wanted.contains(change.event_type.as_str()),
            };
            // Looked at whether it is wanted or not: it may say what is whose.
            if self.reach.sees(&change) && is_wanted {
                self.ready.push_back(change);
            }
        }
    }

    /// Reads on where the tail has forgotten what comes next.
    async fn read_page(&mut self) -> Result<(), ReadError> {
        let turn = self.models.feeds().turn_to_read().await;
        let reached = self.tail.position();
        let log = self.models.log();
        let page = log
            .read(self.tenant, self.looked_to, PAGE, self.read.as_deref())
            .await?;
        drop(turn);
        let whole = usize::try_from(PAGE).is_ok_and(|most| page.len() < most);
        let page: Vec<Arc<Change>> = page
            .into_iter()
            .map(|event| Arc::new(Change::of(event)))
            .collect();
        self.look_at(page);
        if whole {
            // There is nothing else of these types up to where the tail was before.
            self.looked_to = self.looked_to.max(reached);
        }
        Ok(())
    }
}

/// Somebody who wants to hear when a company's read models may have changed, and not how.
#[derive(Debug)]
pub struct Stirrings {
    tail: Arc<Tail>,
    reached: watch::Receiver<Position>,
    types: HashSet<&'static str>,
    looked_to: Position,
}

/// Listens to events of these types from now on.
///
/// # Errors
/// [`ReadError`] when the log does not answer.
pub async fn stirrings(
    models: &ReadModels,
    tenant: TenantId,
    types: impl IntoIterator<Item = &'static str>,
) -> Result<Stirrings, ReadError> {
    let tail = models.feeds().tail(models.log(), tenant).await?;
    Ok(Stirrings {
        reached: tail.reached(),
        looked_to: tail.position(),
        tail,
        types: types.into_iter().collect(),
    })
}

impl Stirrings {
    /// Up to where the log is known.
    pub fn position(&self) -> Position {
        self.looked_to
    }

    /// Waits until there is an event of one of the types, and says up to where the log has come: the last of them is not after
    /// that.
    pub async fn next(&mut self) -> Position {
        loop {
            self.reached.borrow_and_update();
            let stirred = match self.tail.after(self.looked_to) {
                Next::Here(changes) => {
                    self.looked_to = changes.last().map_or(self.looked_to, |change| change.position);
                    changes
                        .iter()
                        .any(|change| self.types.contains(change.event_type.as_str()))
                }
                Next::Forgotten => {
                    self.looked_to = self.tail.position();
                    true
                }
                Next::NotYet => {
                    let lives = self.reached.changed().await;
                    lives.expect("the tail is held by whoever listens to it");
                    false
                }
            };
            if stirred {
                return self.looked_to;
            }
        }
    }
}
