//! Which commands this program is at: a second request under the same key waits for the first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ids::{CommandId, TenantId};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

type Key = (TenantId, CommandId);

/// The commands at hand. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Running(Arc<Mutex<HashMap<Key, Other>>>);

/// A command that somebody else is at.
#[derive(Clone)]
pub(crate) struct Other {
    /// Digest of its body.
    pub(crate) digest: [u8; 32],
    ended: watch::Receiver<()>,
}

/// The right to be at a command, given back when dropped.
pub(crate) struct Turn {
    running: Running,
    key: Key,
    _ended: watch::Sender<()>,
}

/// What came of asking for a turn.
pub(crate) enum Asked {
    /// Nobody else is at it.
    Turn(Turn),
    /// Somebody is.
    Other(Other),
}

/// How a wait came out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    /// The other command has ended.
    Ended,
    /// It still runs.
    StillRuns,
}

impl Running {
    /// Asks to be at a command.
    pub(crate) fn ask(&self, tenant: TenantId, command: CommandId, digest: [u8; 32]) -> Asked {
        let key = (tenant, command);
        let mut commands = self.lock();
        if let Some(other) = commands.get(&key) {
            return Asked::Other(other.clone());
        }
        let (end, ended) = watch::channel(());
        commands.insert(key, Other { digest, ended });
        Asked::Turn(Turn {
            running: self.clone(),
            key,
            _ended: end,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Other>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Other {
    /// Waits for it to end.
    pub(crate) async fn ended(mut self, deadline: Instant) -> Waited {
        // Nothing is ever sent: the channel closes with the turn.
        match timeout_at(deadline, self.ended.changed()).await {
            Ok(_) => Waited::Ended,
            Err(_) => Waited::StillRuns,
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.running.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    const TENANT: TenantId = TenantId(Uuid::nil());
    const COMMAND: CommandId = CommandId(Uuid::nil());

    fn turn(running: &Running) -> Option<Turn> {
        match running.ask(TENANT, COMMAND, [1; 32]) {
            Asked::Turn(turn) => Some(turn),
            Asked::Other(_) => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_is_had_by_one_at_a_time_and_waited_for_so_long() {
        let running = Running::default();
        let first = turn(&running).unwrap();
        assert!(turn(&running).is_none());
        let other_tenant = TenantId(Uuid::from_u128(1));
        assert!(matches!(
            running.ask(other_tenant, COMMAND, [1; 32]),
            Asked::Turn(_)
        ));
        let Asked::Other(other) = running.ask(TENANT, COMMAND, [2; 32]) else {
            panic!("two are at one command")
        };
        assert_eq!(other.digest, [1; 32]);
        let began = Instant::now();
        let soon = began + Duration::from_millis(10);
        assert_eq!(other.clone().ended(soon).await, Waited::StillRuns);
        assert_eq!(Instant::now(), soon);
        let waiting = tokio::spawn(other.ended(began + Duration::from_secs(1)));
        drop(first);
        assert_eq!(waiting.await.unwrap(), Waited::Ended);
        assert!(turn(&running).is_some());
    }
}
