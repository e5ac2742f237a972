//! The end of a company's log, as all who listen to it share it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::{EventLog, LogError};
use tokio::sync::watch;

use super::Change;

/// Changes that a tail remembers: some hundred KB for a company that anybody listens to.
const REMEMBERED: usize = 1_024;
/// Changes that a listener is given at once.
const AT_ONCE: usize = 128;
/// Events that a tail reads at once.
const PAGE: u32 = 500;
/// How long to wait when the log does not answer.
const LEAVE_ALONE: Duration = Duration::from_millis(500);

/// The last changes of a log.
#[derive(Debug)]
pub(super) struct Tail {
    last: Mutex<Last>,
    /// Up to where the changes are here.
    reached: watch::Sender<Position>,
    /// Up to where the log is known to go.
    head: watch::Sender<Position>,
}

#[derive(Debug)]
struct Last {
    /// The position before the first of them.
    before: Position,
    changes: VecDeque<Arc<Change>>,
}

/// What comes after a position.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// These, and perhaps more.
    Here(Vec<Arc<Change>>),
    /// Nothing yet.
    NotYet,
    /// Something that the log alone knows.
    Forgotten,
}

impl Tail {
    /// The tail of a log that ends here now; followed in the runtime that this is called in, for as long as somebody has it.
    pub(super) fn follow(log: EventLog, tenant: TenantId, end: Position) -> Arc<Self> {
        let tail = Arc::new(Self::at(end));
        let (heads, tail_of_task) = (tail.head.subscribe(), Arc::downgrade(&tail));
        tokio::spawn(follow(log, tenant, tail_of_task, heads));
        tail
    }

    fn at(end: Position) -> Self {
        Self {
            last: Mutex::new(Last {
                before: end,
                changes: VecDeque::new(),
            }),
            reached: watch::Sender::new(end),
            head: watch::Sender::new(end),
        }
    }

    /// That the log goes up to here.
    pub(super) fn tell(&self, head: Position) -> bool {
        self.head.send_if_modified(|known| {
            let news = head > *known;
            *known = (*known).max(head);
            news
        })
    }

    /// Tells when more is here.
    pub(super) fn reached(&self) -> watch::Receiver<Position> {
        self.reached.subscribe()
    }

    /// Up to where the changes are here.
    pub(super) fn position(&self) -> Position {
        *self.reached.borrow()
    }

    /// What comes after a position.
    pub(super) fn after(&self, position: Position) -> Next {
        let last = self.last();
        let Ok(seen) = usize::try_from(position.0 - last.before.0) else {
            return Next::Forgotten;
        };
        let changes: Vec<Arc<Change>> = last.changes.iter().skip(seen).take(AT_ONCE).cloned().collect();
        if changes.is_empty() {
            Next::NotYet
        } else {
            Next::Here(changes)
        }
    }

    fn push(&self, changes: impl IntoIterator<Item = Change>) {
        let mut last = self.last();
        for change in changes {
            last.changes.push_back(Arc::new(change));
            if last.changes.len() > REMEMBERED {
                last.changes.pop_front();
                last.before = last.before.next();
            }
        }
        let end = last.changes.back().map(|change| change.position);
        drop(last);
        if let Some(end) = end {
            self.reached.send_replace(end);
        }
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads what the log has grown by, until nobody has the tail any more.
async fn follow(log: EventLog, tenant: TenantId, tail: Weak<Tail>, mut heads: watch::Receiver<Position>) {
    // An error says that the tail has gone.
    while heads.changed().await.is_ok() {
        let head = *heads.borrow_and_update();
        while let Some(tail) = tail.upgrade()
            && tail.position() < head
        {
            if let Err(error) = read(&log, tenant, &tail).await {
                drop(tail);
                tracing::warn!(%tenant, %error, "what has happened cannot be read, and nobody is told of it yet");
                tokio::time::sleep(LEAVE_ALONE).await;
            }
        }
    }
}

async fn read(log: &EventLog, tenant: TenantId, tail: &Tail) -> Result<(), LogError> {
    let events = log.read(tenant, tail.position(), PAGE, None).await?;
    tail.push(events.into_iter().map(Change::of));
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::super::Crew;
    use super::*;

    fn change(position: i64) -> Change {
        Change {
            position: Position(position),
            event_type: "chef.registered".to_owned(),
            entity_type: "chef".to_owned(),
            entity_id: position.to_string(),
            recorded_at: DateTime::UNIX_EPOCH,
            station: None,
            crew: Crew::Stays,
        }
    }

    fn positions(next: &Next) -> Vec<i64> {
        match next {
            Next::Here(changes) => changes.iter().map(|change| change.position.0).collect(),
            Next::NotYet | Next::Forgotten => Vec::new(),
        }
    }

    #[test]
    fn whoever_is_at_the_end_waits_and_whoever_is_behind_gets_what_comes_next() {
        let tail = Tail::at(Position(7));
        assert_eq!(tail.after(Position(7)), Next::NotYet);
        assert_eq!(tail.after(Position(6)), Next::Forgotten);
        tail.push([change(8), change(9)]);
        assert_eq!(positions(&tail.after(Position(7))), [8, 9]);
        assert_eq!(positions(&tail.after(Position(8))), [9]);
        assert_eq!(tail.after(Position(9)), Next::NotYet);
        assert_eq!(
            tail.after(Position(12)),
            Next::NotYet,
            "ahead of what is read yet"
        );
        assert_eq!(tail.position(), Position(9));
    }

    #[test]
    fn a_tail_forgets_the_oldest_and_says_so() {
        let tail = Tail::at(Position(0));
        let many = i64::try_from(REMEMBERED).unwrap() + 10;
        tail.push((1..=many).map(change));
        assert_eq!(tail.after(Position(9)), Next::Forgotten);
        let first = positions(&tail.after(Position(10)));
        assert_eq!((first[0], first.len()), (11, AT_ONCE));
        assert_eq!(positions(&tail.after(Position(many - 1))), [many]);
    }

    #[test]
    fn where_the_log_ends_never_goes_back() {
        let tail = Tail::at(Position(5));
        assert!(tail.tell(Position(6)));
        assert!(!tail.tell(Position(4)));
        assert_eq!(*tail.head.borrow(), Position(6));
    }
}
