//! Lines of the tax ledger.

use async_graphql::{Context, Description, Enum, ID, Object, Result};
use domain::ids::{BookingId, StationId};
use domain::tax_rate::{PlaceConfirmation, PlaceMethod};
use projections::tax_ledger::{self, TaxLineFilter, TaxLineRow};

use super::{period, state};
use crate::graphql::connection::{connection, counter};
use crate::graphql::error::{coded, unread};
use crate::graphql::id::{global, local};
use crate::graphql::read::{AsOf, Freshness, at, cost, slice};
use crate::graphql::scalar::{Decimal, LocalDate, LogPosition, Money};
use crate::graphql::session::{app, viewer};

/// How the place of a booking's tax was found.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub(in crate::graphql) enum TaxPlaceMethod {
    /// The county was named with the address.
    Address,
    /// The venue's city, confirmed by its ZIP.
    CityZip,
    /// The ZIP alone: a suggestion.
    ZipOnly,
    /// A person looked at the address.
    Manual,
}

impl From<PlaceMethod> for TaxPlaceMethod {
    fn from(method: PlaceMethod) -> Self {
        match method {
            PlaceMethod::Address => Self::Address,
            PlaceMethod::CityZip => Self::CityZip,
            PlaceMethod::ZipOnly => Self::ZipOnly,
            PlaceMethod::Manual => Self::Manual,
        }
    }
}

/// What one fact adds to a booking's tax; negative where it takes back what a line before said.
#[derive(Clone, Description)]
pub(in crate::graphql) struct TaxLine(pub(in crate::graphql) TaxLineRow);

#[Object(use_type_description)]
impl TaxLine {
    /// The booking.
    async fn booking_id(&self) -> ID {
        global(self.0.booking_id)
    }
    /// Its number.
    async fn booking_number(&self) -> &str {
        &self.0.booking_number
    }
    /// Local date of the event.
    async fn date(&self) -> LocalDate {
        LocalDate(self.0.event_on)
    }
    /// Local day that the line belongs to, and so its period: the event's, or a later one where that was closed or the fact
    /// is a refund.
    async fn tax_date(&self) -> LocalDate {
        LocalDate(self.0.tax_on)
    }
    /// `sale` for a party that was held, `kept_deposit` for what is kept of one that was called off where that is a sale,
    /// `card_fee`, `tip`, `refund`, `refund_failed`, `void`, and `corrected_from` with `corrected_to` where a place or rate
    /// proved wrong.
    async fn kind(&self) -> &'static str {
        self.0.kind.as_str()
    }
    /// State that is owed the tax.
    async fn state(&self) -> &str {
        &self.0.state
    }
    /// County that is owed the tax.
    async fn county(&self) -> &str {
        &self.0.county
    }
    /// City, where it has a rate of its own.
    async fn city(&self) -> Option<&str> {
        Some(self.0.city.as_str()).filter(|city| !city.is_empty())
    }
    /// ZIP code of the venue.
    async fn venue_zip(&self) -> &str {
        &self.0.venue_zip
    }
    /// City of the venue as written.
    async fn venue_city(&self) -> &str {
        &self.0.venue_city
    }
    /// How the place was found.
    async fn method(&self) -> TaxPlaceMethod {
        self.0.method.into()
    }
    /// Whether a person must confirm the place before the period can be closed.
    async fn unconfirmed(&self) -> bool {
        self.0.confirmation == PlaceConfirmation::Needed
    }
    /// Combined rate as a fraction; null where none is known.
    async fn rate(&self) -> Option<Decimal> {
        self.0.rate_ppm.map(Decimal::from)
    }
    /// First day of that rate.
    async fn rate_effective_from(&self) -> Option<LocalDate> {
        self.0.rate_effective_from.map(LocalDate)
    }
    /// All that was charged, tips included, tax included, after a discount.
    async fn gross(&self) -> Money {
        self.0.gross_cents.into()
    }
    /// What a promo code took off before that.
    async fn discount(&self) -> Money {
        self.0.discount_cents.into()
    }
    /// Part of the gross that is travel.
    async fn travel(&self) -> Money {
        self.0.travel_cents.into()
    }
    /// Part of the gross that is mandatory gratuity.
    async fn mandatory_gratuity(&self) -> Money {
        self.0.gratuity_cents.into()
    }
    /// Part of the gross that is card fee.
    async fn card_fee(&self) -> Money {
        self.0.card_fee_cents.into()
    }
    /// Part of the gross that is tips, taxed or not.
    async fn tip(&self) -> Money {
        self.0.tip_cents.into()
    }
    /// Part of the gross that is not taxed.
    async fn non_taxable(&self) -> Money {
        self.0.non_taxable_cents.into()
    }
    /// Taxable amount without its tax.
    async fn taxable(&self) -> Money {
        self.0.taxable_cents.into()
    }
    /// Tax.
    async fn tax(&self) -> Money {
        self.0.tax_cents.into()
    }
    /// What was given back with an effect on tax.
    async fn refund(&self) -> Money {
        self.0.refund_cents.into()
    }
    /// Tax in what was given back.
    async fn refunded_tax(&self) -> Money {
        self.0.refunded_tax_cents.into()
    }
    /// What the refund is for: `price_adjustment`, `full_reversal`, `tip_only`, `fee_only`, `cancelled_before_service`.
    async fn refund_kind(&self) -> Option<&'static str> {
        self.0.refund_kind.map(|kind| kind.as_str())
    }
    /// Why, of refunds, voids and corrections.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }
    /// How the money moved: `card`, `zelle`, `venmo`, `cash`; null of a sale and a correction.
    async fn payment_method(&self) -> Option<&'static str> {
        self.0.payment_method.map(|method| method.as_str())
    }
    /// Position of the event behind the line.
    async fn position(&self) -> LogPosition {
        self.0.position.into()
    }
}

connection!(
    TaxLineConnection,
    TaxLineEdge,
    TaxLine,
    "Tax lines, by the day that they belong to."
);

/// Questions about tax lines.
#[derive(Default)]
pub(in crate::graphql) struct TaxLineQuery;

#[Object]
impl TaxLineQuery {
    /// The lines behind a report, by the day that they belong to. Needs tax:read.
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of the schema")]
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn tax_lines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Two-letter state.")] state: String,
        #[graphql(desc = "A month, a quarter, a year, or a first and a last day.")] period: String,
        #[graphql(desc = "Only the lines of this county.")] county: Option<String>,
        #[graphql(desc = "Only the lines of this station.")] station_id: Option<ID>,
        #[graphql(desc = "Only the lines of this booking.")] booking_id: Option<ID>,
        #[graphql(desc = "Only lines whose place a person must confirm, or only the others.")]
        unconfirmed: Option<bool>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<TaxLineConnection> {
        self::state(&state)?;
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let missing = |noun| coded("NOT_FOUND", format!("there is no such {noun}"));
        let station_id = station_id
            .map(|id| local::<StationId>(&id).ok_or_else(|| missing("station")))
            .transpose()?;
        let booking_id = booking_id
            .map(|id| local::<BookingId>(&id).ok_or_else(|| missing("booking")))
            .transpose()?;
        let filter = TaxLineFilter {
            state: Some(state),
            period: Some(self::period(&period)?),
            county,
            station_id,
            booking_id,
            confirmation: unconfirmed.map(|unconfirmed| {
                if unconfirmed {
                    PlaceConfirmation::Needed
                } else {
                    PlaceConfirmation::NotNeeded
                }
            }),
            ..Default::default()
        };
        let at = at(ctx, as_of, fresh).await?;
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = tax_ledger::page(views, viewer, filter.clone(), slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone(), filter),
            move |(views, viewer, filter)| async move { tax_ledger::count(&views, &viewer, filter, at).await },
        );
        Ok(TaxLineConnection::new(page, previous, counter, TaxLine))
    }
}
