//! Making promo codes, and finding out whether one can be used.

use chrono::{DateTime, SubsecRound, Utc};
use domain::access::{Permission, StationScope};
use domain::decider::Decider;
use domain::envelope::Version;
use domain::ids::{CustomerId, PromoCodeId, StationId};
use domain::money::Cents;
use domain::promo_code::{
    AppliedPromo, CustomerHold, Discount, PROMO_CODE, PromoAsked, PromoAudience, PromoCode, PromoCodeCommand,
    PromoCodeError, PromoRefusal, PromoTerms, PromoUses, fold_code, is_code,
};
use domain::station::Station;
use serde::Serialize;

use crate::execute::{Plan, UNIQUE, Written, to_the_end};
use crate::load::Loaded;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// What a promo code is to grant, as the client named it.
#[derive(Debug, Clone, Serialize)]
pub struct PromoGrant {
    /// What it takes off.
    pub discount: Discount,
    /// From when; of a new code now, of another as before, where absent.
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when, exclusive.
    pub ends_at: Option<DateTime<Utc>>,
    /// The least food and service in cents.
    pub minimum_cents: Cents,
    /// How many bookings may use it in all.
    pub limit_total: Option<i32>,
    /// How many bookings of one customer may.
    pub limit_per_customer: Option<i32>,
    /// Who may.
    pub audience: PromoAudience,
    /// Where; everywhere where none is named.
    pub stations: Vec<StationId>,
}

impl PromoGrant {
    fn from(&self, otherwise: DateTime<Utc>) -> PromoTerms {
        PromoTerms {
            discount: self.discount,
            starts_at: self.starts_at.map_or(otherwise, |at| at.trunc_subsecs(6)),
            ends_at: self.ends_at.map(|at| at.trunc_subsecs(6)),
            minimum_cents: self.minimum_cents,
            limit_total: self.limit_total,
            limit_per_customer: self.limit_per_customer,
            audience: self.audience,
            stations: self.stations.clone(),
            customer_id: None,
        }
    }
}

/// A promo code to make.
#[derive(Debug, Clone, Serialize)]
pub struct PromoCodeCreate {
    /// What customers type.
    pub code: String,
    /// What it grants.
    pub terms: PromoGrant,
}

/// Other terms of a promo code.
#[derive(Debug, Clone, Serialize)]
pub struct PromoCodeChange {
    /// The code.
    pub promo_id: PromoCodeId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// What it grants from now on.
    pub terms: PromoGrant,
    /// Why.
    pub reason: String,
}

/// A promo code to end.
#[derive(Debug, Clone, Serialize)]
pub struct PromoCodeEnd {
    /// The code.
    pub promo_id: PromoCodeId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Why.
    pub reason: String,
}

/// A promo code that somebody wants to use, as it was read.
pub(crate) struct FoundPromo {
    pub(crate) asked: PromoAsked,
    pub(crate) version: Version,
}

impl Commands {
    /// Makes a promo code. Its text is its own within the company, upper and lower case being the same.
    ///
    /// # Errors
    /// `PROMO_CODE_TAKEN`, `STATIONS_REQUIRED`, and the refusals of [`PromoCodeError`].
    pub async fn create_promo_code(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: PromoCodeCreate,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PriceWrite)?;
            let id = PromoCodeId(this.ports.id());
            this.run(&caller, &key, "promo_code_create", &ask, || async {
                this.check_stations(&caller, &ask.terms.stations).await?;
                let now = this.ports.now();
                let command = PromoCodeCommand::Create {
                    code: ask.code.clone(),
                    terms: ask.terms.from(now),
                    now,
                };
                let events = PromoCode::default()
                    .decide(command)
                    .map_err(CommandError::refused)?;
                Ok(Plan::default()
                    .write::<PromoCode>(&this, id.to_string(), Version(0), events)
                    .on_refused_claim(UNIQUE, PromoCodeError::TextTaken))
            })
            .await
        })
        .await
    }

    /// Changes what a promo code grants. Bookings keep the terms that they were made under.
    ///
    /// # Errors
    /// `NOT_FOUND`, `PROMO_ENDED`, `UNCHANGED`, and the refusals of [`PromoCodeError`].
    pub async fn change_promo_code(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: PromoCodeChange,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PriceWrite)?;
            this.run(&caller, &key, "promo_code_change", &ask, || async {
                this.check_stations(&caller, &ask.terms.stations).await?;
                let change = |before: &PromoTerms| PromoCodeCommand::Change {
                    // Whose coupon it is stays as it is.
                    terms: PromoTerms {
                        customer_id: before.customer_id,
                        ..ask.terms.from(before.starts_at)
                    },
                    reason: ask.reason.clone(),
                    now: this.ports.now(),
                };
                this.plan_promo_code(&caller, ask.promo_id, ask.expected_version, change)
                    .await
            })
            .await
        })
        .await
    }

    /// Ends a promo code for good.
    ///
    /// # Errors
    /// `NOT_FOUND`, `PROMO_ENDED`, `INVALID_REASON`.
    pub async fn end_promo_code(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: PromoCodeEnd,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PriceWrite)?;
            this.run(&caller, &key, "promo_code_end", &ask, || async {
                let end = |_: &PromoTerms| PromoCodeCommand::End {
                    reason: ask.reason.clone(),
                    now: this.ports.now(),
                };
                this.plan_promo_code(&caller, ask.promo_id, ask.expected_version, end)
                    .await
            })
            .await
        })
        .await
    }

    /// A code that holds at more stations than the caller's is not the caller's to change or end.
    async fn plan_promo_code(
        &self,
        caller: &Caller,
        id: PromoCodeId,
        seen: Option<i64>,
        command: impl FnOnce(&PromoTerms) -> PromoCodeCommand,
    ) -> Result<Plan, CommandError> {
        let loaded = self.load::<PromoCode>(caller, &id.to_string()).await?;
        let (_, terms) = loaded
            .state
            .standing()
            .ok_or_else(|| CommandError::refused(PromoCodeError::NotFound))?;
        self.check_stations(caller, &terms.stations).await?;
        loaded.expect(seen)?;
        let command = command(terms);
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(Plan::default().write::<PromoCode>(self, id.to_string(), loaded.version, events))
    }

    /// The stations of a code are there and within reach; all of them are for whom all are within reach.
    async fn check_stations(&self, caller: &Caller, stations: &[StationId]) -> Result<(), CommandError> {
        let everywhere = match &caller.stations {
            StationScope::All => true,
            StationScope::Only(_) => false,
        };
        if stations.is_empty() && !everywhere {
            return Err(CommandError::refused(PromoCodeError::StationsRequired));
        }
        for station in stations {
            caller.reach(*station, PromoCodeError::StationNotFound.into())?;
            let loaded = self.load::<Station>(caller, &station.to_string()).await?;
            if loaded.state.opened().is_none() {
                return Err(CommandError::refused(PromoCodeError::StationNotFound));
            }
        }
        Ok(())
    }

    /// The promo code of a text, with how often it is used and by whom; none where no text is given.
    pub(crate) async fn find_promo(
        &self,
        caller: &Caller,
        text: Option<&str>,
        customer: Option<CustomerId>,
    ) -> Result<Option<FoundPromo>, CommandError> {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let unknown = || CommandError::refused(PromoRefusal::Unknown);
        if !is_code(text) {
            return Err(unknown());
        }
        let holder = self
            .log
            .unique_holder(caller.tenant, PROMO_CODE, &fold_code(text))
            .await?;
        let promo_id: PromoCodeId = holder
            .and_then(|holder| holder.id.parse().ok())
            .ok_or_else(unknown)?;
        let Loaded { state, version } = self.load::<PromoCode>(caller, &promo_id.to_string()).await?;
        let asked = PromoAsked {
            promo_id,
            promo: state,
            customer_id: customer,
            uses: self.promo_uses(caller, promo_id, customer).await?,
        };
        Ok(Some(FoundPromo { asked, version }))
    }

    async fn promo_uses(
        &self,
        caller: &Caller,
        promo: PromoCodeId,
        customer: Option<CustomerId>,
    ) -> Result<PromoUses, CommandError> {
        let held = async |resource: String| self.log.capacity_held(caller.tenant, &resource).await;
        let mut uses = PromoUses {
            total: held(AppliedPromo::resource(promo)).await?,
            ..PromoUses::default()
        };
        if let Some(customer) = customer {
            uses.of_customer = held(AppliedPromo::resource_of_customer(promo, customer)).await?;
            uses.bookings_of_customer = held(CustomerHold::resource(customer)).await?;
        }
        Ok(uses)
    }
}
