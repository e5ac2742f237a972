//! Whether a promo code can be used. Strangers may try codes here: what they hear of one that cannot be used is the same
//! whether there is none, it is over, or it is somebody else's; and a try costs so much that they do not get far.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use commands::CommandError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::problem::{BodyRefusals, Problem, Refusals, RuleRefusals};
use super::quote::QuoteAsked;
use super::sent::Body;
use super::values::{AddOn, Currency, Guests, LocalStart};
use super::{OfCompany, cached, visit};
use crate::app::App;

/// A promo code, and the party that it is for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PromoAsked {
    /// The promo code; upper and lower case are the same.
    promo_code: String,
    /// The station; the nearest to the venue where absent.
    station_id: Option<Uuid>,
    /// ZIP code of the venue, five digits.
    zip: String,
    /// Local start.
    start: LocalStart,
    /// The party.
    guests: Guests,
    /// Extras.
    #[serde(default)]
    add_ons: Vec<AddOn>,
}

/// Whether a promo code can be used for a party, as far as that does not depend on who books.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PromoChecked {
    /// Whether it can.
    usable: bool,
    /// What all amounts are in.
    currency: Currency,
    /// What it takes off, in cents; 0 where it cannot be used.
    discount_cents: i64,
    /// `PROMO_BELOW_MINIMUM` where the party is too small for it, else `PROMO_NOT_USABLE`; null where it can be used.
    reason: Option<String>,
    /// The reason as a sentence; null where it can be used.
    message: Option<String>,
}

/// Whether a promo code can be used for a party.
///
/// One that there is not, one that is over and one that is somebody else's are answered alike. A try costs much of what an
/// address may ask.
#[utoipa::path(
    post,
    path = "/api/v1/organisations/{organisation}/promo-checks",
    tag = "company",
    params(OfCompany),
    request_body = PromoAsked,
    responses(
        (status = 200, description = "Whether it can be used.", body = PromoChecked),
        Refusals,
        BodyRefusals,
        RuleRefusals,
    )
)]
pub(super) async fn check(
    State(app): State<Arc<App>>,
    Path(of): Path<OfCompany>,
    headers: HeaderMap,
    Body(asked): Body<PromoAsked>,
) -> Result<Response, Problem> {
    let visit = visit(&app, &of.organisation, &headers).await?;
    let party = QuoteAsked {
        station_id: asked.station_id,
        zip: asked.zip,
        start: asked.start,
        guests: asked.guests,
        add_ons: asked.add_ons,
        promo_code: None,
    };
    let party = party.read()?;
    // A party that cannot be is refused for what it is, whatever the code.
    app.commands.quote(&visit.caller, party.clone()).await?;
    let with_code = commands::quote::QuoteInput {
        // Blank is no code that anybody has.
        promo_code: Some(match asked.promo_code.trim() {
            "" => "-".to_owned(),
            code => code.to_owned(),
        }),
        ..party
    };
    let checked = match app.commands.quote(&visit.caller, with_code).await {
        Ok(answer) => PromoChecked {
            usable: true,
            currency: Currency::Usd,
            discount_cents: answer.quote.discount_cents.0,
            reason: None,
            message: None,
        },
        Err(CommandError::Refused(refused)) if refused.code.starts_with("PROMO_") => {
            let problem = Problem::from(refused);
            PromoChecked {
                usable: false,
                currency: Currency::Usd,
                discount_cents: 0,
                reason: Some(problem.code().to_owned()),
                message: Some(problem.detail().to_owned()),
            }
        }
        Err(error) => return Err(error.into()),
    };
    Ok(cached::private(StatusCode::OK, checked))
}
