//! Issuing invoices, receipts and credit notes.
//!
//! A document takes the next number of its series in the append that writes it, guarded at the version that the number
//! follows from: whoever is refused, overtaken or gone has taken none.

mod facts;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Datelike;
use domain::access::Permission;
use domain::booking::Booking;
use domain::customer::Customer;
use domain::decider::{Decider, Event};
use domain::document::series::{DocumentSeries, DocumentSeriesCommand, DocumentSeriesEvent};
use domain::document::{DocumentCommand, DocumentError, DocumentIssued, DocumentNumber, Documents};
use domain::envelope::{Position, StreamId};
use domain::ids::{BookingId, PaymentId, RefundId, TenantId};
use domain::organisation::Organisation;
use domain::payment::{BookingMoney, Payment, PaymentEvent, PaymentMethod};
use domain::station::Station;
use serde::Serialize;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard};

use crate::execute::{Plan, Written, to_the_end};
use crate::organisation::organisation_id;
use crate::{Caller, CommandError, Commands, IdempotencyKey};
use facts::{Facts, Paid, day_at};

/// Which document is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum DocumentAsk {
    /// What a booking costs.
    Invoice(BookingId),
    /// That a payment has come.
    Receipt(PaymentId),
    /// That some of a payment was given back.
    CreditNote(PaymentId, RefundId),
}

/// What has moved for a booking up to a position of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoneySeen {
    /// Up to where it was counted.
    pub as_of: Position,
    /// What it comes to.
    pub money: BookingMoney,
}

/// A document that was issued, now or before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentWritten {
    /// Its number.
    pub number: DocumentNumber,
    /// A place in the log by which it was issued.
    pub position: Position,
    /// Whether it was issued before.
    pub replayed: bool,
}

/// Lets the commands that take a company's numbers follow one another within a program, in place of overtaking each
/// other until one gives up. It is a matter of speed alone: what keeps a series whole is the append.
#[derive(Clone)]
pub(crate) struct Issuing(Arc<[AsyncMutex<()>]>);

impl Default for Issuing {
    fn default() -> Self {
        Self((0..64).map(|_| AsyncMutex::new(())).collect())
    }
}

impl Issuing {
    async fn turn(&self, tenant: TenantId) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        tenant.hash(&mut hasher);
        let count = u64::try_from(self.0.len()).unwrap_or(1);
        let place = usize::try_from(hasher.finish() % count).unwrap_or(0);
        self.0[place].lock().await
    }
}

/// A document that says already what is asked for.
type Same = Mutex<Option<DocumentNumber>>;

fn note(same: &Same, number: Option<DocumentNumber>) {
    *same.lock().unwrap_or_else(PoisonError::into_inner) = number;
}

impl Commands {
    /// The booking that a document would be about, for whoever may issue it.
    ///
    /// # Errors
    /// `NOT_FOUND` for a payment that is not there; when the role may not.
    pub async fn document_booking(
        &self,
        caller: &Caller,
        ask: DocumentAsk,
    ) -> Result<BookingId, CommandError> {
        caller.require(Permission::PaymentWrite)?;
        match ask {
            DocumentAsk::Invoice(booking) => Ok(booking),
            DocumentAsk::Receipt(payment) | DocumentAsk::CreditNote(payment, _) => {
                let loaded = self.load::<Payment>(caller, &payment.to_string()).await?;
                booking_of(caller, &loaded.state)
            }
        }
    }

    /// Issues a document, or gives back the one that says the same already.
    ///
    /// # Errors
    /// `NOT_FOUND`, `WRONG_STATE` for a booking that is called off or a payment that does not count.
    pub async fn issue_document(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: DocumentAsk,
        seen: MoneySeen,
    ) -> Result<DocumentWritten, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PaymentWrite)?;
            let _turn = this.issuing.turn(caller.tenant).await;
            let same = Same::default();
            let done = this
                .run(&caller, &key, "document_issue", &ask, || {
                    this.plan_document(&caller, ask, seen, &same)
                })
                .await;
            let same = *same.lock().unwrap_or_else(PoisonError::into_inner);
            match (done, same) {
                (Err(CommandError::Refused(_)), Some(number)) => Ok(DocumentWritten {
                    number,
                    position: this.log.head(caller.tenant).await?.position,
                    replayed: true,
                }),
                (Err(error), _) => Err(error),
                (Ok(written), _) => Ok(issued_in(&written)),
            }
        })
        .await
    }

    async fn plan_document(
        &self,
        caller: &Caller,
        ask: DocumentAsk,
        seen: MoneySeen,
        same: &Same,
    ) -> Result<Plan, CommandError> {
        note(same, None);
        let facts = self.document_facts(caller, ask).await?;
        let (requested, station, issuer) = facts.whose()?;
        let party = facts.party(requested);
        let body = facts.body(ask, requested, station, &self.payable_by())?;
        if let Some(number) = facts.documents.state.same(&party, &body) {
            note(same, Some(number));
            return Err(CommandError::refused(DocumentError::AlreadyIssued(number)));
        }
        let now = self.ports.now();
        let issued_on = day_at(now, &station.zone);
        let (kind, year) = (body.kind(), issued_on.year());
        let series_id = DocumentNumber::series_id(kind, year);
        let series = self.load::<DocumentSeries>(caller, &series_id).await?;
        let booking_id = facts.booking_id;
        let take = DocumentSeriesCommand::Take {
            kind,
            year,
            booking_id,
        };
        let taken = series.state.decide(take).map_err(CommandError::refused)?;
        let numbers = taken
            .iter()
            .map(|DocumentSeriesEvent::NumberTaken(taken)| taken.number);
        let mut plan = Plan::default();
        for number in numbers {
            let issued = DocumentIssued {
                number,
                issued_on,
                issued_at: now,
                as_of: seen.as_of,
                issuer: issuer.clone(),
                party: party.clone(),
                account: facts.account(requested.quote.total_cents, seen.money),
                body: body.clone(),
            };
            let issue = DocumentCommand::Issue(Box::new(issued));
            let events = facts
                .documents
                .state
                .decide(issue)
                .map_err(CommandError::refused)?;
            plan = plan.write::<Documents>(self, booking_id.to_string(), facts.documents.version, events);
        }
        plan = plan.write::<DocumentSeries>(self, series_id, series.version, taken);
        plan = plan.reads::<Booking>(booking_id.to_string(), facts.booking.version);
        // Whoever is erased meanwhile is not named.
        plan = plan.reads::<Customer>(requested.customer_id.to_string(), facts.customer.version);
        if let Some(paid) = &facts.payment {
            plan = plan.reads::<Payment>(paid.id.to_string(), paid.loaded.version);
        }
        Ok(plan)
    }

    /// How a customer can pay: by card only where a provider is set up.
    fn payable_by(&self) -> Vec<PaymentMethod> {
        let card = self.cards().map(|_| PaymentMethod::Card);
        let by_hand = [PaymentMethod::Zelle, PaymentMethod::Venmo, PaymentMethod::Cash];
        by_hand.into_iter().chain(card).collect()
    }

    async fn document_facts(&self, caller: &Caller, ask: DocumentAsk) -> Result<Facts, CommandError> {
        let payment = match ask {
            DocumentAsk::Invoice(_) => None,
            DocumentAsk::Receipt(id) | DocumentAsk::CreditNote(id, _) => Some(self.paid(caller, id).await?),
        };
        let booking_id = match (&payment, ask) {
            (Some(paid), _) => booking_of(caller, &paid.loaded.state)?,
            (None, DocumentAsk::Invoice(id)) => id,
            (None, DocumentAsk::Receipt(_) | DocumentAsk::CreditNote(..)) => {
                return Err(CommandError::refused(DocumentError::PaymentNotFound));
            }
        };
        let missing = DocumentError::BookingNotFound;
        let booking = self
            .load_booking(caller, booking_id, missing.clone().into())
            .await?;
        let requested = booking.state.requested();
        let requested = requested.ok_or_else(|| CommandError::refused(missing))?;
        let customer = self
            .load::<Customer>(caller, &requested.customer_id.to_string())
            .await?;
        let station = self
            .load::<Station>(caller, &requested.station_id.to_string())
            .await?;
        let organisation = self
            .load::<Organisation>(caller, &organisation_id(caller.tenant))
            .await?;
        let documents = self.load::<Documents>(caller, &booking_id.to_string()).await?;
        Ok(Facts {
            booking_id,
            booking,
            customer,
            station,
            organisation,
            documents,
            payment,
        })
    }

    /// A payment that is within reach, with what happened to it.
    async fn paid(&self, caller: &Caller, id: PaymentId) -> Result<Paid, CommandError> {
        let loaded = self.load::<Payment>(caller, &id.to_string()).await?;
        let stream = StreamId::new(Payment::STREAM, id.to_string());
        let stored = self.log.read_stream(caller.tenant, &stream).await?;
        let decode = |event: &domain::envelope::StoredEvent| {
            PaymentEvent::decode(&event.event_type, event.event_version, &event.payload)
        };
        let events = stored.iter().map(decode).collect::<Result<_, _>>()?;
        Ok(Paid { id, loaded, events })
    }
}

/// The booking of a payment that is there and within reach.
fn booking_of(caller: &Caller, payment: &Payment) -> Result<BookingId, CommandError> {
    let missing = DocumentError::PaymentNotFound;
    let terms = payment
        .terms()
        .ok_or_else(|| CommandError::refused(missing.clone()))?;
    caller.reach(terms.booking.station_id, missing.into())?;
    Ok(terms.booking.booking_id)
}

fn issued_in(written: &Written) -> DocumentWritten {
    let series = written.stream_of(DocumentSeries::STREAM);
    let number = series.and_then(|(id, version)| DocumentNumber::in_series(id, version.0));
    DocumentWritten {
        number: number.expect("the command takes one number of a series"),
        position: written.position,
        replayed: written.replayed,
    }
}
