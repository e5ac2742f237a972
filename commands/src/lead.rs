//! Leads: keeping failed and abandoned requests, calling them back, and forgetting them in time.

mod window;
mod work;

use chrono::NaiveDateTime;
use domain::access::Permission;
use domain::customer::{
    CUSTOMER_EMAIL, CUSTOMER_PHONE, Consent, Contact, CustomerError, PlainContact, is_text_version,
};
use domain::decider::Decider;
use domain::envelope::{StreamId, Version};
use domain::guests::Guests;
use domain::ids::{CustomerId, LeadId, StationId, SubjectId};
use domain::lead::{Abandoned, Lead, LeadCaptured, LeadCommand, LeadError};
use domain::place::ZipCode;
use domain::quote::QuoteError;
use domain::station::{Station, StationError};
use serde::Serialize;

pub use work::LeadChange;

use crate::booking::BookingInput;
use crate::customer::{Booker, CustomerInput, check_contact, seal_contact};
use crate::execute::{Plan, Written, to_the_end};
use crate::load::Loaded;
use crate::quote::{parse_zip, unknown_zip};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// Somebody who left without booking, and agreed to be called.
#[derive(Clone, Serialize)]
pub struct LeadCapture {
    /// The station that they asked; the nearest where absent.
    pub station: Option<StationId>,
    /// Who.
    pub customer: CustomerInput,
    /// ZIP of where the event would have been.
    pub zip: String,
    /// Local start that was wanted.
    pub start: NaiveDateTime,
    /// The party.
    pub guests: Guests,
    /// What they left.
    pub abandoned: Abandoned,
    /// Where they came from.
    pub source: Option<String>,
    /// Version of the text by which they agreed to be called; nobody is kept without.
    pub consent_text_version: Option<String>,
}

/// The longest source, in characters.
const MAX_SOURCE: usize = 200;

/// What is to be kept of somebody.
struct Wanted<'a> {
    customer: &'a CustomerInput,
    station_id: StationId,
    zip: ZipCode,
    start: NaiveDateTime,
    guests: Guests,
    failure: &'static str,
    source: Option<&'a String>,
    consent: Option<Consent>,
}

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
    let wanted = Wanted {
        customer: &input.customer,
        station_id,
        zip,
        start: input.start,
        guests: input.guests,
        failure,
        source: input.source.as_ref(),
        consent: None,
    };
    let Some(captured) = commands.lead_of(caller, id, wanted).await? else {
        return Ok(());
    };
    let written = commands
        .run(caller, &key, "lead_capture", input, || async {
            commands.plan_lead(id, captured.clone())
        })
        .await;
    match written {
        // The same key with another body, or at this moment: the lead of the first stands.
        Ok(_) | Err(CommandError::IdempotencyMismatch | CommandError::InProgress { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

impl Commands {
    /// Keeps somebody who left a quote or the free slots without booking, and agreed to be called.
    ///
    /// # Errors
    /// `CONSENT_REQUIRED`, `INVALID_TEXT_VERSION`, `INVALID_SOURCE`, and those of a booking's contact, place and guests.
    pub async fn capture_abandoned(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        input: LeadCapture,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::LeadWrite)?;
            let id = LeadId(this.ports.id());
            this.run(&caller, &key, "lead_capture_abandoned", &input, || {
                this.plan_abandoned(&caller, id, &input)
            })
            .await
        })
        .await
    }

    async fn plan_abandoned(
        &self,
        caller: &Caller,
        id: LeadId,
        input: &LeadCapture,
    ) -> Result<Plan, CommandError> {
        let refused = |error: LeadError| Err(CommandError::refused(error));
        let Some(text_version) = &input.consent_text_version else {
            return refused(LeadError::ConsentRequired);
        };
        if !is_text_version(text_version) {
            return refused(LeadError::BadTextVersion);
        }
        if input
            .source
            .as_ref()
            .is_some_and(|source| source.chars().count() > MAX_SOURCE)
        {
            return refused(LeadError::BadSource);
        }
        let guests = input.guests.check().map_err(QuoteError::from);
        let guests = guests.map_err(CommandError::refused)?;
        let zip = parse_zip(&input.zip, &["zip"])?;
        if self.ports.places.find(&zip).is_none() {
            return Err(unknown_zip(&zip, &["zip"]));
        }
        let station_id = self.serving_station(caller, input.station, &zip).await?;
        caller.reach(station_id, StationError::NotFound.into())?;
        let station = self.load::<Station>(caller, &station_id.to_string()).await?;
        if station.state.opened().is_none() {
            return Err(CommandError::refused(StationError::NotFound));
        }
        let wanted = Wanted {
            customer: &input.customer,
            station_id,
            zip,
            start: input.start,
            guests,
            failure: input.abandoned.code(),
            source: input.source.as_ref(),
            consent: Some(Consent {
                given_at: self.ports.now(),
                given_through: "lead_capture".to_owned(),
                text_version: text_version.trim().to_owned(),
            }),
        };
        match self.lead_of(caller, id, wanted).await? {
            Some(captured) => self.plan_lead(id, captured),
            None => Err(CommandError::refused(CustomerError::Erased)),
        }
    }

    fn plan_lead(&self, id: LeadId, captured: LeadCaptured) -> Result<Plan, CommandError> {
        let events = Lead::default()
            .decide(LeadCommand::Capture(Box::new(captured)))
            .map_err(CommandError::refused)?;
        Ok(Plan::default().write::<Lead>(self, id.to_string(), Version(0), events))
    }

    fn plan_on_lead(
        &self,
        id: LeadId,
        loaded: &Loaded<Lead>,
        command: LeadCommand,
    ) -> Result<Plan, CommandError> {
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(Plan::default().write::<Lead>(self, id.to_string(), loaded.version, events))
    }

    /// Loads a lead that exists and is within the caller's reach.
    async fn load_lead(&self, caller: &Caller, id: LeadId) -> Result<Loaded<Lead>, CommandError> {
        let loaded = self.load::<Lead>(caller, &id.to_string()).await?;
        let station = loaded.state.captured().map(|captured| captured.station_id);
        caller.reach(
            station.ok_or_else(|| CommandError::refused(LeadError::NotFound))?,
            LeadError::NotFound.into(),
        )?;
        Ok(loaded)
    }

    /// What is kept of somebody. None where the customer has been erased: there is nobody to call.
    async fn lead_of(
        &self,
        caller: &Caller,
        id: LeadId,
        wanted: Wanted<'_>,
    ) -> Result<Option<LeadCaptured>, CommandError> {
        let Some((contact, plain)) = self.lead_contact(caller, id, wanted.customer).await? else {
            return Ok(None);
        };
        let key = async |scope: &str, value: &Option<String>| match value {
            Some(value) => self.vault.index_key(caller.tenant, scope, value).await.map(Some),
            None => Ok(None),
        };
        // A new id stands for whoever is not known.
        let known = self.find_booker(caller, wanted.customer, CustomerId(id.0)).await;
        let customer_id = match known {
            Ok(Booker::Known(customer, _)) => Some(customer),
            Ok(Booker::New { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Some(LeadCaptured {
            contact,
            station_id: wanted.station_id,
            zip: wanted.zip,
            wanted_start: wanted.start,
            guests: wanted.guests,
            failure: wanted.failure.to_owned(),
            source: wanted.source.cloned(),
            captured_at: self.ports.now(),
            email_key: key(CUSTOMER_EMAIL, &plain.email).await?,
            phone_key: key(CUSTOMER_PHONE, &plain.phone).await?,
            customer_id,
            consent: wanted.consent,
        }))
    }

    /// The contact of a lead, sealed for it and in clear: what was typed, or what is known of the customer. None where
    /// the customer has been erased.
    async fn lead_contact(
        &self,
        caller: &Caller,
        lead: LeadId,
        customer: &CustomerInput,
    ) -> Result<Option<(Contact, PlainContact)>, CommandError> {
        let stream = StreamId::new(Lead::STREAM, lead.to_string());
        let (subject, plain) = match customer.id {
            Some(id) => (SubjectId(id.0), self.known_contact(caller, id).await?),
            None => (SubjectId(lead.0), Some(check_contact(customer)?)),
        };
        match plain {
            Some(plain) => {
                let sealer = self.vault.sealer(caller.tenant, subject).await?;
                Ok(Some((seal_contact(&sealer, &stream, &plain), plain)))
            }
            None => Ok(None),
        }
    }
}
