//! Single items of a price list, and what is charged beside them: travel, and the minimum of a day.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::price_list::{MinimumInput, PriceItemInput, PriceItemRetire, TravelInput};
use domain::ids::StationId;
use domain::money::Cents;
use domain::price_list::{
    BelowMinimum as DomainBelow, ItemKind as DomainKind, MinimumSet as DomainMinimum, TravelBandSet,
};

use super::PriceListPayload;
use crate::graphql::id::local;
use crate::graphql::scalar::{BigInt, Money};
use crate::graphql::session::{app, caller, under_key};

/// What a price is for.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainKind")]
pub(in crate::graphql) enum PriceItemKind {
    /// Each adult. A list has one such price at a time.
    Adult,
    /// Each child of 6 to 12. A list has one such price at a time.
    Child,
    /// Each unit of something extra.
    AddOn,
}

/// What happens to a party below the minimum.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainBelow")]
pub(in crate::graphql) enum BelowMinimum {
    /// A line of its own lifts it to the minimum.
    TopUp,
    /// It is refused.
    Refuse,
}

/// How travel is charged.
#[derive(SimpleObject)]
pub(in crate::graphql) struct TravelTerms {
    /// Miles from the station that cost nothing.
    free_miles: i32,
    /// Price of each started mile beyond.
    per_mile: Money,
    /// Miles beyond which the company does not go.
    max_miles: i32,
}

impl From<&TravelBandSet> for TravelTerms {
    fn from(band: &TravelBandSet) -> Self {
        let miles = |miles: i64| i32::try_from(miles).unwrap_or(i32::MAX);
        Self {
            free_miles: miles(band.free_miles),
            per_mile: band.per_mile_cents.into(),
            max_miles: miles(band.max_miles),
        }
    }
}

/// The least that a booking costs, before any promo code and without travel.
#[derive(SimpleObject)]
pub(in crate::graphql) struct MinimumTerms {
    /// Monday to Thursday.
    weekday: Money,
    /// Friday to Sunday.
    weekend: Money,
    /// What happens to a smaller party.
    below: BelowMinimum,
}

impl From<&DomainMinimum> for MinimumTerms {
    fn from(minimum: &DomainMinimum) -> Self {
        Self {
            weekday: minimum.weekday_cents.into(),
            weekend: minimum.weekend_cents.into(),
            below: minimum.below.into(),
        }
    }
}

/// Something to put on offer.
#[derive(InputObject)]
pub(in crate::graphql) struct PriceItemAddInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Whose list.
    station_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Stable name: 1 to 40 lower-case letters, digits and underscores. One that was retired is not taken again.
    item: String,
    /// Name for customers, 1 to 120 characters.
    label: String,
    /// What the price is for.
    kind: PriceItemKind,
    /// Price of one in cents, tax included.
    price_minor: BigInt,
    /// The lowest that it may become, in cents; 0 where absent.
    min_minor: Option<BigInt>,
    /// The highest that it may become, in cents; any price where absent.
    max_minor: Option<BigInt>,
    /// From when; now where absent.
    effective_from: Option<DateTime<Utc>>,
}

/// Something to take off offer.
#[derive(InputObject)]
pub(in crate::graphql) struct PriceItemRetireInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Whose list.
    station_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// What.
    item: String,
    /// From when it cannot be quoted any more; now where absent.
    effective_from: Option<DateTime<Utc>>,
    /// Why; 3 to 500 characters.
    reason: String,
}

/// How travel is to be charged.
#[derive(InputObject)]
pub(in crate::graphql) struct PriceTravelSetInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Whose list.
    station_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Miles from the station that cost nothing.
    free_miles: i32,
    /// Price of each started mile beyond, in cents, tax included.
    per_mile_minor: BigInt,
    /// Miles beyond which the company does not go.
    max_miles: i32,
}

/// The least that a booking is to cost.
#[derive(InputObject)]
pub(in crate::graphql) struct PriceMinimumSetInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Whose list.
    station_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Monday to Thursday, in cents, tax included; 0 for none.
    weekday_minor: BigInt,
    /// Friday to Sunday, in cents, tax included; 0 for none.
    weekend_minor: BigInt,
    /// What happens to a smaller party.
    below: BelowMinimum,
}

/// Commands on single items, travel and minimum.
#[derive(Default)]
pub(in crate::graphql) struct PriceItemMutation;

#[Object]
impl PriceItemMutation {
    /// Puts something on offer, now or from an instant to come. Needs price:write.
    async fn price_item_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: PriceItemAddInput,
    ) -> Result<PriceListPayload> {
        let caller = caller(ctx)?;
        let Some(station) = local::<StationId>(&input.station_id) else {
            return Ok(PriceListPayload::unknown_station());
        };
        let ask = PriceItemInput {
            station,
            seen: input.expected_version.map(i64::from),
            item: input.item,
            label: input.label,
            kind: input.kind.into(),
            price_cents: Cents(input.price_minor.0),
            min_cents: input.min_minor.map(|amount| Cents(amount.0)),
            max_cents: input.max_minor.map(|amount| Cents(amount.0)),
            effective_from: input.effective_from,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.add_price_item(caller, key, ask)
        })
        .await;
        PriceListPayload::of(ctx, station, done).await
    }

    /// Takes something off offer, now or from an instant to come; bookings keep what they were made with. Needs
    /// price:write.
    async fn price_item_retire(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: PriceItemRetireInput,
    ) -> Result<PriceListPayload> {
        let caller = caller(ctx)?;
        let Some(station) = local::<StationId>(&input.station_id) else {
            return Ok(PriceListPayload::unknown_station());
        };
        let ask = PriceItemRetire {
            station,
            seen: input.expected_version.map(i64::from),
            item: input.item,
            effective_from: input.effective_from,
            reason: input.reason,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.retire_price_item(caller, key, ask)
        })
        .await;
        PriceListPayload::of(ctx, station, done).await
    }

    /// Sets how travel is charged, for quotes and bookings from now on. Needs price:write.
    async fn price_travel_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: PriceTravelSetInput,
    ) -> Result<PriceListPayload> {
        let caller = caller(ctx)?;
        let Some(station) = local::<StationId>(&input.station_id) else {
            return Ok(PriceListPayload::unknown_station());
        };
        let ask = TravelInput {
            station,
            seen: input.expected_version.map(i64::from),
            free_miles: i64::from(input.free_miles),
            per_mile_cents: Cents(input.per_mile_minor.0),
            max_miles: i64::from(input.max_miles),
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.set_travel(caller, key, ask)
        })
        .await;
        PriceListPayload::of(ctx, station, done).await
    }

    /// Sets the least that a booking costs, for quotes and bookings from now on. Needs price:write.
    async fn price_minimum_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: PriceMinimumSetInput,
    ) -> Result<PriceListPayload> {
        let caller = caller(ctx)?;
        let Some(station) = local::<StationId>(&input.station_id) else {
            return Ok(PriceListPayload::unknown_station());
        };
        let ask = MinimumInput {
            station,
            seen: input.expected_version.map(i64::from),
            weekday_cents: Cents(input.weekday_minor.0),
            weekend_cents: Cents(input.weekend_minor.0),
            below: input.below.into(),
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.set_minimum(caller, key, ask)
        })
        .await;
        PriceListPayload::of(ctx, station, done).await
    }
}
