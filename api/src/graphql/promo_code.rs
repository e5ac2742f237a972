//! Promo codes.

use async_graphql::{Context, Description, ID, InputObject, Object, OneofObject, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::promo_code::{PromoCodeChange, PromoCodeCreate, PromoCodeEnd, PromoGrant};
use commands::{CommandError, Written};
use domain::decider::Decider;
use domain::ids::{PromoCodeId, StationId};
use domain::money::{Cents, RatePpm};
use domain::promo_code::{Discount as DomainDiscount, PromoAudience, PromoCode as PromoAggregate};
use projections::promo_list::{self, PromoRow};

use super::connection::{connection, counter, payload};
use super::error::{UserError, outcome, unread};
use super::id::{global, local};
use super::read::{AsOf, Freshness, after as read_after, at, cost, slice};
use super::scalar::{BigInt, Decimal, Money};
use super::session::{app, caller, under_key, viewer};

/// What takes something off the price of a party.
#[derive(Clone, Description)]
pub(super) struct PromoCode(pub(super) PromoRow);

/// What a promo code takes off food and service: a share or an amount.
#[derive(SimpleObject)]
pub(super) struct Discount {
    /// The share; null for an amount.
    rate: Option<Decimal>,
    /// The amount, tax included; null for a share.
    amount: Option<Money>,
}

impl From<DomainDiscount> for Discount {
    fn from(discount: DomainDiscount) -> Self {
        match discount {
            DomainDiscount::Percent { rate_ppm } => Self {
                rate: Some(rate_ppm.into()),
                amount: None,
            },
            DomainDiscount::Fixed { amount_cents } => Self {
                rate: None,
                amount: Some(amount_cents.into()),
            },
        }
    }
}

#[Object(use_type_description)]
impl PromoCode {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        global(self.0.promo_id)
    }
    /// Number of changes so far: what `expectedVersion` compares.
    async fn version(&self) -> i32 {
        i32::try_from(self.0.version).unwrap_or(i32::MAX)
    }
    /// What customers type; upper and lower case are the same.
    async fn code(&self) -> &str {
        &self.0.code
    }
    /// How many bookings hold a use of it. Those that were called off before their event, expired or were deleted do not.
    async fn uses(&self) -> i32 {
        i32::try_from(self.0.uses).unwrap_or(i32::MAX)
    }
    /// How many bookings may use it in all; null for any number.
    async fn limit(&self) -> Option<i32> {
        self.0.terms.limit_total
    }
    /// How many bookings of one customer may; null for any number.
    async fn limit_per_customer(&self) -> Option<i32> {
        self.0.terms.limit_per_customer
    }
    /// Whether somebody can use it now: within its window, not ended, not used up.
    async fn active(&self, ctx: &Context<'_>) -> bool {
        self.0.is_active(app(ctx).clock.now())
    }
    /// What it takes off.
    async fn discount(&self) -> Discount {
        self.0.terms.discount.into()
    }
    /// From when a party can be requested with it, inclusive.
    async fn starts_at(&self) -> DateTime<Utc> {
        self.0.terms.starts_at
    }
    /// Until when, exclusive; null without end.
    async fn ends_at(&self) -> Option<DateTime<Utc>> {
        self.0.terms.ends_at
    }
    /// The least food and service that it is for, tax included.
    async fn minimum(&self) -> Money {
        self.0.terms.minimum_cents.into()
    }
    /// Whether it is for the first booking of new customers alone.
    async fn new_customers_only(&self) -> bool {
        self.0.terms.audience == PromoAudience::NewCustomers
    }
    /// Opaque ids of the stations that it is for; none for all.
    async fn station_ids(&self) -> Vec<ID> {
        self.0.terms.stations.iter().copied().map(global).collect()
    }
    /// Opaque id of the only customer who may use it, a coupon's; null for a code of nobody in particular.
    async fn customer_id(&self) -> Option<ID> {
        self.0.terms.customer_id.map(global)
    }
    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When it was ended; null while it was not.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }
}

connection!(
    PromoCodeConnection,
    PromoCodeEdge,
    PromoCode,
    "Promo codes, the last made first."
);

/// Questions about promo codes.
#[derive(Default)]
pub(super) struct PromoCodeQuery;

#[Object]
impl PromoCodeQuery {
    /// The company's promo codes, the last made first. Needs price:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn promo_codes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<PromoCodeConnection> {
        let at = at(ctx, as_of, fresh).await?;
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = promo_list::page(views, viewer, slice, at).await.map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone()),
            move |(views, viewer)| async move { promo_list::count(&views, &viewer, at).await },
        );
        Ok(PromoCodeConnection::new(page, previous, counter, PromoCode))
    }
}

/// What a promo code takes off.
#[derive(OneofObject)]
pub(super) enum DiscountInput {
    /// A share of food and service, `0.1` for 10 %: above 0 and at most 1.
    Rate(Decimal),
    /// An amount in cents, tax included; all of the food and service where that is less.
    AmountMinor(BigInt),
}

impl DiscountInput {
    /// The discount, in the field of that path.
    pub(super) fn read(self, field: &[&str]) -> std::result::Result<DomainDiscount, UserError> {
        Ok(match self {
            Self::Rate(Decimal(text)) => DomainDiscount::Percent {
                rate_ppm: RatePpm::parse(&text)
                    .map_err(|bad| UserError::new("INVALID_DISCOUNT", field, bad.to_string()))?,
            },
            Self::AmountMinor(amount) => DomainDiscount::Fixed {
                amount_cents: Cents(amount.0),
            },
        })
    }
}

/// What a promo code grants, and under which conditions.
#[derive(InputObject)]
pub(super) struct PromoTermsInput {
    /// What it takes off food and service.
    discount: DiscountInput,
    /// From when a party can be requested with it, inclusive; where absent now for a new code, as before for another.
    starts_at: Option<DateTime<Utc>>,
    /// Until when, exclusive; without end where absent.
    ends_at: Option<DateTime<Utc>>,
    /// The least food and service in cents, tax included.
    #[graphql(default_with = "BigInt(0)")]
    minimum_minor: BigInt,
    /// How many bookings may use it in all; any number where absent.
    limit: Option<i32>,
    /// How many bookings of one customer may; any number where absent.
    limit_per_customer: Option<i32>,
    /// Whether it is for the first booking of new customers alone.
    #[graphql(default = false)]
    new_customers_only: bool,
    /// Opaque ids of the stations that it is for; all where none is named.
    #[graphql(default)]
    station_ids: Vec<ID>,
}

impl PromoTermsInput {
    fn read(self) -> std::result::Result<PromoGrant, UserError> {
        let stations = self.station_ids.iter().map(local::<StationId>);
        let unknown = || UserError::new("NOT_FOUND", &["terms", "stationIds"], "there is no such station");
        let stations = stations.collect::<Option<Vec<_>>>().ok_or_else(unknown)?;
        let discount = self.discount.read(&["terms", "discount"])?;
        Ok(PromoGrant {
            discount,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            minimum_cents: Cents(self.minimum_minor.0),
            limit_total: self.limit,
            limit_per_customer: self.limit_per_customer,
            audience: if self.new_customers_only {
                PromoAudience::NewCustomers
            } else {
                PromoAudience::Everybody
            },
            stations,
        })
    }
}

/// A promo code to make.
#[derive(InputObject)]
pub(super) struct PromoCodeCreateInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// What customers type; 3 to 40 letters, digits, hyphens and underscores.
    code: String,
    /// What it grants.
    terms: PromoTermsInput,
}

/// Other terms of a promo code.
#[derive(InputObject)]
pub(super) struct PromoCodeChangeInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The code.
    promo_code_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// All that it grants from now on.
    terms: PromoTermsInput,
    /// Why; 3 to 500 characters.
    reason: String,
}

/// A promo code to end.
#[derive(InputObject)]
pub(super) struct PromoCodeEndInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The code.
    promo_code_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Why; 3 to 500 characters.
    reason: String,
}

payload!(PromoCodePayload, promo_code: PromoCode);

impl PromoCodePayload {
    async fn of(ctx: &Context<'_>, done: std::result::Result<Written, CommandError>) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        let Ok(id) = written.id_of(PromoAggregate::STREAM).parse::<PromoCodeId>() else {
            return Ok(Self::written(None, &written));
        };
        let at = read_after(written.position);
        let found = promo_list::one(&app(ctx).views, viewer(ctx)?, id, at)
            .await
            .map_err(unread)?;
        Ok(Self::written(found.value.map(PromoCode), &written))
    }

    fn unknown() -> Self {
        Self::refused(UserError::not_found("promoCodeId", "promo code"))
    }
}

/// Commands on promo codes.
#[derive(Default)]
pub(super) struct PromoCodeMutation;

#[Object]
impl PromoCodeMutation {
    /// Makes a promo code; its text is its own within the company. Needs price:write; for all stations, all within reach.
    async fn promo_code_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: PromoCodeCreateInput,
    ) -> Result<PromoCodePayload> {
        let caller = caller(ctx)?;
        let terms = match input.terms.read() {
            Ok(terms) => terms,
            Err(refused) => return Ok(PromoCodePayload::refused(refused)),
        };
        let ask = PromoCodeCreate {
            code: input.code,
            terms,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.create_promo_code(caller, key, ask)
        })
        .await;
        PromoCodePayload::of(ctx, done).await
    }

    /// Changes what a promo code grants; bookings keep the terms that they were made under. Needs price:write.
    async fn promo_code_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: PromoCodeChangeInput,
    ) -> Result<PromoCodePayload> {
        let caller = caller(ctx)?;
        let Some(promo_id) = local::<PromoCodeId>(&input.promo_code_id) else {
            return Ok(PromoCodePayload::unknown());
        };
        let terms = match input.terms.read() {
            Ok(terms) => terms,
            Err(refused) => return Ok(PromoCodePayload::refused(refused)),
        };
        let ask = PromoCodeChange {
            promo_id,
            expected_version: input.expected_version.map(i64::from),
            terms,
            reason: input.reason,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.change_promo_code(caller, key, ask)
        })
        .await;
        PromoCodePayload::of(ctx, done).await
    }

    /// Ends a promo code for good; its text stays taken. Needs price:write.
    async fn promo_code_end(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: PromoCodeEndInput,
    ) -> Result<PromoCodePayload> {
        let caller = caller(ctx)?;
        let Some(promo_id) = local::<PromoCodeId>(&input.promo_code_id) else {
            return Ok(PromoCodePayload::unknown());
        };
        let ask = PromoCodeEnd {
            promo_id,
            expected_version: input.expected_version.map(i64::from),
            reason: input.reason,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.end_promo_code(caller, key, ask)
        })
        .await;
        PromoCodePayload::of(ctx, done).await
    }
}
