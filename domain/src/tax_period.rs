//! Periods of a state's tax that are closed: what was reported stays, and what is found later goes to a day that is open.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::decider::Decider;
use crate::envelope::Position;
use crate::money::Cents;
use crate::place::is_state;

mod error;

pub use error::{TaxPeriodError, UnresolvedTax};

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
    Close {
        /// What the report comes to.
        closed: Box<TaxPeriodClosed>,
        /// The closing under which it was made, as [`TaxPeriods::closing`] counts them; none under none.
        closing: Option<i64>,
        /// What is unresolved.
        unresolved: UnresolvedTax,
    },
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

/// Days that no line is added to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Shut {
    period: TaxDays,
    /// Which closing it is, of those that the state has seen.
    closing: i64,
    /// What the report held; none until the closing has come to its end.
    report: Option<(Position, String)>,
}

/// The periods of one state that are closed, or about to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxPeriods {
    shut: Vec<Shut>,
    /// Closings that were begun so far.
    closings: i64,
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

    /// The closing that these very days are closed by, or about to be: a number that no other closing of the state has.
    /// A report that was made under it holds every line of the days for as long as it stands.
    pub fn closing(&self, period: &TaxDays) -> Option<i64> {
        self.same_days(period).map(|shut| shut.closing)
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
        if !is_state(&state) {
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
        under: Option<i64>,
        unresolved: UnresolvedTax,
    ) -> Result<TaxPeriodEvent, TaxPeriodError> {
        match self.same_days(&closed.period) {
            Some(Shut { report: Some(_), .. }) => return Err(TaxPeriodError::Closed),
            Some(Shut { closing, .. }) if Some(*closing) == under => {}
            Some(_) | None => return Err(TaxPeriodError::OpenedMeanwhile),
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
            TaxPeriodCommand::Close {
                closed,
                closing,
                unresolved,
            } => self.close(*closed, closing, unresolved)?,
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
            TaxPeriodEvent::ClosingBegun(begun) => {
                self.closings += 1;
                self.shut.push(Shut {
                    period: begun.period.clone(),
                    closing: self.closings,
                    report: None,
                });
            }
            TaxPeriodEvent::ClosingWithdrawn(withdrawn) => self.open(&withdrawn.period),
            TaxPeriodEvent::Closed(closed) => {
                let closing = self.closing(&closed.period).unwrap_or(self.closings);
                self.open(&closed.period);
                self.shut.push(Shut {
                    period: closed.period.clone(),
                    closing,
                    report: Some((closed.position, closed.checksum.clone())),
                });
            }
            TaxPeriodEvent::Reopened(reopened) => self.open(&reopened.period),
        }
    }
}

#[cfg(test)]
mod tests;
