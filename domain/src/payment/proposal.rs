//! What is proposed to be given back of a booking that was called off.

use crate::booking::RefundRule;
use crate::money::Cents;
use crate::price_list::DepositBack;

impl RefundRule {
    /// What the rule proposes to give back of what was paid, in cents. By a tier, what was paid towards the deposit is given
    /// back or kept whole; of the rest, the tier's share is given back.
    pub fn proposed(&self, paid: Cents, deposit: Cents) -> Cents {
        let deposit_paid = paid.min(deposit);
        match self {
            Self::Everything => paid,
            Self::Nothing => Cents::ZERO,
            Self::Tier(tier) => {
                let from_deposit = match tier.deposit_back {
                    DepositBack::Kept => Cents::ZERO,
                    DepositBack::Returned => deposit_paid,
                };
                from_deposit + (paid - deposit_paid).share(tier.refund_ppm)
            }
        }
    }
}
