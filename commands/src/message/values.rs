//! What messages have in place of their variables.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use domain::booking::Booking;
use domain::chef::Chef;
use domain::decider::Decider;
use domain::envelope::StreamId;
use domain::ids::{BookingId, ChefId};
use domain::locale::Locale;
use domain::message::{Message, MessageRequested};
use domain::message_template::Variable;
use domain::money::Cents;
use event_log::Opened;

use super::Undelivered;
use crate::{Caller, CommandError, Commands};

/// Values of variables, as far as there are any.
pub(super) type Values = BTreeMap<Variable, String>;

/// An amount as customers read it: `$1,085.00`.
pub(super) fn dollars(amount: Cents) -> String {
    let text = amount.max(Cents::ZERO).to_string();
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("${grouped}.{cents}")
}

/// A day as it is written in a language: in words in English, else as every language reads it (ISO 8601).
fn day(start: NaiveDateTime, language: &Locale) -> String {
    let format = if language.is_english() {
        "%A, %B %-d, %Y"
    } else {
        "%Y-%m-%d"
    };
    start.format(format).to_string()
}

/// A time of the day as it is written in a language.
fn time(start: NaiveDateTime, language: &Locale) -> String {
    let format = if language.is_english() {
        "%-I:%M %p"
    } else {
        "%H:%M"
    };
    start.format(format).to_string()
}

impl Commands {
    /// Values of a message's variables, as far as there are any.
    pub(super) async fn values(
        &self,
        caller: &Caller,
        stream: &StreamId,
        requested: &MessageRequested,
        name: String,
        language: &Locale,
    ) -> Result<Values, Undelivered> {
        debug_assert_eq!(stream.kind, Message::STREAM);
        let mut values = match requested.booking_id {
            Some(booking) => self.booking_values(caller, booking, language).await?,
            None => Values::new(),
        };
        values.insert(Variable::CustomerName, name);
        let Some(sealed) = &requested.variables else {
            return Ok(values);
        };
        let opened = self
            .vault
            .open(caller.tenant, stream, "variables", sealed)
            .await?;
        if let Opened::Text(text) = opened {
            let own: BTreeMap<String, String> =
                serde_json::from_str(&text).map_err(|_| Undelivered::lasting("INVALID_VARIABLES"))?;
            let known = |(name, value): (String, String)| Some((Variable::parse(&name)?, value));
            values.extend(own.into_iter().filter_map(known));
        }
        Ok(values)
    }

    /// What a booking says, as changes and payments have left it.
    pub(super) async fn booking_values(
        &self,
        caller: &Caller,
        id: BookingId,
        language: &Locale,
    ) -> Result<Values, CommandError> {
        let booking = self.load::<Booking>(caller, &id.to_string()).await?;
        let Some(party) = booking.state.requested() else {
            return Ok(Values::new());
        };
        let mut values = Values::from([
            (Variable::EventDate, day(party.start.local, language)),
            (Variable::EventTime, time(party.start.local, language)),
            (Variable::GuestCount, party.guests.total().to_string()),
            (Variable::DepositAmount, dollars(party.quote.deposit_cents)),
            (Variable::BookingId, party.number.clone()),
            (
                Variable::ChefName,
                self.chef_names(caller, booking.state.chefs(), language).await?,
            ),
        ]);
        let account = self.account_of(caller.tenant, id).await?;
        let total = account.map_or(party.quote.total_cents, |account| account.price_cents);
        values.insert(Variable::TotalAmount, dollars(total));
        // Nobody has looked at a booking of this very moment: nothing has come for it.
        let due = account.map_or(total, |account| account.due_cents);
        values.insert(Variable::BalanceDue, dollars(due));
        let link = self.messages_of(caller).await?.payment_link(&party.number);
        values.extend(link.map(|link| (Variable::PaymentLink, link)));
        Ok(values)
    }

    /// Who cooks; the word for a chef where that is not settled yet.
    async fn chef_names(
        &self,
        caller: &Caller,
        chefs: &[ChefId],
        language: &Locale,
    ) -> Result<String, CommandError> {
        let mut names = Vec::new();
        for id in chefs {
            let chef = self.load::<Chef>(caller, &id.to_string()).await?;
            let Some(registered) = chef.state.registered() else {
                continue;
            };
            let stream = StreamId::new(Chef::STREAM, id.to_string());
            let opened = self
                .vault
                .open(caller.tenant, &stream, "name", &registered.name)
                .await?;
            if let Opened::Text(name) = opened {
                names.push(name);
            }
        }
        Ok(match (names.is_empty(), language.is_english()) {
            (false, _) => names.join(", "),
            (true, true) => "your chef".to_owned(),
            (true, false) => "chef".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_days_and_times_are_written_as_people_read_them() {
        for (cents, text) in [
            (-5, "$0.00"),
            (0, "$0.00"),
            (98_500, "$985.00"),
            (108_500, "$1,085.00"),
            (123_456_789, "$1,234,567.89"),
        ] {
            assert_eq!(dollars(Cents(cents)), text);
        }
        let start = "2026-03-14T18:00:00".parse().unwrap();
        let (english, spanish) = (Locale::english(), Locale::parse("es-MX").unwrap());
        assert_eq!(
            (day(start, &english).as_str(), time(start, &english).as_str()),
            ("Saturday, March 14, 2026", "6:00 PM")
        );
        assert_eq!(
            (day(start, &spanish).as_str(), time(start, &spanish).as_str()),
            ("2026-03-14", "18:00")
        );
    }
}
