//! Leads: requests that did not become bookings and are worth a call.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::customer::Contact;
use crate::decider::{Decider, Refusal};
use crate::guests::Guests;
use crate::ids::StationId;
use crate::place::ZipCode;

crate::events! {
    /// What can happen to a lead.
    pub enum LeadEvent {
        "A request that failed was kept for the staff to call back." Captured(LeadCaptured) = "lead.captured" v 1;
    }
}

/// A request that failed was kept for the staff to call back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadCaptured {
    /// Sealed contact.
    pub contact: Contact,
    /// Station that was asked.
    pub station_id: StationId,
    /// Where the event would have been.
    pub zip: ZipCode,
    /// Local start that was wanted.
    pub wanted_start: NaiveDateTime,
    /// The party.
    pub guests: Guests,
    /// Code of the refusal: `SLOT_UNAVAILABLE`.
    pub failure: String,
    /// Where the customer came from.
    pub source: Option<String>,
    /// When it was asked.
    pub captured_at: DateTime<Utc>,
}

/// What can be asked of a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum LeadCommand {
    /// Keep a failed request.
    Capture(LeadCaptured),
}

/// Why a lead refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeadError {
    /// It is there already.
    #[error("the lead exists already")]
    Exists,
}

impl Refusal for LeadError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
        }
    }
}

/// A lead as the stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    captured: Option<LeadCaptured>,
}

impl Decider for Lead {
    const STREAM: &'static str = "lead";
    type Command = LeadCommand;
    type Event = LeadEvent;
    type Error = LeadError;

    fn decide(&self, command: LeadCommand) -> Result<Vec<LeadEvent>, LeadError> {
        let LeadCommand::Capture(captured) = command;
        if self.captured.is_some() {
            return Err(LeadError::Exists);
        }
        Ok(vec![LeadEvent::Captured(captured)])
    }

    fn evolve(&mut self, event: &LeadEvent) {
        let LeadEvent::Captured(captured) = event;
        self.captured = Some(captured.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Sealed;
    use crate::ids::SubjectId;

    #[test]
    fn a_lead_is_captured_once() {
        let name = Sealed {
            subject: SubjectId(uuid::Uuid::nil()),
            sealed: String::new(),
        };
        let capture = LeadCommand::Capture(LeadCaptured {
            contact: Contact {
                name,
                email: None,
                phone: None,
            },
            station_id: StationId(uuid::Uuid::nil()),
            zip: "95112".parse().unwrap(),
            wanted_start: "2026-12-05T18:00:00".parse().unwrap(),
            guests: Guests {
                adults: 12,
                children: 4,
                under6: 0,
            },
            failure: "SLOT_UNAVAILABLE".to_owned(),
            source: None,
            captured_at: "2026-11-21T00:00:00Z".parse().unwrap(),
        });
        let mut lead = Lead::default();
        lead.evolve(&lead.decide(capture.clone()).unwrap()[0]);
        assert_eq!(lead.decide(capture), Err(LeadError::Exists));
    }
}
