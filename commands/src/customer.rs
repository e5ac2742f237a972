//! Finding or making known the person who books.

use domain::customer::{
    CUSTOMER_EMAIL, CUSTOMER_PHONE, Consent, Contact, Customer, CustomerCommand, CustomerError,
    CustomerRegistered, PlainContact,
};
use domain::decider::Decider;
use domain::envelope::{Sealed, StreamId, Version};
use domain::ids::{CustomerId, SubjectId};
use event_log::Opened;
use serde::Serialize;

use crate::execute::Plan;
use crate::{Caller, CommandError, Commands};

/// Who books, as the client named them: a known customer's id, or a contact.
#[derive(Clone, Serialize)]
pub struct CustomerInput {
    /// A customer that is known.
    pub id: Option<CustomerId>,
    /// Name.
    pub name: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// Phone.
    pub phone: Option<String>,
    /// Whether text messages were agreed to.
    pub sms_consent: SmsConsent,
}

/// Whether text messages were agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum SmsConsent {
    /// Yes.
    Given,
    /// No.
    NotGiven,
}

/// Version of the consent text that is shown with a booking request.
const CONSENT_TEXT: &str = "2026-01";

/// The person who books: known, or about to be.
pub(crate) enum Booker {
    Known(CustomerId),
    New {
        id: CustomerId,
        contact: PlainContact,
        consent: SmsConsent,
    },
}

impl Booker {
    pub(crate) fn id(&self) -> CustomerId {
        match self {
            Self::Known(id) | Self::New { id, .. } => *id,
        }
    }
}

impl Commands {
    /// Finds the person by id, e-mail or phone, or prepares to make them known under a new id.
    pub(crate) async fn find_booker(
        &self,
        caller: &Caller,
        input: &CustomerInput,
        new_id: CustomerId,
    ) -> Result<Booker, CommandError> {
        if let Some(id) = input.id {
            let known = self.load::<Customer>(caller, &id.to_string()).await?;
            let known = known.state.registered().is_some();
            return if known {
                Ok(Booker::Known(id))
            } else {
                Err(CommandError::refused(CustomerError::NotFound))
            };
        }
        let contact = check_contact(input)?;
        for (scope, value) in [(CUSTOMER_EMAIL, &contact.email), (CUSTOMER_PHONE, &contact.phone)] {
            let Some(value) = value else { continue };
            let key = self.vault.index_key(caller.tenant, scope, value);
            let holder = self.log.unique_holder(caller.tenant, scope, &key).await?;
            if let Some(id) = holder.and_then(|holder| holder.id.parse().ok()) {
                return Ok(Booker::Known(id));
            }
        }
        Ok(Booker::New {
            id: new_id,
            contact,
            consent: input.sms_consent,
        })
    }

    /// Adds the registration of a new customer to a plan; a known one needs nothing.
    pub(crate) async fn register_booker(
        &self,
        caller: &Caller,
        plan: Plan,
        booker: &Booker,
    ) -> Result<Plan, CommandError> {
        let Booker::New { id, contact, consent } = booker else {
            return Ok(plan);
        };
        let stream = StreamId::new(Customer::STREAM, id.to_string());
        let key = |scope: &str, value: &Option<String>| {
            value
                .as_ref()
                .map(|value| self.vault.index_key(caller.tenant, scope, value))
        };
        let registered = CustomerRegistered {
            email_key: key(CUSTOMER_EMAIL, &contact.email),
            phone_key: key(CUSTOMER_PHONE, &contact.phone),
            contact: self
                .seal_contact(caller, SubjectId(id.0), &stream, contact)
                .await?,
            sms_consent: (*consent == SmsConsent::Given).then(|| Consent {
                given_at: self.ports.now(),
                given_through: "booking_request".to_owned(),
                text_version: CONSENT_TEXT.to_owned(),
            }),
        };
        let events = Customer::default()
            .decide(CustomerCommand::Register(registered))
            .map_err(CommandError::refused)?;
        Ok(plan.write::<Customer>(self, id.to_string(), Version(0), events))
    }

    /// A known customer's contact in clear; none for one who has been erased.
    pub(crate) async fn known_contact(
        &self,
        caller: &Caller,
        id: CustomerId,
    ) -> Result<Option<PlainContact>, CommandError> {
        let loaded = self.load::<Customer>(caller, &id.to_string()).await?;
        let registered = loaded
            .state
            .registered()
            .ok_or_else(|| CommandError::refused(CustomerError::NotFound))?;
        let stream = StreamId::new(Customer::STREAM, id.to_string());
        let open = async |field: &str, sealed: &Option<Sealed>| match sealed {
            None => Ok(None),
            Some(sealed) => match self.vault.open(caller.tenant, &stream, field, sealed).await {
                Ok(Opened::Text(text)) => Ok(Some(text)),
                Ok(Opened::Erased) => Ok(None),
                Err(error) => Err(error),
            },
        };
        let contact = &registered.contact;
        let Some(name) = open("name", &Some(contact.name.clone())).await? else {
            return Ok(None);
        };
        let email = open("email", &contact.email).await?;
        let phone = open("phone", &contact.phone).await?;
        Ok(Some(PlainContact { name, email, phone }))
    }

    /// Seals a contact under a person's key.
    pub(crate) async fn seal_contact(
        &self,
        caller: &Caller,
        subject: SubjectId,
        stream: &StreamId,
        contact: &PlainContact,
    ) -> Result<Contact, CommandError> {
        let seal = |field: &'static str, text: String| async move {
            self.vault
                .seal(caller.tenant, subject, stream, field, &text)
                .await
        };
        let name = seal("name", contact.name.clone()).await?;
        let email = match &contact.email {
            Some(email) => Some(seal("email", email.clone()).await?),
            None => None,
        };
        let phone = match &contact.phone {
            Some(phone) => Some(seal("phone", phone.clone()).await?),
            None => None,
        };
        Ok(Contact { name, email, phone })
    }
}

/// Checks and folds a typed contact.
pub(crate) fn check_contact(input: &CustomerInput) -> Result<PlainContact, CommandError> {
    let name = input.name.as_deref().unwrap_or_default();
    PlainContact::check(name, input.email.as_deref(), input.phone.as_deref()).map_err(CommandError::refused)
}
