//! What a message says of a party: how many come, where and on which day.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use super::words::{self, Word, ahead, back};
use crate::guests::Guests;
use crate::place::ZipCode;

/// What is said of a party. Nothing of it is personal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Particulars {
    /// Guests from 13 years, or of whom no more is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adults: Option<i32>,
    /// Children.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub children: Option<i32>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zip: Option<ZipCode>,
    /// On which local day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<NaiveDate>,
}

impl Particulars {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is known once more is said: what is said last holds.
    #[must_use]
    pub fn and(&self, said: &Self) -> Self {
        Self {
            adults: said.adults.or(self.adults),
            children: said.children.or(self.children),
            zip: said.zip.clone().or_else(|| self.zip.clone()),
            on: said.on.or(self.on),
        }
    }

    /// The party, where it is said how many come.
    pub fn guests(&self) -> Option<Guests> {
        (self.adults.is_some() || self.children.is_some()).then(|| Guests {
            adults: self.adults.unwrap_or(0),
            children: self.children.unwrap_or(0),
            under6: 0,
        })
    }
}

/// What a message says of a party. A day without a year is the next one of that name after today.
pub fn particulars(text: &str, today: NaiveDate) -> Particulars {
    let words = words::words(text);
    let mut said = Particulars::default();
    for place in 0..words.len() {
        if said.children.is_none() {
            said.children = children(&words, place);
        }
        if said.adults.is_none() {
            said.adults = adults(&words, place);
        }
        if said.zip.is_none() {
            said.zip = zip(&words, place);
        }
        if said.on.is_none() {
            said.on = day(&words, place, today);
        }
    }
    said
}

/// A whole number of at most four digits, or one in words up to twenty.
fn number(word: &Word) -> Option<i32> {
    const NAMES: [&str; 21] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
    ];
    let text = word.text();
    let named = NAMES.iter().position(|name| *name == text);
    let digits = (text.len() <= 4).then(|| text.parse().ok()).flatten();
    digits
        .or_else(|| named.and_then(|place| i32::try_from(place).ok()))
        .filter(|number| (1..=Guests::MAX).contains(number))
}

fn children(words: &[Word], place: usize) -> Option<i32> {
    let next = ahead(words, place, 1)?;
    (next.is("kid") || next.is("child") || next.is_any(&["children", "toddlers"]))
        .then(|| number(&words[place]))
        .flatten()
}

fn adults(words: &[Word], place: usize) -> Option<i32> {
    let count = number(&words[place])?;
    let next = ahead(words, place, 1);
    let counted = next.is_some_and(|next| {
        next.is("guest")
            || next.is("adult")
            || next.is("person")
            || next.is("head")
            || next.is_any(&["people", "ppl", "pax", "peeps", "friends", "of"])
    });
    let of = next.is_some_and(|next| next.is_any(&["of"]));
    let us = ahead(words, place, 2).is_some_and(|word| word.is_any(&["us"]));
    let previous = back(words, place, 1);
    let group = previous.is_some_and(|word| word.is_any(&["of"]))
        && back(words, place, 2).is_some_and(|word| word.is("party") || word.is("group"));
    let is_for = previous.is_some_and(|word| word.is_any(&["for"]))
        && !next.is_some_and(|next| {
            next.is("kid")
                || next.is("child")
                || next.is("hour")
                || next.is("dollar")
                || next.is_any(&["children", "am", "pm", "minutes", "days", "years"])
        });
    ((counted && (!of || us)) || group || is_for).then_some(count)
}

fn zip(words: &[Word], place: usize) -> Option<ZipCode> {
    let text = words[place].text();
    let guests = ahead(words, place, 1).is_some_and(|next| next.is("guest") || next.is_any(&["people"]));
    (text.len() == 5 && !guests).then(|| text.parse().ok()).flatten()
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

fn day(words: &[Word], place: usize, today: NaiveDate) -> Option<NaiveDate> {
    let word = &words[place];
    if word.is_any(&["today", "tonight"]) {
        return Some(today);
    }
    if word.is_any(&["tomorrow"]) {
        return today.checked_add_days(Days::new(1));
    }
    if let Some(weekday) = weekday(word) {
        let next_week = back(words, place, 1).is_some_and(|word| word.is_any(&["next"]));
        let ahead = 7 + weekday.num_days_from_monday() - today.weekday().num_days_from_monday();
        let days = u64::from(ahead % 7) + if next_week && ahead % 7 < 4 { 7 } else { 0 };
        return today.checked_add_days(Days::new(days));
    }
    if let Some(month) = month(word) {
        let of_month = |word: &Word| {
            let digits: String = word.text().chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<u32>().ok().filter(|day| (1..=31).contains(day))
        };
        let after = ahead(words, place, 1).and_then(of_month);
        let before = back(words, place, 1).and_then(of_month);
        return after.or(before).and_then(|day| coming(month, day, today));
    }
    written(words, place, today)
}

fn weekday(word: &Word) -> Option<Weekday> {
    const NAMES: [(&str, Weekday); 7] = [
        ("monday", Weekday::Mon),
        ("tuesday", Weekday::Tue),
        ("wednesday", Weekday::Wed),
        ("thursday", Weekday::Thu),
        ("friday", Weekday::Fri),
        ("saturday", Weekday::Sat),
        ("sunday", Weekday::Sun),
    ];
    NAMES.iter().find(|(name, _)| word.is(name)).map(|(_, day)| *day)
}

fn month(word: &Word) -> Option<u32> {
    let text = word.text();
    let named = |name: &&str| {
        *name == text || (text.len() >= 3 && text != "mar" && name.starts_with(text) && text.len() <= 4)
    };
    let place = MONTHS.iter().position(named)?;
    u32::try_from(place + 1).ok()
}

/// The next day of a month and a number, today included.
fn coming(month: u32, day: u32, today: NaiveDate) -> Option<NaiveDate> {
    let of = |year| NaiveDate::from_ymd_opt(year, month, day);
    of(today.year())
        .filter(|day| *day >= today)
        .or_else(|| of(today.year() + 1))
}

/// `2026-03-14`, `3/14`, `3/14/2026`: words of digits that follow each other.
fn written(words: &[Word], place: usize, today: NaiveDate) -> Option<NaiveDate> {
    let part = |by: usize, digits: std::ops::RangeInclusive<usize>| {
        let text = if by == 0 {
            words[place].text()
        } else {
            ahead(words, place, by)?.text()
        };
        (digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<u32>().ok())
            .flatten()
    };
    if let (Some(year), Some(month), Some(day)) = (part(0, 4..=4), part(1, 1..=2), part(2, 1..=2)) {
        return NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day);
    }
    let (month, day) = (part(0, 1..=2)?, part(1, 1..=2)?);
    // What comes before could be a year: then this is no beginning.
    if place > 0 && words[place - 1].text().len() == 4 && words[place - 1].is_number() {
        return None;
    }
    match part(2, 4..=4) {
        Some(year) => NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day),
        None => coming(month, day, today),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heard(text: &str) -> Particulars {
        // A Saturday.
        particulars(text, "2026-11-21".parse().unwrap())
    }

    fn on(text: &str) -> Option<String> {
        heard(text).on.map(|day| day.to_string())
    }

    #[test]
    fn guests_are_counted_however_they_are_put() {
        for (text, adults, children) in [
            ("20 people", Some(20), None),
            ("a party of 15", Some(15), None),
            ("how much for 12?", Some(12), None),
            ("12 adults and 4 kids", Some(12), Some(4)),
            ("there will be 9 of us", Some(9), None),
            ("a 30-person party", Some(30), None),
            ("ten guests", Some(10), None),
            ("for 2 hours", None, None),
            ("around 6", None, None),
            ("99999 people", None, None),
            ("for 5 children", None, Some(5)),
            ("10 of the chairs", None, None),
        ] {
            let said = heard(text);
            assert_eq!((said.adults, said.children), (adults, children), "{text}");
        }
    }

    #[test]
    fn days_are_the_next_of_their_name() {
        for (text, day) in [
            ("on 2026-12-05", Some("2026-12-05")),
            ("12/5 works", Some("2026-12-05")),
            ("3/14/2027", Some("2027-03-14")),
            ("March 14th", Some("2027-03-14")),
            ("the 5th of December", None),
            ("5 December", Some("2026-12-05")),
            ("Dec 31", Some("2026-12-31")),
            ("this Saturday", Some("2026-11-21")),
            ("on friday", Some("2026-11-27")),
            ("next sunday", Some("2026-11-29")),
            ("tomorrow night", Some("2026-11-22")),
            ("may I ask", None),
            ("13/45", None),
        ] {
            assert_eq!(on(text).as_deref(), day, "{text}");
        }
    }

    #[test]
    fn a_zip_is_five_digits_and_no_party() {
        assert_eq!(heard("to 95112 please").zip, "95112".parse().ok());
        assert_eq!(heard("10000 people").zip, None);
        assert_eq!(heard("no zip at all").zip, None);
    }

    #[test]
    fn what_is_said_last_holds() {
        let known = heard("20 people in 95112").and(&heard("25 people on friday"));
        assert_eq!(known.adults, Some(25));
        assert_eq!(known.zip, "95112".parse().ok());
        assert!(known.on.is_some() && heard("hello").is_empty());
    }

    proptest! {
        #[test]
        fn any_text_says_a_party_that_can_be(text in "\\PC{0,200}") {
            let said = heard(&text);
            prop_assert!(said.adults.is_none_or(|count| (1..=Guests::MAX).contains(&count)));
        }
    }
}
