//! How messages are worded: texts with variables in double braces, `{{customer_name}}`. A name that is none is refused when
//! a text is saved, not when it is sent.

mod built_in;
mod error;
mod saved;
mod sms;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::message::{MessageChannel, MessageKind};

pub use built_in::built_in;
pub use error::{MissingVariable, Place, TemplateError, TemplatePart};
pub use saved::{
    MessageTemplate, MessageTemplateCommand, MessageTemplateEvent, MessageTemplateRetired,
    MessageTemplateSaved, TemplateOf,
};
pub use sms::{SmsAlphabet, SmsLength};

/// What a text may leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variable {
    /// The customer's name.
    CustomerName,
    /// The day of the party, at the station.
    EventDate,
    /// When the party begins, at the station.
    EventTime,
    /// How many guests.
    GuestCount,
    /// Who cooks.
    ChefName,
    /// What the party costs.
    TotalAmount,
    /// The deposit, part of the total.
    DepositAmount,
    /// What is still to be paid.
    BalanceDue,
    /// The booking's number, as customers know it.
    BookingId,
    /// Where to pay.
    PaymentLink,
    /// Where to say how it was.
    ReviewLink,
    /// What was given back.
    RefundAmount,
}

impl Variable {
    /// Every variable.
    pub const ALL: [Self; 12] = [
        Self::CustomerName,
        Self::EventDate,
        Self::EventTime,
        Self::GuestCount,
        Self::ChefName,
        Self::TotalAmount,
        Self::DepositAmount,
        Self::BalanceDue,
        Self::BookingId,
        Self::PaymentLink,
        Self::ReviewLink,
        Self::RefundAmount,
    ];

    /// Its name between the braces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CustomerName => "customer_name",
            Self::EventDate => "event_date",
            Self::EventTime => "event_time",
            Self::GuestCount => "guest_count",
            Self::ChefName => "chef_name",
            Self::TotalAmount => "total_amount",
            Self::DepositAmount => "deposit_amount",
            Self::BalanceDue => "balance_due",
            Self::BookingId => "booking_id",
            Self::PaymentLink => "payment_link",
            Self::ReviewLink => "review_link",
            Self::RefundAmount => "refund_amount",
        }
    }

    /// The variable of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variable| variable.as_str() == name)
    }

    /// A value to show a text with.
    pub fn example(self) -> &'static str {
        match self {
            Self::CustomerName => "Sam Rivera",
            Self::EventDate => "Saturday, March 14, 2026",
            Self::EventTime => "6:00 PM",
            Self::GuestCount => "17",
            Self::ChefName => "Ken",
            Self::TotalAmount => "$1,085.00",
            Self::DepositAmount => "$100.00",
            Self::BalanceDue => "$985.00",
            Self::BookingId => "4K7QX-93ZPA",
            Self::PaymentLink => "https://example.com/pay/4K7QX-93ZPA",
            Self::ReviewLink => "https://example.com/review/0123456789abcdefghijklmnopqrstuvwxyz",
            Self::RefundAmount => "$100.00",
        }
    }

    /// A value of each.
    pub fn examples() -> BTreeMap<Self, String> {
        Self::ALL
            .into_iter()
            .map(|variable| (variable, variable.example().to_owned()))
            .collect()
    }
}

/// A text with variables, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(Variable, Place),
}

impl Wording {
    /// Reads a text, and says where it cannot be read.
    ///
    /// # Errors
    /// `UNKNOWN_VARIABLE`, `INVALID_TEMPLATE`.
    pub fn parse(text: &str, part: TemplatePart) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let begun = text.len() - after.len() - 2;
            let place = Place::of(text, begun);
            let (name, beyond) = after
                .split_once("}}")
                .ok_or(TemplateError::Unclosed { part, place })?;
            let variable =
                Variable::parse(name.trim()).ok_or_else(|| TemplateError::unknown(name, part, place))?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Variable(variable, place));
            rest = beyond;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// The variables that it leaves open, where each of them is.
    pub fn variables(&self) -> impl Iterator<Item = (Variable, Place)> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Variable(variable, place) => Some((*variable, *place)),
        })
    }

    /// The text with values in place of its variables.
    ///
    /// # Errors
    /// [`MissingVariable`] for the first that has none.
    pub fn fill(&self, values: &BTreeMap<Variable, String>) -> Result<String, MissingVariable> {
        self.0
            .iter()
            .map(|part| match part {
                Part::Text(text) => Ok(text.as_str()),
                Part::Variable(variable, _) => values
                    .get(variable)
                    .map(String::as_str)
                    .ok_or(MissingVariable(*variable)),
            })
            .collect()
    }
}

/// How a message is worded, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateWords {
    /// Its subject line; of mail alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Its words.
    pub text: String,
}

/// How a message is worded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its subject line, for channels that have one.
    pub subject: Option<Wording>,
    /// Its words.
    pub text: Wording,
}

/// A message's words, filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its subject line, on one line.
    pub subject: Option<String>,
    /// Its words.
    pub text: String,
}

/// The longest subject line, in characters.
const SUBJECT: usize = 200;
/// Of how many parts a text message is at most, with examples in place of its variables.
const SMS_PARTS: usize = 10;

/// The longest text, in characters: WhatsApp takes 4,096 with the values in it.
fn longest(channel: MessageChannel) -> usize {
    match channel {
        MessageChannel::Email => 20_000,
        MessageChannel::Sms => 2_000,
        MessageChannel::Whatsapp => 3_500,
    }
}

impl TemplateWords {
    /// Reads the words as they are: those that were checked when they were saved.
    ///
    /// # Errors
    /// `UNKNOWN_VARIABLE`, `INVALID_TEMPLATE`.
    pub fn parse(&self) -> Result<Template, TemplateError> {
        let subject = self.subject.as_ref();
        Ok(Template {
            subject: subject
                .map(|subject| Wording::parse(subject, TemplatePart::Subject))
                .transpose()?,
            text: Wording::parse(&self.text, TemplatePart::Text)?,
        })
    }

    /// Checks whether messages of a kind can be written so.
    ///
    /// # Errors
    /// [`TemplateError`] says what is wrong, and where.
    pub fn check(&self, kind: MessageKind, channel: MessageChannel) -> Result<Template, TemplateError> {
        match (channel, &self.subject) {
            (MessageChannel::Email, None) => return Err(TemplateError::NoSubject),
            (MessageChannel::Sms | MessageChannel::Whatsapp, Some(_)) => {
                return Err(TemplateError::SubjectUnused);
            }
            (MessageChannel::Email, Some(subject)) => check_typed(subject, TemplatePart::Subject, SUBJECT)?,
            (MessageChannel::Sms | MessageChannel::Whatsapp, None) => {}
        }
        check_typed(&self.text, TemplatePart::Text, longest(channel))?;
        let template = self.parse()?;
        let parts = [
            (TemplatePart::Subject, template.subject.as_ref()),
            (TemplatePart::Text, Some(&template.text)),
        ];
        for (part, wording) in parts {
            for (variable, place) in wording.into_iter().flat_map(Wording::variables) {
                if !kind.knows(variable) {
                    return Err(TemplateError::NotKnown {
                        variable,
                        part,
                        place,
                    });
                }
            }
        }
        if channel == MessageChannel::Sms {
            let example = template.text.fill(&Variable::examples());
            let parts = example.map_or(0, |text| SmsLength::of(&text).parts);
            if parts > SMS_PARTS {
                return Err(TemplateError::TooManyParts {
                    parts,
                    most: SMS_PARTS,
                });
            }
        }
        Ok(template)
    }
}

fn check_typed(text: &str, part: TemplatePart, most: usize) -> Result<(), TemplateError> {
    if text.trim().is_empty() {
        return Err(TemplateError::Empty { part });
    }
    let length = text.chars().count();
    if length > most {
        return Err(TemplateError::TooLong { part, length, most });
    }
    let line_break_fits = part == TemplatePart::Text;
    let odd = |c: char| c.is_control() && !(line_break_fits && c == '\n');
    match text.char_indices().find(|(_, c)| odd(*c)) {
        Some((at, _)) => Err(TemplateError::BadCharacter {
            part,
            place: Place::of(text, at),
        }),
        None => Ok(()),
    }
}

impl Template {
    /// A message with values in place of its variables. A subject line stays on one line, whatever a value holds.
    ///
    /// # Errors
    /// [`MissingVariable`] for the first variable that has none.
    pub fn write(&self, values: &BTreeMap<Variable, String>) -> Result<Written, MissingVariable> {
        let one_line = |line: String| line.replace(char::is_control, " ");
        let subject = self.subject.as_ref().map(|subject| subject.fill(values));
        Ok(Written {
            subject: subject.transpose()?.map(one_line),
            text: self.text.fill(values)?,
        })
    }

    /// The first variable for which there is no value, if there is one.
    pub fn missing(&self, values: &BTreeMap<Variable, String>) -> Option<Variable> {
        self.write(values).err().map(|missing| missing.0)
    }
}

#[cfg(test)]
mod tests;
