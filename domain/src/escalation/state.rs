//! How an escalation decides.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    EndedBy, EscalationAssigned, EscalationAssistantResumed, EscalationEvent, EscalationJoined,
    EscalationOpened, EscalationResolved, EscalationSurveyed, ResumedBy,
};
use crate::decider::{Decider, Refusal};
use crate::ids::UserId;

/// Where an escalation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EscalationStatus {
    /// It waits for a person.
    Open,
    /// Somebody is to see to it.
    Assigned,
    /// Somebody has taken it over.
    Joined,
    /// It was seen to.
    Resolved,
}

impl EscalationStatus {
    /// The word in rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Assigned => "assigned",
            Self::Joined => "joined",
            Self::Resolved => "resolved",
        }
    }
}

/// What can be asked of an escalation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum EscalationCommand {
    /// Call a person.
    Open(EscalationOpened),
    /// Say who is to see to it.
    Assign {
        /// Who.
        assignee: UserId,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Take it over.
    Join {
        /// Who does.
        by: UserId,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Say that it was seen to.
    Resolve {
        /// What was done; 3 to 500 characters.
        note: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// End it, since nobody has to see to it any more.
    End {
        /// By what.
        by: EndedBy,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Let the assistant answer again.
    ResumeAssistant {
        /// By what.
        by: ResumedBy,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Keep what the customer says of it.
    Survey {
        /// From 1, badly, to 5, very well.
        score: u8,
        /// The time of asking.
        now: DateTime<Utc>,
    },
}

/// Why an escalation refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EscalationError {
    /// It is there already.
    #[error("the escalation is open already")]
    Exists,
    /// There is no such escalation.
    #[error("there is no such escalation")]
    NotFound,
    /// It was seen to already.
    #[error("the escalation is resolved already")]
    Resolved,
    /// Nobody has seen to it yet.
    #[error("the escalation is not resolved yet")]
    NotResolved,
    /// It is about no conversation that the assistant could answer in.
    #[error("the escalation is about no conversation")]
    NoConversation,
    /// Somebody has taken it over: only a person may hand it back.
    #[error("somebody has taken the escalation over")]
    HumanJoined,
    /// The same person has it already.
    #[error("this person has the escalation already")]
    SamePerson,
    /// Only a person of the company can take it over.
    #[error("only a person of the company can take an escalation over")]
    NotAPerson,
    /// There is no such person.
    #[error("there is no such person")]
    UnknownPerson,
    /// The person may not see to escalations, or not of this station.
    #[error("this person may not see to this escalation")]
    MayNot,
    /// There is no such thing for it to be about.
    #[error("there is no such {0}")]
    UnknownSubject(&'static str),
    /// Asked already.
    #[error("the customer was asked already")]
    Surveyed,
    /// Too short or too long.
    #[error("a reason has 3 to 500 characters")]
    BadReason,
    /// Too short or too long.
    #[error("a note has 3 to 500 characters")]
    BadNote,
    /// Out of range.
    #[error("a severity is 1, 2 or 3")]
    BadSeverity,
    /// Out of range.
    #[error("a score is from 1 to 5")]
    BadScore,
}

impl Refusal for EscalationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound | Self::UnknownPerson | Self::UnknownSubject(_) => "NOT_FOUND",
            Self::Resolved | Self::NotResolved | Self::NoConversation => "WRONG_STATE",
            Self::HumanJoined => "HUMAN_JOINED",
            Self::SamePerson => "ALREADY_ASSIGNED",
            Self::NotAPerson => "NOT_A_PERSON",
            Self::MayNot => "MAY_NOT_ASSIGN",
            Self::Surveyed => "ALREADY_SURVEYED",
            Self::BadReason => "INVALID_REASON",
            Self::BadNote => "INVALID_NOTE",
            Self::BadSeverity => "INVALID_SEVERITY",
            Self::BadScore => "INVALID_SCORE",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists
            | Self::Resolved
            | Self::NotResolved
            | Self::NoConversation
            | Self::HumanJoined
            | Self::NotAPerson
            | Self::Surveyed => &[],
            Self::NotFound => &["escalationId"],
            Self::SamePerson | Self::UnknownPerson | Self::MayNot => &["assigneeId"],
            Self::UnknownSubject("conversation") => &["conversationId"],
            Self::UnknownSubject(_) => &["bookingId"],
            Self::BadReason => &["reason"],
            Self::BadNote => &["note"],
            Self::BadSeverity => &["severity"],
            Self::BadScore => &["score"],
        }
    }
}

/// An escalation as the stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    opened: Option<EscalationOpened>,
    status: Option<EscalationStatus>,
    assignee: Option<UserId>,
    surveyed: bool,
}

fn has_length(text: &str) -> bool {
    (3..=500).contains(&text.trim().chars().count())
}

impl Escalation {
    /// What it is about, once it is there.
    pub fn opened(&self) -> Option<&EscalationOpened> {
        self.opened.as_ref()
    }

    /// Where it stands, once it is there.
    pub fn status(&self) -> Option<EscalationStatus> {
        self.status
    }

    fn known(&self) -> Result<(&EscalationOpened, EscalationStatus), EscalationError> {
        self.opened
            .as_ref()
            .zip(self.status)
            .ok_or(EscalationError::NotFound)
    }

    fn unresolved(&self) -> Result<(&EscalationOpened, EscalationStatus), EscalationError> {
        match self.known()? {
            (_, EscalationStatus::Resolved) => Err(EscalationError::Resolved),
            known => Ok(known),
        }
    }

    fn open(&self, opened: EscalationOpened) -> Result<EscalationEvent, EscalationError> {
        if self.opened.is_some() {
            return Err(EscalationError::Exists);
        }
        if !has_length(&opened.reason) {
            return Err(EscalationError::BadReason);
        }
        Ok(EscalationEvent::Opened(opened))
    }

    fn assign(&self, assignee: UserId, now: DateTime<Utc>) -> Result<EscalationEvent, EscalationError> {
        let (opened, _) = self.unresolved()?;
        if self.assignee == Some(assignee) {
            return Err(EscalationError::SamePerson);
        }
        Ok(EscalationEvent::Assigned(EscalationAssigned {
            assignee,
            before: self.assignee,
            station_id: opened.station_id,
            assigned_at: now,
        }))
    }

    fn join(&self, by: UserId, now: DateTime<Utc>) -> Result<EscalationEvent, EscalationError> {
        let (opened, was) = self.unresolved()?;
        if was == EscalationStatus::Joined {
            return Err(EscalationError::HumanJoined);
        }
        Ok(EscalationEvent::Joined(EscalationJoined {
            by,
            was,
            station_id: opened.station_id,
            joined_at: now,
        }))
    }

    fn resolve(&self, note: &str, now: DateTime<Utc>) -> Result<EscalationEvent, EscalationError> {
        let (opened, was) = self.unresolved()?;
        if !has_length(note) {
            return Err(EscalationError::BadNote);
        }
        Ok(EscalationEvent::Resolved(EscalationResolved {
            note: note.trim().to_owned(),
            was,
            ended_by: None,
            minutes_open: (now - opened.opened_at).num_minutes().max(0),
            station_id: opened.station_id,
            resolved_at: now,
        }))
    }

    fn end(&self, by: EndedBy, now: DateTime<Utc>) -> Result<EscalationEvent, EscalationError> {
        let (opened, was) = self.unresolved()?;
        // Whoever has taken it over says when it is over.
        if was == EscalationStatus::Joined {
            return Err(EscalationError::HumanJoined);
        }
        Ok(EscalationEvent::Resolved(EscalationResolved {
            note: by.as_str().to_owned(),
            was,
            ended_by: Some(by),
            minutes_open: (now - opened.opened_at).num_minutes().max(0),
            station_id: opened.station_id,
            resolved_at: now,
        }))
    }

    fn resume(&self, by: ResumedBy, now: DateTime<Utc>) -> Result<EscalationEvent, EscalationError> {
        let (opened, was) = self.unresolved()?;
        if opened.subject.conversation_id.is_none() {
            return Err(EscalationError::NoConversation);
        }
        if was == EscalationStatus::Joined && by == ResumedBy::Auto {
            return Err(EscalationError::HumanJoined);
        }
        let status = match was {
            EscalationStatus::Joined => EscalationStatus::Assigned,
            EscalationStatus::Open | EscalationStatus::Assigned | EscalationStatus::Resolved => was,
        };
        Ok(EscalationEvent::AssistantResumed(EscalationAssistantResumed {
            by,
            was,
            status,
            station_id: opened.station_id,
            resumed_at: now,
        }))
    }

    fn survey(&self, score: u8, now: DateTime<Utc>) -> Result<EscalationEvent, EscalationError> {
        let (opened, status) = self.known()?;
        if status != EscalationStatus::Resolved {
            return Err(EscalationError::NotResolved);
        }
        if self.surveyed {
            return Err(EscalationError::Surveyed);
        }
        if !(1..=5).contains(&score) {
            return Err(EscalationError::BadScore);
        }
        Ok(EscalationEvent::Surveyed(EscalationSurveyed {
            score,
            station_id: opened.station_id,
            surveyed_at: now,
        }))
    }
}

impl Decider for Escalation {
    const STREAM: &'static str = "escalation";
    type Command = EscalationCommand;
    type Event = EscalationEvent;
    type Error = EscalationError;

    fn decide(&self, command: EscalationCommand) -> Result<Vec<EscalationEvent>, EscalationError> {
        Ok(vec![match command {
            EscalationCommand::Open(opened) => self.open(opened)?,
            EscalationCommand::Assign { assignee, now } => self.assign(assignee, now)?,
            EscalationCommand::Join { by, now } => self.join(by, now)?,
            EscalationCommand::Resolve { note, now } => self.resolve(&note, now)?,
            EscalationCommand::End { by, now } => self.end(by, now)?,
            EscalationCommand::ResumeAssistant { by, now } => self.resume(by, now)?,
            EscalationCommand::Survey { score, now } => self.survey(score, now)?,
        }])
    }

    fn evolve(&mut self, event: &EscalationEvent) {
        match event {
            EscalationEvent::Opened(opened) => {
                self.opened = Some(opened.clone());
                self.status = Some(EscalationStatus::Open);
            }
            EscalationEvent::Assigned(assigned) => {
                self.assignee = Some(assigned.assignee);
                if self.status == Some(EscalationStatus::Open) {
                    self.status = Some(EscalationStatus::Assigned);
                }
            }
            EscalationEvent::Joined(joined) => {
                self.assignee = Some(joined.by);
                self.status = Some(EscalationStatus::Joined);
            }
            EscalationEvent::Resolved(_) => self.status = Some(EscalationStatus::Resolved),
            EscalationEvent::AssistantResumed(resumed) => self.status = Some(resumed.status),
            EscalationEvent::Surveyed(_) => self.surveyed = true,
        }
    }
}
