//! Periods of a state's tax that are closed: what was reported stays, and what is found later goes to a day that is open.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Refusal};
use crate::envelope::Position;
use crate::money::Cents;

crate::events! {
    /// What can happen to the periods of a state.
    pub enum TaxPeriodEvent {
        "A period is about to be closed: no line is added to its days any more." ClosingBegun(TaxPeriodClosingBegun) = "tax_period.closing_begun" v 1;
        "A closing was given up, for something is unresolved: lines are added to its days again." ClosingWithdrawn(TaxPeriodClosingWithdrawn) = "tax_period.closing_withdrawn" v 1;
        "A period was closed: its report stays as it is." Closed(TaxPeriodClosed) = "tax_period.closed" v 1;
        "A closed period was opened again." Reopened(TaxPeriodReopened) = "tax_period.reopened" v 1;
    }
}

/// Days of a state that are closed together, both ends inclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxDays {
    /// As it was asked for: `2025-Q4`.
    pub name: String,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub until: NaiveDate,
}

impl TaxDays {
    fn holds(&self, day: NaiveDate) -> bool {
        self.from <= day && day <= self.until
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.from <= other.until && other.from <= self.until
    }

    fn same_days(&self, other: &Self) -> bool {
        (self.from, self.until) == (other.from, other.until)
    }
}

/// A period is about to be closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxPeriodClosingBegun {
    /// Two-letter state.
    pub state: String,
    /// Which days.
    pub period: TaxDays,
    /// When.
    pub begun_at: DateTime<Utc>,
}

/// A closing was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxPeriodClosingWithdrawn {
    /// Two-letter state.
    pub state: String,
    /// Which days.
    pub period: TaxDays,
    /// What is unresolved.
    pub unresolved: UnresolvedTax,
    /// When.
    pub withdrawn_at: DateTime<Utc>,
}

/// A period was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxPeriodClosed {
    /// Two-letter state.
    pub state: String,
    /// Which days.
    pub period: TaxDays,
    /// Place in the log that the report holds; there is no line of the period after it.
    pub position: Position,
    /// SHA-256 of the report's rows, as hexadecimal digits.
    pub checksum: String,
    /// Tax less what was given back, in cents: what the report comes to.
    pub net_tax_cents: Cents,
    /// When.
    pub closed_at: DateTime<Utc>,
}

/// A closed period was opened again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxPeriodReopened {
    /// Two-letter state.
    pub state: String,
    /// Which days.
    pub period: TaxDays,
    /// Place in the log that the closed report held; none where its closing had not come to an end.
    pub position: Option<Position>,
    /// Checksum of the report as it was closed.
    pub checksum: Option<String>,
    /// Why.
    pub reason: String,
    /// When.
    pub reopened_at: DateTime<Utc>,
}

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

/// What can be asked of a state's periods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum TaxPeriodCommand {
    /// Let no more lines be added to days that are about to be closed.
    BeginClosing {
        /// Two-letter state.
        state: String,
        /// Which days.
        period: TaxDays,
        /// The day that it is where the company's clocks are most behind.
        today: NaiveDate,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Close them, with what the report comes to; or refuse, and let lines be added again.
    Close(Box<TaxPeriodClosed>, UnresolvedTax),
    /// Let lines be added again: something is unresolved.
    Withdraw(TaxPeriodClosingWithdrawn),
    /// Open a closed period again.
    Reopen {
        /// Two-letter state.
        state: String,
        /// Which days.
        period: TaxDays,
        /// Why; 3 to 500 characters.
        reason: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
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
            | Self::Unresolved(_) => &["period"],
            Self::BadReason => &["reason"],
        }
    }
}

/// Days that no line is added to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Shut {
    period: TaxDays,
    /// What the report held; none until the closing has come to its end.
    report: Option<(Position, String)>,
}

/// The periods of one state that are closed, or about to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxPeriods {
    shut: Vec<Shut>,
}

impl TaxPeriods {
    /// The first day from this one on that lines may be added to.
    pub fn open_day(&self, from: NaiveDate) -> NaiveDate {
        let mut day = from;
        while let Some(shut) = self.shut.iter().find(|shut| shut.period.holds(day)) {
            match shut.period.until.succ_opt() {
                Some(next) => day = next,
                None => return day,
            }
        }
        day
    }

    /// Whether lines may be added to a day.
    pub fn is_open(&self, day: NaiveDate) -> bool {
        self.open_day(day) == day
    }

    /// Whether these very days are closed, or about to be.
    pub fn is_shut(&self, period: &TaxDays) -> bool {
        self.same_days(period).is_some()
    }

    /// Whether these very days are about to be closed.
    pub fn is_closing(&self, period: &TaxDays) -> bool {
        self.same_days(period).is_some_and(|shut| shut.report.is_none())
    }

    fn same_days(&self, period: &TaxDays) -> Option<&Shut> {
        self.shut.iter().find(|shut| shut.period.same_days(period))
    }

    fn begin(
        &self,
        state: String,
        period: TaxDays,
        today: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<TaxPeriodEvent, TaxPeriodError> {
        if state.len() != 2 || !state.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(TaxPeriodError::BadState);
        }
        if self.same_days(&period).is_some_and(|shut| shut.report.is_some()) {
            return Err(TaxPeriodError::Closed);
        }
        if let Some(other) = self.shut.iter().find(|shut| shut.period.overlaps(&period)) {
            return Err(TaxPeriodError::Overlaps {
                name: other.period.name.clone(),
            });
        }
        if today <= period.until {
            return Err(TaxPeriodError::NotOver { until: period.until });
        }
        Ok(TaxPeriodEvent::ClosingBegun(TaxPeriodClosingBegun {
            state,
            period,
            begun_at: now,
        }))
    }

    fn close(
        &self,
        closed: TaxPeriodClosed,
        unresolved: UnresolvedTax,
    ) -> Result<TaxPeriodEvent, TaxPeriodError> {
        match self.same_days(&closed.period) {
            Some(Shut { report: None, .. }) => {}
            Some(Shut { report: Some(_), .. }) => return Err(TaxPeriodError::Closed),
            None => return Err(TaxPeriodError::NotClosed),
        }
        if unresolved.is_empty() {
            Ok(TaxPeriodEvent::Closed(closed))
        } else {
            Err(TaxPeriodError::Unresolved(unresolved))
        }
    }

    fn reopen(
        &self,
        state: String,
        period: &TaxDays,
        reason: String,
        now: DateTime<Utc>,
    ) -> Result<TaxPeriodEvent, TaxPeriodError> {
        let shut = self.same_days(period).ok_or(TaxPeriodError::NotClosed)?;
        if !(3..=500).contains(&reason.trim().chars().count()) {
            return Err(TaxPeriodError::BadReason);
        }
        let (position, checksum) = shut.report.clone().unzip();
        Ok(TaxPeriodEvent::Reopened(TaxPeriodReopened {
            state,
            period: shut.period.clone(),
            position,
            checksum,
            reason,
            reopened_at: now,
        }))
    }

    fn open(&mut self, period: &TaxDays) {
        self.shut.retain(|shut| !shut.period.same_days(period));
    }
}

impl Decider for TaxPeriods {
    const STREAM: &'static str = "tax_period";
    type Command = TaxPeriodCommand;
    type Event = TaxPeriodEvent;
    type Error = TaxPeriodError;

    fn decide(&self, command: TaxPeriodCommand) -> Result<Vec<TaxPeriodEvent>, TaxPeriodError> {
        let event = match command {
            TaxPeriodCommand::BeginClosing {
                state,
                period,
                today,
                now,
            } => self.begin(state, period, today, now)?,
            TaxPeriodCommand::Close(closed, unresolved) => self.close(*closed, unresolved)?,
            TaxPeriodCommand::Withdraw(withdrawn) => {
                if !self.is_closing(&withdrawn.period) {
                    return Err(TaxPeriodError::NotClosed);
                }
                TaxPeriodEvent::ClosingWithdrawn(withdrawn)
            }
            TaxPeriodCommand::Reopen {
                state,
                period,
                reason,
                now,
            } => self.reopen(state, &period, reason, now)?,
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &TaxPeriodEvent) {
        match event {
            TaxPeriodEvent::ClosingBegun(begun) => self.shut.push(Shut {
                period: begun.period.clone(),
                report: None,
            }),
            TaxPeriodEvent::ClosingWithdrawn(withdrawn) => self.open(&withdrawn.period),
            TaxPeriodEvent::Closed(closed) => {
                self.open(&closed.period);
                self.shut.push(Shut {
                    period: closed.period.clone(),
                    report: Some((closed.position, closed.checksum.clone())),
                });
            }
            TaxPeriodEvent::Reopened(reopened) => self.open(&reopened.period),
        }
    }
}

#[cfg(test)]
mod tests;
