//! Why a period is not closed, or not opened.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::decider::Refusal;

/// What keeps a period from being closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnresolvedTax {
    /// Numbers of bookings without a rate; the first hundred.
    pub without_rate: Vec<String>,
    /// Numbers of bookings whose place a person must confirm; the first hundred.
    pub unconfirmed: Vec<String>,
    /// Events that what follows payments has not looked at yet.
    pub events_behind: i64,
}

impl UnresolvedTax {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.without_rate.is_empty() && self.unconfirmed.is_empty() && self.events_behind == 0
    }
}

impl std::fmt::Display for UnresolvedTax {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut told = Vec::new();
        if !self.without_rate.is_empty() {
            told.push(format!("no rate is known for {}", self.without_rate.join(", ")));
        }
        if !self.unconfirmed.is_empty() {
            told.push(format!(
                "the place is to be confirmed of {}",
                self.unconfirmed.join(", ")
            ));
        }
        if self.events_behind != 0 {
            told.push(format!("{} events are still being followed", self.events_behind));
        }
        f.write_str(&told.join("; "))
    }
}

/// Why a period refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaxPeriodError {
    /// Not a state.
    #[error("a state has two capital letters, such as CA")]
    BadState,
    /// It is not over.
    #[error("the period ends on {until}; it can be closed from the day after on")]
    NotOver {
        /// Its last day.
        until: NaiveDate,
    },
    /// Part of it is closed.
    #[error("{name} is closed, or about to be, and has days of this period")]
    Overlaps {
        /// The period that is in the way.
        name: String,
    },
    /// It is closed.
    #[error("the period is closed already")]
    Closed,
    /// It is not closed.
    #[error("the period is not closed")]
    NotClosed,
    /// Lines could be added to it while its report was made.
    #[error("the period was opened again while its report was made; close it once more")]
    OpenedMeanwhile,
    /// Something is to be done first.
    #[error("the period cannot be closed: {0}")]
    Unresolved(UnresolvedTax),
    /// Too short or too long.
    #[error("a reason has 3 to 500 characters")]
    BadReason,
}

impl Refusal for TaxPeriodError {
    fn code(&self) -> &'static str {
        match self {
            Self::BadState => "INVALID_STATE",
            Self::NotOver { .. } => "TAX_PERIOD_NOT_OVER",
            Self::Overlaps { .. } => "TAX_PERIOD_OVERLAPS",
            Self::Closed => "TAX_PERIOD_CLOSED",
            Self::NotClosed => "TAX_PERIOD_NOT_CLOSED",
            Self::OpenedMeanwhile => "TAX_PERIOD_OPENED_MEANWHILE",
            Self::Unresolved(_) => "TAX_PERIOD_UNRESOLVED",
            Self::BadReason => "INVALID_REASON",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::BadState => &["state"],
            Self::NotOver { .. }
            | Self::Overlaps { .. }
            | Self::Closed
            | Self::NotClosed
            | Self::OpenedMeanwhile
            | Self::Unresolved(_) => &["period"],
            Self::BadReason => &["reason"],
        }
    }
}
