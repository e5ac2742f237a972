//! The accounts of the books, named so that beancount and hledger take the names.

use std::fmt;

use domain::payment::PaymentMethod;
use domain::tax_rate::Jurisdiction;

/// An account. Debits are positive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Account<'a> {
    /// What customers owe for parties that were held.
    Receivable,
    /// Money on its way to the bank, by how it moves.
    Clearing(PaymentMethod),
    /// Card money that a customer's bank has taken back until it decides.
    Disputed,
    /// What customers have paid for parties that are still to be held, and what they have paid too much: owed to them
    /// (annotation 495.0672).
    DepositsHeld,
    /// Tips for the staff.
    TipsPayable,
    /// Tax for a jurisdiction.
    TaxPayable(&'a Jurisdiction),
    /// What parties bring without their tax.
    Sales,
    /// Card fees that customers pay.
    CardFees,
    /// Deposits kept when a party was called off, where the company has not chosen that they are a sale.
    KeptDeposits,
    /// What was given back of sales: lowers the income.
    Refunds,
    /// What was given back as a kindness: the sale stays as it was.
    Goodwill,
    /// Disputes that were lost.
    DisputesLost,
    /// Tax on tips that are not shown to be the customer's choice (Pub. 115): the company bears it.
    TaxOnTips,
}

impl fmt::Display for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Receivable => "Assets:Receivable",
            Self::Clearing(PaymentMethod::Card) => "Assets:Clearing:Card",
            Self::Clearing(PaymentMethod::Zelle) => "Assets:Clearing:Zelle",
            Self::Clearing(PaymentMethod::Venmo) => "Assets:Clearing:Venmo",
            Self::Clearing(PaymentMethod::Cash) => "Assets:Clearing:Cash",
            Self::Disputed => "Assets:Disputed",
            Self::DepositsHeld => "Liabilities:Deposits-Held",
            Self::TipsPayable => "Liabilities:Tips-Payable",
            Self::Sales => "Income:Sales",
            Self::CardFees => "Income:Card-Fees",
            Self::KeptDeposits => "Income:Kept-Deposits",
            Self::Refunds => "Income:Refunds",
            Self::Goodwill => "Expenses:Goodwill",
            Self::DisputesLost => "Expenses:Disputes-Lost",
            Self::TaxOnTips => "Expenses:Tax-On-Tips",
            Self::TaxPayable(place) => {
                write!(
                    f,
                    "Liabilities:Tax-Payable:{}:{}",
                    part(&place.state),
                    part(&place.county)
                )?;
                if let Some(city) = &place.city {
                    write!(f, ":{}", part(city))?;
                }
                return Ok(());
            }
        })
    }
}

/// A name as part of an account's: letters, digits and dashes, beginning with a capital or a digit.
fn part(name: &str) -> String {
    let mut part = String::with_capacity(name.len());
    for letter in name.trim().chars() {
        let letter = if letter.is_ascii_alphanumeric() || letter.is_alphabetic() && !letter.is_ascii() {
            letter
        } else {
            '-'
        };
        if part.is_empty() {
            if letter == '-' {
                part.push('X');
                part.push(letter);
            } else {
                part.extend(letter.to_uppercase());
            }
        } else {
            part.push(letter);
        }
    }
    if part.is_empty() { "X".to_owned() } else { part }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_names_that_beancount_takes() {
        let named = |county: &str, city: Option<&str>| {
            let place = Jurisdiction {
                state: "CA".to_owned(),
                county: county.to_owned(),
                city: city.map(str::to_owned),
            };
            Account::TaxPayable(&place).to_string()
        };
        assert_eq!(
            named("Santa Clara", Some("San José")),
            "Liabilities:Tax-Payable:CA:Santa-Clara:San-José"
        );
        assert_eq!(named("st. mary's", None), "Liabilities:Tax-Payable:CA:St--mary-s");
        assert_eq!(named(" ", Some("(none)")), "Liabilities:Tax-Payable:CA:X:X-none-");
        assert_eq!(named("29 Palms", None), "Liabilities:Tax-Payable:CA:29-Palms");
    }
}
