//! What a party costs.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use commands::quote::{QuoteAnswer, QuoteInput};
use domain::ids::StationId;
use domain::quote::{AddOn as DomainAddOn, food_and_service};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::allowance::{self, Spender};
use super::problem::{BodyRefusals, Problem, Refusals, RuleRefusals};
use super::sent::Body;
use super::values::{AddOn, Currency, Guests, LocalStart, PriceLine};
use super::{OfCompany, cached, visit};
use crate::app::App;

/// A party to price.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct QuoteAsked {
    /// The station; the nearest to the venue where absent.
    pub(super) station_id: Option<Uuid>,
    /// ZIP code of the venue, five digits.
    pub(super) zip: String,
    /// Local start.
    pub(super) start: LocalStart,
    /// The party.
    pub(super) guests: Guests,
    /// Extras.
    #[serde(default)]
    pub(super) add_ons: Vec<AddOn>,
    /// A promo code; a try at one costs more of what an address may ask.
    pub(super) promo_code: Option<String>,
}

impl QuoteAsked {
    /// The question as commands know it: nobody is named, so that a code counts as used by somebody new.
    pub(super) fn read(self) -> Result<QuoteInput, Problem> {
        Ok(QuoteInput {
            station: self.station_id.map(StationId),
            zip: self.zip,
            start: self.start.read()?,
            guests: self.guests.into(),
            add_ons: self.add_ons.into_iter().map(DomainAddOn::from).collect(),
            promo_code: self.promo_code,
            customer_email: None,
        })
    }
}

/// What a party costs, tax included.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct QuoteMade {
    /// The station that would serve.
    station_id: Uuid,
    /// What all amounts are in.
    currency: Currency,
    /// Every line; they sum to the total.
    lines: Vec<PriceLine>,
    /// What the promo code takes off, in cents; its line is among the lines.
    discount_cents: i64,
    /// Total, in cents.
    total_cents: i64,
    /// Deposit, in cents, part of the total.
    deposit_cents: i64,
    /// What is left to pay after the deposit, in cents.
    balance_cents: i64,
    /// Tips that are offered; any other amount may be given, and none is preselected.
    tip_options: Vec<TipOffered>,
    /// What paying by card costs, as millionths of price and tip.
    card_fee_millionths: i64,
    /// Version of the price list that was used.
    price_list_version: i64,
}

/// A tip that is offered on food and service.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TipOffered {
    /// Millionths of food and service.
    rate_millionths: i64,
    /// What it comes to, in cents.
    tip_cents: i64,
}

impl From<QuoteAnswer> for QuoteMade {
    fn from(answer: QuoteAnswer) -> Self {
        let quote = answer.quote;
        let tips = domain::charges::tip_options(food_and_service(&quote.lines));
        let tip = |option: &domain::charges::TipOption| TipOffered {
            rate_millionths: option.rate_ppm.0,
            tip_cents: option.tip_cents.0,
        };
        Self {
            station_id: answer.station.0,
            currency: Currency::Usd,
            discount_cents: quote.discount_cents.0,
            total_cents: quote.total_cents.0,
            deposit_cents: quote.deposit_cents.0,
            balance_cents: (quote.total_cents - quote.deposit_cents).0,
            tip_options: tips.iter().map(tip).collect(),
            card_fee_millionths: answer.card_fee_ppm.0,
            price_list_version: quote.price_list_version,
            lines: quote.lines.into_iter().map(PriceLine::from).collect(),
        }
    }
}

/// What a party would cost now. Nothing is kept of it.
#[utoipa::path(
    post,
    path = "/api/v1/organisations/{organisation}/quotes",
    tag = "company",
    params(OfCompany),
    request_body = QuoteAsked,
    responses(
        (status = 200, description = "The price, line by line.", body = QuoteMade),
        Refusals,
        BodyRefusals,
        RuleRefusals,
    )
)]
pub(super) async fn quote(
    State(app): State<Arc<App>>,
    Path(of): Path<OfCompany>,
    Extension(spender): Extension<Spender>,
    headers: HeaderMap,
    Body(asked): Body<QuoteAsked>,
) -> Result<Response, Problem> {
    let visit = visit(&app, &of.organisation, &headers).await?;
    if asked.promo_code.is_some() {
        spender.spend(allowance::GUESS)?;
    }
    let answer = app.commands.quote(&visit.caller, asked.read()?).await?;
    Ok(cached::private(StatusCode::OK, QuoteMade::from(answer)))
}
