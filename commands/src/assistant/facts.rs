//! What the company knows that bears on a question, and which amounts an answer may name.

use std::collections::BTreeSet;

use chrono::NaiveTime;
use domain::money::Cents;
use domain::place::ZipCode;
use domain::price_list::{BookingPolicy, MinimumSet, PricedItem, TravelBandSet};
use domain::quote::Quote;
use domain::router::{Intent, Particulars};
use domain::station::StationSettings;

/// What a customer asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is said. Personal: for no log line.
    pub text: String,
    /// What it is about.
    pub intent: Intent,
    /// What was said of the party so far.
    pub particulars: Particulars,
}

/// What the company knows that bears on a question. Prices include tax.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompanyFacts {
    /// The company's name.
    pub company: String,
    /// Where its branches are: name, ZIP code and state.
    pub branches: Vec<(String, ZipCode, String)>,
    /// The branch that would serve; none while that cannot be told.
    pub branch: Option<BranchFacts>,
    /// What the party costs, or why that cannot be; none while too little is said of it.
    pub quote: Option<Result<Quote, String>>,
    /// The starts that are free on the day that was asked about, or why that cannot be said.
    pub free: Option<Result<Vec<NaiveTime>, String>>,
}

/// What is known of the branch that would serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchFacts {
    /// Its name.
    pub name: String,
    /// How events are laid into its days.
    pub settings: StationSettings,
    /// What is on offer now.
    pub items: Vec<PricedItem>,
    /// How travel is charged.
    pub travel: Option<TravelBandSet>,
    /// Started miles to the venue, where it is said where that is.
    pub miles: Option<i64>,
    /// The least that a booking costs.
    pub minimum: Option<MinimumSet>,
    /// The terms of booking.
    pub policy: BookingPolicy,
}

impl CompanyFacts {
    /// Every amount that may be named.
    fn amounts(&self) -> BTreeSet<Cents> {
        let mut amounts = BTreeSet::new();
        if let Some(branch) = &self.branch {
            amounts.extend(branch.items.iter().map(|item| item.price_cents));
            amounts.extend(branch.travel.iter().map(|travel| travel.per_mile_cents));
            let minimum = branch.minimum.iter();
            amounts.extend(minimum.flat_map(|minimum| [minimum.weekday_cents, minimum.weekend_cents]));
            amounts.insert(branch.policy.deposit_cents);
            amounts.extend(branch.policy.changes.reschedule_fee_cents);
        }
        if let Some(Ok(quote)) = &self.quote {
            amounts.extend(
                quote
                    .lines
                    .iter()
                    .flat_map(|line| [line.unit_cents, line.total_cents]),
            );
            amounts.extend([quote.total_cents, quote.deposit_cents, quote.discount_cents]);
            amounts.insert(quote.total_cents - quote.deposit_cents);
        }
        amounts
    }

    /// Whether a text names no amount but known ones. What stands behind a `$`, or before `dollars`, is an amount.
    pub fn covers(&self, text: &str) -> bool {
        let known = self.amounts();
        amounts_named(text).iter().all(|amount| known.contains(amount))
    }
}

/// The amounts that a text names. One that cannot be read is below zero, and so in no facts.
fn amounts_named(text: &str) -> Vec<Cents> {
    const UNREADABLE: Cents = Cents(-1);
    let is_part = |c: char| c.is_ascii_digit() || c == ',' || c == '.';
    let read = |part: &str| cents(part.trim_end_matches(['.', ','])).unwrap_or(UNREADABLE);
    let mut named: Vec<Cents> = text
        .split('$')
        .skip(1)
        .map(|rest| rest.trim_start())
        .map(|rest| &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())])
        .map(read)
        .collect();
    let lower = text.to_lowercase();
    for word in ["dollar", "usd", "buck"] {
        named.extend(lower.match_indices(word).map(|(place, _)| {
            let before = lower[..place].trim_end();
            let from = before
                .rfind(|c| !is_part(c))
                .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
            read(&before[from..])
        }));
    }
    named
}

/// `1,851.18`, `55`: an amount in dollars.
fn cents(text: &str) -> Option<Cents> {
    let plain = text.replace(',', "");
    let (dollars, cents) = plain.split_once('.').unwrap_or((&plain, "00"));
    let cents = match cents.len() {
        1 => cents.parse::<i64>().ok()?.checked_mul(10)?,
        2 => cents.parse().ok()?,
        _ => return None,
    };
    let whole = dollars.parse::<i64>().ok()?.checked_mul(100)?;
    whole.checked_add(cents).map(Cents)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> CompanyFacts {
        let branch = BranchFacts {
            name: "San Jose".to_owned(),
            settings: StationSettings::default(),
            items: Vec::new(),
            travel: None,
            miles: None,
            minimum: None,
            policy: BookingPolicy::default(),
        };
        CompanyFacts {
            branch: Some(branch),
            ..CompanyFacts::default()
        }
    }

    #[test]
    fn an_amount_that_is_in_no_facts_is_an_invention() {
        // The deposit is $100, and moving a party costs $50.
        for text in [
            "no amount at all",
            "the deposit is $100",
            "$100.00.",
            "100 dollars",
            "$ 50, or 50.0 bucks",
            "",
        ] {
            assert!(facts().covers(text), "{text}");
        }
        for text in [
            "the deposit is $99",
            "$100.5",
            "$1,000",
            "just 49 dollars",
            "free: $",
            "$99999999999999999999",
            "some dollars",
            "€$7",
            "ünter 12 USD",
        ] {
            assert!(!facts().covers(text), "{text}");
        }
    }
}
