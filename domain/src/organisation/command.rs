//! What can be asked of an organisation.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::event::{OrganisationCreated, SecondFactorRule, StationAdded, WebhookRefused};
use crate::feature_flag::FeatureFlag;
use crate::message_settings::MessageSettings;
use crate::money::{Cents, RatePpm};
use crate::review::{ReviewSettings, RoutingMode};
use crate::tax_account::{CardFeeTax, KeptDepositTax};

/// What can be asked of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum OrganisationCommand {
    /// Join the platform.
    Create(OrganisationCreated),
    /// Open a branch.
    AddStation(StationAdded),
    /// Choose how much of a card fee is taxed.
    ChooseCardFeeTax {
        /// How much.
        card_fee: CardFeeTax,
        /// Why; 3 to 500 characters.
        reason: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Choose whether what is kept of a party that was called off is a sale.
    ChooseKeptDepositTax {
        /// Whether it is.
        kept_deposit: KeptDepositTax,
        /// Why; 3 to 500 characters.
        reason: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Set how much of one payment support staff may give back.
    SetRefundLimit {
        /// How much, in cents.
        limit_cents: Cents,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Note that a provider's message was turned away.
    NoteRefusedWebhook(WebhookRefused),
    /// Change how it asks for reviews.
    ChangeReviewSettings {
        /// How it asks from now on.
        settings: ReviewSettings,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Choose whom external review sites are shown to.
    RouteReviews {
        /// To whom.
        mode: RoutingMode,
        /// Version of the risk text that is acknowledged.
        risk_version: Option<String>,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Change how it writes to its customers.
    ChangeMessageSettings {
        /// How it does from now on.
        settings: MessageSettings,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Set for how long personal data of leads is kept.
    SetLeadWindow {
        /// For how many months.
        months: u32,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Say whether people need a second factor to sign in.
    SetSecondFactorRule {
        /// Whether they do.
        rule: SecondFactorRule,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Say for how large a share of the company's customers something of the product is in.
    SetFeatureFlag {
        /// What.
        flag: FeatureFlag,
        /// For how large a share, in millionths.
        share: RatePpm,
        /// Why; 3 to 500 characters.
        reason: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
}
