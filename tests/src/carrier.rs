//! A double of what takes messages to customers: it takes them when it is told to, counts who is at it, and remembers.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use commands::ports::{CarrierError, Letter, MessageCarrier};
use domain::ids::TenantId;
use domain::message::MessageChannel;

/// The double.
#[derive(Debug)]
pub struct Double {
    channels: Vec<MessageChannel>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    answer: Option<CarrierError>,
    takes: Duration,
    taken: Vec<Letter>,
    at_work: BTreeMap<TenantId, usize>,
    most: BTreeMap<TenantId, usize>,
}

impl Double {
    /// One that goes these ways, and takes all that it is given.
    pub fn of(channels: &[MessageChannel]) -> Self {
        Self {
            channels: channels.to_vec(),
            state: Mutex::default(),
        }
    }

    /// Lets it fail from now on, or not any more.
    ///
    /// # Panics
    /// When a thread that had it panicked.
    pub fn answer(&self, answer: Option<CarrierError>) {
        self.state.lock().expect("nobody panics with it").answer = answer;
    }

    /// Lets it take so long for each.
    ///
    /// # Panics
    /// When a thread that had it panicked.
    pub fn takes(&self, takes: Duration) {
        self.state.lock().expect("nobody panics with it").takes = takes;
    }

    /// What it has taken so far.
    ///
    /// # Panics
    /// When a thread that had it panicked.
    pub fn taken(&self) -> Vec<Letter> {
        self.state.lock().expect("nobody panics with it").taken.clone()
    }

    /// How many of a company it was at, at a time, at most.
    ///
    /// # Panics
    /// When a thread that had it panicked.
    pub fn most_at_once(&self, tenant: TenantId) -> usize {
        let state = self.state.lock().expect("nobody panics with it");
        state.most.get(&tenant).copied().unwrap_or(0)
    }
}

#[async_trait]
impl MessageCarrier for Double {
    fn name(&self, _channel: MessageChannel) -> &'static str {
        "double"
    }

    fn carries(&self, channel: MessageChannel) -> bool {
        self.channels.contains(&channel)
    }

    async fn carry(&self, letter: &Letter) -> Result<Option<String>, CarrierError> {
        let takes = {
            let mut state = self.state.lock().expect("nobody panics with it");
            let now = state.at_work.entry(letter.tenant).or_default();
            *now += 1;
            let now = *now;
            let most = state.most.entry(letter.tenant).or_default();
            *most = now.max(*most);
            state.takes
        };
        tokio::time::sleep(takes).await;
        let mut state = self.state.lock().expect("nobody panics with it");
        if let Some(at_work) = state.at_work.get_mut(&letter.tenant) {
            *at_work -= 1;
        }
        if let Some(error) = state.answer {
            return Err(error);
        }
        state.taken.push(letter.clone());
        Ok(Some(format!("double-{}", state.taken.len())))
    }
}
