//! Changing prices and terms.

mod bulk;
mod item;
mod sheet;

use chrono::{DateTime, SubsecRound, Utc};
use domain::access::Permission;
use domain::decider::Decider;
use domain::ids::StationId;
use domain::money::Cents;
use domain::price_list::{Confirmation, PriceList, PriceListCommand};
use domain::station::{Station, StationError};
use serde::Serialize;

use crate::execute::{Plan, Written, to_the_end};
use crate::load::Loaded;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

pub use bulk::{BulkInput, ImportChange, ImportInput, ImportPreview, PolicyInput};
pub use item::{MinimumInput, PriceItemInput, PriceItemRetire, TravelInput};
pub use sheet::{BadLine, HEADER, write_sheet};

/// A price to change.
#[derive(Debug, Clone, Serialize)]
pub struct PriceChangeInput {
    /// Whose list.
    pub station: StationId,
    /// Whose price.
    pub item: String,
    /// New tax-inclusive price in cents.
    pub price_cents: Cents,
    /// From when; now where absent.
    pub effective_from: Option<DateTime<Utc>>,
    /// Why.
    pub reason: String,
    /// Whether a change of more than half was confirmed.
    pub confirmation: Confirmation,
    /// Version of the list that the client saw.
    pub seen: Option<i64>,
}

impl Commands {
    /// Changes a price, now or at an instant to come.
    ///
    /// # Errors
    /// A refusal that names the rule which the change breaks.
    pub async fn change_price(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        input: PriceChangeInput,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PriceWrite)?;
            this.run(&caller, &key, "price_change", &input, || async {
                let now = this.ports.now();
                let command = PriceListCommand::ChangePrice {
                    item: input.item.clone(),
                    price_cents: input.price_cents,
                    effective_from: input.effective_from.map_or(now, whole_micros),
                    reason: input.reason.clone(),
                    confirmation: input.confirmation,
                    now,
                };
                this.plan_prices(&caller, input.station, input.seen, command)
                    .await
            })
            .await
        })
        .await
    }

    /// Puts items on offer and sets terms.
    ///
    /// # Errors
    /// A refusal that names the rule which the command breaks.
    pub async fn set_prices(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        station: StationId,
        command: PriceListCommand,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PriceWrite)?;
            this.run(&caller, &key, "price_list_set", &(station, &command), || {
                this.plan_prices(&caller, station, None, command.clone())
            })
            .await
        })
        .await
    }

    async fn plan_prices(
        &self,
        caller: &Caller,
        station: StationId,
        seen: Option<i64>,
        command: PriceListCommand,
    ) -> Result<Plan, CommandError> {
        caller.require(Permission::PriceWrite)?;
        let loaded = self.load_prices(caller, station).await?;
        loaded.expect(seen)?;
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(Plan::default().write::<PriceList>(self, station.to_string(), loaded.version, events))
    }

    /// The price list of a station that is open and within reach.
    async fn load_prices(
        &self,
        caller: &Caller,
        station: StationId,
    ) -> Result<Loaded<PriceList>, CommandError> {
        caller.reach(station, StationError::NotFound.into())?;
        let opened = self.load::<Station>(caller, &station.to_string()).await?;
        if opened.state.opened().is_none() {
            return Err(CommandError::refused(StationError::NotFound));
        }
        self.load::<PriceList>(caller, &station.to_string()).await
    }
}

/// An instant as the database tells it apart from others: whatever a client sends, what is listed is what is recorded.
fn whole_micros(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant.trunc_subsecs(6)
}
