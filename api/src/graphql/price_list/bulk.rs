//! Many prices at once, and price lists as files.

use async_graphql::{Context, ID, InputObject, Object, OneofObject, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::price_list::{BadLine, BulkInput, ImportChange, ImportInput};
use commands::{CommandError, Refused};
use domain::ids::StationId;
use domain::money::{Cents, RatePpm};
use domain::price_list::{Adjustment, ProposedPrice as Proposed};

use super::{PriceListPayload, confirmation};
use crate::graphql::error::{UserError, coded, refused_question};
use crate::graphql::id::local;
use crate::graphql::scalar::{BigInt, Decimal, Money};
use crate::graphql::session::{app, caller, under_key};

/// By how much prices change.
#[derive(OneofObject)]
pub(in crate::graphql) enum PriceAdjustmentInput {
    /// By a share of what each is: `0.05` is 5 % dearer, `-0.1` 10 % cheaper. From -1 to 1.
    Share(Decimal),
    /// By the same amount each, in cents; below zero cheaper.
    AmountMinor(BigInt),
}

impl PriceAdjustmentInput {
    fn read(self) -> std::result::Result<Adjustment, Refused> {
        match self {
            Self::AmountMinor(amount) => Ok(Adjustment::Amount(Cents(amount.0))),
            Self::Share(Decimal(text)) => {
                let (sign, share) = match text.strip_prefix('-') {
                    Some(share) => (-1, share),
                    None => (1, text.as_str()),
                };
                let share = RatePpm::parse(share);
                let share = share.map_err(|bad| Refused {
                    code: "INVALID_ADJUSTMENT",
                    field: vec!["by"],
                    message: bad.to_string(),
                })?;
                Ok(Adjustment::Percent(RatePpm(sign * share.0)))
            }
        }
    }
}

/// Many prices to change.
#[derive(InputObject)]
pub(in crate::graphql) struct PriceBulkChangeInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Whose list.
    station_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Whose prices; all that are on offer then where none is named.
    #[graphql(default)]
    items: Vec<String>,
    /// By how much.
    by: PriceAdjustmentInput,
    /// New prices are multiples of this many cents, 1 to 10,000: the nearest, half of it rounded up.
    #[graphql(default_with = "BigInt(1)")]
    round_to_minor: BigInt,
    /// From when; now where absent.
    effective_from: Option<DateTime<Utc>>,
    /// Why; 3 to 500 characters.
    reason: String,
    /// Confirms changes of more than 50 %.
    #[graphql(default = false)]
    confirm: bool,
}

/// Many prices that might change.
#[derive(InputObject)]
pub(in crate::graphql) struct PriceBulkChangePreviewInput {
    /// Whose list.
    station_id: ID,
    /// Whose prices; all that are on offer then where none is named.
    #[graphql(default)]
    items: Vec<String>,
    /// By how much.
    by: PriceAdjustmentInput,
    /// New prices are multiples of this many cents, 1 to 10,000: the nearest, half of it rounded up.
    #[graphql(default_with = "BigInt(1)")]
    round_to_minor: BigInt,
    /// From when; now where absent.
    effective_from: Option<DateTime<Utc>>,
    /// Confirms changes of more than 50 %.
    #[graphql(default = false)]
    confirm: bool,
}

/// What would become of one price.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ProposedPrice {
    /// Whose price.
    item: String,
    /// Name for customers; null for an item that is not there.
    label: Option<String>,
    /// Price right before.
    old: Option<Money>,
    /// Price from then on; the same where rounding leaves it there: then nothing is recorded.
    new: Option<Money>,
    /// Why it cannot change so, in which case none of them changes; null when it can.
    refused: Option<UserError>,
}

impl From<Proposed> for ProposedPrice {
    fn from(proposed: Proposed) -> Self {
        Self {
            item: proposed.item,
            label: proposed.label,
            old: proposed.old_cents.map(Money::from),
            new: proposed.new_cents.map(Money::from),
            refused: proposed.refused.map(UserError::of),
        }
    }
}

/// A price list to take over from a file.
#[derive(InputObject)]
pub(in crate::graphql) struct PriceListImportInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Whose list.
    station_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// The file as an export writes it (RFC 4180): item, label, kind, price, min, max, effective_from. A price without an
    /// instant is in force at once. Items that it does not name stay as they are.
    csv: String,
    /// Why; 3 to 500 characters.
    reason: String,
    /// Confirms changes of more than 50 %.
    #[graphql(default = false)]
    confirm: bool,
}

/// A price list that might be taken over.
#[derive(InputObject)]
pub(in crate::graphql) struct PriceListImportPreviewInput {
    /// Whose list.
    station_id: ID,
    /// The file as an export writes it.
    csv: String,
    /// Confirms changes of more than 50 %.
    #[graphql(default = false)]
    confirm: bool,
}

/// What a file would change.
#[derive(SimpleObject)]
pub(in crate::graphql) struct PriceListImportPreview {
    /// Prices that would be new, in the order of the file; none while a row is bad.
    changes: Vec<ImportedPrice>,
    /// Rows that cannot be taken over, in which case none is.
    bad_rows: Vec<BadRow>,
}

/// A price that a file would set.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ImportedPrice {
    /// Whose price.
    item: String,
    /// Price right before; null where the item is new.
    old: Option<Money>,
    /// Price from then on.
    new: Money,
    /// From when, inclusive.
    effective_from: DateTime<Utc>,
}

/// A row of a file that cannot be taken over.
#[derive(SimpleObject)]
pub(in crate::graphql) struct BadRow {
    /// Line that it begins on; the header is the first.
    line: i32,
    /// Stable code in capitals.
    code: &'static str,
    /// A sentence that a person can act on.
    message: String,
}

impl From<ImportChange> for ImportedPrice {
    fn from(change: ImportChange) -> Self {
        Self {
            item: change.item,
            old: change.old_cents.map(Money::from),
            new: change.new_cents.into(),
            effective_from: change.effective_from,
        }
    }
}

impl From<BadLine> for BadRow {
    fn from(bad: BadLine) -> Self {
        Self {
            line: i32::try_from(bad.line).unwrap_or(i32::MAX),
            code: bad.code,
            message: bad.message,
        }
    }
}

fn station(id: &ID) -> Result<StationId> {
    local(id).ok_or_else(|| coded("NOT_FOUND", "there is no such station"))
}

/// Questions about many prices.
#[derive(Default)]
pub(in crate::graphql) struct PriceBulkQuery;

#[Object]
impl PriceBulkQuery {
    /// What a change of many prices would do, price by price, each with what speaks against it. Nothing is written.
    /// Needs price:read.
    async fn price_bulk_change_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The prices and by how much.")] input: PriceBulkChangePreviewInput,
    ) -> Result<Vec<ProposedPrice>> {
        let ask = BulkInput {
            station: station(&input.station_id)?,
            items: input.items.into_iter().collect(),
            by: input
                .by
                .read()
                .map_err(|refused| refused_question(CommandError::Refused(refused)))?,
            round_to: Cents(input.round_to_minor.0),
            effective_from: input.effective_from,
            reason: "preview".to_owned(),
            confirmation: confirmation(input.confirm),
            seen: None,
        };
        let proposed = app(ctx).commands.preview_prices(&caller(ctx)?, &ask).await;
        let proposed = proposed.map_err(refused_question)?;
        Ok(proposed.into_iter().map(ProposedPrice::from).collect())
    }

    /// A station's price list as a file (RFC 4180): what is in force, and what is to come. Imported again, it changes
    /// nothing. Needs price:read.
    async fn price_list_export(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Opaque id of a station.")] station_id: ID,
    ) -> Result<String> {
        let station = station(&station_id)?;
        let text = app(ctx).commands.export_prices(&caller(ctx)?, station).await;
        text.map_err(refused_question)
    }

    /// What a file would change, or every row of it that cannot be taken over. Nothing is written. Needs price:read.
    async fn price_list_import_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file.")] input: PriceListImportPreviewInput,
    ) -> Result<PriceListImportPreview> {
        let ask = ImportInput {
            station: station(&input.station_id)?,
            csv: input.csv,
            reason: "preview".to_owned(),
            confirmation: confirmation(input.confirm),
            seen: None,
        };
        let preview = app(ctx).commands.preview_import(&caller(ctx)?, &ask).await;
        let preview = preview.map_err(refused_question)?;
        Ok(PriceListImportPreview {
            changes: preview.changes.into_iter().map(ImportedPrice::from).collect(),
            bad_rows: preview.bad.into_iter().map(BadRow::from).collect(),
        })
    }
}

/// Commands on many prices.
#[derive(Default)]
pub(in crate::graphql) struct PriceBulkMutation;

#[Object]
impl PriceBulkMutation {
    /// Changes many prices, all of them in one step or none. Needs price:write.
    async fn price_bulk_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: PriceBulkChangeInput,
    ) -> Result<PriceListPayload> {
        let caller = caller(ctx)?;
        let Some(station) = local::<StationId>(&input.station_id) else {
            return Ok(PriceListPayload::unknown_station());
        };
        let by = match input.by.read() {
            Ok(by) => by,
            Err(refused) => return Ok(PriceListPayload::refused(UserError::of(refused))),
        };
        let ask = BulkInput {
            station,
            items: input.items.into_iter().collect(),
            by,
            round_to: Cents(input.round_to_minor.0),
            effective_from: input.effective_from,
            reason: input.reason,
            confirmation: confirmation(input.confirm),
            seen: input.expected_version.map(i64::from),
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.change_prices(caller, key, ask)
        })
        .await;
        PriceListPayload::of(ctx, station, done).await
    }

    /// Takes a price list over from a file, every row in one step or none; each bad row is a user error of its own, whose
    /// field ends in its line. Needs price:write.
    async fn price_list_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: PriceListImportInput,
    ) -> Result<PriceListPayload> {
        let caller = caller(ctx)?;
        let Some(station) = local::<StationId>(&input.station_id) else {
            return Ok(PriceListPayload::unknown_station());
        };
        let ask = ImportInput {
            station,
            csv: input.csv,
            reason: input.reason,
            confirmation: confirmation(input.confirm),
            seen: input.expected_version.map(i64::from),
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.import_prices(caller.clone(), key, ask.clone())
        })
        .await;
        match done {
            Err(CommandError::Refused(refused)) if refused.code == "INVALID_ROWS" => {
                let preview = app(ctx).commands.preview_import(&caller, &ask).await;
                let bad = preview.map_err(refused_question)?.bad;
                if bad.is_empty() {
                    // The list has moved since: what was wrong then is right now, and nothing was written.
                    return Ok(PriceListPayload::refused(UserError::of(refused)));
                }
                let told =
                    |bad: BadLine| UserError::new(bad.code, &["csv", &bad.line.to_string()], bad.message);
                Ok(PriceListPayload::refused_rows(
                    bad.into_iter().map(told).collect(),
                ))
            }
            done => PriceListPayload::of(ctx, station, done).await,
        }
    }
}
