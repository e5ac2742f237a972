//! Tips and the card fee, so that a client can show what is to pay before anybody pays it.

use async_graphql::{Result, SimpleObject};
use domain::charges::{TipOption as Offered, card_fee, custom_tip, tip_options};
use domain::money::{Cents, RatePpm};

use super::error::coded;
use super::payment::PaymentMethod;
use super::scalar::{BigInt, Decimal, Money};

/// A tip that is offered. None is preselected: a tip is the customer's own choice, and may be any other amount.
#[derive(SimpleObject)]
pub(super) struct TipOption {
    /// Share of the food and service before travel, gratuity, discount and fees.
    rate: Decimal,
    /// What it comes to.
    tip: Money,
}

/// The tips on a subtotal of food and service.
pub(super) fn offered_on(food_and_service: Cents) -> Vec<TipOption> {
    let shown = |option: Offered| TipOption {
        rate: option.rate_ppm.into(),
        tip: option.tip_cents.into(),
    };
    tip_options(food_and_service).into_iter().map(shown).collect()
}

/// What a method costs on an amount, all of what is due where none is named, and a tip.
pub(super) fn fee(
    method: PaymentMethod,
    amount: Option<BigInt>,
    due: Cents,
    tip: BigInt,
    rate: RatePpm,
) -> Result<Money> {
    let named = |amount: BigInt| {
        custom_tip(Cents(amount.0)).map_err(|_| {
            coded(
                "INVALID_AMOUNT",
                format!("an amount is not negative, nor above {}", Cents::MAX_INPUT),
            )
        })
    };
    let amount = amount.map_or(Ok(due), named)?;
    let tip = named(tip)?;
    Ok(match method {
        PaymentMethod::Card => card_fee(amount, tip, rate),
        PaymentMethod::Zelle | PaymentMethod::Venmo | PaymentMethod::Cash => Cents::ZERO,
    }
    .into())
}
