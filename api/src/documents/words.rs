//! Amounts, days and times as customers in the United States read them.

use chrono::{NaiveDate, NaiveDateTime};
use domain::money::{Cents, RatePpm};

/// `1,234.56`, `-0.05`.
pub(super) fn figure(amount: Cents) -> String {
    let text = Cents(amount.0).to_string();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.as_str()),
    };
    let (whole, cents) = text.split_once('.').unwrap_or((text, "00"));
    format!("{sign}{}.{cents}", grouped(whole))
}

/// `$1,234.56`, `-$0.05`.
pub(super) fn dollars(amount: Cents) -> String {
    let figure = figure(amount);
    match figure.strip_prefix('-') {
        Some(rest) => format!("-${rest}"),
        None => format!("${figure}"),
    }
}

/// Whole digits in threes.
fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1,234`.
pub(super) fn count(number: i64) -> String {
    match number.to_string().strip_prefix('-') {
        Some(digits) => format!("-{}", grouped(digits)),
        None => grouped(&number.to_string()),
    }
}

/// `9.125%`, `10.00%`: rates in a column.
pub(super) fn percent(rate: RatePpm) -> String {
    let text = format!("{}.{:04}", rate.0 / 10_000, rate.0 % 10_000);
    let text = text.trim_end_matches('0');
    let places = text.split_once('.').map_or(0, |(_, places)| places.len());
    format!("{text}{}%", "0".repeat(2_usize.saturating_sub(places)))
}

/// `3%`, `2.5%`: a rate in a sentence.
pub(super) fn share(rate: RatePpm) -> String {
    let text = format!("{}.{:04}", rate.0 / 10_000, rate.0 % 10_000);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// `March 14, 2026`.
pub(super) fn day(day: NaiveDate) -> String {
    day.format("%B %-d, %Y").to_string()
}

/// `Saturday, March 14, 2026`.
pub(super) fn weekday(local: NaiveDateTime) -> String {
    local.format("%A, %B %-d, %Y").to_string()
}

/// `6:00 PM`.
pub(super) fn time(local: NaiveDateTime) -> String {
    local.format("%-I:%M %p").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_their_thousands_apart() {
        for (cents, figures, money) in [
            (0, "0.00", "$0.00"),
            (-5, "-0.05", "-$0.05"),
            (85_118, "851.18", "$851.18"),
            (100_000, "1,000.00", "$1,000.00"),
            (-123_456_789, "-1,234,567.89", "-$1,234,567.89"),
            (
                i64::MIN,
                "-92,233,720,368,547,758.08",
                "-$92,233,720,368,547,758.08",
            ),
        ] {
            assert_eq!(
                (figure(Cents(cents)), dollars(Cents(cents))),
                (figures.to_owned(), money.to_owned())
            );
        }
        assert_eq!(
            (count(999), count(-1_234)),
            ("999".to_owned(), "-1,234".to_owned())
        );
    }

    #[test]
    fn rates_and_times_read_as_people_write_them() {
        let rates = [91_250, 90_000, 102_500, 97_501].map(|rate| percent(RatePpm(rate)));
        assert_eq!(rates, ["9.125%", "9.00%", "10.25%", "9.7501%"]);
        let shares = [30_000, 25_000, 0, 1_000_000].map(|rate| share(RatePpm(rate)));
        assert_eq!(shares, ["3%", "2.5%", "0%", "100%"]);
        let local: NaiveDateTime = "2026-03-14T18:00:00".parse().unwrap();
        assert_eq!(weekday(local), "Saturday, March 14, 2026");
        assert_eq!(
            (time(local), day(local.date())),
            ("6:00 PM".to_owned(), "March 14, 2026".to_owned())
        );
    }
}
