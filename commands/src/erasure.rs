//! Erasing a customer: the keys go, and with them everything that was sealed for the person, wherever it is.

use domain::access::Permission;
use domain::booking::{Booking, BookingEvent, BookingStatus};
use domain::customer::{Customer, CustomerCommand, CustomerError, DestroyedKey, PlainContact};
use domain::decider::Decider;
use domain::envelope::{Position, Sealed, StreamId};
use domain::ids::{BookingId, CustomerId, SubjectId, TenantId};
use domain::lead::LeadEvent;
use domain::recorded::{DomainEvent, Recorded};
use event_log::{LogError, Opened, SealedField, SubjectKey};
use futures::{TryStreamExt, pin_mut};

use crate::execute::{Plan, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// Wire names of the events that hold what is sealed for a person, beside the person's own stream.
const OF_PERSONS: [&str; 2] = ["booking.requested", "lead.captured"];

/// Which customer to erase, and why.
#[derive(Debug, Clone, serde::Serialize)]
pub struct CustomerErase {
    /// The customer.
    pub customer_id: CustomerId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Why, in 10 to 500 characters without personal data.
    pub reason: String,
}

/// What the log holds of a person beside their own stream.
#[derive(Default)]
struct Traces {
    bookings: Vec<BookingId>,
    /// Leads of the same e-mail or phone from before the person was known; each has a key of its own.
    leads: Vec<SubjectId>,
}

impl Commands {
    /// Erases a customer for good: destroys the keys of all that was sealed for them, in one transaction with the
    /// event that records it. Walks the bookings and leads of the log, to find what is theirs.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CUSTOMER_ERASED` when it was done before, `CUSTOMER_HAS_OPEN_BOOKING` while a party of theirs is
    /// still to come, `INVALID_REASON`.
    pub async fn erase_customer(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: CustomerErase,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::CustomerErase)?;
            this.run(&caller, &key, "customer_erase", &ask, || {
                this.plan_erasure(&caller, &ask)
            })
            .await
        })
        .await
    }

    async fn plan_erasure(&self, caller: &Caller, ask: &CustomerErase) -> Result<Plan, CommandError> {
        let id = ask.customer_id;
        let loaded = self.load_customer(caller, id, ask.expected_version).await?;
        let contact = self.known_contact(caller, id).await?;
        let traces = self.traces(caller.tenant, id, contact.as_ref()).await?;
        for booking in traces.bookings {
            self.refuse_open(caller, booking).await?;
        }
        let talks = match contact.as_ref().and_then(|contact| contact.phone.as_deref()) {
            Some(phone) => self.conversations_of_phone(caller, phone).await?,
            None => Vec::new(),
        };
        let own = std::iter::once(SubjectId(id.0)).chain(traces.leads);
        let subjects: Vec<SubjectId> = own.chain(talks.iter().copied()).collect();
        let keys = self.vault.subject_keys(caller.tenant, &subjects).await?;
        // Conversations that went with somebody who had the phone before are gone already.
        let is_living = |subject: &SubjectId| matches!(keys.get(subject), Some(SubjectKey::Living(_)));
        let going = subjects
            .iter()
            .filter(|subject| !talks.contains(subject) || is_living(subject));
        let destroyed = going.map(|subject| DestroyedKey {
            subject: *subject,
            key_id: match keys.get(subject) {
                Some(SubjectKey::Living(key)) => Some(key.to_string()),
                Some(SubjectKey::Destroyed { .. }) | None => None,
            },
        });
        let command = CustomerCommand::Erase {
            reason: ask.reason.clone(),
            destroyed: destroyed.collect(),
        };
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(Plan::default().write::<Customer>(self, id.to_string(), loaded.version, events))
    }

    /// A party that is still to come needs its address.
    async fn refuse_open(&self, caller: &Caller, id: BookingId) -> Result<(), CommandError> {
        let loaded = self.load::<Booking>(caller, &id.to_string()).await?;
        // What was put away cannot be taken out again once its customer is erased.
        let status = loaded.state.status().filter(|_| !loaded.state.is_deleted());
        let over = match status {
            Some(BookingStatus::Requested | BookingStatus::Confirmed) => loaded
                .state
                .requested()
                .is_none_or(|requested| requested.blocked_until <= self.ports.now()),
            Some(BookingStatus::Completed | BookingStatus::Cancelled | BookingStatus::Expired) | None => true,
        };
        if over {
            Ok(())
        } else {
            Err(CommandError::refused(CustomerError::HasOpenBooking))
        }
    }

    async fn traces(
        &self,
        tenant: TenantId,
        id: CustomerId,
        contact: Option<&PlainContact>,
    ) -> Result<Traces, CommandError> {
        let mut traces = Traces::default();
        let head = self.log.head(tenant).await?.position;
        // Among events that are left out the log sees no hole.
        if let Some(missing) = self.log.first_missing(tenant, Position::START, head).await? {
            let what = "its event is missing".to_owned();
            return Err(LogError::Corrupt {
                position: missing,
                what,
            }
            .into());
        }
        // Not only those that tell of persons: what this program does not know might, and stops the walk.
        let but = domain::recorded::catalogue().into_iter().map(|kind| kind.name);
        let but = but.filter(|name| !OF_PERSONS.contains(name)).map(str::to_owned);
        let pages = self
            .log
            .stream_pages(tenant, Position::START, Some(head), Some(but.collect()));
        pin_mut!(pages);
        while let Some(page) = pages.try_next().await? {
            let page: Vec<Recorded> = page
                .into_iter()
                .map(Recorded::try_from)
                .collect::<Result<_, _>>()?;
            for event in &page {
                if let DomainEvent::Booking(BookingEvent::Requested(requested)) = &event.event
                    && requested.customer_id == id
                    && let Ok(booking) = event.stream.id.parse()
                {
                    traces.bookings.push(booking);
                }
            }
            if let Some(contact) = contact {
                traces.leads.extend(self.leads_of(tenant, contact, &page).await?);
            }
        }
        Ok(traces)
    }

    /// The leads of a page that were left under an e-mail or phone of the person, and have a key of their own.
    async fn leads_of(
        &self,
        tenant: TenantId,
        contact: &PlainContact,
        page: &[Recorded],
    ) -> Result<Vec<SubjectId>, LogError> {
        let mut fields = Vec::new();
        for event in page {
            let DomainEvent::Lead(LeadEvent::Captured(lead)) = &event.event else {
                continue;
            };
            fields.extend(field(&event.stream, "email", &lead.contact.email));
            fields.extend(field(&event.stream, "phone", &lead.contact.phone));
        }
        let opened = self.vault.open_many(tenant, &fields).await?;
        let theirs = |(field, opened): (&SealedField<'_>, Opened)| {
            let own = match field.field {
                "email" => &contact.email,
                _ => &contact.phone,
            };
            let same = matches!((opened, own), (Opened::Text(text), Some(own)) if text == *own);
            let of_its_own = field.sealed.subject.to_string() == field.stream.id;
            (same && of_its_own).then_some(field.sealed.subject)
        };
        let mut leads: Vec<SubjectId> = fields.iter().zip(opened).filter_map(theirs).collect();
        leads.dedup();
        Ok(leads)
    }
}

fn field<'a>(stream: &'a StreamId, field: &'a str, sealed: &'a Option<Sealed>) -> Option<SealedField<'a>> {
    sealed.as_ref().map(|sealed| SealedField {
        stream,
        field,
        sealed,
    })
}
