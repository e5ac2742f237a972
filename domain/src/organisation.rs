//! The company itself.

mod command;
mod error;
mod event;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::decider::Decider;
use crate::feature_flag::{FeatureFlag, USUAL_SHARE};
use crate::message_settings::{MessageSettings, MessageSettingsError};
use crate::money::{Cents, RatePpm};
use crate::review::ReviewPractice;
use crate::tax_account::{CardFeeTax, KeptDepositTax};

pub use command::OrganisationCommand;
pub use error::OrganisationError;
pub use event::{
    FeatureFlagSet, KeptDepositTaxChosen, LeadWindowSet, MessageSettingsChanged, OrganisationCreated,
    RefundLimitSet, ReviewRoutingSet, ReviewSettingsChanged, SecondFactorRule, SecondFactorRuleSet,
    StationAdded, TaxChoiceMade, WebhookRefusal, WebhookRefused,
};

crate::events! {
    /// What can happen to an organisation.
    pub enum OrganisationEvent {
        "A company joined the platform." Created(OrganisationCreated) = "organisation.created" v 1;
        "The company opened a branch." StationAdded(StationAdded) = "organisation.station_added" v 1;
        "The company chose how something is taxed that its accountant decides." TaxChoiceMade(TaxChoiceMade) = "organisation.tax_choice_made" v 1;
        "The company chose whether what is kept of a party that was called off is a sale." KeptDepositTaxChosen(KeptDepositTaxChosen) = "organisation.kept_deposit_tax_chosen" v 1;
        "The company set how much of one payment its support staff may give back." RefundLimitSet(RefundLimitSet) = "organisation.refund_limit_set" v 1;
        "A message that claimed to come from a provider was turned away." WebhookRefused(WebhookRefused) = "organisation.webhook_refused" v 1;
        "The company changed how it asks for reviews." ReviewSettingsChanged(ReviewSettingsChanged) = "organisation.review_settings_changed" v 1;
        "The company chose whom external review sites are shown to." ReviewRoutingSet(ReviewRoutingSet) = "organisation.review_routing_set" v 1;
        "The company set for how long it keeps personal data of leads." LeadWindowSet(LeadWindowSet) = "organisation.lead_window_set" v 1;
        "The company changed how it writes to its customers." MessageSettingsChanged(MessageSettingsChanged) = "organisation.message_settings_changed" v 1;
        "The company said whether its people need a second factor to sign in." SecondFactorRuleSet(SecondFactorRuleSet) = "organisation.second_factor_rule_set" v 1;
        "The company was let into something of the product, or put out of it." FeatureFlagSet(FeatureFlagSet) = "organisation.feature_flag_set" v 1;
    }
}

/// What support staff may give back of one payment where the company has not set it otherwise: 100.00.
pub const USUAL_REFUND_LIMIT: Cents = Cents(10_000);

/// For how many months a company keeps personal data of leads that it has not set otherwise.
pub const USUAL_LEAD_MONTHS: u32 = 12;

/// For how many months a company may keep personal data of leads, both inclusive.
pub const LEAD_MONTHS: std::ops::RangeInclusive<u32> = 1..=120;

/// A company.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    created: Option<OrganisationCreated>,
    stations: Vec<StationAdded>,
    card_fee: CardFeeTax,
    #[serde(default)]
    kept_deposit: KeptDepositTax,
    refund_limit: Option<Cents>,
    #[serde(default)]
    reviews: ReviewPractice,
    #[serde(default)]
    lead_months: Option<u32>,
    #[serde(default)]
    messages: MessageSettings,
    #[serde(default)]
    second_factor: SecondFactorRule,
    /// By the flag's word: one that this program does not know any more is kept, and counts for nothing.
    #[serde(default)]
    flags: BTreeMap<String, FlagState>,
}

/// How far a company is let in, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagState {
    /// For how large a share of its customers, in millionths.
    pub share: RatePpm,
    /// Since when.
    pub set_at: DateTime<Utc>,
}

impl Organisation {
    /// What the company is called, once it is there.
    pub fn created(&self) -> Option<&OrganisationCreated> {
        self.created.as_ref()
    }

    /// How much of one payment support staff may give back, in cents.
    pub fn refund_limit(&self) -> Cents {
        self.refund_limit.unwrap_or(USUAL_REFUND_LIMIT)
    }

    /// For how many months it keeps personal data of leads.
    pub fn lead_months(&self) -> u32 {
        self.lead_months.unwrap_or(USUAL_LEAD_MONTHS)
    }

    /// How it writes to its customers.
    pub fn messages(&self) -> &MessageSettings {
        &self.messages
    }

    /// Whether its people need a second factor to sign in.
    pub fn second_factor(&self) -> SecondFactorRule {
        self.second_factor
    }

    /// How far it is let into something of the product; none where it was never set, and all of it is in.
    pub fn flag(&self, flag: FeatureFlag) -> Option<FlagState> {
        self.flags.get(flag.as_str()).copied()
    }

    fn share(&self, flag: FeatureFlag) -> RatePpm {
        self.flag(flag).map_or(USUAL_SHARE, |set| set.share)
    }

    /// Whether something of the product is in for a key: what the flag is counted by.
    pub fn is_in(&self, flag: FeatureFlag, key: &str) -> bool {
        flag.lets_in(self.share(flag), key)
    }

    /// The company's branches, the oldest first.
    pub fn stations(&self) -> &[StationAdded] {
        &self.stations
    }

    /// How it goes about reviews.
    pub fn reviews(&self) -> &ReviewPractice {
        &self.reviews
    }

    /// How much of a card fee is taxed.
    pub fn card_fee_tax(&self) -> CardFeeTax {
        self.card_fee
    }

    /// Whether what is kept of a party that is called off is a sale.
    pub fn kept_deposit_tax(&self) -> KeptDepositTax {
        self.kept_deposit
    }

    fn may_choose(&self, reason: &str) -> Result<(), OrganisationError> {
        if self.created.is_none() {
            return Err(OrganisationError::NotFound);
        }
        if (3..=500).contains(&reason.trim().chars().count()) {
            Ok(())
        } else {
            Err(OrganisationError::BadReason)
        }
    }

    fn choose_kept_deposit(
        &self,
        kept_deposit: KeptDepositTax,
        reason: String,
        now: DateTime<Utc>,
    ) -> Result<OrganisationEvent, OrganisationError> {
        self.may_choose(&reason)?;
        if kept_deposit == self.kept_deposit {
            return Err(OrganisationError::KeptUnchanged);
        }
        Ok(OrganisationEvent::KeptDepositTaxChosen(KeptDepositTaxChosen {
            before: self.kept_deposit,
            kept_deposit,
            reason,
            chosen_at: now,
        }))
    }

    fn choose(
        &self,
        card_fee: CardFeeTax,
        reason: String,
        now: DateTime<Utc>,
    ) -> Result<OrganisationEvent, OrganisationError> {
        self.may_choose(&reason)?;
        if card_fee == self.card_fee {
            return Err(OrganisationError::Unchanged);
        }
        Ok(OrganisationEvent::TaxChoiceMade(TaxChoiceMade {
            before: self.card_fee,
            card_fee,
            reason,
            chosen_at: now,
        }))
    }

    fn set_flag(
        &self,
        flag: FeatureFlag,
        share: RatePpm,
        reason: String,
        now: DateTime<Utc>,
    ) -> Result<OrganisationEvent, OrganisationError> {
        self.may_choose(&reason)?;
        let before = self.share(flag);
        if share == before {
            return Err(OrganisationError::FlagUnchanged);
        }
        Ok(OrganisationEvent::FeatureFlagSet(FeatureFlagSet {
            flag: flag.as_str().to_owned(),
            before_ppm: before,
            share_ppm: share,
            reason,
            set_at: now,
        }))
    }

    fn create(&self, created: OrganisationCreated) -> Result<OrganisationEvent, OrganisationError> {
        if self.created.is_some() {
            return Err(OrganisationError::Exists);
        }
        if created.name.trim().is_empty() || created.name.chars().count() > 120 {
            return Err(OrganisationError::BadName);
        }
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let words_fit = created
            .slug
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(allowed));
        if !(2..=60).contains(&created.slug.len()) || !words_fit {
            return Err(OrganisationError::BadSlug);
        }
        Ok(OrganisationEvent::Created(created))
    }
}

impl Decider for Organisation {
    const STREAM: &'static str = "organisation";
    type Command = OrganisationCommand;
    type Event = OrganisationEvent;
    type Error = OrganisationError;

    fn decide(&self, command: OrganisationCommand) -> Result<Vec<OrganisationEvent>, OrganisationError> {
        let event = match command {
            OrganisationCommand::Create(created) => self.create(created)?,
            OrganisationCommand::AddStation(_) if self.created.is_none() => {
                return Err(OrganisationError::NotFound);
            }
            OrganisationCommand::AddStation(added) => OrganisationEvent::StationAdded(added),
            OrganisationCommand::ChooseCardFeeTax {
                card_fee,
                reason,
                now,
            } => self.choose(card_fee, reason, now)?,
            OrganisationCommand::ChooseKeptDepositTax {
                kept_deposit,
                reason,
                now,
            } => self.choose_kept_deposit(kept_deposit, reason, now)?,
            OrganisationCommand::SetFeatureFlag {
                flag,
                share,
                reason,
                now,
            } => self.set_flag(flag, share, reason, now)?,
            OrganisationCommand::SetRefundLimit { .. }
            | OrganisationCommand::NoteRefusedWebhook(_)
            | OrganisationCommand::ChangeReviewSettings { .. }
            | OrganisationCommand::RouteReviews { .. }
            | OrganisationCommand::ChangeMessageSettings { .. }
            | OrganisationCommand::SetLeadWindow { .. }
            | OrganisationCommand::SetSecondFactorRule { .. }
                if self.created.is_none() =>
            {
                return Err(OrganisationError::NotFound);
            }
            OrganisationCommand::SetRefundLimit { limit_cents, now } => {
                if limit_cents < Cents::ZERO || limit_cents > Cents::MAX_INPUT {
                    return Err(OrganisationError::BadLimit);
                }
                OrganisationEvent::RefundLimitSet(RefundLimitSet {
                    before_cents: self.refund_limit(),
                    limit_cents,
                    set_at: now,
                })
            }
            OrganisationCommand::NoteRefusedWebhook(refused) => OrganisationEvent::WebhookRefused(refused),
            OrganisationCommand::ChangeReviewSettings { settings, now } => {
                OrganisationEvent::ReviewSettingsChanged(ReviewSettingsChanged {
                    settings: self.reviews.change(settings)?,
                    before: self.reviews.settings.clone(),
                    changed_at: now,
                })
            }
            OrganisationCommand::ChangeMessageSettings { settings, now } => {
                let settings = settings.check()?;
                if settings == self.messages {
                    return Err(MessageSettingsError::Unchanged.into());
                }
                OrganisationEvent::MessageSettingsChanged(MessageSettingsChanged {
                    before: self.messages.clone(),
                    settings,
                    changed_at: now,
                })
            }
            OrganisationCommand::SetLeadWindow { months, now } => {
                if !LEAD_MONTHS.contains(&months) {
                    return Err(OrganisationError::BadLeadWindow);
                }
                OrganisationEvent::LeadWindowSet(LeadWindowSet {
                    before_months: self.lead_months(),
                    months,
                    set_at: now,
                })
            }
            OrganisationCommand::SetSecondFactorRule { rule, now } => {
                if rule == self.second_factor {
                    return Err(OrganisationError::SecondFactorUnchanged);
                }
                OrganisationEvent::SecondFactorRuleSet(SecondFactorRuleSet {
                    before: self.second_factor,
                    rule,
                    set_at: now,
                })
            }
            OrganisationCommand::RouteReviews {
                mode,
                risk_version,
                now,
            } => OrganisationEvent::ReviewRoutingSet(ReviewRoutingSet {
                acknowledgement: self.reviews.route(mode, risk_version.as_deref(), now)?,
                before: self.reviews.mode,
                mode,
                set_at: now,
            }),
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &OrganisationEvent) {
        match event {
            OrganisationEvent::Created(created) => self.created = Some(created.clone()),
            OrganisationEvent::StationAdded(added) => self.stations.push(added.clone()),
            OrganisationEvent::TaxChoiceMade(chosen) => self.card_fee = chosen.card_fee,
            OrganisationEvent::KeptDepositTaxChosen(chosen) => self.kept_deposit = chosen.kept_deposit,
            OrganisationEvent::RefundLimitSet(set) => self.refund_limit = Some(set.limit_cents),
            OrganisationEvent::WebhookRefused(_) => {}
            OrganisationEvent::LeadWindowSet(set) => self.lead_months = Some(set.months),
            OrganisationEvent::SecondFactorRuleSet(set) => self.second_factor = set.rule,
            OrganisationEvent::FeatureFlagSet(set) => {
                let state = FlagState {
                    share: set.share_ppm,
                    set_at: set.set_at,
                };
                self.flags.insert(set.flag.clone(), state);
            }
            OrganisationEvent::MessageSettingsChanged(changed) => self.messages = changed.settings.clone(),
            OrganisationEvent::ReviewSettingsChanged(changed) => {
                self.reviews.settings = changed.settings.clone();
            }
            OrganisationEvent::ReviewRoutingSet(set) => {
                self.reviews.mode = set.mode;
                self.reviews.acknowledgement.clone_from(&set.acknowledgement);
            }
        }
    }
}

#[cfg(test)]
mod tests;
