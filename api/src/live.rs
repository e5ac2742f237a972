//! Who follows what happens, all over the program: how many there may be, how they are kept alive, and that all of them end
//! when the program does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::throttle::Credential;

/// Sockets at a time of which it is not known yet whose they are.
const STRANGERS: usize = 1_024;

/// What a program takes of those who follow it at most, and how long it waits for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSettings {
    /// Subscriptions of one person, or of one key, at a time; and as many sockets.
    pub per_credential: usize,
    /// Subscriptions of all of them; and as many sockets.
    pub in_total: usize,
    /// How long a socket may take to say who it is.
    pub init_within: Duration,
    /// How long it may be quiet before something is sent to keep it, and to find out whether anybody is there.
    pub keep_alive: Duration,
    /// How long a peer may take to give a sign of life, or to take what it is sent.
    pub patience: Duration,
    /// How often it is looked whether somebody still stands as when they began.
    pub check_every: Duration,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            per_credential: 20,
            in_total: 4_000,
            init_within: Duration::from_secs(10),
            keep_alive: Duration::from_secs(15),
            patience: Duration::from_secs(45),
            // What is then found was true a second ago at most (`http/live/standing.rs`): together less than five seconds.
            check_every: Duration::from_millis(3_500),
        }
    }
}

/// Those who follow one program. Clones share them.
#[derive(Debug, Clone)]
pub struct Live {
    settings: Arc<LiveSettings>,
    subscriptions: Places,
    sockets: Places,
    strangers: Arc<Semaphore>,
    closing: Arc<watch::Sender<bool>>,
}

/// There are as many as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooMany {
    /// Of this person or key.
    #[error("{0} at a time are as many as one person or key may have; end another first")]
    OfCredential(usize),
    /// Of the program.
    #[error("this server has as many as it takes; try again later")]
    InTotal,
}

impl Live {
    /// Nobody yet.
    pub fn new(settings: LiveSettings) -> Self {
        let LiveSettings {
            per_credential,
            in_total,
            ..
        } = settings;
        Self {
            subscriptions: Places::new(per_credential, in_total),
            sockets: Places::new(per_credential, in_total),
            strangers: Arc::new(Semaphore::new(STRANGERS)),
            closing: Arc::new(watch::Sender::new(false)),
            settings: Arc::new(settings),
        }
    }

    /// What is taken of them.
    pub fn settings(&self) -> &LiveSettings {
        &self.settings
    }

    /// A place for one more subscription, until it is dropped.
    pub(crate) fn subscription(&self, who: &Credential) -> Result<Place, TooMany> {
        self.subscriptions.take(who)
    }

    /// A place for one more socket, until it is dropped.
    pub(crate) fn socket(&self, who: &Credential) -> Result<Place, TooMany> {
        self.sockets.take(who)
    }

    /// A place for a socket that has not said who it is; none where too many have not.
    pub(crate) fn stranger(&self) -> Option<OwnedSemaphorePermit> {
        self.strangers.clone().try_acquire_owned().ok()
    }

    /// Tells when the program ends. Whoever has one is waited for.
    pub(crate) fn closing(&self) -> Closing {
        Closing(self.closing.subscribe())
    }

    /// Ends all of them, and returns once they have ended.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        self.closing.closed().await;
    }
}

/// Tells when the program ends.
#[derive(Debug, Clone)]
pub(crate) struct Closing(watch::Receiver<bool>);

impl Closing {
    /// Waits until it does.
    pub(crate) async fn told(&mut self) {
        // An error says that nobody can tell any more, which is the end as well.
        self.0.wait_for(|closing| *closing).await.ok();
    }
}

/// Places that are taken and given back.
#[derive(Debug, Clone)]
struct Places {
    per_credential: usize,
    in_total: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    by: HashMap<Credential, usize>,
    in_total: usize,
}

/// A place that is taken, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Places,
    who: Credential,
}

impl Places {
    fn new(per_credential: usize, in_total: usize) -> Self {
        Self {
            per_credential,
            in_total,
            taken: Arc::default(),
        }
    }

    fn take(&self, who: &Credential) -> Result<Place, TooMany> {
        let mut taken = self.taken();
        if taken.in_total >= self.in_total {
            return Err(TooMany::InTotal);
        }
        let of_them = taken.by.entry(who.clone()).or_default();
        if *of_them >= self.per_credential {
            return Err(TooMany::OfCredential(self.per_credential));
        }
        *of_them += 1;
        taken.in_total += 1;
        drop(taken);
        Ok(Place {
            places: self.clone(),
            who: who.clone(),
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.in_total -= 1;
        if let Some(of_them) = taken.by.get_mut(&self.who) {
            *of_them -= 1;
            if *of_them == 0 {
                taken.by.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::{TenantId, UserId};
    use uuid::Uuid;

    use super::*;

    fn user(number: u128) -> Credential {
        Credential::User(TenantId(Uuid::nil()), UserId(Uuid::from_u128(number)))
    }

    #[test]
    fn a_place_is_somebodys_until_it_is_given_back() {
        let places = Places::new(2, 3);
        let mine = [places.take(&user(1)).unwrap(), places.take(&user(1)).unwrap()];
        assert_eq!(places.take(&user(1)).err(), Some(TooMany::OfCredential(2)));
        let other = places.take(&user(2)).unwrap();
        assert_eq!(places.take(&user(3)).err(), Some(TooMany::InTotal));
        drop(other);
        drop(mine);
        assert!(places.taken().by.is_empty());
        assert!(places.take(&user(1)).is_ok());
    }

    #[tokio::test]
    async fn the_program_waits_for_those_who_are_told_that_it_ends() {
        let live = Live::new(LiveSettings::default());
        let mut closing = live.closing();
        let follower = tokio::spawn(async move { closing.told().await });
        live.close().await;
        follower.await.unwrap();
        live.closing().told().await;
    }
}
