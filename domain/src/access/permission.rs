//! What roles may or may not do, one by one.

use serde::{Deserialize, Serialize};

use crate::ids::ApiKeyId;

/// One thing that a role may or may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Permission {
    /// See bookings.
    BookingRead,
    /// Request, confirm, complete and cancel bookings.
    BookingWrite,
    /// See customers and their contacts.
    CustomerRead,
    /// Register customers.
    CustomerWrite,
    /// Erase a customer's data for good.
    CustomerErase,
    /// See any amount of money.
    MoneyRead,
    /// See payments.
    PaymentRead,
    /// Record and verify payments, charge cards, and see to the work queue.
    PaymentWrite,
    /// Give money back; support staff up to a limit that the company sets.
    PaymentRefund,
    /// Say that money that was found is not there after all, and set what others may give back.
    PaymentVoid,
    /// See price lists and their history.
    PriceRead,
    /// Change prices.
    PriceWrite,
    /// See tax lines, rates and reports.
    TaxRead,
    /// Set tax rates and places.
    TaxWrite,
    /// Close periods of tax, open them again, and choose what the accountant decides.
    TaxClose,
    /// Take tax reports and books away as files.
    TaxExport,
    /// See leads.
    LeadRead,
    /// Work on leads.
    LeadWrite,
    /// See reviews.
    ReviewRead,
    /// Ask for reviews, moderate and answer them, and grant coupons for them.
    ReviewWrite,
    /// See conversations with customers.
    ConversationRead,
    /// Write in conversations, and let the assistant answer again.
    ConversationWrite,
    /// See what a person must take over.
    EscalationRead,
    /// Call for a person, take over, and see to it.
    EscalationWrite,
    /// See messages to customers.
    MessageRead,
    /// Change the templates that messages are written by.
    TemplateWrite,
    /// See what is done by the clock.
    JobRead,
    /// Start, stop and repeat what is done by the clock.
    JobWrite,
    /// See stations.
    StationRead,
    /// Set up stations and chefs.
    StationWrite,
    /// Register chefs and let them work at stations.
    ChefWrite,
    /// See chefs, and when each of them works; a chef, the own schedule.
    ScheduleRead,
    /// Say when chefs work; a chef, the own times.
    ScheduleWrite,
    /// See the audit trail and the log's head.
    AuditRead,
    /// See the state of the read models.
    ProjectionRead,
    /// See users, their sessions and their sign-ins.
    UserRead,
    /// Create users and set their roles.
    UserWrite,
    /// Make keys for programs, for oneself, and revoke them.
    ApiKeyWrite,
    /// Let the company into something of the product, or put it out.
    FlagWrite,
}

/// A key with which a program acts for a person: it is let do less than the person, and never more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyGrant {
    /// The key.
    pub key_id: ApiKeyId,
    /// Of the permissions of the person's role those that the key is for.
    pub permissions: Vec<Permission>,
}

/// Whether the permission is left to somebody by the key that they act through, where they act through one.
pub fn left_by(through: Option<&ApiKeyGrant>, permission: Permission) -> bool {
    through.is_none_or(|key| key.permissions.contains(&permission))
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 39] = [
        Self::BookingRead,
        Self::BookingWrite,
        Self::CustomerRead,
        Self::CustomerWrite,
        Self::CustomerErase,
        Self::MoneyRead,
        Self::PaymentRead,
        Self::PaymentWrite,
        Self::PaymentRefund,
        Self::PaymentVoid,
        Self::PriceRead,
        Self::PriceWrite,
        Self::TaxRead,
        Self::TaxWrite,
        Self::TaxClose,
        Self::TaxExport,
        Self::LeadRead,
        Self::LeadWrite,
        Self::ReviewRead,
        Self::ReviewWrite,
        Self::ConversationRead,
        Self::ConversationWrite,
        Self::EscalationRead,
        Self::EscalationWrite,
        Self::MessageRead,
        Self::TemplateWrite,
        Self::JobRead,
        Self::JobWrite,
        Self::StationRead,
        Self::StationWrite,
        Self::ChefWrite,
        Self::ScheduleRead,
        Self::ScheduleWrite,
        Self::AuditRead,
        Self::ProjectionRead,
        Self::UserRead,
        Self::UserWrite,
        Self::ApiKeyWrite,
        Self::FlagWrite,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BookingRead => "booking:read",
            Self::BookingWrite => "booking:write",
            Self::CustomerRead => "customer:read",
            Self::CustomerWrite => "customer:write",
            Self::CustomerErase => "customer:erase",
            Self::MoneyRead => "money:read",
            Self::PaymentRead => "payment:read",
            Self::PaymentWrite => "payment:write",
            Self::PaymentRefund => "payment:refund",
            Self::PaymentVoid => "payment:void",
            Self::PriceRead => "price:read",
            Self::PriceWrite => "price:write",
            Self::TaxRead => "tax:read",
            Self::TaxWrite => "tax:write",
            Self::TaxClose => "tax:close",
            Self::TaxExport => "tax:export",
            Self::LeadRead => "lead:read",
            Self::LeadWrite => "lead:write",
            Self::ReviewRead => "review:read",
            Self::ReviewWrite => "review:write",
            Self::ConversationRead => "conversation:read",
            Self::ConversationWrite => "conversation:write",
            Self::EscalationRead => "escalation:read",
            Self::EscalationWrite => "escalation:write",
            Self::MessageRead => "message:read",
            Self::TemplateWrite => "template:write",
            Self::JobRead => "job:read",
            Self::JobWrite => "job:write",
            Self::StationRead => "station:read",
            Self::StationWrite => "station:write",
            Self::ChefWrite => "chef:write",
            Self::ScheduleRead => "schedule:read",
            Self::ScheduleWrite => "schedule:write",
            Self::AuditRead => "audit:read",
            Self::ProjectionRead => "projection:read",
            Self::UserRead => "user:read",
            Self::UserWrite => "user:write",
            Self::ApiKeyWrite => "api_key:write",
            Self::FlagWrite => "flag:write",
        }
    }

    /// The permission of a word on the wire.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|permission| permission.as_str() == word)
    }
}

impl From<Permission> for String {
    fn from(permission: Permission) -> Self {
        permission.as_str().to_owned()
    }
}

impl TryFrom<String> for Permission {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        Self::parse(&word).ok_or_else(|| format!("there is no permission {word}"))
    }
}
