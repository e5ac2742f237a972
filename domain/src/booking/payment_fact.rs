//! Movements of money as the tax looks at them: what each adds to the tax of a party that was held, or of what is kept of one
//! that was called off.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::event::BookingRequested;
use super::tax_event::{BookingTaxAdjusted, TaxAdjustment, TaxedPayment};
use crate::ids::{EventId, PaymentId};
use crate::money::Cents;
use crate::payment::{PaymentMethod, RefundKind, TipChoice};
use crate::tax_account::{CardFeeTax, KeptMoney, Movement, untaxed_fee};

/// A movement of money, as a payment's event tells it. All amounts are positive, in cents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFact {
    /// The payment's event.
    pub cause: EventId,
    /// The payment.
    pub payment_id: PaymentId,
    /// How the money moved.
    pub method: PaymentMethod,
    /// Of the price.
    pub amount_cents: Cents,
    /// Of a tip.
    pub tip_cents: Cents,
    /// Of a card fee.
    pub fee_cents: Cents,
    /// When.
    pub at: DateTime<Utc>,
    /// Which way.
    pub way: PaymentWay,
}

/// What became of the party that money moves for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sold {
    /// It was held: its price is owed.
    Party,
    /// It was called off, and what is kept of the money is a sale.
    KeptMoney,
}

impl Sold {
    /// By the terms on which money is kept; none where the party was held.
    pub(super) fn of(kept: Option<&KeptMoney>) -> Self {
        kept.map_or(Self::Party, |_| Self::KeptMoney)
    }
}

/// Which way money moved, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentWay {
    /// It came in.
    Captured {
        /// How the customer chose the tip, where the record shows it.
        tip_choice: Option<TipChoice>,
    },
    /// It was given back.
    Refunded {
        /// The refund.
        refund_id: Option<String>,
        /// What it is for.
        kind: RefundKind,
        /// Why.
        reason: Option<String>,
    },
    /// It was said to be given back, and was not.
    RefundFailed {
        /// The refund.
        refund_id: Option<String>,
        /// What it was for.
        kind: RefundKind,
        /// Why it was to be given back.
        reason: Option<String>,
    },
    /// It had not come in after all, or was taken back by the customer's bank.
    Voided {
        /// Why.
        reason: Option<String>,
    },
}

/// Whether the record shows that the customer chose a tip: when, on which screen, and with nothing preselected
/// (Pub. 115). Only then it is not taxed.
pub fn was_chosen(choice: Option<&TipChoice>) -> bool {
    choice.is_some_and(|choice| !choice.preselected && !choice.screen.trim().is_empty())
}

impl PaymentWay {
    pub(super) fn reason(&self) -> Option<String> {
        match self {
            Self::Captured { .. } => None,
            Self::Refunded { reason, .. } | Self::RefundFailed { reason, .. } | Self::Voided { reason } => {
                reason.clone()
            }
        }
    }
}

impl PaymentFact {
    /// The local day of the movement.
    pub(super) fn day(&self, requested: &BookingRequested) -> NaiveDate {
        requested.local_day(self.at)
    }

    fn payment(&self, untaxed_cents: Cents) -> TaxedPayment {
        TaxedPayment {
            cause: self.cause,
            payment_id: self.payment_id,
            method: self.method,
            amount_cents: self.amount_cents,
            tip_cents: self.tip_cents,
            fee_cents: self.fee_cents,
            untaxed_cents,
            tip_choice: None,
            refund_id: None,
            refund_kind: None,
        }
    }

    /// What it adds to the tax, one line each; nothing for money that only pays for what is taxed already.
    pub(super) fn movements(
        &self,
        setting: CardFeeTax,
        sold: Sold,
    ) -> Vec<(TaxAdjustment, Movement, TaxedPayment)> {
        match &self.way {
            PaymentWay::Captured { tip_choice } => {
                let towards_price = match sold {
                    Sold::Party => Vec::new(),
                    Sold::KeptMoney => self.line(TaxAdjustment::KeptDeposit, self.payment(Cents::ZERO), sold),
                };
                let beside = self.came_in(setting, tip_choice.as_ref());
                towards_price.into_iter().chain(beside).collect()
            }
            PaymentWay::Refunded { refund_id, kind, .. } => {
                self.given_back(TaxAdjustment::Refund, refund_id.clone(), *kind, sold)
            }
            PaymentWay::RefundFailed { refund_id, kind, .. } => {
                self.given_back(TaxAdjustment::RefundFailed, refund_id.clone(), *kind, sold)
            }
            PaymentWay::Voided { .. } => self.line(TaxAdjustment::Void, self.payment(Cents::ZERO), sold),
        }
    }

    /// What it adds to the tax beside the price, one line each: tips and card fees that came in.
    pub(super) fn beside_the_price(
        &self,
        setting: CardFeeTax,
    ) -> Vec<(TaxAdjustment, Movement, TaxedPayment)> {
        match &self.way {
            PaymentWay::Captured { tip_choice } => self.came_in(setting, tip_choice.as_ref()),
            PaymentWay::Refunded { .. } | PaymentWay::RefundFailed { .. } | PaymentWay::Voided { .. } => {
                Vec::new()
            }
        }
    }

    fn given_back(
        &self,
        adjustment: TaxAdjustment,
        refund_id: Option<String>,
        kind: RefundKind,
        sold: Sold,
    ) -> Vec<(TaxAdjustment, Movement, TaxedPayment)> {
        let payment = TaxedPayment {
            refund_id,
            refund_kind: Some(kind),
            ..self.payment(Cents::ZERO)
        };
        self.line(adjustment, payment, sold)
    }

    /// One line, where there is a movement that tax looks at.
    fn line(
        &self,
        kind: TaxAdjustment,
        payment: TaxedPayment,
        sold: Sold,
    ) -> Vec<(TaxAdjustment, Movement, TaxedPayment)> {
        let line = movement(kind, &payment, sold).map(|movement| (kind, movement, payment));
        line.into_iter().collect()
    }

    fn came_in(
        &self,
        setting: CardFeeTax,
        tip_choice: Option<&TipChoice>,
    ) -> Vec<(TaxAdjustment, Movement, TaxedPayment)> {
        let mut lines = Vec::new();
        let untaxed_tip = if was_chosen(tip_choice) {
            self.tip_cents
        } else {
            Cents::ZERO
        };
        if !self.tip_cents.is_zero() {
            let movement = Movement::Tip {
                cents: self.tip_cents,
                untaxed_cents: untaxed_tip,
            };
            let payment = TaxedPayment {
                tip_choice: tip_choice.cloned(),
                ..self.payment(untaxed_tip)
            };
            lines.push((TaxAdjustment::Tip, movement, payment));
        }
        if !self.fee_cents.is_zero() {
            let untaxed_cents = untaxed_fee(
                setting,
                self.fee_cents,
                self.amount_cents,
                self.tip_cents,
                untaxed_tip,
            );
            let movement = Movement::CardFee {
                cents: self.fee_cents,
                untaxed_cents,
            };
            lines.push((TaxAdjustment::CardFee, movement, self.payment(untaxed_cents)));
        }
        lines
    }
}

/// The movement that an adjustment is of; none for a correction, and where nothing moves that tax looks at.
pub(super) fn movement(kind: TaxAdjustment, payment: &TaxedPayment, sold: Sold) -> Option<Movement> {
    match kind {
        TaxAdjustment::KeptDeposit => {
            let price_cents = payment.amount_cents;
            (!price_cents.is_zero()).then_some(Movement::Kept { price_cents })
        }
        TaxAdjustment::Tip => Some(Movement::Tip {
            cents: payment.tip_cents,
            untaxed_cents: payment.untaxed_cents,
        }),
        TaxAdjustment::CardFee => Some(Movement::CardFee {
            cents: payment.fee_cents,
            untaxed_cents: payment.untaxed_cents,
        }),
        TaxAdjustment::Refund => payment.given_back(1, sold),
        TaxAdjustment::RefundFailed => payment.given_back(-1, sold),
        TaxAdjustment::Void => match sold {
            // The party was held and its price is owed, whatever became of a payment towards it.
            Sold::Party => payment.moves_back(Cents::ZERO, 1),
            Sold::KeptMoney => Some(Movement::NotCome {
                price_cents: payment.amount_cents,
                tip_cents: payment.tip_cents,
                fee_cents: payment.fee_cents,
            }),
        },
        TaxAdjustment::CorrectedFrom | TaxAdjustment::CorrectedTo => None,
    }
}

impl BookingTaxAdjusted {
    /// The movement of money that it is of; none for a correction.
    pub fn movement(&self) -> Option<Movement> {
        movement(self.kind, self.payment.as_ref()?, self.sold())
    }

    pub(super) fn sold(&self) -> Sold {
        Sold::of(self.kept.as_ref())
    }
}

impl TaxedPayment {
    /// What of a refund changes the tax (annotation 490.0090): what is given for goodwill changes no price, and what was
    /// paid too much was never part of it; the card fee on that was charged, and is no more.
    fn given_back(&self, times: i64, sold: Sold) -> Option<Movement> {
        let kind = self.refund_kind?;
        // What is not kept is not sold, for whatever reason it was given back.
        if sold == Sold::KeptMoney {
            return self.moves_back(self.amount_cents, times);
        }
        match kind {
            RefundKind::Goodwill => None,
            RefundKind::TipOnly | RefundKind::FeeOnly | RefundKind::Overpayment => {
                self.moves_back(Cents::ZERO, times)
            }
            RefundKind::PriceAdjustment | RefundKind::FullReversal | RefundKind::CancelledBeforeService => {
                self.moves_back(self.amount_cents, times)
            }
        }
    }

    fn moves_back(&self, price_cents: Cents, times: i64) -> Option<Movement> {
        let parts = [price_cents, self.tip_cents, self.fee_cents];
        let movement = Movement::GivenBack {
            price_cents: price_cents.times(times),
            tip_cents: self.tip_cents.times(times),
            fee_cents: self.fee_cents.times(times),
        };
        parts.iter().any(|part| !part.is_zero()).then_some(movement)
    }
}
