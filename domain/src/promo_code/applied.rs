//! A promo code on a booking: who may use it, and what the booking holds of its limits.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::state::PromoCode;
use super::{Discount, PromoAudience};
use crate::decider::Refusal;
use crate::envelope::Claim;
use crate::ids::{CustomerId, PromoCodeId, StationId};
use crate::money::Cents;

/// What a booking fixed of a promo code when it was requested. Changes of the booking are priced by it, whatever has become
/// of the code since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedPromo {
    /// The code.
    pub promo_id: PromoCodeId,
    /// Its text.
    pub code: String,
    /// What it takes off.
    pub discount: Discount,
    /// The least food and service, tax-inclusive, in cents. A booking that falls below it later has no discount until it
    /// is above again.
    pub minimum_cents: Cents,
    /// How many bookings may use it in all, as known then.
    pub limit_total: Option<i32>,
    /// How many bookings of one customer may, as known then.
    pub limit_per_customer: Option<i32>,
    /// Who may.
    pub audience: PromoAudience,
}

/// How often a code is used, and how many bookings its user has, apart from the one that is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PromoUses {
    /// Bookings that hold a use of the code.
    pub total: i64,
    /// Those of the customer; none of a customer who is not known yet.
    pub of_customer: i64,
    /// Bookings of the customer that were held or are still to be held, with whatever code.
    pub bookings_of_customer: i64,
}

/// A promo code with what its use is decided on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromoAsked {
    /// The code's id.
    pub promo_id: PromoCodeId,
    /// The code, as its stream tells it.
    pub promo: PromoCode,
    /// Who wants to use it, where the customer is known.
    pub customer_id: Option<CustomerId>,
    /// How often it is used. Whoever is faster is found out by the claims.
    pub uses: PromoUses,
}

/// Why a promo code cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromoRefusal {
    /// There is no such code.
    #[error("there is no such promo code")]
    Unknown,
    /// Too early.
    #[error("the promo code can be used from {starts_at} on")]
    NotStarted {
        /// From when.
        starts_at: DateTime<Utc>,
    },
    /// Too late.
    #[error("the promo code is over since {since}")]
    Expired {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// At other stations.
    #[error("the promo code is not for this station")]
    NotHere,
    /// Somebody else's coupon.
    #[error("the promo code is another customer's")]
    NotYours,
    /// A small party.
    #[error("the promo code is for food and service from {minimum}; this comes to {subtotal}")]
    BelowMinimum {
        /// The least.
        minimum: Cents,
        /// What there is.
        subtotal: Cents,
    },
    /// Not the first.
    #[error("the promo code is for the first booking of new customers")]
    NotFirstTime,
    /// Used as often as it can be.
    #[error("the promo code has been used as often as it can be")]
    UsedUp,
    /// Used by the customer as often as one can.
    #[error("the customer has used the promo code as often as one can")]
    UsedByCustomer,
}

impl Refusal for PromoRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "PROMO_UNKNOWN",
            Self::NotStarted { .. } => "PROMO_NOT_STARTED",
            Self::Expired { .. } => "PROMO_EXPIRED",
            Self::NotHere => "PROMO_NOT_HERE",
            Self::NotYours => "PROMO_NOT_YOURS",
            Self::BelowMinimum { .. } => "PROMO_BELOW_MINIMUM",
            Self::NotFirstTime => "PROMO_NOT_FIRST_TIME",
            Self::UsedUp => "PROMO_USED_UP",
            Self::UsedByCustomer => "PROMO_USED_BY_CUSTOMER",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        &["promoCode"]
    }
}

impl PromoAsked {
    /// Lets a booking use the code, or refuses.
    ///
    /// # Errors
    /// [`PromoRefusal`], the first reason of those there are.
    pub fn check(
        &self,
        station: StationId,
        food_and_service: Cents,
        now: DateTime<Utc>,
    ) -> Result<AppliedPromo, PromoRefusal> {
        let (created, terms) = self.promo.standing().ok_or(PromoRefusal::Unknown)?;
        if now < terms.starts_at {
            return Err(PromoRefusal::NotStarted {
                starts_at: terms.starts_at,
            });
        }
        let over = self.promo.ended_at().or(terms.ends_at.filter(|end| *end <= now));
        if let Some(since) = over {
            return Err(PromoRefusal::Expired { since });
        }
        if !terms.stations.is_empty() && !terms.stations.contains(&station) {
            return Err(PromoRefusal::NotHere);
        }
        if terms.customer_id.is_some() && terms.customer_id != self.customer_id {
            return Err(PromoRefusal::NotYours);
        }
        if food_and_service < terms.minimum_cents {
            return Err(PromoRefusal::BelowMinimum {
                minimum: terms.minimum_cents,
                subtotal: food_and_service,
            });
        }
        let used_up = |limit: Option<i32>, uses: i64| limit.is_some_and(|limit| uses >= i64::from(limit));
        if terms.audience == PromoAudience::NewCustomers && self.uses.bookings_of_customer > 0 {
            return Err(PromoRefusal::NotFirstTime);
        }
        if used_up(terms.limit_per_customer, self.uses.of_customer) {
            return Err(PromoRefusal::UsedByCustomer);
        }
        if used_up(terms.limit_total, self.uses.total) {
            return Err(PromoRefusal::UsedUp);
        }
        Ok(AppliedPromo {
            promo_id: self.promo_id,
            code: created.code.clone(),
            discount: terms.discount,
            minimum_cents: terms.minimum_cents,
            limit_total: terms.limit_total,
            limit_per_customer: terms.limit_per_customer,
            audience: terms.audience,
        })
    }
}

impl AppliedPromo {
    /// What the code takes off this much food and service.
    pub fn discount_on(&self, food_and_service: Cents) -> Cents {
        if food_and_service < self.minimum_cents {
            Cents::ZERO
        } else {
            self.discount.on(food_and_service)
        }
    }

    /// What the uses of a code are claimed of.
    pub fn resource(promo: PromoCodeId) -> String {
        format!("promo:{promo}")
    }

    /// What one customer's uses of a code are claimed of.
    pub fn resource_of_customer(promo: PromoCodeId, customer: CustomerId) -> String {
        format!("promo:{promo}:customer:{customer}")
    }
}

/// What a booking holds beside its place: that it is one of its customer's, and its use of a promo code. Given back when
/// the booking is called off before the event, when it expires, and while it is put away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerHold {
    /// Whose booking it is.
    pub customer_id: CustomerId,
    /// The promo code, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promo: Option<AppliedPromo>,
}

impl CustomerHold {
    /// What the bookings of a customer are claimed of.
    pub fn resource(customer: CustomerId) -> String {
        format!("customer_bookings:{customer}")
    }

    /// The resources of it with the refusals that they stand for where they are used up.
    pub fn refusals(&self) -> Vec<(String, PromoRefusal)> {
        let mut refusals = vec![(Self::resource(self.customer_id), PromoRefusal::NotFirstTime)];
        if let Some(promo) = &self.promo {
            let of_customer = AppliedPromo::resource_of_customer(promo.promo_id, self.customer_id);
            refusals.push((of_customer, PromoRefusal::UsedByCustomer));
            refusals.push((AppliedPromo::resource(promo.promo_id), PromoRefusal::UsedUp));
        }
        refusals
    }

    /// Takes it. A code of the first booking is refused where there is another, a code that is used up likewise; codes
    /// without a limit count all the same, since they may be given one.
    pub(crate) fn take(&self) -> Vec<Claim> {
        let one_of = |resource, limit: Option<i32>| Claim::TakeCapacity {
            resource,
            from: DateTime::UNIX_EPOCH,
            until: the_end(),
            units: 1,
            limit: limit.unwrap_or(i32::MAX),
        };
        let only = self.promo.as_ref().and_then(|promo| match promo.audience {
            PromoAudience::NewCustomers => Some(1),
            PromoAudience::Everybody => None,
        });
        let mut claims = vec![one_of(Self::resource(self.customer_id), only)];
        if let Some(promo) = &self.promo {
            let of_customer = AppliedPromo::resource_of_customer(promo.promo_id, self.customer_id);
            claims.push(one_of(of_customer, promo.limit_per_customer));
            claims.push(one_of(AppliedPromo::resource(promo.promo_id), promo.limit_total));
        }
        claims
    }

    /// Gives it back.
    pub(crate) fn give_back(&self) -> Vec<Claim> {
        let resources = self.refusals().into_iter();
        resources
            .map(|(resource, _)| Claim::ReleaseCapacity { resource })
            .collect()
    }
}

/// Uses have no interval of their own: they are claimed from the first instant there is to one that nobody sees.
fn the_end() -> DateTime<Utc> {
    const YEAR_9999: i64 = 253_370_764_800;
    DateTime::from_timestamp(YEAR_9999, 0).expect("the year 9999 is within range")
}
