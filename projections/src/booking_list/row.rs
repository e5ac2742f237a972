//! A booking as lists and its page show it.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use domain::booking::{BookingStatus, RefundRule};
use domain::envelope::Sealed;
use domain::ids::{BookingId, CustomerId, StationId};
use domain::money::{Cents, RatePpm};
use domain::payment::BookingMoney;
use domain::quote::QuoteLine;
use domain::tax_rate::{PlaceConfirmation, PlaceMethod};
use serde::{Deserialize, Serialize};

use crate::IdList;
use crate::engine::{Column, Kind, Value, row, shown_only};

row! {
    /// A booking as lists and its page show it.
    pub struct BookingRow in "booking_list", key (booking_id: BookingId) {
        /// The booking.
        pub booking_id: BookingId,
        /// Number for people to name it by.
        pub number: String,
        /// Events of the booking so far: what a command expects of it.
        pub version: i64,
        /// Where it stands.
        pub status: BookingStatus,
        /// Who books.
        pub customer_id: CustomerId,
        /// The station that serves.
        pub station_id: StationId,
        /// Street and number of the venue, sealed.
        pub street: Sealed,
        /// City of the venue as the customer wrote it.
        pub city: String,
        /// County of the venue.
        pub county: String,
        /// Two-letter state of the venue.
        pub state: String,
        /// ZIP code of the venue.
        pub zip: String,
        /// Start as an instant.
        pub start_utc: DateTime<Utc>,
        /// Start as a clock at the station shows it.
        pub start_local: NaiveDateTime,
        /// Local date of the start: the day that the booking belongs to.
        pub event_on: NaiveDate,
        /// IANA zone of the station.
        pub zone: Tz,
        /// Seconds east of UTC at the start.
        pub offset_secs: i32,
        /// Seconds by which the start was moved forward, as the clock skips it; 0 for one that exists.
        pub moved_forward_secs: i64,
        /// First instant that the chefs are taken, inclusive.
        pub blocked_from: DateTime<Utc>,
        /// First instant that they are free again, exclusive.
        pub blocked_until: DateTime<Utc>,
        /// Guests from 13 years.
        pub adults: i32,
        /// Guests of 6 to 12 years.
        pub children: i32,
        /// Guests under 6 years.
        pub under6: i32,
        /// Chefs that the party needs.
        pub chefs_needed: i32,
        /// Every line of the price, tax-inclusive.
        pub lines: Vec<QuoteLine>,
        /// Tax-inclusive total in cents.
        pub total_cents: Cents,
        /// Voluntary tips that have come and were not given back, in cents.
        pub tip_cents: Cents,
        /// Money that has come towards the total and was neither voided nor lost to a bank, in cents; what was given
        /// back is in it.
        pub paid_cents: Cents,
        /// What was given back of it, in cents.
        pub refunded_cents: Cents,
        /// The part of that which the customer owes no more, in cents.
        pub waived_cents: Cents,
        /// Deposit in cents, part of the total.
        pub deposit_cents: Cents,
        /// What paying by card costs, as a share of price and tip.
        pub card_fee_ppm: RatePpm,
        /// Text of the promo code that it was made with.
        pub promo_code: Option<String>,
        /// Until when the deposit must come.
        pub deposit_due_at: DateTime<Utc>,
        /// State that is owed the tax.
        pub tax_state: String,
        /// County that is owed the tax.
        pub tax_county: String,
        /// City with a rate of its own that is owed the tax.
        pub tax_city: Option<String>,
        /// Combined rate in millionths; none where none is known.
        pub tax_rate_ppm: Option<RatePpm>,
        /// How the tax place was found.
        pub tax_method: PlaceMethod,
        /// Whether a person must confirm the tax place.
        pub tax_confirmation: PlaceConfirmation,
        /// Where the customer came from.
        pub source: Option<String>,
        /// What the customer wrote, sealed.
        pub note: Option<Sealed>,
        /// When it was asked.
        pub requested_at: DateTime<Utc>,
        /// What is proposed to be given back, once cancelled.
        pub refund_proposal: Option<RefundProposal>,
        /// Chefs who are to cook, or did.
        pub chefs: IdList,
        /// What the staff wrote down, the oldest first.
        pub notes: Vec<BookingNote>,
        /// Version of the terms that the customer accepted last.
        pub terms_version: Option<String>,
        /// Whether lists show it.
        pub presence: Presence,
    }
}

/// Something that the staff wrote down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingNote {
    /// What, sealed.
    pub note: Sealed,
    /// When.
    pub noted_at: DateTime<Utc>,
}

/// Whether lists show a booking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// They do.
    #[default]
    Here,
    /// It was put away.
    Deleted,
}

impl Presence {
    /// The word in rows.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Deleted => "deleted",
        }
    }
}

impl Column for Presence {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

/// What is proposed to be given back, with its arithmetic. A person confirms it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundProposal {
    /// What decides how much.
    pub rule: RefundRule,
    /// Paid towards the deposit and not given back before, in cents.
    pub deposit_paid_cents: Cents,
    /// Paid beyond the deposit and not given back before, in cents.
    pub balance_paid_cents: Cents,
    /// What is proposed to be given back, in cents.
    pub proposed_refund_cents: Cents,
}

shown_only! {
    RefundProposal;
    Vec<BookingNote>;
}

impl RefundProposal {
    /// What the rule makes of what was paid.
    pub(crate) fn of(rule: RefundRule, paid: Cents, deposit: Cents) -> Self {
        let deposit_paid = paid.min(deposit);
        let balance_paid = paid - deposit_paid;
        let proposed = rule.proposed(paid, deposit);
        Self {
            rule,
            deposit_paid_cents: deposit_paid,
            balance_paid_cents: balance_paid,
            proposed_refund_cents: proposed,
        }
    }
}

impl BookingRow {
    /// What is left to pay, in cents; negative where too much has come. What was given back is owed again only where it
    /// had been too much.
    pub fn balance_due_cents(&self) -> Cents {
        let money = BookingMoney {
            paid_cents: self.paid_cents,
            tip_cents: self.tip_cents,
            refunded_cents: self.refunded_cents,
            waived_cents: self.waived_cents,
        };
        money.due_cents(self.total_cents)
    }
}
