//! Keeping failed requests as leads.

use domain::customer::Contact;
use domain::decider::Decider;
use domain::envelope::{StreamId, Version};
use domain::ids::{LeadId, StationId, SubjectId};
use domain::lead::{Lead, LeadCaptured, LeadCommand};
use domain::place::ZipCode;

use crate::booking::BookingInput;
use crate::customer::{check_contact, seal_contact};
use crate::execute::Plan;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// Keeps a refused request for the staff to call back. Its key follows from the request's, so that trying
/// again with the same key keeps it once.
pub(crate) async fn capture(
    commands: &Commands,
    caller: &Caller,
    key: &IdempotencyKey,
    input: &BookingInput,
    station_id: StationId,
    zip: ZipCode,
    failure: &'static str,
) -> Result<(), CommandError> {
    let id = LeadId(commands.ports.id());
    let key = key.derived("lead_capture");
    let Some(contact) = contact(commands, caller, id, input).await? else {
        return Ok(());
    };
    let written = commands
        .run(caller, &key, "lead_capture", input, || async {
            let captured = LeadCaptured {
                contact: contact.clone(),
                station_id,
                zip: zip.clone(),
                wanted_start: input.start,
                guests: input.guests,
                failure: failure.to_owned(),
                source: input.source.clone(),
                captured_at: commands.ports.now(),
            };
            let events = Lead::default()
                .decide(LeadCommand::Capture(captured))
                .map_err(CommandError::refused)?;
            Ok(Plan::default().write::<Lead>(commands, id.to_string(), Version(0), events))
        })
        .await;
    match written {
        // The same key with another body, or at this moment: the lead of the first stands.
        Ok(_) | Err(CommandError::IdempotencyMismatch | CommandError::InProgress { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The contact of a lead, sealed for it: what was typed, or what is known of the customer. None where the
/// customer has been erased: there is nobody to call.
async fn contact(
    commands: &Commands,
    caller: &Caller,
    lead: LeadId,
    input: &BookingInput,
) -> Result<Option<Contact>, CommandError> {
    let stream = StreamId::new(Lead::STREAM, lead.to_string());
    let (subject, plain) = match input.customer.id {
        Some(id) => (SubjectId(id.0), commands.known_contact(caller, id).await?),
        None => (SubjectId(lead.0), Some(check_contact(&input.customer)?)),
    };
    match plain {
        Some(plain) => Ok(Some(seal_contact(
            &commands.vault.sealer(caller.tenant, subject).await?,
            &stream,
            &plain,
        ))),
        None => Ok(None),
    }
}
