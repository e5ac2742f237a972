//! Customers: who books. Contacts are sealed; keyed hashes of them find the person again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Refusal};
use crate::envelope::{Claim, Sealed};

crate::events! {
    /// What can happen to a customer.
    pub enum CustomerEvent {
        "A person became known to the company." Registered(CustomerRegistered) = "customer.registered" v 1, claims;
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

/// What can be asked of a customer's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum CustomerCommand {
    /// Make the person known.
    Register(CustomerRegistered),
}

/// Why a customer's record refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CustomerError {
    /// It is there already.
    #[error("the customer exists already")]
    Exists,
    /// There is no such customer.
    #[error("there is no such customer")]
    NotFound,
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
            Self::ContactTaken => "CONTACT_TAKEN",
            Self::BadName => "INVALID_NAME",
            Self::NoContact => "CONTACT_REQUIRED",
            Self::BadEmail => "INVALID_EMAIL",
            Self::BadPhone => "INVALID_PHONE",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists => &[],
            Self::NotFound => &["customer", "id"],
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
}

impl Customer {
    /// What the customer is, once registered.
    pub fn registered(&self) -> Option<&CustomerRegistered> {
        self.registered.as_ref()
    }
}

impl Decider for Customer {
    const STREAM: &'static str = "customer";
    type Command = CustomerCommand;
    type Event = CustomerEvent;
    type Error = CustomerError;

    fn decide(&self, command: CustomerCommand) -> Result<Vec<CustomerEvent>, CustomerError> {
        let CustomerCommand::Register(registered) = command;
        if self.registered.is_some() {
            return Err(CustomerError::Exists);
        }
        Ok(vec![CustomerEvent::Registered(registered)])
    }

    fn evolve(&mut self, event: &CustomerEvent) {
        let CustomerEvent::Registered(registered) = event;
        self.registered = Some(registered.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SubjectId;

    #[test]
    fn two_spellings_of_a_contact_fold_to_one() {
        let a = PlainContact::check(" Ana ", Some("Ana@Example.com "), Some("(408) 555-0100"))
            .ok()
            .unwrap();
        let b = PlainContact::check("Ana", Some("ana@example.com"), Some("+1 408 555 0100"))
            .ok()
            .unwrap();
        assert!(a == b);
    }

    #[test]
    fn a_contact_that_reaches_nobody_is_refused() {
        let check = |name, email, phone| PlainContact::check(name, email, phone).err();
        assert_eq!(check("", Some("a@b.co"), None), Some(CustomerError::BadName));
        assert_eq!(check("Ana", None, Some(" ")), Some(CustomerError::NoContact));
        for email in [
            "ana", "@b.co", "ana@", "a b@c.de", "ana@host", "ana@.de", "a@@b.co",
        ] {
            assert_eq!(
                check("Ana", Some(email), None),
                Some(CustomerError::BadEmail),
                "{email}"
            );
        }
        for phone in ["123", "call me", "1234567890123456"] {
            assert_eq!(
                check("Ana", None, Some(phone)),
                Some(CustomerError::BadPhone),
                "{phone}"
            );
        }
    }

    #[test]
    fn a_customer_holds_each_way_to_be_reached() {
        let sealed = Sealed {
            subject: SubjectId(uuid::Uuid::nil()),
            sealed: String::new(),
        };
        let registered = CustomerRegistered {
            contact: Contact {
                name: sealed.clone(),
                email: Some(sealed),
                phone: None,
            },
            email_key: Some("k".to_owned()),
            phone_key: None,
            sms_consent: None,
        };
        assert_eq!(
            registered.claims(),
            [Claim::TakeUnique {
                scope: CUSTOMER_EMAIL.into(),
                key: "k".to_owned()
            }]
        );
        let mut customer = Customer::default();
        let register = CustomerCommand::Register(registered);
        customer.evolve(&customer.decide(register.clone()).unwrap()[0]);
        assert_eq!(customer.decide(register), Err(CustomerError::Exists));
    }
}
