//! Notifications of banks that money has come: read from the mail's text, and matched with open claims. They are evidence that
//! a person may use, and never book anything by themselves: anybody can write a mail.

mod text;

use chrono::{DateTime, Utc};

use crate::decider::Refusal;
use crate::money::Cents;
use crate::payment::PaymentMethod;

/// The longest mail that is read, in bytes.
pub const LONGEST: usize = 200_000;

/// What a bank's notification says. Names the sender: not for events.
#[derive(Clone, PartialEq, Eq)]
pub struct BankNotice {
    /// How the money moved.
    pub method: PaymentMethod,
    /// How much came, in cents.
    pub amount_cents: Cents,
    /// Who sent it, as the bank writes it.
    pub sender: Option<String>,
    /// What the bank calls it.
    pub reference: Option<String>,
    /// Numbers of bookings that the sender wrote.
    pub booking_numbers: Vec<String>,
    /// When the notification was sent.
    pub sent_at: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for BankNotice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BankNotice")
            .field("method", &self.method)
            .field("amount_cents", &self.amount_cents)
            .finish_non_exhaustive()
    }
}

/// Why a text is no notification of money that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BankMailError {
    /// Longer than any notification.
    #[error("a notification has at most {LONGEST} bytes")]
    TooLong,
    /// Neither Zelle nor Venmo.
    #[error("the text speaks neither of Zelle nor of Venmo")]
    NoBank,
    /// No amount, or no word that it came.
    #[error("the text does not say that money came, and how much")]
    NoMoney,
    /// It tells of money that was sent, asked for, or is still to come.
    #[error("the text tells of money that was sent or asked for, not of money that came")]
    NotIncoming,
}

impl Refusal for BankMailError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "TOO_LONG",
            Self::NoBank | Self::NoMoney => "BANK_MAIL_UNREADABLE",
            Self::NotIncoming => "BANK_MAIL_NOT_INCOMING",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        &["text"]
    }
}

/// Names by which banks call what they know a transfer by.
const REFERENCES: [&str; 9] = [
    "confirmation number",
    "confirmation code",
    "confirmation #",
    "confirmation",
    "transaction number",
    "transaction id",
    "reference number",
    "reference #",
    "payment id",
];

impl BankNotice {
    /// Reads a mail as RFC 822 has it, or the text of one.
    ///
    /// # Errors
    /// [`BankMailError`] for what tells of no money that came by Zelle or Venmo.
    pub fn read(mail: &str) -> Result<Self, BankMailError> {
        if mail.len() > LONGEST {
            return Err(BankMailError::TooLong);
        }
        let mail = text::Mail::read(mail);
        let words = format!("{} . {}", mail.subject, mail.body);
        let lower = words.to_ascii_lowercase();
        let venmo = mail.from.to_ascii_lowercase().contains("venmo") || lower.contains("venmo");
        let method = if lower.contains("zelle") {
            PaymentMethod::Zelle
        } else if venmo {
            PaymentMethod::Venmo
        } else {
            return Err(BankMailError::NoBank);
        };
        let outgoing = [
            "you sent $",
            "you paid $",
            "you requested",
            "requests $",
            "requested $",
            "is scheduled",
            "you've sent",
        ];
        if outgoing.iter().any(|said| lower.contains(said)) {
            return Err(BankMailError::NotIncoming);
        }
        let (amount_cents, sender) = incoming(&words, &lower).ok_or(BankMailError::NoMoney)?;
        Ok(Self {
            method,
            amount_cents,
            sender,
            reference: REFERENCES
                .iter()
                .find_map(|label| reference(&words, &lower, label)),
            booking_numbers: booking_numbers(&words),
            sent_at: mail.sent_at,
        })
    }
}

/// How much came, and from whom, in one of the ways that banks say it.
fn incoming(words: &str, lower: &str) -> Option<(Cents, Option<String>)> {
    // "Jane Doe sent you $1.00", "Jane Doe just sent you money … Amount: $1.00", "Jane Doe paid you $1.00"
    for said in [" sent you", " paid you"] {
        if let Some(at) = lower.find(said) {
            let amount = amount_after(words, at + said.len(), 400)?;
            return Some((amount, name_before(&words[..at])));
        }
    }
    // "You received $1.00 from Jane Doe with Zelle", "a Zelle payment of $1.00 from Jane Doe"
    for said in ["received", "payment of", "deposited"] {
        let Some(at) = lower.find(said) else { continue };
        let Some(amount) = amount_after(words, at + said.len(), 80) else {
            continue;
        };
        let from = lower[at..]
            .find(" from ")
            .map(|found| at + found + " from ".len());
        // A payment of the company's own, to somebody: "Your payment of $1.00 to Jane Doe from Checking".
        let outgoing = from.is_none_or(|from| lower[at..from].contains(" to "));
        if said == "payment of" && outgoing {
            continue;
        }
        return Some((amount, from.and_then(|from| name_after(&words[from..]))));
    }
    None
}

/// The first amount of dollars within so many bytes after a place.
fn amount_after(words: &str, from: usize, within: usize) -> Option<Cents> {
    let rest = words.get(from..)?;
    let dollar = rest.find('$').filter(|at| *at <= within)?;
    let figure: String = rest[dollar + 1..]
        .trim_start()
        .chars()
        .take_while(|letter| letter.is_ascii_digit() || matches!(letter, ',' | '.'))
        .take(16)
        .collect();
    let figure = figure.trim_end_matches(['.', ',']).replace(',', "");
    let (whole, cents) = figure.split_once('.').unwrap_or((&figure, "00"));
    if whole.is_empty() || whole.len() > 8 || cents.len() != 2 {
        return None;
    }
    let amount = Cents(whole.parse::<i64>().ok()? * 100 + cents.parse::<i64>().ok()?);
    (amount > Cents::ZERO && amount <= Cents::MAX_INPUT).then_some(amount)
}

/// The name that a sentence ends with: its last words that begin with a capital.
fn name_before(words: &str) -> Option<String> {
    let sentence = words.rsplit(['.', ':', '!', '|', '•']).next()?;
    let sentence = sentence.trim().trim_end_matches(" just").trim_end_matches(" has");
    let named = |word: &&str| word.chars().next().is_some_and(char::is_uppercase);
    let words: Vec<&str> = sentence
        .split_whitespace()
        .rev()
        .take_while(named)
        .take(6)
        .collect();
    let name: Vec<&str> = words.into_iter().rev().collect();
    (!name.is_empty()).then(|| name.join(" "))
}

/// The name that a text begins with.
fn name_after(words: &str) -> Option<String> {
    let named = |word: &&str| word.chars().next().is_some_and(char::is_uppercase);
    let mut name = Vec::new();
    for word in words.split_whitespace().take_while(named).take(6) {
        let bare = word.trim_end_matches(['.', ',', '!']);
        if bare.eq_ignore_ascii_case("zelle") {
            break;
        }
        name.push(bare);
        if bare.len() < word.len() && bare.len() > 1 {
            break;
        }
    }
    (!name.is_empty()).then(|| name.join(" "))
}

/// What follows a label: letters and digits, at least four, with a digit among them.
fn reference(words: &str, lower: &str, label: &str) -> Option<String> {
    let mut from = 0;
    while let Some(found) = lower[from..].find(label) {
        let after = from + found + label.len();
        let rest = words[after..].trim_start_matches([':', '#', ' ', '.']);
        let value: String = rest
            .chars()
            .take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '-')
            .take(60)
            .collect();
        if value.len() >= 4 && value.bytes().any(|byte| byte.is_ascii_digit()) {
            return Some(value);
        }
        from = after;
    }
    None
}

/// Numbers of bookings: five letters or digits, a dash, and five more.
fn booking_numbers(words: &str) -> Vec<String> {
    let part = |part: &str| part.len() == 5 && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let mut numbers: Vec<String> = words
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'))
        .filter(|word| {
            word.split_once('-')
                .is_some_and(|(one, two)| part(one) && part(two))
        })
        .map(str::to_ascii_uppercase)
        .collect();
    numbers.dedup();
    numbers.truncate(5);
    numbers
}

/// An open claim that a notification may be about.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenClaim {
    /// How the money is said to have moved.
    pub method: PaymentMethod,
    /// How much, all parts together, in cents.
    pub total_cents: Cents,
    /// What the customer called it.
    pub reference: Option<String>,
    /// Number of its booking.
    pub booking_number: String,
    /// Name of who books.
    pub customer: Option<String>,
}

/// A name as it is compared: its words in lower case, without what is no letter, in their order.
pub fn folded_name(name: &str) -> String {
    let words = name.split_whitespace().map(|word| {
        let letters = word.chars().filter(|letter| letter.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect::<String>()
    });
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// How well a claim fits a notification: the higher the better; none where method or amount differ.
pub fn fit(notice: &BankNotice, claim: &OpenClaim) -> Option<u32> {
    if notice.method != claim.method || notice.amount_cents != claim.total_cents {
        return None;
    }
    let key = |text: &Option<String>| text.as_deref().and_then(|text| claim.method.reference_key(text));
    let same_reference = key(&notice.reference).is_some_and(|found| Some(found) == key(&claim.reference));
    let same_booking = notice.booking_numbers.contains(&claim.booking_number);
    let same_name = match (&notice.sender, &claim.customer) {
        (Some(sender), Some(customer)) => folded_name(sender) == folded_name(customer),
        (_, None) | (None, _) => false,
    };
    Some(1 + 8 * u32::from(same_reference) + 4 * u32::from(same_booking) + 2 * u32::from(same_name))
}

#[cfg(test)]
mod tests;
