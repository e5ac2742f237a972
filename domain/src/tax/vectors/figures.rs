//! The figures of a row, read from its text.

use serde_json::Value;

use super::{BadVector, short};
use crate::money::{Cents, RatePpm};

/// Beyond this no amount is taken: sums of a row's amounts fit 64 bits by far.
const LARGEST: i64 = 10_000_000_000_000_000;
/// A hundred percent.
const WHOLE: i64 = 1_000_000;
/// Entries of a list at most.
const LONGEST: usize = 500;

/// The figures of a row: what is empty is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Figures {
    gross: Option<Amount>,
    rate: Option<RatePpm>,
    net: Option<Amount>,
    tax: Option<Amount>,
    extra: Value,
}

/// An amount as it is written, which a currency without decimals reads otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Amount {
    cents: Cents,
    /// In whole units; none where cents are written.
    whole: Option<i64>,
}

impl Figures {
    pub(super) fn read([gross, rate, net, tax]: [&str; 4], extra: &str) -> Result<Self, BadVector> {
        let extra = if extra.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(extra).map_err(|error| BadVector::Extra(error.to_string()))?
        };
        let rate = (!rate.is_empty()).then(|| percent("rate_percent", rate));
        Ok(Self {
            gross: optional("gross", gross)?,
            rate: rate.transpose()?,
            net: optional("expected_net", net)?,
            tax: optional("expected_tax", tax)?,
            extra,
        })
    }

    pub(super) fn gross(&self) -> Result<Cents, BadVector> {
        needed("gross", self.gross).map(|amount| amount.cents)
    }

    pub(super) fn net(&self) -> Result<Cents, BadVector> {
        needed("expected_net", self.net).map(|amount| amount.cents)
    }

    pub(super) fn tax(&self) -> Result<Cents, BadVector> {
        needed("expected_tax", self.tax).map(|amount| amount.cents)
    }

    /// Gross, net and tax in whole units, which take the place of cents.
    pub(super) fn whole(&self) -> Result<[Cents; 3], BadVector> {
        let whole = |field, amount: Option<Amount>| {
            let units = needed(field, amount)?.whole;
            units.map(Cents).ok_or_else(|| BadVector::Amount {
                field,
                text: "an amount with cents".to_owned(),
            })
        };
        Ok([
            whole("gross", self.gross)?,
            whole("expected_net", self.net)?,
            whole("expected_tax", self.tax)?,
        ])
    }

    pub(super) fn rate(&self) -> Result<RatePpm, BadVector> {
        self.rate.ok_or_else(|| BadVector::Rate {
            field: "rate_percent",
            text: String::new(),
        })
    }

    /// A value of the extra field, where there is one of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.extra.get(name).is_some()
    }

    /// A list of the extra field.
    pub(super) fn list(&self, name: &str) -> Result<&[Value], BadVector> {
        let list = self.extra.get(name).and_then(Value::as_array);
        list.filter(|list| list.len() <= LONGEST)
            .map(Vec::as_slice)
            .ok_or_else(|| BadVector::Extra(format!("{name} is not a list of at most {LONGEST}")))
    }

    /// A list of amounts in cents.
    pub(super) fn cents_list(&self, name: &str) -> Result<Vec<Cents>, BadVector> {
        let cents = |value: &Value| value.as_i64().filter(|cents| in_range(*cents)).map(Cents);
        let read: Option<Vec<Cents>> = self.list(name)?.iter().map(cents).collect();
        read.ok_or_else(|| BadVector::Extra(format!("{name} is not a list of whole cents")))
    }

    /// An amount in cents.
    pub(super) fn cents(&self, name: &str) -> Result<Cents, BadVector> {
        let cents = self.extra.get(name).and_then(Value::as_i64);
        let cents = cents.filter(|cents| in_range(*cents));
        cents
            .map(Cents)
            .ok_or_else(|| BadVector::Extra(format!("{name} is not an amount in cents")))
    }

    /// An amount in dollars.
    pub(super) fn dollars(&self, name: &'static str) -> Result<Cents, BadVector> {
        dollars(self.extra.get(name), name)
    }

    /// A rate in percent, written as text or as a number.
    pub(super) fn percent(&self, name: &'static str) -> Result<RatePpm, BadVector> {
        let text = match self.extra.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => String::new(),
        };
        percent(name, &text)
    }
}

/// An amount in dollars at a place of a list.
pub(super) fn dollars_at(entry: &Value, place: usize, field: &'static str) -> Result<Cents, BadVector> {
    dollars(entry.get(place), field)
}

/// A rate in percent at a place of a list.
pub(super) fn percent_at(entry: &Value, place: usize, field: &'static str) -> Result<RatePpm, BadVector> {
    percent(
        field,
        entry.get(place).and_then(Value::as_str).unwrap_or_default(),
    )
}

/// An amount in dollars, which JSON has as text.
pub(super) fn dollars(value: Option<&Value>, field: &'static str) -> Result<Cents, BadVector> {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    amount(field, text).map(|amount| amount.cents)
}

fn needed(field: &'static str, amount: Option<Amount>) -> Result<Amount, BadVector> {
    amount.ok_or(BadVector::Amount {
        field,
        text: String::new(),
    })
}

fn optional(field: &'static str, text: &str) -> Result<Option<Amount>, BadVector> {
    (!text.is_empty()).then(|| amount(field, text)).transpose()
}

fn in_range(cents: i64) -> bool {
    (-LARGEST..=LARGEST).contains(&cents)
}

/// Digits, a point and digits, at most so many behind it: the number that they are without the point.
fn fixed(text: &str, places: usize) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let ends_in_point = text.ends_with('.');
    if whole.is_empty() || fraction.len() > places || ends_in_point || !digits(whole) || !digits(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<places$}").parse().ok()
}

fn amount(field: &'static str, text: &str) -> Result<Amount, BadVector> {
    let (sign, magnitude) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let cents = fixed(magnitude, 2).filter(|cents| in_range(*cents));
    let cents = cents.ok_or_else(|| BadVector::Amount {
        field,
        text: short(text),
    })?;
    Ok(Amount {
        cents: Cents(sign * cents),
        whole: (!text.contains('.')).then_some(sign * cents / 100),
    })
}

fn percent(field: &'static str, text: &str) -> Result<RatePpm, BadVector> {
    let ppm = fixed(text, 4).filter(|ppm| *ppm <= WHOLE);
    ppm.map(RatePpm).ok_or_else(|| BadVector::Rate {
        field,
        text: short(text),
    })
}
