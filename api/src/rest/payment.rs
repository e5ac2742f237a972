//! Paying by card: the payment provider makes an intent, which the customer's browser pays there. No card number comes here.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use commands::payment::{CardIntentInput, Preselected, TipScreen};
use domain::money::Cents;
use domain::payment::PaymentKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::booking::{OfBooking, UnderKey, linked, told};
use super::problem::{BodyRefusals, Problem, Refusals, RuleRefusals};
use super::sent::{Body, idempotency_key};
use super::values::{Currency, whole, whole_or_none};
use super::{Visit, cached, visit};
use crate::app::App;

/// What is paid.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum PaidPart {
    /// The booking's deposit, as it was asked for.
    Deposit,
    /// So much of what is left.
    Balance,
}

/// How a customer chose a tip: what shows that it was voluntary.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TipChoice {
    /// On which screen.
    screen: String,
    /// Whether an amount stood there before the customer chose one.
    preselected: bool,
}

/// A payment to begin.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PaymentAsked {
    /// What is paid.
    kind: PaidPart,
    /// How much of what is left, in cents: with `BALANCE`, and not with `DEPOSIT`, whose amount the booking knows.
    #[serde(default, deserialize_with = "whole_or_none")]
    #[schema(minimum = 1)]
    amount_cents: Option<i64>,
    /// Voluntary tip on top, in cents.
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 0)]
    tip_cents: i64,
    /// How the tip was chosen, where that is known.
    tip_choice: Option<TipChoice>,
}

/// A payment that waits for its customer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PaymentBegun {
    /// With which the customer's browser pays at the provider; kept nowhere. Null where the provider has none any more.
    client_secret: Option<String>,
    /// What all amounts are in.
    currency: Currency,
    /// Towards the price, in cents.
    amount_cents: i64,
    /// Tip, in cents.
    tip_cents: i64,
    /// What paying by card costs on top, in cents.
    card_fee_cents: i64,
    /// What the card is charged, in cents.
    total_cents: i64,
}

/// Begins a card payment for a booking, by the secret of its link.
///
/// It counts once the provider says that the card was charged: look at the booking then.
#[utoipa::path(
    post,
    path = "/api/v1/organisations/{organisation}/bookings/{link}/payments",
    tag = "booking",
    params(OfBooking, UnderKey),
    request_body = PaymentAsked,
    responses(
        (
            status = 201,
            description = "The payment, which waits for the customer.",
            body = PaymentBegun,
            headers(
                ("idempotency-replayed" = bool, description = "Whether it was begun before with this key."),
            )
        ),
        Refusals,
        BodyRefusals,
        RuleRefusals,
    )
)]
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    Path(of): Path<OfBooking>,
    headers: HeaderMap,
    Body(asked): Body<PaymentAsked>,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let visit = visit(&app, &of.organisation, &headers).await?;
    let (booking, own) = linked(&app, &visit, &of.link).await?;
    let Visit { caller, .. } = visit;
    let deposit = own.requested.quote.deposit_cents;
    let (kind, amount_cents) = match (asked.kind, asked.amount_cents) {
        (PaidPart::Deposit, None) => (PaymentKind::Deposit, deposit),
        (PaidPart::Balance, Some(cents)) => (PaymentKind::Balance, Cents(cents)),
        (PaidPart::Deposit, Some(_)) | (PaidPart::Balance, None) => {
            let told = "an amount goes with BALANCE, and with that alone";
            let refused = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "INVALID_AMOUNT", told);
            return Err(refused.of_field(&["amountCents"]));
        }
    };
    let input = CardIntentInput {
        booking,
        kind,
        amount_cents,
        tip_cents: Cents(asked.tip_cents),
        tip: asked.tip_choice.map(|choice| TipScreen {
            screen: choice.screen,
            preselected: if choice.preselected {
                Preselected::Yes
            } else {
                Preselected::No
            },
        }),
    };
    let caller = caller.known_as(own.requested.customer_id);
    let made = app.commands.create_card_intent(caller, key, input).await?;
    let parts = made.parts;
    let begun = PaymentBegun {
        client_secret: made.client_secret,
        currency: Currency::Usd,
        amount_cents: parts.amount_cents.0,
        tip_cents: parts.tip_cents.0,
        card_fee_cents: parts.fee_cents.0,
        total_cents: parts.total().0,
    };
    let mut response = cached::private(StatusCode::CREATED, begun);
    told(response.headers_mut(), made.written.replayed);
    Ok(response)
}
