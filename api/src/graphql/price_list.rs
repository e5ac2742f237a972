//! Price lists and their history.

mod bulk;
mod item;
mod policy;

use async_graphql::{Context, Description, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::price_list::PriceChangeInput as Change;
use commands::{CommandError, Written};
use domain::ids::StationId;
use domain::money::Cents;
use domain::price_list::{Confirmation, PricedItem};
use projections::At;
use projections::price_history::{self, PriceHistoryFilter, PriceHistoryRow};
use projections::price_list::{self, PriceListRow};

use super::connection::{connection, counter, payload};
use super::error::{UserError, coded, outcome, unread};
use super::id::{global, local};
use super::read::{AsOf, Freshness, after, at, cost, slice};
use super::scalar::{BigInt, LogPosition, Money};
use super::session::{app, caller, under_key, viewer};
pub(super) use bulk::{PriceBulkMutation, PriceBulkQuery};
pub(super) use item::PriceItemMutation;
use item::{MinimumTerms, PriceItemKind, TravelTerms};
use policy::BookingPolicy;
pub(super) use policy::BookingPolicyMutation;

/// What a station charges at a time, tax included.
#[derive(SimpleObject)]
pub(super) struct PriceList {
    /// The station.
    station_id: ID,
    /// Number of changes so far: what `expectedVersion` compares and quotes cite.
    version: i32,
    /// What is on offer, by name.
    items: Vec<PriceItem>,
    /// How travel is charged; null where it costs nothing and goes everywhere.
    travel: Option<TravelTerms>,
    /// The least that a booking costs; null where there is none.
    minimum: Option<MinimumTerms>,
    /// The terms that bookings are made under.
    policy: BookingPolicy,
}

/// Something on offer.
#[derive(SimpleObject)]
pub(super) struct PriceItem {
    /// Stable name.
    item: String,
    /// Name for customers.
    label: String,
    /// What the price is for.
    kind: PriceItemKind,
    /// Price of one.
    price: Money,
    /// The lowest that it may become.
    min: Option<Money>,
    /// The highest that it may become.
    max: Option<Money>,
    /// Since when this price is in force.
    effective_from: DateTime<Utc>,
}

impl From<PricedItem> for PriceItem {
    fn from(item: PricedItem) -> Self {
        Self {
            item: item.item,
            label: item.label,
            kind: item.kind.into(),
            price: item.price_cents.into(),
            min: Some(item.min_cents.into()),
            max: Some(item.max_cents.into()),
            effective_from: item.effective_from,
        }
    }
}

fn shown(row: &PriceListRow, at: DateTime<Utc>) -> PriceList {
    PriceList {
        station_id: global(row.station_id),
        version: i32::try_from(row.version).unwrap_or(i32::MAX),
        items: row.items_at(at).into_iter().map(PriceItem::from).collect(),
        travel: row.list.travel().map(TravelTerms::from),
        minimum: row.list.minimum().map(MinimumTerms::from),
        policy: row.list.policy().into(),
    }
}

/// A change of a price.
#[derive(Clone, Description)]
pub(super) struct PriceChange(PriceHistoryRow);

#[Object(use_type_description)]
impl PriceChange {
    /// Whose price.
    async fn item(&self) -> &str {
        &self.0.item
    }
    /// Price right before; null when the item came on offer.
    async fn old(&self) -> Option<Money> {
        self.0.old_cents.map(Money::from)
    }
    /// Price from then on.
    async fn new(&self) -> Money {
        self.0.new_cents.into()
    }
    /// From when, inclusive.
    async fn effective_from(&self) -> DateTime<Utc> {
        self.0.effective_from
    }
    /// Id of who changed it.
    async fn changed_by(&self) -> &str {
        &self.0.actor_id
    }
    /// Why.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }
    /// Position of the change in the log.
    async fn position(&self) -> LogPosition {
        self.0.position.into()
    }
    /// When it was recorded.
    async fn recorded_at(&self) -> DateTime<Utc> {
        self.0.recorded_at
    }
}

connection!(
    PriceChangeConnection,
    PriceChangeEdge,
    PriceChange,
    "Changes of prices, the newest first."
);

/// Questions about prices.
#[derive(Default)]
pub(super) struct PriceListQuery;

#[Object]
impl PriceListQuery {
    /// What a station charges now, charged as of a time, or charges at another instant, as far as is known. Needs
    /// price:read.
    async fn price_list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Opaque id of a station.")] station_id: ID,
        #[graphql(desc = "As of a time in the past: the prices in force then, as they were known then.")]
        as_of: Option<AsOf>,
        #[graphql(
            name = "at",
            desc = "The prices in force at this instant, past or to come; with `asOf` as they were known then, else as they are known now."
        )]
        in_force_at: Option<DateTime<Utc>>,
    ) -> Result<PriceList> {
        let missing = || coded("NOT_FOUND", "there is no such station, or it has no prices");
        let station = local::<StationId>(&station_id).ok_or_else(missing)?;
        let asked = as_of.as_ref().and_then(AsOf::instant);
        let at = at(ctx, as_of, None).await?;
        let found = price_list::one(&app(ctx).views, viewer(ctx)?, station, at)
            .await
            .map_err(unread)?;
        let instant = match at {
            At::Live { .. } => Some(app(ctx).clock.now()),
            At::AsOf(_) => asked.or(found.info.recorded_at),
        };
        let instant = in_force_at.or(instant);
        found
            .value
            .zip(instant)
            .map(|(row, instant)| shown(&row, instant))
            .ok_or_else(missing)
    }

    /// How a station's prices changed, the newest change first. Needs price:read.
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of the schema")]
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn price_history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Opaque id of a station.")] station_id: ID,
        #[graphql(desc = "Only the changes of this item.")] item: Option<String>,
        #[graphql(desc = "Only prices in force from this instant or later.")] from: Option<DateTime<Utc>>,
        #[graphql(desc = "Only prices in force from before this instant.")] to: Option<DateTime<Utc>>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<PriceChangeConnection> {
        let at = at(ctx, as_of, fresh).await?;
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let station =
            local::<StationId>(&station_id).ok_or_else(|| coded("NOT_FOUND", "there is no such station"))?;
        let filter = PriceHistoryFilter {
            station_id: station,
            item,
            from,
            to,
        };
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = price_history::page(views, viewer, filter.clone(), slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone(), filter),
            move |(views, viewer, filter)| async move { price_history::count(&views, &viewer, filter, at).await },
        );
        Ok(PriceChangeConnection::new(page, previous, counter, PriceChange))
    }
}

/// A price to change.
#[derive(InputObject)]
pub(super) struct PriceChangeInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Whose list.
    station_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Whose price.
    item: String,
    /// New price in cents, tax included.
    price_minor: BigInt,
    /// From when; now where absent.
    effective_from: Option<DateTime<Utc>>,
    /// Why; 3 to 500 characters.
    reason: String,
    /// Confirms a change of more than 50 %.
    #[graphql(default = false)]
    confirm: bool,
}

payload!(PriceListPayload, price_list: PriceList);

impl PriceListPayload {
    /// The payload of a command on a station's list.
    async fn of(
        ctx: &Context<'_>,
        station: StationId,
        done: std::result::Result<Written, CommandError>,
    ) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        let found = price_list::one(&app(ctx).views, viewer(ctx)?, station, after(written.position)).await;
        let row = found.map_err(unread)?.value;
        let now = app(ctx).clock.now();
        Ok(Self::written(row.map(|row| shown(&row, now)), &written))
    }

    fn unknown_station() -> Self {
        Self::refused(UserError::not_found("stationId", "station"))
    }

    fn refused_rows(user_errors: Vec<UserError>) -> Self {
        Self {
            price_list: None,
            user_errors,
            position: None,
            replayed: false,
        }
    }
}

fn confirmation(confirm: bool) -> Confirmation {
    if confirm {
        Confirmation::Given
    } else {
        Confirmation::NotGiven
    }
}

/// Commands on prices.
#[derive(Default)]
pub(super) struct PriceListMutation;

#[Object]
impl PriceListMutation {
    /// Changes a price, now or at an instant to come. Needs price:write.
    async fn price_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: PriceChangeInput,
    ) -> Result<PriceListPayload> {
        let caller = caller(ctx)?;
        let Some(station) = local::<StationId>(&input.station_id) else {
            return Ok(PriceListPayload::unknown_station());
        };
        let change = Change {
            station,
            item: input.item,
            price_cents: Cents(input.price_minor.0),
            effective_from: input.effective_from,
            reason: input.reason,
            confirmation: confirmation(input.confirm),
            seen: input.expected_version.map(i64::from),
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.change_price(caller, key, change)
        })
        .await;
        PriceListPayload::of(ctx, station, done).await
    }
}
