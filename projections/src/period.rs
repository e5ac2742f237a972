//! Periods of reports: a month, a quarter, a year, or any days.

use std::fmt;
use std::str::FromStr;

use chrono::{Months, NaiveDate};

/// Whole days, both ends inclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    name: String,
    from: NaiveDate,
    until: NaiveDate,
}

/// A text that is not a period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Not one of the four forms, or no such date.
    #[error("{0:?} is not a period: write 2025-11, 2025-Q4, 2025 or 2025-04-01..2025-06-15")]
    Unreadable(String),
    /// Its last day is before its first.
    #[error("the period {from}..{until} ends before it begins")]
    EndsBeforeItBegins {
        /// First day.
        from: NaiveDate,
        /// Last day.
        until: NaiveDate,
    },
}

impl Period {
    /// First day.
    pub fn from(&self) -> NaiveDate {
        self.from
    }

    /// Last day, inclusive.
    pub fn until(&self) -> NaiveDate {
        self.until
    }
}

impl fmt::Display for Period {
    /// As it was written: `2025-Q4`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// So many ASCII digits, read as a number.
fn digits(text: &str, count: usize) -> Option<u32> {
    let fits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn months(year: &str, month: u32, count: u32) -> Option<(NaiveDate, NaiveDate)> {
    let year = i32::try_from(digits(year, 4)?).ok()?;
    let from = NaiveDate::from_ymd_opt(year, month, 1)?;
    let until = from.checked_add_months(Months::new(count))?.pred_opt()?;
    Some((from, until))
}

fn date(text: &str) -> Option<NaiveDate> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    NaiveDate::from_ymd_opt(
        i32::try_from(digits(year, 4)?).ok()?,
        digits(month, 2)?,
        digits(day, 2)?,
    )
}

fn days(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    if let Some((from, until)) = text.split_once("..") {
        return date(from).zip(date(until));
    }
    match text.split_once('-') {
        None => months(text, 1, 12),
        Some((year, part)) => match part.strip_prefix('Q') {
            Some(quarter) => {
                let quarter = digits(quarter, 1).filter(|quarter| (1..=4).contains(quarter))?;
                months(year, quarter * 3 - 2, 3)
            }
            None => months(year, digits(part, 2)?, 1),
        },
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let unreadable = || PeriodError::Unreadable(text.chars().take(40).collect());
        let (from, until) = days(text).ok_or_else(unreadable)?;
        if until < from {
            return Err(PeriodError::EndsBeforeItBegins { from, until });
        }
        Ok(Self {
            name: text.to_owned(),
            from,
            until,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(text: &str) -> (String, String) {
        let period: Period = text.parse().unwrap();
        (period.from().to_string(), period.until().to_string())
    }

    #[test]
    fn the_four_forms_are_whole_days() {
        let is = |from: &str, until: &str| (from.to_owned(), until.to_owned());
        assert_eq!(span("2025-11"), is("2025-11-01", "2025-11-30"));
        assert_eq!(span("2024-02"), is("2024-02-01", "2024-02-29"));
        assert_eq!(span("2025-Q4"), is("2025-10-01", "2025-12-31"));
        assert_eq!(span("2025"), is("2025-01-01", "2025-12-31"));
        assert_eq!(span("2025-04-01..2025-06-15"), is("2025-04-01", "2025-06-15"));
        assert_eq!(span("2025-04-01..2025-04-01"), is("2025-04-01", "2025-04-01"));
    }

    #[test]
    fn what_is_no_period_is_refused_and_named() {
        for text in [
            "",
            "25",
            "2025-13",
            "2025-00",
            "2025-Q5",
            "2025-q1",
            "2025-Q",
            "2025-1",
            "2025-11-01",
            "2025-11-01..",
            "2025-02-30..2025-03-01",
            "+025",
            "２０２５",
            " 2025",
            "2025-11-01..2025-11-02..",
        ] {
            assert_eq!(
                text.parse::<Period>(),
                Err(PeriodError::Unreadable(text.to_owned())),
                "{text}"
            );
        }
        assert!(matches!(
            "2025-06-15..2025-04-01".parse::<Period>(),
            Err(PeriodError::EndsBeforeItBegins { .. })
        ));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,24}") {
            let _ = text.parse::<Period>();
        }

        #[test]
        fn quarters_fill_the_year(year in 1_i32..9_999) {
            let quarters: Vec<Period> =
                (1..=4).map(|quarter| format!("{year:04}-Q{quarter}").parse().unwrap()).collect();
            let whole: Period = format!("{year:04}").parse().unwrap();
            prop_assert_eq!(quarters[0].from(), whole.from());
            prop_assert_eq!(quarters[3].until(), whole.until());
            for pair in quarters.windows(2) {
                prop_assert_eq!(pair[0].until().succ_opt().unwrap(), pair[1].from());
            }
        }
    }
}
