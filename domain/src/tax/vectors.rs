//! Published tax cases, and cases of an accountant's own: rows of text that are run through our arithmetic.
//!
//! The columns are those of `domain/data/tax_vectors.csv`: `id, kind, gross, rate_percent, expected_net, expected_tax,
//! rounding, use, origin, note, extra`, the last of them JSON. Amounts are dollars, rates percent.

mod cases;
mod figures;

use std::fmt;

use self::figures::Figures;
use super::Extracted;

/// Columns of a row.
pub const COLUMNS: [&str; 11] = [
    "id",
    "kind",
    "gross",
    "rate_percent",
    "expected_net",
    "expected_tax",
    "rounding",
    "use",
    "origin",
    "note",
    "extra",
];

/// What a case is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Its figures must come out.
    Assert,
    /// Its figures are somebody's mistake and must not come out.
    NegativeControl,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vector {
    /// Its name.
    pub id: String,
    /// What it is there for.
    pub used_as: Use,
    kind: Kind,
    figures: Figures,
}

/// What a case came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Whether all its figures come out.
    pub comes_out: bool,
    /// Whether that is as it should be.
    pub holds: bool,
    /// What our arithmetic takes out of the gross, where the case is about that.
    pub ours: Option<Extracted>,
}

/// Why a row is no case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadVector {
    /// Not as many fields as columns.
    #[error("a row has 11 fields, this one has {0}")]
    Fields(usize),
    /// Nothing is known of such cases.
    #[error("there is no kind {word:?}; there are {}", Kind::words())]
    Kind {
        /// What stands there.
        word: String,
    },
    /// It is neither to come out nor not to.
    #[error("use is assert or negative_control, not {0:?}")]
    Use(String),
    /// A field that is no amount.
    #[error("{field}: {text:?} is not an amount in dollars such as -12.50")]
    Amount {
        /// The field.
        field: &'static str,
        /// What stands there.
        text: String,
    },
    /// A field that is no rate.
    #[error("{field}: {text:?} is not a rate in percent, 0 to 100 with at most four places")]
    Rate {
        /// The field.
        field: &'static str,
        /// What stands there.
        text: String,
    },
    /// The extra field is not JSON, or does not hold what the kind needs.
    #[error("extra: {0}")]
    Extra(String),
}

/// What sort of arithmetic a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Tax taken out of a tax-inclusive amount.
    Inclusive,
    /// The same at a place and a day, whose rate the row has.
    LocationDate,
    /// The same, where a return's own arithmetic differs.
    Property,
    /// The same after a discount.
    Discount,
    /// The same in a currency without decimals.
    InclusiveScale0,
    /// Tax put on a net amount.
    Forward,
    /// Gross made anew from a rounded net amount.
    Trap,
    /// Tax split over its components.
    SplitComponents,
    /// An amount split over weights.
    Prorate,
    /// Refunds in parts.
    RefundSequence,
    /// A period's orders.
    Aggregate,
    /// An order with tip and card fee.
    Composite,
    /// An order paid in parts.
    Deposit,
}

impl Kind {
    const ALL: [(&'static str, Self); 13] = [
        ("inclusive", Self::Inclusive),
        ("location_date", Self::LocationDate),
        ("property", Self::Property),
        ("discount", Self::Discount),
        ("inclusive_scale0", Self::InclusiveScale0),
        ("forward", Self::Forward),
        ("trap", Self::Trap),
        ("split_components", Self::SplitComponents),
        ("prorate", Self::Prorate),
        ("refund_sequence", Self::RefundSequence),
        ("aggregate", Self::Aggregate),
        ("composite", Self::Composite),
        ("deposit", Self::Deposit),
    ];

    fn words() -> String {
        Self::ALL.map(|(word, _)| word).join(", ")
    }

    fn parse(word: &str) -> Result<Self, BadVector> {
        let found = Self::ALL.into_iter().find(|(known, _)| *known == word);
        found
            .map(|(_, kind)| kind)
            .ok_or_else(|| BadVector::Kind { word: short(word) })
    }
}

/// As much of a text as a sentence should hold.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

impl Vector {
    /// The case of a row's fields, in the order of [`COLUMNS`].
    ///
    /// # Errors
    /// [`BadVector`] when the row is none.
    pub fn read(fields: &[&str]) -> Result<Self, BadVector> {
        let fields: &[&str; 11] = fields.try_into().map_err(|_| BadVector::Fields(fields.len()))?;
        let [id, kind, gross, rate, net, tax, _, used_as, _, _, extra] = *fields;
        let used_as = match used_as {
            "assert" => Use::Assert,
            "negative_control" => Use::NegativeControl,
            other => return Err(BadVector::Use(short(other))),
        };
        Ok(Self {
            id: id.to_owned(),
            used_as,
            kind: Kind::parse(kind)?,
            figures: Figures::read([gross, rate, net, tax], extra)?,
        })
    }

    /// Runs the case.
    ///
    /// # Errors
    /// [`BadVector`] when it lacks a figure that its kind needs.
    pub fn run(&self) -> Result<Outcome, BadVector> {
        let (comes_out, ours) = cases::run(self.kind, &self.figures)?;
        let holds = match self.used_as {
            Use::Assert => comes_out,
            Use::NegativeControl => !comes_out,
        };
        Ok(Outcome {
            comes_out,
            holds,
            ours,
        })
    }
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Assert => "assert",
            Self::NegativeControl => "negative_control",
        })
    }
}

#[cfg(test)]
mod tests;
