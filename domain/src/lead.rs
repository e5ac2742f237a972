//! Leads: requests that did not become bookings and are worth a call.

mod error;
mod event;

use chrono::{DateTime, Months, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::customer::DestroyedKey;
use crate::decider::Decider;
use crate::envelope::Sealed;
use crate::ids::{BookingId, StationId};

pub use error::LeadError;
pub use event::{
    Abandoned, LeadCaptured, LeadContacted, LeadFollowUpDone, LeadFollowUpSet, LeadLost, LeadPurged, LeadWon,
};

crate::events! {
    /// What can happen to a lead.
    pub enum LeadEvent {
        "A request that failed was kept for the staff to call back." Captured(LeadCaptured) = "lead.captured" v 1;
        "Somebody of the company has spoken to a lead." Contacted(LeadContacted) = "lead.contacted" v 1;
        "A lead has become a booking." Won(LeadWon) = "lead.won" v 1;
        "The company has given a lead up." Lost(LeadLost) = "lead.lost" v 1;
        "A lead is to be called at a time." FollowUpSet(LeadFollowUpSet) = "lead.follow_up_set" v 1;
        "A lead was called as it was to be." FollowUpDone(LeadFollowUpDone) = "lead.follow_up_done" v 1;
        "A lead's personal data was erased, its time being over." Purged(LeadPurged) = "lead.purged" v 1, erases;
    }
}

/// Where the work on a lead stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadStatus {
    /// Nobody has called yet.
    #[default]
    New,
    /// Somebody has spoken to them.
    Contacted,
    /// It became a booking.
    Won,
    /// It was given up.
    Lost,
}

impl LeadStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::New, Self::Contacted, Self::Won, Self::Lost];

    /// The word in rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Contacted => "contacted",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

/// When a lead is to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum FollowUp {
    /// At this time; instead of another, where there is one.
    At(DateTime<Utc>),
    /// It was called.
    Done,
}

/// How the work on a lead went on. What is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeadUpdate {
    /// Where it stands now.
    pub status: Option<LeadStatus>,
    /// What was said, sealed: with the status contacted.
    pub note: Option<Sealed>,
    /// Why it was given up: with the status lost; 3 to 500 characters.
    pub reason: Option<String>,
    /// What became of it: with the status won.
    pub booking_id: Option<BookingId>,
    /// When it is to be called.
    pub follow_up: Option<FollowUp>,
    /// The time of asking.
    pub now: DateTime<Utc>,
}

/// What can be asked of a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum LeadCommand {
    /// Keep a failed request.
    Capture(Box<LeadCaptured>),
    /// Say how the work on it went on.
    Update(LeadUpdate),
    /// Erase its personal data, its time being over.
    Purge {
        /// The lead's own key.
        destroyed: DestroyedKey,
        /// For how many months the company keeps personal data of leads.
        months: u32,
        /// The time of asking.
        now: DateTime<Utc>,
    },
}

/// The furthest that a call is put off, in days.
pub const FOLLOW_UP_WITHIN_DAYS: i64 = 366;

/// A lead as the stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    captured: Option<LeadCaptured>,
    #[serde(default)]
    status: LeadStatus,
    #[serde(default)]
    follow_up_at: Option<DateTime<Utc>>,
    #[serde(default)]
    purged: Option<LeadPurged>,
}

impl Lead {
    /// What was wanted, once it is there.
    pub fn captured(&self) -> Option<&LeadCaptured> {
        self.captured.as_ref()
    }

    /// Where the work on it stands.
    pub fn status(&self) -> LeadStatus {
        self.status
    }

    /// A lead that is there and whose personal data is.
    ///
    /// # Errors
    /// [`LeadError::NotFound`], [`LeadError::Purged`].
    pub fn known(&self) -> Result<&LeadCaptured, LeadError> {
        let captured = self.captured.as_ref().ok_or(LeadError::NotFound)?;
        if self.purged.is_some() {
            return Err(LeadError::Purged);
        }
        Ok(captured)
    }

    fn update(&self, update: LeadUpdate) -> Result<Vec<LeadEvent>, LeadError> {
        let captured = self.known()?;
        let LeadUpdate {
            status,
            note,
            reason,
            booking_id,
            follow_up,
            now,
        } = update;
        if note.is_some() && status != Some(LeadStatus::Contacted) {
            return Err(LeadError::NoteOfNoCall);
        }
        if booking_id.is_some() && status != Some(LeadStatus::Won) {
            return Err(LeadError::BookingOfNoWin);
        }
        if reason.is_some() && status != Some(LeadStatus::Lost) {
            return Err(LeadError::ReasonOfNoLoss);
        }
        let (station_id, before) = (captured.station_id, self.status);
        let stands = match status {
            None => None,
            Some(LeadStatus::New) => return Err(LeadError::NewAgain),
            Some(LeadStatus::Contacted) => {
                self.still_worked_on()?;
                Some(LeadEvent::Contacted(LeadContacted {
                    station_id,
                    before,
                    note,
                    contacted_at: now,
                }))
            }
            Some(LeadStatus::Won) => Some(self.win(station_id, booking_id, now)?),
            Some(LeadStatus::Lost) => {
                self.still_worked_on()?;
                let reason = reason.as_deref().map(str::trim).unwrap_or_default();
                if !(3..=500).contains(&reason.chars().count()) {
                    return Err(LeadError::BadReason);
                }
                Some(LeadEvent::Lost(LeadLost {
                    station_id,
                    before,
                    reason: reason.to_owned(),
                    lost_at: now,
                }))
            }
        };
        let goes_on = !matches!(stands, Some(LeadEvent::Won(_) | LeadEvent::Lost(_)));
        let follow_up = follow_up
            .map(|follow_up| self.follow_up(station_id, follow_up, goes_on, now))
            .transpose()?;
        let events: Vec<LeadEvent> = stands.into_iter().chain(follow_up).collect();
        if events.is_empty() {
            return Err(LeadError::Unchanged);
        }
        Ok(events)
    }

    /// Whoever was given up may still book.
    fn win(
        &self,
        station_id: StationId,
        booking_id: Option<BookingId>,
        now: DateTime<Utc>,
    ) -> Result<LeadEvent, LeadError> {
        if self.status == LeadStatus::Won {
            return Err(LeadError::Over(self.status));
        }
        Ok(LeadEvent::Won(LeadWon {
            station_id,
            before: self.status,
            booking_id,
            won_at: now,
        }))
    }

    fn still_worked_on(&self) -> Result<(), LeadError> {
        match self.status {
            LeadStatus::New | LeadStatus::Contacted => Ok(()),
            LeadStatus::Won | LeadStatus::Lost => Err(LeadError::Over(self.status)),
        }
    }

    fn follow_up(
        &self,
        station_id: StationId,
        follow_up: FollowUp,
        goes_on: bool,
        now: DateTime<Utc>,
    ) -> Result<LeadEvent, LeadError> {
        match follow_up {
            FollowUp::At(due_at) => {
                self.still_worked_on()?;
                if !goes_on {
                    return Err(LeadError::FollowUpOfNone);
                }
                if due_at <= now || due_at > now + TimeDelta::days(FOLLOW_UP_WITHIN_DAYS) {
                    return Err(LeadError::BadDueAt);
                }
                if self.follow_up_at == Some(due_at) {
                    return Err(LeadError::Unchanged);
                }
                Ok(LeadEvent::FollowUpSet(LeadFollowUpSet {
                    station_id,
                    before: self.follow_up_at,
                    due_at,
                    set_at: now,
                }))
            }
            FollowUp::Done => Ok(LeadEvent::FollowUpDone(LeadFollowUpDone {
                station_id,
                due_at: self.follow_up_at.ok_or(LeadError::NoFollowUp)?,
                done_at: now,
            })),
        }
    }

    fn purge(&self, key: DestroyedKey, months: u32, now: DateTime<Utc>) -> Result<LeadEvent, LeadError> {
        let captured = self.known()?;
        if captured.subject() != key.subject {
            return Err(LeadError::OfCustomer);
        }
        let over = captured.captured_at.checked_add_months(Months::new(months));
        match over {
            Some(over) if over <= now => Ok(LeadEvent::Purged(LeadPurged {
                station_id: captured.station_id,
                destroyed: vec![key],
                captured_at: captured.captured_at,
                months,
                purged_at: now,
            })),
            Some(_) | None => Err(LeadError::StillKept),
        }
    }
}

impl Decider for Lead {
    const STREAM: &'static str = "lead";
    type Command = LeadCommand;
    type Event = LeadEvent;
    type Error = LeadError;

    fn decide(&self, command: LeadCommand) -> Result<Vec<LeadEvent>, LeadError> {
        match command {
            LeadCommand::Capture(captured) => match self.captured {
                Some(_) => Err(LeadError::Exists),
                None => Ok(vec![LeadEvent::Captured(*captured)]),
            },
            LeadCommand::Update(update) => self.update(update),
            LeadCommand::Purge {
                destroyed,
                months,
                now,
            } => Ok(vec![self.purge(destroyed, months, now)?]),
        }
    }

    fn evolve(&mut self, event: &LeadEvent) {
        match event {
            LeadEvent::Captured(captured) => self.captured = Some(captured.clone()),
            LeadEvent::Contacted(_) => self.status = LeadStatus::Contacted,
            LeadEvent::Won(_) => {
                self.status = LeadStatus::Won;
                self.follow_up_at = None;
            }
            LeadEvent::Lost(_) => {
                self.status = LeadStatus::Lost;
                self.follow_up_at = None;
            }
            LeadEvent::FollowUpSet(set) => self.follow_up_at = Some(set.due_at),
            LeadEvent::FollowUpDone(_) => self.follow_up_at = None,
            LeadEvent::Purged(purged) => {
                self.purged = Some(purged.clone());
                self.follow_up_at = None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
