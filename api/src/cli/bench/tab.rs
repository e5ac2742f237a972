//! What is written to new streams and read: one aggregate, the same for the log and for its rivals.

use domain::decider::{Decider, Refusal};
use serde::{Deserialize, Serialize};

/// Bytes of an event's payload, as JSON.
pub(super) const PAYLOAD: usize = 400;

/// Text that brings a payload to its size, beside so many bytes.
pub(super) fn filler(beside: usize) -> String {
    "The chef comes at six. "
        .chars()
        .cycle()
        .take(PAYLOAD - beside)
        .collect()
}

/// Something was put on the tab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Charged {
    /// Filler, so that the event has an event's size.
    note: String,
    total_cents: i64,
}

impl Charged {
    /// One like all others.
    pub(super) fn sample() -> Self {
        // The name of the fields, a number and the punctuation.
        const REST: usize = r#"{"note":"","total_cents":85118}"#.len();
        Self {
            note: filler(REST),
            total_cents: 85_118,
        }
    }
}

domain::events! {
    /// What can happen to a tab.
    pub(super) enum TabEvent {
        "Something was put on the tab." Charged(Charged) = "tab.charged" v 1;
    }
}

/// A tab, as its events leave it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tab {
    /// Events so far.
    pub(super) charges: u64,
    total_cents: i64,
}

/// What is asked of a tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Charge {
    /// How many events are wanted.
    pub(super) times: u32,
}

/// Why a tab refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TabError {
    /// No cents are counted beyond this.
    #[error("the tab is full")]
    Full,
}

impl Refusal for TabError {
    fn code(&self) -> &'static str {
        "TAB_FULL"
    }
}

impl Decider for Tab {
    const STREAM: &'static str = "tab";
    type Command = Charge;
    type Event = TabEvent;
    type Error = TabError;

    fn decide(&self, command: Charge) -> Result<Vec<TabEvent>, TabError> {
        let charged = Charged::sample();
        let more = charged.total_cents.checked_mul(i64::from(command.times));
        let total = more.and_then(|more| more.checked_add(self.total_cents));
        total.ok_or(TabError::Full)?;
        Ok((0..command.times)
            .map(|_| TabEvent::Charged(charged.clone()))
            .collect())
    }

    fn evolve(&mut self, event: &TabEvent) {
        let TabEvent::Charged(charged) = event;
        self.charges += 1;
        self.total_cents += charged.total_cents;
    }
}

#[cfg(test)]
mod tests {
    use domain::decider::Event;

    use super::*;

    #[test]
    fn an_event_has_the_size_that_the_published_figures_are_for() {
        let events = Tab::default().decide(Charge { times: 5 }).unwrap();
        let sizes: Vec<usize> = events.iter().map(|event| event.payload().len()).collect();
        assert_eq!(sizes, [PAYLOAD; 5]);
    }

    #[test]
    fn a_tab_counts_its_charges_and_refuses_what_it_cannot_count() {
        let mut tab = Tab::default();
        for event in tab.decide(Charge { times: 5 }).unwrap() {
            tab.evolve(&event);
        }
        assert_eq!((tab.charges, tab.total_cents), (5, 5 * 85_118));
        tab.total_cents = i64::MAX - 85_117;
        assert_eq!(tab.decide(Charge { times: 1 }), Err(TabError::Full));
        assert_eq!(TabError::Full.code(), "TAB_FULL");
    }
}
