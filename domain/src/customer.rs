//! Customers: who books. Contacts are sealed; keyed hashes of them find the person again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Refusal};
use crate::envelope::{Claim, Sealed};
use crate::ids::SubjectId;

crate::events! {
    /// What can happen to a customer.
    pub enum CustomerEvent {
        "A person became known to the company." Registered(CustomerRegistered) = "customer.registered" v 1, claims;
        "A person's data was erased for good." Erased(CustomerErased) = "customer.erased" v 1, claims, erases;
    }
}

/// What a customer's e-mail is unique in.
pub const CUSTOMER_EMAIL: &str = "customer.email";
/// What a customer's phone is unique in.
pub const CUSTOMER_PHONE: &str = "customer.phone";

/// A person's name and ways to reach them, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Name.
    pub name: Sealed,
    /// E-mail.
    pub email: Option<Sealed>,
    /// Phone.
    pub phone: Option<Sealed>,
}

/// A person agreed to be written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// When.
    pub given_at: DateTime<Utc>,
    /// Where they did: `booking_request`.
    pub given_through: String,
    /// Version of the text they saw.
    pub text_version: String,
}

/// A person became known to the company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerRegistered {
    /// Sealed contact.
    pub contact: Contact,
    /// Keyed hash of the folded e-mail.
    pub email_key: Option<String>,
    /// Keyed hash of the phone's digits.
    pub phone_key: Option<String>,
    /// Consent to text messages, where given.
    pub sms_consent: Option<Consent>,
}

impl CustomerRegistered {
    /// One customer per e-mail and per phone.
    fn claims(&self) -> Vec<Claim> {
        let take = |scope: &'static str, key: &Option<String>| {
            key.clone().map(|key| Claim::TakeUnique {
                scope: scope.into(),
                key,
            })
        };
        take(CUSTOMER_EMAIL, &self.email_key)
            .into_iter()
            .chain(take(CUSTOMER_PHONE, &self.phone_key))
            .collect()
    }
}

/// A person's data was erased for good: the receipt. Who did it is in the event's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerErased {
    /// Why, in the staff's words. Holds no personal data.
    pub reason: String,
    /// The keys that were destroyed in the same transaction: the customer's, and those of their leads.
    pub destroyed: Vec<DestroyedKey>,
    /// Keyed hash of the e-mail, which is free for others again.
    pub email_key: Option<String>,
    /// Keyed hash of the phone's digits, which is free for others again.
    pub phone_key: Option<String>,
}

/// A data key that was destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestroyedKey {
    /// Whose.
    pub subject: SubjectId,
    /// The key's name, hexadecimal: each value that was sealed under it begins with it. None where there was no
    /// key.
    pub key_id: Option<String>,
}

impl CustomerErased {
    /// What the person could be found by is free again.
    fn claims(&self) -> Vec<Claim> {
        let release = |scope: &'static str, key: &Option<String>| {
            key.clone().map(|key| Claim::ReleaseUnique {
                scope: scope.into(),
                key,
            })
        };
        release(CUSTOMER_EMAIL, &self.email_key)
            .into_iter()
            .chain(release(CUSTOMER_PHONE, &self.phone_key))
            .collect()
    }

    /// The person, and whoever else they turned out to be.
    fn erases(&self) -> Vec<SubjectId> {
        self.destroyed.iter().map(|key| key.subject).collect()
    }
}

/// What can be asked of a customer's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum CustomerCommand {
    /// Make the person known.
    Register(CustomerRegistered),
    /// Erase the person's data.
    Erase {
        /// Why.
        reason: String,
        /// The keys that are destroyed with it.
        destroyed: Vec<DestroyedKey>,
    },
}

/// The shortest and the longest reason, in characters.
const REASON: std::ops::RangeInclusive<usize> = 10..=500;

/// Why a customer's record refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CustomerError {
    /// It is there already.
    #[error("the customer exists already")]
    Exists,
    /// There is no such customer.
    #[error("there is no such customer")]
    NotFound,
    /// The person's data is gone; it cannot be erased again, and nothing new is kept of them under this id.
    #[error("this customer's data has been erased")]
    Erased,
    /// A party of theirs is still to come.
    #[error("a party of this customer is still to come: cancel it first")]
    HasOpenBooking,
    /// Not a reason that somebody later can understand.
    #[error("a reason has 10 to 500 characters")]
    BadReason,
    /// The e-mail belongs to one customer and the phone to another.
    #[error("a customer with this e-mail or phone exists already")]
    ContactTaken,
    /// Nobody to greet.
    #[error("a customer's name has 1 to 200 characters")]
    BadName,
    /// No way to reach them.
    #[error("a customer needs an e-mail or a phone")]
    NoContact,
    /// Not an address.
    #[error("an e-mail address has a name, an @ and a host, and at most 254 characters")]
    BadEmail,
    /// Not a number.
    #[error("a phone number has 10 to 15 digits")]
    BadPhone,
}

impl Refusal for CustomerError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound => "NOT_FOUND",
            Self::Erased => "CUSTOMER_ERASED",
            Self::HasOpenBooking => "CUSTOMER_HAS_OPEN_BOOKING",
            Self::BadReason => "INVALID_REASON",
            Self::ContactTaken => "CONTACT_TAKEN",
            Self::BadName => "INVALID_NAME",
            Self::NoContact => "CONTACT_REQUIRED",
            Self::BadEmail => "INVALID_EMAIL",
            Self::BadPhone => "INVALID_PHONE",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists | Self::HasOpenBooking => &[],
            Self::NotFound | Self::Erased => &["customer", "id"],
            Self::BadReason => &["reason"],
            Self::ContactTaken | Self::NoContact => &["customer"],
            Self::BadName => &["customer", "name"],
            Self::BadEmail => &["customer", "email"],
            Self::BadPhone => &["customer", "phone"],
        }
    }
}

/// A contact as it was typed, checked and folded, before it is sealed. Never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct PlainContact {
    /// Name without surrounding space.
    pub name: String,
    /// E-mail in lower case.
    pub email: Option<String>,
    /// Digits of the phone, with country code.
    pub phone: Option<String>,
}

impl PlainContact {
    /// Checks and folds what was typed.
    ///
    /// # Errors
    /// [`CustomerError`] names the part that cannot be used.
    pub fn check(name: &str, email: Option<&str>, phone: Option<&str>) -> Result<Self, CustomerError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 200 {
            return Err(CustomerError::BadName);
        }
        let filled = |text: &&str| !text.trim().is_empty();
        let email = email.filter(filled).map(fold_email).transpose()?;
        let phone = phone.filter(filled).map(fold_phone).transpose()?;
        if email.is_none() && phone.is_none() {
            return Err(CustomerError::NoContact);
        }
        Ok(Self {
            name: name.to_owned(),
            email,
            phone,
        })
    }
}

/// An e-mail address in the form that two spellings of it share: no surrounding space, lower case.
///
/// # Errors
/// [`CustomerError::BadEmail`] for what cannot be an address.
pub fn fold_email(text: &str) -> Result<String, CustomerError> {
    let email = text.trim().to_lowercase();
    let (name, host) = email.rsplit_once('@').ok_or(CustomerError::BadEmail)?;
    let odd = |part: &str| {
        part.is_empty()
            || part
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || c == '@')
    };
    if odd(name)
        || odd(host)
        || email.len() > 254
        || !host.contains('.')
        || host.starts_with('.')
        || host.ends_with('.')
    {
        return Err(CustomerError::BadEmail);
    }
    Ok(email)
}

fn fold_phone(text: &str) -> Result<String, CustomerError> {
    if text
        .chars()
        .any(|c| !(c.is_ascii_digit() || "+-(). ".contains(c)))
    {
        return Err(CustomerError::BadPhone);
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        // A US number without its country code.
        10 => Ok(format!("1{digits}")),
        11..=15 => Ok(digits),
        _ => Err(CustomerError::BadPhone),
    }
}

/// A customer as the stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    registered: Option<CustomerRegistered>,
    erased: Option<CustomerErased>,
}

impl Customer {
    /// What the customer is, once registered.
    pub fn registered(&self) -> Option<&CustomerRegistered> {
        self.registered.as_ref()
    }

    /// The receipt of the erasure, once erased.
    pub fn erased(&self) -> Option<&CustomerErased> {
        self.erased.as_ref()
    }

    /// The customer, if there is one whose data is still there.
    ///
    /// # Errors
    /// [`CustomerError::NotFound`], [`CustomerError::Erased`].
    pub fn known(&self) -> Result<&CustomerRegistered, CustomerError> {
        let registered = self.registered.as_ref().ok_or(CustomerError::NotFound)?;
        if self.erased.is_some() {
            return Err(CustomerError::Erased);
        }
        Ok(registered)
    }

    fn register(&self, registered: CustomerRegistered) -> Result<CustomerEvent, CustomerError> {
        if self.registered.is_some() {
            return Err(CustomerError::Exists);
        }
        Ok(CustomerEvent::Registered(registered))
    }

    fn erase(&self, reason: &str, destroyed: Vec<DestroyedKey>) -> Result<CustomerEvent, CustomerError> {
        let registered = self.known()?;
        let reason = reason.trim();
        if !REASON.contains(&reason.chars().count()) {
            return Err(CustomerError::BadReason);
        }
        Ok(CustomerEvent::Erased(CustomerErased {
            reason: reason.to_owned(),
            destroyed,
            email_key: registered.email_key.clone(),
            phone_key: registered.phone_key.clone(),
        }))
    }
}

impl Decider for Customer {
    const STREAM: &'static str = "customer";
    type Command = CustomerCommand;
    type Event = CustomerEvent;
    type Error = CustomerError;

    fn decide(&self, command: CustomerCommand) -> Result<Vec<CustomerEvent>, CustomerError> {
        Ok(vec![match command {
            CustomerCommand::Register(registered) => self.register(registered)?,
            CustomerCommand::Erase { reason, destroyed } => self.erase(&reason, destroyed)?,
        }])
    }

    fn evolve(&mut self, event: &CustomerEvent) {
        match event {
            CustomerEvent::Registered(registered) => self.registered = Some(registered.clone()),
            CustomerEvent::Erased(erased) => self.erased = Some(erased.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
