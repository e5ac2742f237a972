//! What is kept of a booking that goes on: until when its deposit may come, notes, terms.

use chrono::{DateTime, Utc};
use domain::access::Permission;
use domain::booking::{Booking, BookingCommand, BookingError};
use domain::decider::Decider;
use domain::envelope::StreamId;
use domain::ids::{BookingId, SubjectId};
use serde::Serialize;

use super::change::requested;
use crate::execute::{Plan, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// The longest note, in characters.
const MAX_NOTE: usize = 4_000;

/// More time for a deposit.
#[derive(Clone, Serialize)]
pub struct BookingDepositExtend {
    /// The booking.
    pub booking_id: BookingId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Until when it must come.
    pub due_at: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// Something to write down about a booking.
#[derive(Clone, Serialize)]
pub struct BookingNote {
    /// The booking.
    pub booking_id: BookingId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// What.
    pub note: String,
}

/// Terms that a customer accepted.
#[derive(Clone, Serialize)]
pub struct BookingTermsAccept {
    /// The booking.
    pub booking_id: BookingId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Version of their text.
    pub terms_version: String,
}

/// Refuses a note that is too long.
pub(super) fn check_note(note: &str) -> Result<(), CommandError> {
    if note.chars().count() > MAX_NOTE {
        return Err(CommandError::refused(BookingError::TooLong {
            what: "a note",
            max: MAX_NOTE,
        }));
    }
    Ok(())
}

impl Commands {
    /// Lets a deposit come later: the booking holds its place until then.
    ///
    /// # Errors
    /// `INVALID_DUE_AT`, `INVALID_REASON`, or `WRONG_STATE` once it has come or the booking is over.
    pub async fn extend_deposit(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: BookingDepositExtend,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::BookingWrite)?;
            this.run(&caller, &key, "booking_deposit_extend", &ask, || async {
                let loaded = this
                    .booking_to_change(&caller, ask.booking_id, ask.expected_version)
                    .await?;
                let command = BookingCommand::ExtendDeposit {
                    due_at: ask.due_at,
                    reason: ask.reason.clone(),
                    now: this.ports.now(),
                };
                this.plan_change(ask.booking_id, &loaded, command)
            })
            .await
        })
        .await
    }

    /// Writes something down about a booking; it is sealed for the customer.
    ///
    /// # Errors
    /// `INVALID_NOTE`, `TOO_LONG`, `TOO_MANY_NOTES`.
    pub async fn add_note(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: BookingNote,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::BookingWrite)?;
            this.run(&caller, &key, "booking_note_add", &ask, || {
                this.plan_note(&caller, &ask)
            })
            .await
        })
        .await
    }

    async fn plan_note(&self, caller: &Caller, ask: &BookingNote) -> Result<Plan, CommandError> {
        let note = ask.note.trim();
        if note.is_empty() {
            return Err(CommandError::refused(BookingError::EmptyNote));
        }
        check_note(note)?;
        let loaded = self
            .booking_to_change(caller, ask.booking_id, ask.expected_version)
            .await?;
        let customer = requested(&loaded)?.customer_id;
        let sealer = self.vault.sealer(caller.tenant, SubjectId(customer.0)).await?;
        let stream = StreamId::new(Booking::STREAM, ask.booking_id.to_string());
        let command = BookingCommand::AddNote {
            note: sealer.seal(&stream, "notes", note),
            now: self.ports.now(),
        };
        self.plan_change(ask.booking_id, &loaded, command)
    }

    /// Records that the customer accepted the terms.
    ///
    /// # Errors
    /// `INVALID_TERMS_VERSION`, `UNCHANGED`.
    pub async fn accept_terms(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: BookingTermsAccept,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::BookingWrite)?;
            this.run(&caller, &key, "booking_terms_accept", &ask, || async {
                let loaded = this
                    .booking_to_change(&caller, ask.booking_id, ask.expected_version)
                    .await?;
                let command = BookingCommand::AcceptTerms {
                    version: ask.terms_version.clone(),
                    now: this.ports.now(),
                };
                this.plan_change(ask.booking_id, &loaded, command)
            })
            .await
        })
        .await
    }
}
