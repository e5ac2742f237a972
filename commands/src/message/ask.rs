//! Messages that the company's policies ask for.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use domain::booking::{Booking, BookingStatus};
use domain::customer::{ConsentChannel, Customer};
use domain::decider::Decider;
use domain::envelope::StreamId;
use domain::ids::{BookingId, CustomerId, StationId, SubjectId};
use domain::message::{Message, MessageCommand, MessageError, MessageKind, MessageRequested};
use domain::message_template::Variable;
use domain::money::Cents;
use domain::station::Station;
use event_log::HeldClaim;

use super::values::dollars;
use crate::execute::{Plan, Written};
use crate::{Caller, CommandError, Commands, Correspondence, IdempotencyKey};

/// A message about a booking that a policy asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageAsk {
    /// What for.
    pub kind: MessageKind,
    /// What asks for it: the same cause asks for the same message.
    pub cause: String,
    /// The booking that it is about.
    pub booking_id: BookingId,
    /// What was given back, where it tells of that, in cents.
    pub refund_cents: Option<Cents>,
    /// Since when there is that to tell.
    pub since: DateTime<Utc>,
}

/// Whom a change of prices is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceNews {
    /// The station whose prices change.
    pub station_id: StationId,
    /// The day of the change: several changes of a day are told once.
    pub on: NaiveDate,
    /// Since when there is that to tell.
    pub since: DateTime<Utc>,
}

impl Commands {
    /// Asks for a message, if what it is to tell is still so and still news.
    pub(crate) async fn ask_for_message(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        ask: MessageAsk,
    ) -> Result<Written, CommandError> {
        if self.correspondence == Correspondence::Paused {
            return Err(CommandError::refused(MessageError::OldNews));
        }
        let named = (ask.kind, &ask.cause);
        self.run(caller, key, "message_ask", &named, || {
            self.plan_asked(caller, &ask)
        })
        .await
    }

    async fn plan_asked(&self, caller: &Caller, ask: &MessageAsk) -> Result<Plan, CommandError> {
        let now = self.ports.now();
        if ask.kind.good_for().is_some_and(|good| ask.since + good < now) {
            return Err(CommandError::refused(MessageError::OldNews));
        }
        let booking = self.load::<Booking>(caller, &ask.booking_id.to_string()).await?;
        let old = || CommandError::refused(MessageError::OldNews);
        let party = booking.state.requested().ok_or_else(old)?;
        // Money that was given back was, wherever its booking was put.
        let is_away = booking.state.is_deleted() && ask.kind != MessageKind::RefundGiven;
        if is_away || !is_so(ask.kind, booking.state.status(), party.start.utc, now) {
            return Err(old());
        }
        let customer = self
            .load::<Customer>(caller, &party.customer_id.to_string())
            .await?;
        customer.state.known().map_err(CommandError::refused)?;
        let id = ask.kind.message(&ask.cause);
        let stream = StreamId::new(Message::STREAM, id.to_string());
        let variables = match ask.refund_cents {
            Some(refund) => {
                let known =
                    serde_json::json!({ Variable::RefundAmount.as_str(): dollars(refund) }).to_string();
                let subject = SubjectId(party.customer_id.0);
                let sealed = self
                    .vault
                    .seal(caller.tenant, subject, &stream, "variables", &known)
                    .await?;
                Some(sealed)
            }
            None => None,
        };
        let message = self.load::<Message>(caller, &id.to_string()).await?;
        let requested = MessageRequested {
            kind: ask.kind,
            customer_id: party.customer_id,
            booking_id: Some(ask.booking_id),
            station_id: Some(party.station_id),
            preferred: None,
            variables,
            due_at: now,
        };
        let events = message
            .state
            .decide(MessageCommand::Request(requested))
            .map_err(CommandError::refused)?;
        Ok(Plan::default()
            .write::<Message>(self, id.to_string(), message.version, events)
            .reads::<Customer>(party.customer_id.to_string(), customer.version))
    }

    /// Tells customers of a station who have agreed to be written to, and whose party is still to come, that prices change:
    /// each once a day.
    pub(crate) async fn tell_of_prices(
        &self,
        caller: &Caller,
        policy: &str,
        news: PriceNews,
    ) -> Result<(), CommandError> {
        if self.correspondence == Correspondence::Paused {
            return Ok(());
        }
        let mut told = BTreeSet::new();
        for booking_id in self.parties_to_come(caller, news.station_id).await? {
            let booking = self.load::<Booking>(caller, &booking_id.to_string()).await?;
            let Some(party) = booking.state.requested() else {
                continue;
            };
            let customer_id = party.customer_id;
            if told.contains(&customer_id) || !self.subscribes(caller, customer_id).await? {
                continue;
            }
            let cause = format!("{} {customer_id} {}", news.station_id, news.on);
            let key = IdempotencyKey::of_reaction(policy, &cause);
            let ask = MessageAsk {
                kind: MessageKind::PriceChanged,
                cause,
                booking_id,
                refund_cents: None,
                since: news.since,
            };
            match self.ask_for_message(caller, &key, ask).await {
                Ok(_) => {
                    told.insert(customer_id);
                }
                Err(CommandError::Refused(refused)) => {
                    tracing::info!(policy, %booking_id, code = refused.code, "nothing to do");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether a customer has agreed to be written to.
    async fn subscribes(&self, caller: &Caller, id: CustomerId) -> Result<bool, CommandError> {
        let customer = self.load::<Customer>(caller, &id.to_string()).await?;
        let agreed = |channel| customer.state.consent(channel).is_some();
        Ok(customer.state.known().is_ok() && ConsentChannel::ALL.into_iter().any(agreed))
    }

    /// Bookings that hold a place at a station from now on, the first in the log first.
    async fn parties_to_come(
        &self,
        caller: &Caller,
        station: StationId,
    ) -> Result<BTreeSet<BookingId>, CommandError> {
        let now = self.ports.now();
        let resources = [Station::capacity_resource(station)];
        let held = self
            .log
            .claims_over(caller.tenant, &resources, (now, now + Duration::days(AHEAD)))
            .await?;
        let booking = |claim: HeldClaim| match claim {
            HeldClaim::Capacity { holder, .. } if holder.kind == Booking::STREAM => holder.id.parse().ok(),
            HeldClaim::Capacity { .. } | HeldClaim::Interval { .. } | HeldClaim::Unique { .. } => None,
        };
        Ok(held.into_iter().filter_map(booking).collect())
    }
}

/// How many days ahead a party can be: the longest booking horizon that a station may have, and a day.
const AHEAD: i64 = 1_826;

/// Whether what a message tells is so.
pub(super) fn is_so(
    kind: MessageKind,
    status: Option<BookingStatus>,
    start: DateTime<Utc>,
    now: DateTime<Utc>,
) -> bool {
    let is_ahead = now < start;
    match kind {
        MessageKind::BookingConfirmed | MessageKind::EventReminder => {
            status == Some(BookingStatus::Confirmed) && is_ahead
        }
        MessageKind::DepositReminder => status == Some(BookingStatus::Requested) && is_ahead,
        MessageKind::PriceChanged => status.is_some_and(BookingStatus::is_open) && is_ahead,
        MessageKind::BookingCancelled => status == Some(BookingStatus::Cancelled),
        MessageKind::RefundGiven | MessageKind::ReviewRequest | MessageKind::ReviewReminder => true,
    }
}
