//! What can happen to an organisation.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::access::Role;
use crate::ids::StationId;
use crate::message_settings::MessageSettings;
use crate::money::{Cents, RatePpm};
use crate::place::ZipCode;
use crate::review::{ReviewSettings, RiskAcknowledgement, RoutingMode};
use crate::tax_account::{CardFeeTax, KeptDepositTax};

/// A company joined the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganisationCreated {
    /// Name on documents.
    pub name: String,
    /// Short name at sign-in; lower-case letters, digits and hyphens.
    pub slug: String,
}

/// The company opened a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StationAdded {
    /// The branch.
    pub station_id: StationId,
    /// Where it is: places nearer to it than to another are served from it.
    pub zip: ZipCode,
}

/// The company chose how something is taxed that its accountant decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxChoiceMade {
    /// How much of a card fee was taxed until then.
    pub before: CardFeeTax,
    /// How much of a card fee is taxed from now on.
    pub card_fee: CardFeeTax,
    /// Why; 3 to 500 characters.
    pub reason: String,
    /// When.
    pub chosen_at: DateTime<Utc>,
}

/// The company chose whether what is kept of a party that was called off is a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDepositTaxChosen {
    /// How it was until then.
    pub before: KeptDepositTax,
    /// How it is for parties that are called off from now on.
    pub kept_deposit: KeptDepositTax,
    /// Why; 3 to 500 characters.
    pub reason: String,
    /// When.
    pub chosen_at: DateTime<Utc>,
}

/// The company set how much of one payment its support staff may give back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundLimitSet {
    /// How much it was, in cents.
    pub before_cents: Cents,
    /// How much it is, in cents; nothing lets them give back nothing.
    pub limit_cents: Cents,
    /// When.
    pub set_at: DateTime<Utc>,
}

/// Why a message that claimed to come from a provider was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookRefusal {
    /// No signature, or none that can be read.
    Unsigned,
    /// Signed with none of our secrets.
    Forged,
    /// Signed too long ago, or for later.
    Stale,
}

impl WebhookRefusal {
    /// The word in sentences and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Forged => "forged",
            Self::Stale => "stale",
        }
    }
}

/// A message that claimed to come from a provider was turned away. Nothing of it is kept. More of the kind
/// within the hour are one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookRefused {
    /// Which provider it claimed to come from.
    pub provider: String,
    /// Why it was turned away.
    pub why: WebhookRefusal,
    /// When.
    pub refused_at: DateTime<Utc>,
}

/// The company changed how it asks for reviews.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewSettingsChanged {
    /// How it did until then.
    pub before: ReviewSettings,
    /// How it does from now on.
    pub settings: ReviewSettings,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// The company chose whom external review sites are shown to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRoutingSet {
    /// To whom until then.
    pub before: RoutingMode,
    /// To whom from now on.
    pub mode: RoutingMode,
    /// That its risk was acknowledged, for a mode other than neutral. By whom is in the event's metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<RiskAcknowledgement>,
    /// When.
    pub set_at: DateTime<Utc>,
}

/// The company set for how long it keeps personal data of leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadWindowSet {
    /// For how many months until then.
    pub before_months: u32,
    /// For how many months from now on, those included that are there already.
    pub months: u32,
    /// When.
    pub set_at: DateTime<Utc>,
}

/// The company changed how it writes to its customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSettingsChanged {
    /// How it did until then.
    pub before: MessageSettings,
    /// How it does from now on.
    pub settings: MessageSettings,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// Whether people sign in with a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactorRule {
    /// Whoever wants to.
    #[default]
    Optional,
    /// SUPER_ADMIN, ADMIN and ACCOUNTANT must.
    Demanded,
}

impl SecondFactorRule {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Optional => "optional",
            Self::Demanded => "demanded",
        }
    }

    /// Whether somebody of the role must have one.
    pub fn demands_of(self, role: Role) -> bool {
        match self {
            Self::Optional => false,
            Self::Demanded => matches!(role, Role::SuperAdmin | Role::Admin | Role::Accountant),
        }
    }
}

/// The company said whether its people need a second factor to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactorRuleSet {
    /// What held until then.
    pub before: SecondFactorRule,
    /// What holds from now on.
    pub rule: SecondFactorRule,
    /// When.
    pub set_at: DateTime<Utc>,
}

/// The company was let into something of the product, or put out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureFlagSet {
    /// Into what: the word of a flag, which a later program may not know any more.
    pub flag: String,
    /// For how large a share of its customers until then, in millionths.
    pub before_ppm: RatePpm,
    /// For how large a share from now on, in millionths.
    pub share_ppm: RatePpm,
    /// Why.
    pub reason: String,
    /// When.
    pub set_at: DateTime<Utc>,
}
