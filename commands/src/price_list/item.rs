//! Single items of a price list, and what is charged beside them.

use chrono::{DateTime, Utc};
use domain::access::Permission;
use domain::ids::StationId;
use domain::money::Cents;
use domain::price_list::{
    BelowMinimum, ItemAdded, ItemKind, ItemRetired, MinimumSet, PriceListCommand, TravelBandSet,
};
use serde::Serialize;

use super::whole_micros;
use crate::execute::{Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// Something to put on offer.
#[derive(Debug, Clone, Serialize)]
pub struct PriceItemInput {
    /// Whose list.
    pub station: StationId,
    /// Version of the list that the client saw.
    pub seen: Option<i64>,
    /// Stable name.
    pub item: String,
    /// Name for customers.
    pub label: String,
    /// What the price is for.
    pub kind: ItemKind,
    /// Tax-inclusive price of one in cents.
    pub price_cents: Cents,
    /// The lowest that it may become; nothing where absent.
    pub min_cents: Option<Cents>,
    /// The highest that it may become; as much as any price where absent.
    pub max_cents: Option<Cents>,
    /// From when; now where absent.
    pub effective_from: Option<DateTime<Utc>>,
}

/// Something to take off offer.
#[derive(Debug, Clone, Serialize)]
pub struct PriceItemRetire {
    /// Whose list.
    pub station: StationId,
    /// Version of the list that the client saw.
    pub seen: Option<i64>,
    /// What.
    pub item: String,
    /// From when; now where absent.
    pub effective_from: Option<DateTime<Utc>>,
    /// Why.
    pub reason: String,
}

/// How travel is to be charged.
#[derive(Debug, Clone, Serialize)]
pub struct TravelInput {
    /// Whose list.
    pub station: StationId,
    /// Version of the list that the client saw.
    pub seen: Option<i64>,
    /// Miles from the station that cost nothing.
    pub free_miles: i64,
    /// Tax-inclusive price of each started mile beyond, in cents.
    pub per_mile_cents: Cents,
    /// Miles beyond which the company does not go.
    pub max_miles: i64,
}

/// The least that a booking is to cost.
#[derive(Debug, Clone, Serialize)]
pub struct MinimumInput {
    /// Whose list.
    pub station: StationId,
    /// Version of the list that the client saw.
    pub seen: Option<i64>,
    /// Monday to Thursday, tax-inclusive, in cents.
    pub weekday_cents: Cents,
    /// Friday to Sunday, tax-inclusive, in cents.
    pub weekend_cents: Cents,
    /// What happens to a smaller party.
    pub below: BelowMinimum,
}

impl Commands {
    /// Puts something on offer, now or from an instant to come.
    ///
    /// # Errors
    /// A refusal that names the rule which the item breaks.
    pub async fn add_price_item(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        input: PriceItemInput,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PriceWrite)?;
            this.run(&caller, &key, "price_item_add", &input, || {
                let now = this.ports.now();
                let added = ItemAdded {
                    item: input.item.clone(),
                    label: input.label.clone(),
                    kind: input.kind,
                    price_cents: input.price_cents,
                    min_cents: input.min_cents.unwrap_or(Cents::ZERO),
                    max_cents: input.max_cents.unwrap_or(Cents::MAX_INPUT),
                    effective_from: input.effective_from.map_or(now, whole_micros),
                };
                let command = PriceListCommand::AddItem { added, now };
                this.plan_prices(&caller, input.station, input.seen, command)
            })
            .await
        })
        .await
    }

    /// Takes something off offer, now or from an instant to come. Bookings keep what they were made with.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`, `EFFECTIVE_IN_PAST`, `INVALID_REASON`.
    pub async fn retire_price_item(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        input: PriceItemRetire,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PriceWrite)?;
            this.run(&caller, &key, "price_item_retire", &input, || {
                let now = this.ports.now();
                let retired = ItemRetired {
                    item: input.item.clone(),
                    effective_from: input.effective_from.map_or(now, whole_micros),
                    reason: input.reason.clone(),
                };
                let command = PriceListCommand::RetireItem { retired, now };
                this.plan_prices(&caller, input.station, input.seen, command)
            })
            .await
        })
        .await
    }

    /// Sets how travel is charged from now on.
    ///
    /// # Errors
    /// `INVALID_TERMS`, `NOT_FOUND`.
    pub async fn set_travel(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        input: TravelInput,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PriceWrite)?;
            this.run(&caller, &key, "price_travel_set", &input, || {
                let band = TravelBandSet {
                    free_miles: input.free_miles,
                    per_mile_cents: input.per_mile_cents,
                    max_miles: input.max_miles,
                    before: None,
                };
                let command = PriceListCommand::SetTravelBand(band);
                this.plan_prices(&caller, input.station, input.seen, command)
            })
            .await
        })
        .await
    }

    /// Sets the least that a booking costs from now on.
    ///
    /// # Errors
    /// `INVALID_TERMS`, `NOT_FOUND`.
    pub async fn set_minimum(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        input: MinimumInput,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PriceWrite)?;
            this.run(&caller, &key, "price_minimum_set", &input, || {
                let minimum = MinimumSet {
                    weekday_cents: input.weekday_cents,
                    weekend_cents: input.weekend_cents,
                    below: input.below,
                    before: None,
                };
                let command = PriceListCommand::SetMinimum(minimum);
                this.plan_prices(&caller, input.station, input.seen, command)
            })
            .await
        })
        .await
    }
}
