//! Quotes: what a party costs.

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDateTime;
use commands::quote::QuoteInput as Ask;
use domain::customer::fold_email;
use domain::guests::Guests as DomainGuests;
use domain::ids::StationId;
use domain::money::{Cents, RatePpm};
use domain::quote::{AddOn, QuoteLine as DomainLine, food_and_service};
use projections::At;

use super::charges::{TipOption, fee, offered_on};
use super::error::{coded, refused_question};
use super::id::local;
use super::loaders::Loaders;
use super::payment::PaymentMethod;
use super::scalar::{BigInt, LocalDateTime, Money};
use super::session::{app, caller};
use super::station::Station;

/// A party by kinds of guests.
#[derive(Clone, Copy, InputObject)]
pub(super) struct GuestsInput {
    /// From 13 years.
    adults: i32,
    /// 6 to 12 years.
    #[graphql(default = 0)]
    children: i32,
    /// Under 6 years; free.
    #[graphql(default = 0)]
    under6: i32,
}

impl From<GuestsInput> for DomainGuests {
    fn from(guests: GuestsInput) -> Self {
        Self {
            adults: guests.adults,
            children: guests.children,
            under6: guests.under6,
        }
    }
}

/// An extra and how many.
#[derive(Clone, InputObject)]
pub(super) struct LineInput {
    /// Name on the price list.
    item: String,
    /// How many, 1 to 1,000.
    quantity: i32,
}

impl From<LineInput> for AddOn {
    fn from(line: LineInput) -> Self {
        Self {
            item: line.item,
            quantity: line.quantity,
        }
    }
}

/// A party to price.
#[derive(InputObject)]
pub(super) struct QuoteInput {
    /// The station; the nearest to the ZIP where absent.
    station_id: Option<ID>,
    /// ZIP of the venue.
    zip: String,
    /// Local start.
    start: LocalDateTime,
    /// The party.
    guests: GuestsInput,
    /// Extras.
    #[graphql(default)]
    add_ons: Vec<LineInput>,
    /// A promo code.
    promo_code: Option<String>,
    /// E-mail of whoever asks, for promo codes that only new customers may use, or each so many times. Needs customer:read.
    customer_email: Option<String>,
}

/// One line of a price, tax included.
#[derive(Clone, SimpleObject)]
pub(super) struct QuoteLine {
    /// Name on the price list, or of the charge.
    item: String,
    /// Name for customers.
    label: String,
    /// How many.
    quantity: i32,
    /// Price of one.
    unit: Money,
    /// Price of all.
    total: Money,
}

impl From<DomainLine> for QuoteLine {
    fn from(line: DomainLine) -> Self {
        Self {
            item: line.item,
            label: line.label,
            quantity: line.quantity,
            unit: line.unit_cents.into(),
            total: line.total_cents.into(),
        }
    }
}

/// What a party costs, tax included.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct Quote {
    /// Every line; they sum to the total.
    lines: Vec<QuoteLine>,
    /// What the promo code takes off; its line is among the lines.
    discount: Money,
    /// Total.
    total: Money,
    /// Deposit, part of the total.
    deposit: Money,
    /// What is left to pay after the deposit.
    balance_due: Money,
    /// Version of the price list that was used.
    price_list_version: i32,
    /// The station that would serve the party.
    station: Station,
    #[graphql(skip)]
    food_and_service: Cents,
    #[graphql(skip)]
    total_cents: Cents,
    #[graphql(skip)]
    card_fee_ppm: RatePpm,
}

#[ComplexObject]
impl Quote {
    /// Tips that are offered on food and service; any other amount may be given, and none is preselected.
    async fn tip_options(&self) -> Vec<TipOption> {
        offered_on(self.food_and_service)
    }

    /// What paying by a method costs beside the amount: a share of amount and tip by card, nothing otherwise.
    async fn card_fee(
        &self,
        #[graphql(default_with = "PaymentMethod::Card", desc = "How it is paid.")] method: PaymentMethod,
        #[graphql(desc = "What is paid towards the price, in cents; the total where absent.")]
        amount_minor: Option<BigInt>,
        #[graphql(default_with = "BigInt(0)", desc = "The tip beside it, in cents.")] tip_minor: BigInt,
    ) -> Result<Money> {
        fee(
            method,
            amount_minor,
            self.total_cents,
            tip_minor,
            self.card_fee_ppm,
        )
    }
}

/// The station that an input names; an id that is not a station's is no station of ours.
pub(super) fn named_station(id: Option<&ID>) -> std::result::Result<Option<StationId>, ()> {
    match id {
        None => Ok(None),
        Some(id) => local(id).map(Some).ok_or(()),
    }
}

/// Questions about prices of parties.
#[derive(Default)]
pub(super) struct QuoteQuery;

#[Object]
impl QuoteQuery {
    /// What a party would cost now. Needs price:read.
    async fn quote(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The party to be priced.")] input: QuoteInput,
    ) -> Result<Quote> {
        let station = named_station(input.station_id.as_ref())
            .map_err(|()| coded("NOT_FOUND", "there is no such station"))?;
        let folded =
            |email: &String| fold_email(email).map_err(|error| coded("INVALID_EMAIL", error.to_string()));
        let customer_email = input.customer_email.as_ref().map(folded).transpose()?;
        let start: NaiveDateTime = input.start.0;
        let ask = Ask {
            station,
            zip: input.zip,
            start,
            guests: input.guests.into(),
            add_ons: input.add_ons.into_iter().map(AddOn::from).collect(),
            promo_code: input.promo_code,
            customer_email,
        };
        let answer = app(ctx)
            .commands
            .quote(&caller(ctx)?, ask)
            .await
            .map_err(refused_question)?;
        let station = ctx
            .data_unchecked::<Loaders>()
            .station(answer.station, At::NOW)
            .await?;
        let station = station.ok_or_else(|| coded("STALE_READ", "the station is new; ask again"))?;
        let quote = answer.quote;
        Ok(Quote {
            discount: quote.discount_cents.into(),
            food_and_service: food_and_service(&quote.lines),
            total_cents: quote.total_cents,
            card_fee_ppm: answer.card_fee_ppm,
            total: quote.total_cents.into(),
            deposit: quote.deposit_cents.into(),
            balance_due: (quote.total_cents - quote.deposit_cents).into(),
            price_list_version: i32::try_from(quote.price_list_version).unwrap_or(i32::MAX),
            lines: quote.lines.into_iter().map(QuoteLine::from).collect(),
            station: Station(station),
        })
    }
}
