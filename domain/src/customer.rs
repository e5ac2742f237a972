//! Customers: who books. Contacts are sealed; keyed hashes of them find the person again.

mod consent;
mod contact;
mod error;
mod language;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::decider::Decider;
use crate::envelope::{Claim, Sealed};
use crate::ids::SubjectId;
use crate::locale::Locale;

pub use consent::{Consent, ConsentChannel, CustomerConsentGiven, CustomerConsentWithdrawn, is_text_version};
pub use contact::{PlainContact, fold_email, fold_phone};
pub use error::CustomerError;
pub use language::CustomerLocaleSet;

crate::events! {
    /// What can happen to a customer.
    pub enum CustomerEvent {
        "A person became known to the company." Registered(CustomerRegistered) = "customer.registered" v 1, claims;
        "A person agreed to be written to by a channel." ConsentGiven(CustomerConsentGiven) = "customer.consent_given" v 1;
        "A person does not want to be written to by a channel any more." ConsentWithdrawn(CustomerConsentWithdrawn) = "customer.consent_withdrawn" v 1;
        "A person is written to in another language from now on." LocaleSet(CustomerLocaleSet) = "customer.locale_set" v 1;
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
    /// Keep what the person says of being written to.
    SetConsent {
        /// By which channel.
        channel: ConsentChannel,
        /// Version of the text that they agree to; none where they do not agree any more.
        text_version: Option<String>,
        /// Where they say so: lower-case letters, digits and underscores.
        through: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Write to the person in a language.
    SetLocale {
        /// Which; the company's own where absent.
        locale: Option<Locale>,
        /// The time of asking.
        now: DateTime<Utc>,
    },
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

/// A customer as the stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    registered: Option<CustomerRegistered>,
    erased: Option<CustomerErased>,
    #[serde(default)]
    sms: Option<Consent>,
    #[serde(default)]
    email: Option<Consent>,
    #[serde(default)]
    texts_withdrawn_at: Option<DateTime<Utc>>,
    #[serde(default)]
    locale: Option<Locale>,
}

impl Customer {
    /// What they agreed to, where they do.
    pub fn consent(&self, channel: ConsentChannel) -> Option<&Consent> {
        match channel {
            ConsentChannel::Sms => self.sms.as_ref(),
            ConsentChannel::Email => self.email.as_ref(),
        }
    }

    /// When they took back that they may be texted, where they have not agreed since.
    pub fn texts_withdrawn_at(&self) -> Option<DateTime<Utc>> {
        self.texts_withdrawn_at
    }

    /// The language that they are written to in; none for the company's own.
    pub fn locale(&self) -> Option<&Locale> {
        self.locale.as_ref()
    }

    fn hold(&mut self, channel: ConsentChannel, consent: Option<Consent>) {
        match channel {
            ConsentChannel::Sms => self.sms = consent,
            ConsentChannel::Email => self.email = consent,
        }
    }

    fn set_consent(
        &self,
        channel: ConsentChannel,
        text_version: Option<&str>,
        through: &str,
        now: DateTime<Utc>,
    ) -> Result<CustomerEvent, CustomerError> {
        self.known()?;
        let before = self.consent(channel).map(|consent| consent.text_version.clone());
        let Some(text_version) = text_version else {
            let withdrawn_through = consent::check_through(through)?;
            return Ok(CustomerEvent::ConsentWithdrawn(CustomerConsentWithdrawn {
                channel,
                before: before.ok_or(CustomerError::Unchanged)?,
                withdrawn_through,
                withdrawn_at: now,
            }));
        };
        let consent = Consent::check(through, text_version, now)?;
        if before.as_ref() == Some(&consent.text_version) {
            return Err(CustomerError::Unchanged);
        }
        Ok(CustomerEvent::ConsentGiven(CustomerConsentGiven {
            channel,
            consent,
            before,
        }))
    }

    fn set_locale(&self, locale: Option<Locale>, now: DateTime<Utc>) -> Result<CustomerEvent, CustomerError> {
        self.known()?;
        if self.locale == locale {
            return Err(CustomerError::Unchanged);
        }
        Ok(CustomerEvent::LocaleSet(CustomerLocaleSet {
            locale,
            before: self.locale.clone(),
            set_at: now,
        }))
    }

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
            CustomerCommand::SetConsent {
                channel,
                text_version,
                through,
                now,
            } => self.set_consent(channel, text_version.as_deref(), &through, now)?,
            CustomerCommand::SetLocale { locale, now } => self.set_locale(locale, now)?,
            CustomerCommand::Erase { reason, destroyed } => self.erase(&reason, destroyed)?,
        }])
    }

    fn evolve(&mut self, event: &CustomerEvent) {
        match event {
            CustomerEvent::Registered(registered) => {
                self.sms.clone_from(&registered.sms_consent);
                self.registered = Some(registered.clone());
            }
            CustomerEvent::ConsentGiven(given) => {
                self.hold(given.channel, Some(given.consent.clone()));
                if given.channel == ConsentChannel::Sms {
                    self.texts_withdrawn_at = None;
                }
            }
            CustomerEvent::ConsentWithdrawn(withdrawn) => {
                self.hold(withdrawn.channel, None);
                if withdrawn.channel == ConsentChannel::Sms {
                    self.texts_withdrawn_at = Some(withdrawn.withdrawn_at);
                }
            }
            CustomerEvent::LocaleSet(set) => self.locale.clone_from(&set.locale),
            CustomerEvent::Erased(erased) => {
                (self.sms, self.email, self.locale) = (None, None, None);
                self.erased = Some(erased.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;
