//! How much of a card fee is taxed.

use serde::{Deserialize, Serialize};

use crate::money::Cents;
use crate::tax;

/// How much of a card fee is taxed: a company's choice, for its accountant to confirm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardFeeTax {
    /// All of it (annotation 295.2000).
    #[default]
    Whole,
    /// Only the part that is taken on what is taxed itself.
    OnTaxedCharges,
}

impl CardFeeTax {
    /// The words in sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::OnTaxedCharges => "on_taxed_charges",
        }
    }
}

/// How much of a card fee is not taxed.
pub fn untaxed_fee(setting: CardFeeTax, fee: Cents, price: Cents, tip: Cents, untaxed_tip: Cents) -> Cents {
    match setting {
        CardFeeTax::Whole => Cents::ZERO,
        CardFeeTax::OnTaxedCharges => {
            let taxed = price + tip - untaxed_tip;
            if taxed.is_zero() && untaxed_tip.is_zero() {
                return Cents::ZERO;
            }
            let parts = tax::split(fee, &[taxed.0, untaxed_tip.0]);
            parts.get(1).copied().unwrap_or_default()
        }
    }
}
