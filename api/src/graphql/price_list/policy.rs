//! Terms of booking.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use commands::price_list::PolicyInput;
use domain::ids::StationId;
use domain::money::{Cents, RatePpm};
use domain::price_list::{
    BookingPolicy as DomainPolicy, CancellationTier as DomainTier, ChangePolicy as DomainChanges,
    DepositBack, MandatoryGratuity as DomainGratuity, PricesOfChange,
};

use super::PriceListPayload;
use crate::graphql::error::UserError;
use crate::graphql::id::local;
use crate::graphql::scalar::{BigInt, Decimal, Money};
use crate::graphql::session::{app, caller, under_key};

/// The terms that bookings of a station are made under. Each booking keeps those it was requested under.
#[derive(SimpleObject)]
pub(in crate::graphql) struct BookingPolicy {
    /// Deposit; the whole total where that is less.
    deposit: Money,
    /// Hours after the request until the deposit is due.
    deposit_due_hours: i32,
    /// Mandatory gratuity of large parties; null for none.
    gratuity: Option<MandatoryGratuity>,
    /// What is given back on cancellation, the earliest tier first.
    cancellation_tiers: Vec<CancellationTier>,
    /// How a booking may be changed.
    changes: ChangePolicy,
    /// What paying by card costs, as a share of price and tip: `0.03` is 3 %.
    card_fee_rate: Decimal,
}

/// A gratuity that large parties pay, on food and service.
#[derive(SimpleObject)]
pub(in crate::graphql) struct MandatoryGratuity {
    /// From how many guests, inclusive.
    from_guests: i32,
    /// Share of the food and service.
    rate: Decimal,
}

/// What is given back to who cancels this early.
#[derive(SimpleObject)]
pub(in crate::graphql) struct CancellationTier {
    /// At least so many hours before the start.
    hours_before: i32,
    /// Share of what was paid beyond the deposit.
    refund_rate: Decimal,
    /// Whether the deposit is given back too.
    deposit_back: bool,
}

/// How a booking may be changed.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ChangePolicy {
    /// How often it is moved to another time or place for nothing.
    free_reschedules: i32,
    /// Hours before the start until which that is so.
    free_hours_before: i32,
    /// What moving it costs otherwise; null where it is refused then.
    reschedule_fee: Option<Money>,
    /// Hours before the start from when only staff changes it, with a reason.
    locked_hours_before: i32,
    /// Whether changes are priced at the prices in force then, and not at those of the request.
    current_prices: bool,
}

fn hours(hours: i64) -> i32 {
    i32::try_from(hours).unwrap_or(i32::MAX)
}

impl From<DomainPolicy> for BookingPolicy {
    fn from(terms: DomainPolicy) -> Self {
        let tier = |tier: DomainTier| CancellationTier {
            hours_before: hours(tier.hours_before),
            refund_rate: tier.refund_ppm.into(),
            deposit_back: tier.deposit_back == DepositBack::Returned,
        };
        Self {
            deposit: terms.deposit_cents.into(),
            deposit_due_hours: hours(terms.deposit_due_hours),
            gratuity: terms.gratuity.map(|gratuity| MandatoryGratuity {
                from_guests: gratuity.from_guests,
                rate: gratuity.rate_ppm.into(),
            }),
            cancellation_tiers: terms.cancellation_tiers.into_iter().map(tier).collect(),
            changes: ChangePolicy {
                free_reschedules: terms.changes.free_reschedules,
                free_hours_before: hours(terms.changes.free_hours_before),
                reschedule_fee: terms.changes.reschedule_fee_cents.map(Money::from),
                locked_hours_before: hours(terms.changes.locked_hours_before),
                current_prices: terms.changes.prices == PricesOfChange::Current,
            },
            card_fee_rate: terms.card_fee_ppm.into(),
        }
    }
}

/// A gratuity that large parties pay.
#[derive(InputObject)]
pub(in crate::graphql) struct MandatoryGratuityInput {
    /// From how many guests, inclusive.
    from_guests: i32,
    /// Share of the food and service, `0.18` for 18 %.
    rate: Decimal,
}

/// What is given back to who cancels this early.
#[derive(InputObject)]
pub(in crate::graphql) struct CancellationTierInput {
    /// At least so many hours before the start.
    hours_before: i32,
    /// Share of what was paid beyond the deposit.
    refund_rate: Decimal,
    /// Whether the deposit is given back too.
    deposit_back: bool,
}

/// How a booking may be changed.
#[derive(InputObject)]
pub(in crate::graphql) struct ChangePolicyInput {
    /// How often it is moved to another time or place for nothing.
    free_reschedules: i32,
    /// Hours before the start until which that is so.
    free_hours_before: i32,
    /// What moving it costs otherwise, in cents; refused where absent.
    reschedule_fee_minor: Option<BigInt>,
    /// Hours before the start from when only staff changes it, with a reason.
    locked_hours_before: i32,
    /// Whether changes are priced at the prices in force then, and not at those of the request.
    #[graphql(default = false)]
    current_prices: bool,
}

/// Terms of booking to set. What is absent stays as it is; a gratuity of null is none.
#[derive(InputObject)]
pub(in crate::graphql) struct BookingPolicySetInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Whose terms.
    station_id: ID,
    /// The version of the price list that you saw; null opts out.
    expected_version: Option<i32>,
    /// Deposit in cents.
    deposit_minor: Option<BigInt>,
    /// Hours after the request until the deposit is due, 1 to 8,760.
    deposit_due_hours: Option<i32>,
    /// Mandatory gratuity of large parties.
    gratuity: MaybeUndefined<MandatoryGratuityInput>,
    /// What is given back on cancellation: all tiers.
    cancellation_tiers: Option<Vec<CancellationTierInput>>,
    /// How a booking may be changed.
    changes: Option<ChangePolicyInput>,
    /// What paying by card costs, as a share of price and tip: `0.03` is 3 %, `0` nothing.
    card_fee_rate: Option<Decimal>,
}

fn rate(field: &'static str, text: &Decimal) -> std::result::Result<RatePpm, UserError> {
    RatePpm::parse(&text.0).map_err(|bad| UserError::new("INVALID_TERMS", &[field], bad.to_string()))
}

impl BookingPolicySetInput {
    fn read(self, station: StationId) -> std::result::Result<PolicyInput, UserError> {
        let gratuity = match self.gratuity {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(gratuity) => Some(Some(DomainGratuity {
                from_guests: gratuity.from_guests,
                rate_ppm: rate("gratuity", &gratuity.rate)?,
            })),
        };
        let tier = |tier: CancellationTierInput| {
            Ok(DomainTier {
                hours_before: i64::from(tier.hours_before),
                refund_ppm: rate("cancellationTiers", &tier.refund_rate)?,
                deposit_back: if tier.deposit_back {
                    DepositBack::Returned
                } else {
                    DepositBack::Kept
                },
            })
        };
        let tiers = |tiers: Vec<CancellationTierInput>| {
            let tiers = tiers.into_iter().map(tier);
            tiers.collect::<std::result::Result<Vec<_>, UserError>>()
        };
        Ok(PolicyInput {
            station,
            seen: self.expected_version.map(i64::from),
            deposit_cents: self.deposit_minor.map(|amount| Cents(amount.0)),
            deposit_due_hours: self.deposit_due_hours.map(i64::from),
            gratuity,
            cancellation_tiers: self.cancellation_tiers.map(tiers).transpose()?,
            changes: self.changes.map(|changes| DomainChanges {
                free_reschedules: changes.free_reschedules,
                free_hours_before: i64::from(changes.free_hours_before),
                reschedule_fee_cents: changes.reschedule_fee_minor.map(|fee| Cents(fee.0)),
                locked_hours_before: i64::from(changes.locked_hours_before),
                prices: if changes.current_prices {
                    PricesOfChange::Current
                } else {
                    PricesOfChange::AsRequested
                },
            }),
            card_fee_ppm: self
                .card_fee_rate
                .as_ref()
                .map(|fee| rate("cardFeeRate", fee))
                .transpose()?,
        })
    }
}

/// Commands on the terms of booking.
#[derive(Default)]
pub(in crate::graphql) struct BookingPolicyMutation;

#[Object]
impl BookingPolicyMutation {
    /// Sets terms of booking at a station. Bookings keep those that they were requested under. Needs price:write.
    async fn booking_policy_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: BookingPolicySetInput,
    ) -> Result<PriceListPayload> {
        let caller = caller(ctx)?;
        let Some(station) = local::<StationId>(&input.station_id) else {
            return Ok(PriceListPayload::unknown_station());
        };
        let key = input.idempotency_key.clone();
        let ask = match input.read(station) {
            Ok(ask) => ask,
            Err(refused) => return Ok(PriceListPayload::refused(refused)),
        };
        let done = under_key(&key, |key| app(ctx).commands.set_policy(caller, key, ask)).await;
        PriceListPayload::of(ctx, station, done).await
    }
}
