//! Many prices at once, price lists as files, and the terms of booking.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::access::Permission;
use domain::decider::Decider;
use domain::ids::StationId;
use domain::money::{Cents, RatePpm};
use domain::price_list::{
    Adjustment, BookingPolicy, BulkChange, CancellationTier, ChangePolicy, Confirmation, ImportSheet,
    MandatoryGratuity, PriceListCommand, PriceListError, PriceListEvent, ProposedPrice,
};
use serde::Serialize;

use super::sheet::{BadLine, Sheet, read_sheet, refused_rows, write_sheet};
use super::whole_micros;
use crate::execute::{Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// Many prices to change, as the client asked for it.
#[derive(Debug, Clone, Serialize)]
pub struct BulkInput {
    /// Whose list.
    pub station: StationId,
    /// Whose prices; all that are on offer then where none is named.
    pub items: BTreeSet<String>,
    /// By how much.
    pub by: Adjustment,
    /// New prices are multiples of this many cents, half of it rounded up.
    pub round_to: Cents,
    /// From when; now where absent.
    pub effective_from: Option<DateTime<Utc>>,
    /// Why.
    pub reason: String,
    /// Whether changes of more than half were confirmed.
    pub confirmation: Confirmation,
    /// Version of the list that the client saw.
    pub seen: Option<i64>,
}

impl BulkInput {
    fn at(&self, now: DateTime<Utc>) -> BulkChange {
        BulkChange {
            items: self.items.clone(),
            by: self.by,
            round_to: self.round_to,
            effective_from: self.effective_from.map_or(now, whole_micros),
            reason: self.reason.clone(),
            confirmation: self.confirmation,
            now,
        }
    }
}

/// A price list to take over from a file.
#[derive(Debug, Clone, Serialize)]
pub struct ImportInput {
    /// Whose list.
    pub station: StationId,
    /// The file, as it is written by an export.
    pub csv: String,
    /// Why.
    pub reason: String,
    /// Whether changes of more than half were confirmed.
    pub confirmation: Confirmation,
    /// Version of the list that the client saw.
    pub seen: Option<i64>,
}

/// What a file would change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportPreview {
    /// Prices that would be new, in the order of the file; none while a row is bad.
    pub changes: Vec<ImportChange>,
    /// Rows that cannot be taken over, by line: then none is.
    pub bad: Vec<BadLine>,
}

/// A price that a file would set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportChange {
    /// Whose price.
    pub item: String,
    /// Tax-inclusive price right before, in cents; none where the item is new.
    pub old_cents: Option<Cents>,
    /// Tax-inclusive price from then on, in cents.
    pub new_cents: Cents,
    /// From when, inclusive.
    pub effective_from: DateTime<Utc>,
}

/// Terms of booking to set; what is absent stays as it is.
#[derive(Debug, Clone, Serialize)]
pub struct PolicyInput {
    /// Whose list.
    pub station: StationId,
    /// Version of the list that the client saw.
    pub seen: Option<i64>,
    /// Deposit in cents.
    pub deposit_cents: Option<Cents>,
    /// Hours after the request until the deposit is due.
    pub deposit_due_hours: Option<i64>,
    /// The mandatory gratuity; or, within, none.
    pub gratuity: Option<Option<MandatoryGratuity>>,
    /// What is given back on cancellation.
    pub cancellation_tiers: Option<Vec<CancellationTier>>,
    /// How a booking may be changed.
    pub changes: Option<ChangePolicy>,
    /// What paying by card costs.
    pub card_fee_ppm: Option<RatePpm>,
}

impl PolicyInput {
    fn over(&self, terms: BookingPolicy) -> BookingPolicy {
        BookingPolicy {
            deposit_cents: self.deposit_cents.unwrap_or(terms.deposit_cents),
            deposit_due_hours: self.deposit_due_hours.unwrap_or(terms.deposit_due_hours),
            gratuity: self.gratuity.clone().unwrap_or(terms.gratuity),
            cancellation_tiers: self
                .cancellation_tiers
                .clone()
                .unwrap_or(terms.cancellation_tiers),
            changes: self.changes.clone().unwrap_or(terms.changes),
            card_fee_ppm: self.card_fee_ppm.unwrap_or(terms.card_fee_ppm),
            before: None,
        }
    }
}

impl Commands {
    /// What a change of many prices would do, item by item, each with what speaks against it. Nothing is written.
    ///
    /// # Errors
    /// `NOT_FOUND`, `INVALID_ADJUSTMENT`, `INVALID_ROUNDING`, `INVALID_REASON`.
    pub async fn preview_prices(
        &self,
        caller: &Caller,
        input: &BulkInput,
    ) -> Result<Vec<ProposedPrice>, CommandError> {
        caller.require(Permission::PriceRead)?;
        let loaded = self.load_prices(caller, input.station).await?;
        let proposed = loaded.state.propose(&input.at(self.ports.now()));
        proposed.map_err(CommandError::refused)
    }

    /// Changes many prices, all of them in one step or none.
    ///
    /// # Errors
    /// The first refusal of an item, which it names; `UNCHANGED` where rounding leaves every price as it is.
    pub async fn change_prices(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        input: BulkInput,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PriceWrite)?;
            this.run(&caller, &key, "prices_change", &input, || {
                let command = PriceListCommand::ChangeMany(input.at(this.ports.now()));
                this.plan_prices(&caller, input.station, input.seen, command)
            })
            .await
        })
        .await
    }

    /// A station's price list as a file: what is in force, and what is to come. Imported again, it changes nothing.
    ///
    /// # Errors
    /// `NOT_FOUND` where there is no such station.
    pub async fn export_prices(&self, caller: &Caller, station: StationId) -> Result<String, CommandError> {
        caller.require(Permission::PriceRead)?;
        let loaded = self.load_prices(caller, station).await?;
        Ok(write_sheet(&loaded.state.sheet(self.ports.now())))
    }

    /// What a file would change, or every row of it that cannot be. Nothing is written.
    ///
    /// # Errors
    /// `NOT_FOUND`, `INVALID_HEADER`, `TOO_MANY_ROWS`, `INVALID_REASON`.
    pub async fn preview_import(
        &self,
        caller: &Caller,
        input: &ImportInput,
    ) -> Result<ImportPreview, CommandError> {
        caller.require(Permission::PriceRead)?;
        let loaded = self.load_prices(caller, input.station).await?;
        let Sheet { rows, mut bad } = read_sheet(&input.csv).map_err(CommandError::Refused)?;
        let import = PriceListCommand::Import(self.import_of(input, rows));
        let events = match loaded.state.decide(import) {
            Ok(events) => events,
            Err(PriceListError::NothingChanges) => Vec::new(),
            Err(PriceListError::BadRows(rows)) => {
                bad.extend(rows.iter().map(|row| BadLine::of(row.line, &row.refused)));
                Vec::new()
            }
            Err(refused) => return Err(CommandError::refused(refused)),
        };
        bad.sort_by_key(|bad| bad.line);
        let changes = if bad.is_empty() {
            changes(&events)
        } else {
            Vec::new()
        };
        Ok(ImportPreview { changes, bad })
    }

    /// Takes a price list over from a file, every row in one step or none.
    ///
    /// # Errors
    /// `INVALID_ROWS` names rows by line and reason; `UNCHANGED` where the list is so already; those of
    /// [`preview_import`](Self::preview_import).
    pub async fn import_prices(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        input: ImportInput,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PriceWrite)?;
            this.run(&caller, &key, "prices_import", &input, || async {
                let preview = this.preview_import(&caller, &input).await?;
                if !preview.bad.is_empty() {
                    return Err(CommandError::Refused(refused_rows(&preview.bad)));
                }
                let Sheet { rows, .. } = read_sheet(&input.csv).map_err(CommandError::Refused)?;
                let command = PriceListCommand::Import(this.import_of(&input, rows));
                this.plan_prices(&caller, input.station, input.seen, command)
                    .await
            })
            .await
        })
        .await
    }

    fn import_of(&self, input: &ImportInput, rows: Vec<domain::price_list::SheetRow>) -> ImportSheet {
        ImportSheet {
            rows,
            reason: input.reason.clone(),
            confirmation: input.confirmation,
            now: self.ports.now(),
        }
    }

    /// Sets terms of booking; those that are not named stay. Bookings keep what they were made under.
    ///
    /// # Errors
    /// `INVALID_TERMS`, `NOT_FOUND`.
    pub async fn set_policy(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        input: PolicyInput,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PriceWrite)?;
            this.run(&caller, &key, "booking_policy_set", &input, || async {
                let loaded = this.load_prices(&caller, input.station).await?;
                let command = PriceListCommand::SetPolicy(input.over(loaded.state.policy()));
                this.plan_prices(&caller, input.station, input.seen, command)
                    .await
            })
            .await
        })
        .await
    }
}

/// The prices that events of a list set.
fn changes(events: &[PriceListEvent]) -> Vec<ImportChange> {
    let change = |event: &PriceListEvent| match event {
        PriceListEvent::ItemAdded(added) => Some(ImportChange {
            item: added.item.clone(),
            old_cents: None,
            new_cents: added.price_cents,
            effective_from: added.effective_from,
        }),
        PriceListEvent::PriceChanged(changed) => Some(ImportChange {
            item: changed.item.clone(),
            old_cents: Some(changed.old_cents),
            new_cents: changed.new_cents,
            effective_from: changed.effective_from,
        }),
        PriceListEvent::ItemRetired(_)
        | PriceListEvent::TravelBandSet(_)
        | PriceListEvent::MinimumSet(_)
        | PriceListEvent::PolicySet(_) => None,
    };
    events.iter().filter_map(change).collect()
}
