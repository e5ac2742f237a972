//! The work queue: what a person of the company should look at. Nothing that happens to money is dropped.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decider::{Decider, Refusal};
use crate::envelope::Claim;
use crate::ids::{BookingId, PaymentId, StationId, WorkItemId};
use crate::money::Cents;
use crate::payment::{PaymentMethod, STRIPE_EVENT};

crate::events! {
    /// What can happen to an item of the work queue.
    pub enum WorkItemEvent {
        "Something needs a person's eye." Opened(WorkItemOpened) = "work_item.opened" v 1, claims;
        "A person has seen to it." Resolved(WorkItemResolved) = "work_item.resolved" v 1;
        "It has become right by itself." Settled(WorkItemSettled) = "work_item.settled" v 1;
    }
}

/// What sort of thing needs a person's eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    /// More has come for a booking than it costs.
    Overpayment,
    /// Less has come for a party that was held than it costs, or a bank has taken back what had come.
    Underpayment,
    /// Money has come for a booking that was called off or given up.
    PaymentForClosedBooking,
    /// A customer's bank wants money back.
    Dispute,
    /// Money that was to be given back was not.
    RefundFailed,
    /// Money that is to be given back is not back for long.
    RefundPending,
    /// Money was given back at the payment provider, and nobody here has said why.
    RefundAtProvider,
    /// A booking was called off, and its terms propose to give money back: a person confirms it.
    RefundProposed,
    /// A card was charged with another amount than was asked for.
    ChargeDiffers,
    /// There is no tax rate for a booking's place and day.
    TaxUnresolved,
    /// A bank's notification of money that has come, until a payment is verified with it.
    BankMail,
    /// The payment provider speaks of what nobody here knows.
    UnknownWebhook,
}

impl WorkKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Overpayment,
        Self::Underpayment,
        Self::PaymentForClosedBooking,
        Self::Dispute,
        Self::RefundFailed,
        Self::RefundPending,
        Self::RefundAtProvider,
        Self::RefundProposed,
        Self::ChargeDiffers,
        Self::TaxUnresolved,
        Self::BankMail,
        Self::UnknownWebhook,
    ];

    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Overpayment => "overpayment",
            Self::Underpayment => "underpayment",
            Self::PaymentForClosedBooking => "payment_for_closed_booking",
            Self::Dispute => "dispute",
            Self::RefundFailed => "refund_failed",
            Self::RefundPending => "refund_pending",
            Self::RefundAtProvider => "refund_at_provider",
            Self::RefundProposed => "refund_proposed",
            Self::ChargeDiffers => "charge_differs",
            Self::TaxUnresolved => "tax_unresolved",
            Self::BankMail => "bank_mail",
            Self::UnknownWebhook => "unknown_webhook",
        }
    }

    /// The item of this kind about a subject: always the same one, so that it is opened once.
    pub fn item(self, subject: &str) -> WorkItemId {
        const ITEMS: Uuid = Uuid::from_u128(0x52d4_6c1f_8a07_4b6e_9d31_70c5_4e88_1a02);
        WorkItemId(Uuid::new_v5(
            &ITEMS,
            format!("{}\n{subject}", self.as_str()).as_bytes(),
        ))
    }
}

/// What a bank's notification says. Names are kept as keyed hashes only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankMail {
    /// How the money moved.
    pub method: PaymentMethod,
    /// How much came, in cents.
    pub amount_cents: Cents,
    /// What the bank calls it.
    pub reference: Option<String>,
    /// Keyed hash of the sender's name.
    pub sender_key: Option<String>,
    /// When the notification was sent.
    pub sent_at: Option<DateTime<Utc>>,
    /// Open claims that it may be about, the likeliest first.
    pub proposals: Vec<PaymentId>,
}

/// Something needs a person's eye.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkItemOpened {
    /// What sort of thing.
    pub kind: WorkKind,
    /// The station that it is about; none where it concerns the whole company.
    pub station_id: Option<StationId>,
    /// The booking that it is about.
    pub booking_id: Option<BookingId>,
    /// That booking's number.
    pub booking_number: Option<String>,
    /// The payment that it is about.
    pub payment_id: Option<PaymentId>,
    /// How much money it is about, in cents.
    pub amount_cents: Option<Cents>,
    /// What is wrong, in a sentence without personal data.
    pub detail: String,
    /// What a bank's notification says.
    pub mail: Option<BankMail>,
    /// The payment provider's event that is parked with it.
    pub provider_event: Option<String>,
    /// When.
    pub opened_at: DateTime<Utc>,
}

impl WorkItemOpened {
    fn claims(&self) -> Vec<Claim> {
        let heard = self.provider_event.as_ref().map(|event| Claim::TakeUnique {
            scope: STRIPE_EVENT.into(),
            key: event.clone(),
        });
        heard.into_iter().collect()
    }
}

/// A person has seen to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkItemResolved {
    /// The station that it is about; none where it concerns the whole company.
    pub station_id: Option<StationId>,
    /// What was done.
    pub note: String,
    /// When.
    pub resolved_at: DateTime<Utc>,
}

/// It has become right by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkItemSettled {
    /// The station that it is about; none where it concerns the whole company.
    pub station_id: Option<StationId>,
    /// How, in a sentence.
    pub because: String,
    /// When.
    pub settled_at: DateTime<Utc>,
}

/// What can be asked of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum WorkItemCommand {
    /// Show it to people.
    Open(WorkItemOpened),
    /// Say that it was seen to.
    Resolve {
        /// What was done; 3 to 500 characters.
        note: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Say that it has become right.
    Settle {
        /// How.
        because: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
}

/// Why an item refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkItemError {
    /// It is there already.
    #[error("the item is in the work queue already")]
    Exists,
    /// There is no such item.
    #[error("there is no such item in the work queue")]
    NotFound,
    /// Seen to already.
    #[error("the item is {0} already")]
    Closed(&'static str),
    /// Too short or too long.
    #[error("a note has 3 to 500 characters")]
    BadNote,
}

impl Refusal for WorkItemError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound => "NOT_FOUND",
            Self::Closed(_) => "WRONG_STATE",
            Self::BadNote => "INVALID_NOTE",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists | Self::Closed(_) => &[],
            Self::NotFound => &["workItemId"],
            Self::BadNote => &["note"],
        }
    }
}

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkStatus {
    /// It waits for a person.
    Open,
    /// A person has seen to it.
    Resolved,
    /// It has become right by itself.
    Settled,
}

impl WorkStatus {
    /// The word in rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Settled => "settled",
        }
    }
}

/// An item of the work queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkItem {
    opened: Option<WorkItemOpened>,
    status: Option<WorkStatus>,
}

impl WorkItem {
    /// What it is about, once it is there.
    pub fn opened(&self) -> Option<&WorkItemOpened> {
        self.opened.as_ref()
    }

    /// Where it stands, once it is there.
    pub fn status(&self) -> Option<WorkStatus> {
        self.status
    }

    fn waiting(&self) -> Result<&WorkItemOpened, WorkItemError> {
        let (opened, status) = self
            .opened
            .as_ref()
            .zip(self.status)
            .ok_or(WorkItemError::NotFound)?;
        match status {
            WorkStatus::Open => Ok(opened),
            WorkStatus::Resolved | WorkStatus::Settled => Err(WorkItemError::Closed(status.as_str())),
        }
    }
}

impl Decider for WorkItem {
    const STREAM: &'static str = "work_item";
    type Command = WorkItemCommand;
    type Event = WorkItemEvent;
    type Error = WorkItemError;

    fn decide(&self, command: WorkItemCommand) -> Result<Vec<WorkItemEvent>, WorkItemError> {
        let event = match command {
            WorkItemCommand::Open(opened) => match self.opened {
                Some(_) => return Err(WorkItemError::Exists),
                None => WorkItemEvent::Opened(opened),
            },
            WorkItemCommand::Resolve { note, now } => {
                let station_id = self.waiting()?.station_id;
                if !(3..=500).contains(&note.trim().chars().count()) {
                    return Err(WorkItemError::BadNote);
                }
                WorkItemEvent::Resolved(WorkItemResolved {
                    station_id,
                    note,
                    resolved_at: now,
                })
            }
            WorkItemCommand::Settle { because, now } => WorkItemEvent::Settled(WorkItemSettled {
                station_id: self.waiting()?.station_id,
                because,
                settled_at: now,
            }),
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &WorkItemEvent) {
        match event {
            WorkItemEvent::Opened(opened) => {
                self.opened = Some(opened.clone());
                self.status = Some(WorkStatus::Open);
            }
            WorkItemEvent::Resolved(_) => self.status = Some(WorkStatus::Resolved),
            WorkItemEvent::Settled(_) => self.status = Some(WorkStatus::Settled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> WorkItemCommand {
        WorkItemCommand::Open(WorkItemOpened {
            kind: WorkKind::Dispute,
            station_id: None,
            booking_id: None,
            booking_number: None,
            payment_id: None,
            amount_cents: Some(Cents(100)),
            detail: "a bank wants money back".to_owned(),
            mail: None,
            provider_event: Some("evt_1".to_owned()),
            opened_at: "2026-11-21T00:00:00Z".parse().unwrap(),
        })
    }

    fn resolve(note: &str) -> WorkItemCommand {
        WorkItemCommand::Resolve {
            note: note.to_owned(),
            now: "2026-11-22T00:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn an_item_is_opened_once_and_seen_to_once() {
        let mut item = WorkItem::default();
        assert_eq!(
            item.decide(resolve("called the bank")),
            Err(WorkItemError::NotFound)
        );
        let opened = item.decide(open()).unwrap().remove(0);
        item.evolve(&opened);
        assert_eq!(item.decide(open()), Err(WorkItemError::Exists));
        assert_eq!(item.decide(resolve("ok")), Err(WorkItemError::BadNote));
        let resolved = item.decide(resolve("called the bank")).unwrap().remove(0);
        item.evolve(&resolved);
        assert_eq!(item.status(), Some(WorkStatus::Resolved));
        let settle = WorkItemCommand::Settle {
            because: "it was won".to_owned(),
            now: "2026-11-22T00:00:00Z".parse().unwrap(),
        };
        assert_eq!(item.decide(settle), Err(WorkItemError::Closed("resolved")));
    }

    #[test]
    fn the_same_subject_is_the_same_item_and_another_kind_another() {
        assert_eq!(WorkKind::Dispute.item("dp_1"), WorkKind::Dispute.item("dp_1"));
        assert_ne!(
            WorkKind::Dispute.item("dp_1"),
            WorkKind::RefundFailed.item("dp_1")
        );
    }
}
