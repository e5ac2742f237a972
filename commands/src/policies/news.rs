//! Policies that answer an event for itself, and remember nothing of it.

use domain::recorded::Recorded;
use serde::{Deserialize, Serialize};

use super::{Policy, Reaction, Reply};

/// What is told when something happens, whatever happened before.
pub trait News: Send + Sync {
    /// Stable name of the policy.
    const NAME: &'static str;

    /// What there is to tell, where there is something.
    fn news(event: &Recorded) -> Option<Reply>;
}

/// What such a policy remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing {}

impl<N: News> Policy for N {
    type State = Nothing;
    const NAME: &'static str = N::NAME;

    fn process(event: &Recorded) -> Option<String> {
        N::news(event).map(|_| event.stream.id.clone())
    }

    fn react(_state: Option<Nothing>, event: &Recorded) -> Reaction<Nothing> {
        Reaction {
            state: None,
            wake_at: None,
            reply: N::news(event),
        }
    }

    fn due(_process: &str, _state: Nothing) -> Option<Reply> {
        None
    }
}
