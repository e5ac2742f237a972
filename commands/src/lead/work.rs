//! Working on leads: calls, follow-ups, and what becomes of them.

use domain::access::Permission;
use domain::booking::{BookingError, BookingEvent};
use domain::decider::Decider;
use domain::envelope::{Position, StreamId};
use domain::ids::{BookingId, CustomerId, LeadId};
use domain::lead::{FollowUp, Lead, LeadCommand, LeadError, LeadStatus, LeadUpdate};
use domain::recorded::{DomainEvent, Recorded};
use serde::Serialize;

use crate::execute::{Plan, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey, Refused};

/// How the work on a lead went on. What is absent stays as it is.
#[derive(Clone, Serialize)]
pub struct LeadChange {
    /// The lead.
    pub lead_id: LeadId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Where it stands now.
    pub status: Option<LeadStatus>,
    /// What was said: with the status contacted.
    pub note: Option<String>,
    /// Why it was given up: with the status lost.
    pub reason: Option<String>,
    /// What became of it: with the status won.
    pub booking_id: Option<BookingId>,
    /// When it is to be called.
    pub follow_up: Option<FollowUp>,
}

/// The longest note, in characters.
const MAX_NOTE: usize = 4_000;

impl Commands {
    /// Says how the work on a lead went on.
    ///
    /// # Errors
    /// Those of [`LeadError`]; `NOT_FOUND` for a booking that is not there.
    pub async fn update_lead(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: LeadChange,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::LeadWrite)?;
            this.run(&caller, &key, "lead_update", &ask, || {
                this.plan_lead_change(&caller, &ask)
            })
            .await
        })
        .await
    }

    async fn plan_lead_change(&self, caller: &Caller, ask: &LeadChange) -> Result<Plan, CommandError> {
        let loaded = self.load_lead(caller, ask.lead_id).await?;
        loaded.expect(ask.expected_version)?;
        let known = loaded.state.known().map_err(CommandError::refused)?;
        if let Some(booking_id) = ask.booking_id {
            let missing = Refused {
                field: vec!["bookingId"],
                ..BookingError::NotFound.into()
            };
            self.load_booking(caller, booking_id, missing).await?;
        }
        let note = match ask.note.as_deref().map(str::trim) {
            None => None,
            Some(note) if (1..=MAX_NOTE).contains(&note.chars().count()) => {
                let sealer = self.vault.sealer(caller.tenant, known.subject()).await?;
                let stream = StreamId::new(Lead::STREAM, ask.lead_id.to_string());
                Some(sealer.seal(&stream, "note", note))
            }
            Some(_) => return Err(CommandError::refused(LeadError::NoteOfNoCall)),
        };
        let update = LeadUpdate {
            status: ask.status,
            note,
            reason: ask.reason.clone(),
            booking_id: ask.booking_id,
            follow_up: ask.follow_up,
            now: self.ports.now(),
        };
        self.plan_on_lead(ask.lead_id, &loaded, LeadCommand::Update(update))
    }

    /// Marks leads as won by the first booking of a customer after a place in the log. What is won already, or erased,
    /// stays as it is; where the customer has not booked, so do all.
    pub(crate) async fn win_leads(
        &self,
        caller: Caller,
        name: &str,
        leads: Vec<LeadId>,
        customer_id: CustomerId,
        after: Position,
    ) -> Result<(), CommandError> {
        let booked = Some(["booking.requested"].as_slice());
        let next = self.log.read(caller.tenant, after, 1, booked).await?;
        let Some(next) = next.into_iter().next().map(Recorded::try_from).transpose()? else {
            return Ok(());
        };
        let (DomainEvent::Booking(BookingEvent::Requested(requested)), Ok(booking_id)) =
            (&next.event, next.stream.id.parse::<BookingId>())
        else {
            return Ok(());
        };
        if requested.customer_id != customer_id {
            return Ok(());
        }
        for lead in leads {
            let key = IdempotencyKey::of_reaction(name, &format!("{booking_id} {lead}"));
            let done = self
                .run(&caller, &key, "lead_win", &(lead, booking_id), || async {
                    let loaded = self.load_lead(&caller, lead).await?;
                    let won = LeadUpdate {
                        status: Some(LeadStatus::Won),
                        note: None,
                        reason: None,
                        booking_id: Some(booking_id),
                        follow_up: None,
                        now: self.ports.now(),
                    };
                    self.plan_on_lead(lead, &loaded, LeadCommand::Update(won))
                })
                .await;
            match done {
                Ok(_) => {}
                Err(CommandError::Refused(refused)) => {
                    tracing::info!(policy = name, %lead, code = refused.code, "nothing to do");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
