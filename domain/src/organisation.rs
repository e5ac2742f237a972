//! The company itself.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Refusal};
use crate::ids::StationId;
use crate::money::Cents;
use crate::place::ZipCode;
use crate::tax_account::{CardFeeTax, KeptDepositTax};

crate::events! {
    /// What can happen to an organisation.
    pub enum OrganisationEvent {
        "A company joined the platform." Created(OrganisationCreated) = "organisation.created" v 1;
        "The company opened a branch." StationAdded(StationAdded) = "organisation.station_added" v 1;
        "The company chose how something is taxed that its accountant decides." TaxChoiceMade(TaxChoiceMade) = "organisation.tax_choice_made" v 1;
        "The company chose whether what is kept of a party that was called off is a sale." KeptDepositTaxChosen(KeptDepositTaxChosen) = "organisation.kept_deposit_tax_chosen" v 1;
        "The company set how much of one payment its support staff may give back." RefundLimitSet(RefundLimitSet) = "organisation.refund_limit_set" v 1;
        "A message that claimed to come from the payment provider was turned away." WebhookRefused(WebhookRefused) = "organisation.webhook_refused" v 1;
    }
}

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

/// What support staff may give back of one payment where the company has not set it otherwise: 100.00.
pub const USUAL_REFUND_LIMIT: Cents = Cents(10_000);

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

/// A message that claimed to come from the payment provider was turned away. Nothing of it is kept. More of the kind
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
}

/// Why an organisation refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrganisationError {
    /// It is there already.
    #[error("the organisation exists already")]
    Exists,
    /// There is no such company.
    #[error("there is no such organisation")]
    NotFound,
    /// Empty or too long.
    #[error("a name has 1 to 120 characters")]
    BadName,
    /// Not usable at sign-in.
    #[error("a slug has 2 to 60 lower-case letters and digits, in words joined by single hyphens")]
    BadSlug,
    /// It is so already.
    #[error("it is so already: nothing would change")]
    Unchanged,
    /// It is so already.
    #[error("what is kept is so taxed already: nothing would change")]
    KeptUnchanged,
    /// Too short or too long.
    #[error("a reason has 3 to 500 characters")]
    BadReason,
    /// Negative or absurd.
    #[error("a limit is 0 to {}", Cents::MAX_INPUT)]
    BadLimit,
}

impl Refusal for OrganisationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound => "NOT_FOUND",
            Self::BadName => "INVALID_NAME",
            Self::BadSlug => "INVALID_SLUG",
            Self::Unchanged | Self::KeptUnchanged => "UNCHANGED",
            Self::BadReason => "INVALID_REASON",
            Self::BadLimit => "INVALID_AMOUNT",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists | Self::NotFound => &[],
            Self::BadName => &["name"],
            Self::BadSlug => &["slug"],
            Self::Unchanged => &["cardFee"],
            Self::KeptUnchanged => &["keptDeposit"],
            Self::BadReason => &["reason"],
            Self::BadLimit => &["limitMinor"],
        }
    }
}

/// A company.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    created: Option<OrganisationCreated>,
    stations: Vec<StationAdded>,
    card_fee: CardFeeTax,
    #[serde(default)]
    kept_deposit: KeptDepositTax,
    refund_limit: Option<Cents>,
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

    /// The company's branches, the oldest first.
    pub fn stations(&self) -> &[StationAdded] {
        &self.stations
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
            OrganisationCommand::SetRefundLimit { .. } | OrganisationCommand::NoteRefusedWebhook(_)
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(name: &str, slug: &str) -> OrganisationCommand {
        OrganisationCommand::Create(OrganisationCreated {
            name: name.to_owned(),
            slug: slug.to_owned(),
        })
    }

    #[test]
    fn a_company_joins_once() {
        let mut company = Organisation::default();
        let events = company.decide(create("My Hibachi", "my-hibachi")).unwrap();
        company.evolve(&events[0]);
        assert_eq!(
            company.decide(create("My Hibachi", "my-hibachi")),
            Err(OrganisationError::Exists)
        );
    }

    #[test]
    fn only_a_company_that_is_there_opens_branches() {
        let add = OrganisationCommand::AddStation(StationAdded {
            station_id: StationId(uuid::Uuid::nil()),
            zip: "95112".parse().unwrap(),
        });
        let mut company = Organisation::default();
        assert_eq!(company.decide(add.clone()), Err(OrganisationError::NotFound));
        company.evolve(&company.decide(create("My Hibachi", "my-hibachi")).unwrap()[0]);
        company.evolve(&company.decide(add).unwrap()[0]);
        assert_eq!(company.stations().len(), 1);
    }

    #[test]
    fn support_gives_back_so_much_of_a_payment_as_the_company_has_set() {
        let set = |cents| OrganisationCommand::SetRefundLimit {
            limit_cents: Cents(cents),
            now: "2026-11-21T00:00:00Z".parse().unwrap(),
        };
        let mut company = Organisation::default();
        assert_eq!(company.decide(set(5_000)), Err(OrganisationError::NotFound));
        company.evolve(&company.decide(create("My Hibachi", "my-hibachi")).unwrap()[0]);
        assert_eq!(company.refund_limit(), USUAL_REFUND_LIMIT);
        assert_eq!(company.decide(set(-1)), Err(OrganisationError::BadLimit));
        company.evolve(&company.decide(set(5_000)).unwrap()[0]);
        assert_eq!(company.refund_limit(), Cents(5_000));
    }

    #[test]
    fn whether_kept_money_is_a_sale_is_chosen_with_a_reason_and_changes_once() {
        let choose = |kept_deposit, reason: &str| OrganisationCommand::ChooseKeptDepositTax {
            kept_deposit,
            reason: reason.to_owned(),
            now: "2026-11-21T00:00:00Z".parse().unwrap(),
        };
        let sale = || choose(KeptDepositTax::Sale, "our accountant says so");
        let mut company = Organisation::default();
        assert_eq!(company.decide(sale()), Err(OrganisationError::NotFound));
        company.evolve(&company.decide(create("My Hibachi", "my-hibachi")).unwrap()[0]);
        assert_eq!(company.kept_deposit_tax(), KeptDepositTax::NotASale);
        let short = choose(KeptDepositTax::Sale, "x");
        assert_eq!(company.decide(short), Err(OrganisationError::BadReason));
        company.evolve(&company.decide(sale()).unwrap()[0]);
        assert_eq!(company.kept_deposit_tax(), KeptDepositTax::Sale);
        let again = company.decide(sale()).unwrap_err();
        assert_eq!((again.code(), again.field()), ("UNCHANGED", &["keptDeposit"][..]));
    }

    #[test]
    fn a_name_or_slug_that_cannot_be_used_is_refused() {
        let company = Organisation::default();
        assert_eq!(company.decide(create(" ", "ok")), Err(OrganisationError::BadName));
        assert_eq!(
            company.decide(create("Ok", "Not Ok")),
            Err(OrganisationError::BadSlug)
        );
    }
}
