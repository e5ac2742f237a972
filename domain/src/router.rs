//! The router: what a customer wants with a message, and whether only a person may answer it. Pure, and linear in the
//! message's length.

use serde::{Deserialize, Serialize};

use crate::escalation::Severity;

mod human;
mod intent;
mod particulars;
mod words;

pub use particulars::{Particulars, particulars};
pub use words::LONGEST_HEARD;

/// What a customer wants with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// What it costs.
    Pricing,
    /// To book, or to change a booking.
    Booking,
    /// What there is to eat.
    Menu,
    /// When there is room.
    Availability,
    /// Where the company comes to.
    Location,
    /// What somebody may not eat.
    Dietary,
    /// The terms: deposits, cancelling, what is brought along.
    Policy,
    /// Something was not right.
    Complaint,
    /// A person.
    Human,
    /// Anything else.
    Other,
}

impl Intent {
    /// Every intent.
    pub const ALL: [Self; 10] = [
        Self::Pricing,
        Self::Booking,
        Self::Menu,
        Self::Availability,
        Self::Location,
        Self::Dietary,
        Self::Policy,
        Self::Complaint,
        Self::Human,
        Self::Other,
    ];

    /// The word in events, rows and the schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pricing => "pricing",
            Self::Booking => "booking",
            Self::Menu => "menu",
            Self::Availability => "availability",
            Self::Location => "location",
            Self::Dietary => "dietary",
            Self::Policy => "policy",
            Self::Complaint => "complaint",
            Self::Human => "human",
            Self::Other => "other",
        }
    }

    /// The intent of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|intent| intent.as_str() == word)
    }
}

/// A word that only a person may answer, in its sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HumanWord {
    /// Manager.
    Manager,
    /// Supervisor.
    Supervisor,
    /// Complaint.
    Complaint,
    /// Lawsuit.
    Lawsuit,
    /// Attorney.
    Attorney,
    /// Lawyer.
    Lawyer,
    /// Sue.
    Sue,
    /// Human.
    Human,
    /// Person.
    Person,
    /// Agent.
    Agent,
    /// Representative.
    Representative,
    /// Speak to someone.
    SpeakToSomeone,
    /// Frustrated.
    Frustrated,
    /// Angry.
    Angry,
    /// Unacceptable.
    Unacceptable,
    /// Refund dispute.
    RefundDispute,
}

impl HumanWord {
    /// The word as it is listed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manager => "manager",
            Self::Supervisor => "supervisor",
            Self::Complaint => "complaint",
            Self::Lawsuit => "lawsuit",
            Self::Attorney => "attorney",
            Self::Lawyer => "lawyer",
            Self::Sue => "sue",
            Self::Human => "human",
            Self::Person => "person",
            Self::Agent => "agent",
            Self::Representative => "representative",
            Self::SpeakToSomeone => "speak to someone",
            Self::Frustrated => "frustrated",
            Self::Angry => "angry",
            Self::Unacceptable => "unacceptable",
            Self::RefundDispute => "refund dispute",
        }
    }

    /// How bad it is that it was said.
    pub fn severity(self) -> Severity {
        match self {
            Self::Lawsuit | Self::Attorney | Self::Lawyer | Self::Sue | Self::RefundDispute => {
                Severity::WORST
            }
            Self::Complaint | Self::Frustrated | Self::Angry | Self::Unacceptable => Severity::MIDDLE,
            Self::Manager
            | Self::Supervisor
            | Self::Human
            | Self::Person
            | Self::Agent
            | Self::Representative
            | Self::SpeakToSomeone => Severity::MILD,
        }
    }

    /// What the customer wants who says it.
    fn intent(self) -> Intent {
        match self {
            Self::Complaint
            | Self::Lawsuit
            | Self::Attorney
            | Self::Lawyer
            | Self::Sue
            | Self::Frustrated
            | Self::Angry
            | Self::Unacceptable
            | Self::RefundDispute => Intent::Complaint,
            Self::Manager
            | Self::Supervisor
            | Self::Human
            | Self::Person
            | Self::Agent
            | Self::Representative
            | Self::SpeakToSomeone => Intent::Human,
        }
    }
}

/// What is heard in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What the customer wants.
    pub intent: Intent,
    /// The worst word in it that only a person may answer.
    pub human_word: Option<HumanWord>,
    /// Whether the assistant may take the conversation up again with it, after a pause.
    pub is_resumable: bool,
    /// Whether the company lets only people answer in the conversation, whatever is said.
    pub is_for_people: bool,
}

impl Verdict {
    /// Whether only a person may answer: such a word was said, a person is wished for in other words, or the company wants it so.
    pub fn is_human_only(&self) -> bool {
        self.human_word.is_some() || self.intent == Intent::Human || self.is_for_people
    }

    /// The same in a conversation in which the company lets only people answer.
    #[must_use]
    pub fn for_people(self) -> Self {
        Self {
            is_resumable: false,
            is_for_people: true,
            ..self
        }
    }
}

/// Words with which the assistant may take a conversation up again after a pause.
const RESUMABLE: [&str; 36] = [
    "price",
    "cost",
    "book",
    "schedule",
    "menu",
    "date",
    "time",
    "chef",
    "location",
    "area",
    "serve",
    "available",
    "availability",
    "guest",
    "guests",
    "dietary",
    "allergy",
    "allergies",
    "vegan",
    "vegetarian",
    "halal",
    "kosher",
    "setup",
    "equipment",
    "cancel",
    "reschedule",
    "travel",
    "fee",
    "distance",
    "booking",
    "booked",
    "pricing",
    "serving",
    "rescheduling",
    "cancelling",
    "scheduling",
];

/// Hears what a message says. Words count whole, in either case and in their sense.
pub fn hear(text: &str) -> Verdict {
    let words = words::words(text);
    let human_word = human::worst(&words);
    let intent = match human_word {
        Some(word) => word.intent(),
        None => intent::of(&words),
    };
    let spoken = |place: usize| {
        let word = &words[place];
        let wasted = word.is("time") && words::before(&words, place, 2, |word| word.starts("wast"));
        RESUMABLE.iter().any(|listed| word.is(listed)) && !wasted
    };
    let is_resumable = match intent {
        Intent::Complaint | Intent::Human => false,
        Intent::Pricing
        | Intent::Booking
        | Intent::Menu
        | Intent::Availability
        | Intent::Location
        | Intent::Dietary
        | Intent::Policy
        | Intent::Other => (0..words.len()).any(spoken),
    };
    Verdict {
        intent,
        human_word,
        is_resumable,
        is_for_people: false,
    }
}

#[cfg(test)]
mod tests;
