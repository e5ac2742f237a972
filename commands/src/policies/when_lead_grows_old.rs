//! When the time is over for which a company keeps personal data of leads, a lead's is erased. Each lead is looked at
//! month by month: a shorter time that the company sets takes effect within one.

use chrono::{DateTime, Months, Utc};
use domain::lead::LeadEvent;
use domain::organisation::LEAD_MONTHS;
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use super::{Answers, Policy, Reaction, Reply};

/// Forgets whoever was not called back in time.
pub struct WhenLeadGrowsOld;

/// A lead whose personal data is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    captured_at: DateTime<Utc>,
    /// How many months old it is when it is looked at next.
    months: u32,
}

impl Kept {
    fn wake_at(self) -> Option<DateTime<Utc>> {
        self.captured_at.checked_add_months(Months::new(self.months))
    }
}

impl Policy for WhenLeadGrowsOld {
    type State = Kept;
    const NAME: &'static str = "when_lead_grows_old";
    const ANSWERS: Answers = Answers::TimeToo;

    fn process(event: &Recorded) -> Option<String> {
        let DomainEvent::Lead(lead) = &event.event else {
            return None;
        };
        let concerns = match lead {
            // What is sealed with a customer's key goes when the customer is erased.
            LeadEvent::Captured(lead) => lead.subject().to_string() == event.stream.id,
            LeadEvent::Purged(_) => true,
            LeadEvent::Contacted(_)
            | LeadEvent::Won(_)
            | LeadEvent::Lost(_)
            | LeadEvent::FollowUpSet(_)
            | LeadEvent::FollowUpDone(_) => false,
        };
        concerns.then(|| event.stream.id.clone())
    }

    fn react(_state: Option<Kept>, event: &Recorded) -> Reaction<Kept> {
        let DomainEvent::Lead(LeadEvent::Captured(lead)) = &event.event else {
            return Reaction::keep(None);
        };
        let kept = Kept {
            captured_at: lead.captured_at,
            months: *LEAD_MONTHS.start(),
        };
        Reaction {
            wake_at: kept.wake_at(),
            state: Some(kept),
            reply: None,
        }
    }

    fn due(process: &str, _state: Kept) -> Option<Reply> {
        let lead_id = process.parse().ok()?;
        Some(Reply::PurgeLead { lead_id })
    }

    fn again(state: &Kept, now: DateTime<Utc>) -> Option<(Kept, DateTime<Utc>)> {
        let later = state.months.saturating_add(1)..=*LEAD_MONTHS.end();
        let later = later.map(|months| Kept { months, ..*state });
        later
            .filter_map(|kept| Some((kept, kept.wake_at()?)))
            .find(|(_, at)| *at > now)
    }

    fn cause(process: &str, state: &Kept) -> String {
        format!("due {process} {}", state.months)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_lead_is_looked_at_each_month_and_once_where_time_was_lost() {
        let kept = Kept {
            captured_at: at("2026-01-31T18:00:00Z"),
            months: 1,
        };
        assert_eq!(kept.wake_at(), Some(at("2026-02-28T18:00:00Z")));
        let next = WhenLeadGrowsOld::again(&kept, at("2026-02-28T18:00:00Z"));
        assert_eq!(next.map(|(_, at)| at), Some(at("2026-03-31T18:00:00Z")));
        let late = WhenLeadGrowsOld::again(&kept, at("2026-06-15T00:00:00Z"));
        assert_eq!(late.map(|(kept, _)| kept.months), Some(5));
        let last = Kept { months: 120, ..kept };
        assert_eq!(WhenLeadGrowsOld::again(&last, at("2036-02-01T00:00:00Z")), None);
    }
}
