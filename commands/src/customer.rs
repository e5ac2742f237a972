//! Finding or making known the person who books.

mod locale;

use domain::customer::{
    CUSTOMER_EMAIL, CUSTOMER_PHONE, Consent, Contact, Customer, CustomerCommand, CustomerError,
    CustomerRegistered, PlainContact,
};
use domain::decider::Decider;
use domain::envelope::{Sealed, StreamId, Version};
use domain::ids::CustomerId;
use event_log::{Opened, Sealer};
use serde::Serialize;

use crate::execute::Plan;
use crate::load::Loaded;
use crate::{Caller, CommandError, Commands, Refused};

pub use locale::CustomerLocaleChange;

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
    /// Known, at this version: an erasure meanwhile has the booking decided anew.
    Known(CustomerId, Version),
    New {
        id: CustomerId,
        contact: PlainContact,
        consent: SmsConsent,
    },
}

impl Booker {
    pub(crate) fn id(&self) -> CustomerId {
        match self {
            Self::Known(id, _) | Self::New { id, .. } => *id,
        }
    }
}

impl Commands {
    /// A customer who was not erased, at the version that the client saw.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CUSTOMER_ERASED`, and a conflict of versions.
    pub(crate) async fn load_customer(
        &self,
        caller: &Caller,
        id: CustomerId,
        seen: Option<i64>,
    ) -> Result<Loaded<Customer>, CommandError> {
        let loaded = self.load::<Customer>(caller, &id.to_string()).await?;
        loaded.state.known().map_err(|error| {
            CommandError::Refused(Refused {
                field: vec!["customerId"],
                ..error.into()
            })
        })?;
        loaded.expect(seen)?;
        Ok(loaded)
    }

    /// Finds the person by id, e-mail or phone, or prepares to make them known under a new id.
    pub(crate) async fn find_booker(
        &self,
        caller: &Caller,
        input: &CustomerInput,
        new_id: CustomerId,
    ) -> Result<Booker, CommandError> {
        if let Some(id) = input.id {
            let found = self.load::<Customer>(caller, &id.to_string()).await?;
            found.state.known().map_err(CommandError::refused)?;
            return Ok(Booker::Known(id, found.version));
        }
        let contact = check_contact(input)?;
        for (scope, value) in [(CUSTOMER_EMAIL, &contact.email), (CUSTOMER_PHONE, &contact.phone)] {
            let Some(value) = value else { continue };
            let key = self.vault.index_key(caller.tenant, scope, value).await?;
            let holder = self.log.unique_holder(caller.tenant, scope, &key).await?;
            let Some(id) = holder.and_then(|holder| holder.id.parse().ok()) else {
                continue;
            };
            let found = self.load::<Customer>(caller, &CustomerId::to_string(&id)).await?;
            // Whoever was erased since holds the key no more.
            if found.state.known().is_ok() {
                return Ok(Booker::Known(id, found.version));
            }
        }
        Ok(Booker::New {
            id: new_id,
            contact,
            consent: input.sms_consent,
        })
    }

    /// The customer of a folded e-mail, if there is one.
    pub(crate) async fn find_by_email(
        &self,
        caller: &Caller,
        email: &str,
    ) -> Result<Option<CustomerId>, CommandError> {
        let key = self.vault.index_key(caller.tenant, CUSTOMER_EMAIL, email).await?;
        let holder = self
            .log
            .unique_holder(caller.tenant, CUSTOMER_EMAIL, &key)
            .await?;
        Ok(holder.and_then(|holder| holder.id.parse().ok()))
    }

    /// Adds the registration of a new customer to a plan; a known one must not have moved.
    pub(crate) async fn register_booker(
        &self,
        caller: &Caller,
        plan: Plan,
        booker: &Booker,
        sealer: &Sealer,
    ) -> Result<Plan, CommandError> {
        let (id, contact, consent) = match booker {
            Booker::Known(id, version) => return Ok(plan.reads::<Customer>(id.to_string(), *version)),
            Booker::New { id, contact, consent } => (id, contact, consent),
        };
        let stream = StreamId::new(Customer::STREAM, id.to_string());
        let key = async |scope: &str, value: &Option<String>| match value {
            Some(value) => self.vault.index_key(caller.tenant, scope, value).await.map(Some),
            None => Ok(None),
        };
        let registered = CustomerRegistered {
            email_key: key(CUSTOMER_EMAIL, &contact.email).await?,
            phone_key: key(CUSTOMER_PHONE, &contact.phone).await?,
            contact: seal_contact(sealer, &stream, contact),
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
        let registered = match loaded.state.known() {
            Ok(registered) => registered,
            Err(CustomerError::Erased) => return Ok(None),
            Err(refused) => return Err(CommandError::refused(refused)),
        };
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
}

/// Seals a contact for a stream.
pub(crate) fn seal_contact(sealer: &Sealer, stream: &StreamId, contact: &PlainContact) -> Contact {
    let seal = |field: &str, text: &String| sealer.seal(stream, field, text);
    Contact {
        name: seal("name", &contact.name),
        email: contact.email.as_ref().map(|email| seal("email", email)),
        phone: contact.phone.as_ref().map(|phone| seal("phone", phone)),
    }
}

/// Checks and folds a typed contact.
pub(crate) fn check_contact(input: &CustomerInput) -> Result<PlainContact, CommandError> {
    let name = input.name.as_deref().unwrap_or_default();
    PlainContact::check(name, input.email.as_deref(), input.phone.as_deref()).map_err(CommandError::refused)
}
