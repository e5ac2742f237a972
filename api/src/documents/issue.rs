//! From a wish for a document to the document: what the commands are told of a booking's money, and what a document is
//! made of once it was issued.

use std::time::Duration;

use commands::document::{DocumentAsk, DocumentWritten, MoneySeen};
use commands::{Caller, CommandError, IdempotencyKey};
use domain::access::{Permission, Viewer};
use domain::booking::Booking;
use domain::customer::Customer;
use domain::decider::{Decider, Event};
use domain::document::{DocumentEvent, DocumentIssued, DocumentNumber, Documents};
use domain::envelope::{Sealed, StreamId};
use domain::payment::BookingMoney;
use event_log::{LogError, Opened};
use projections::{At, Fresh, Late, ReadError, booking_list, document_list};

use super::customer::{Contact, Personal, document};
use crate::app::App;

/// How long to wait until a read model has come as far as the log.
const PATIENCE: Duration = Duration::from_secs(5);

/// Now, with all that the log holds.
async fn at_head(app: &App, viewer: &Viewer) -> Result<At, ReadError> {
    let head = app.log.head(viewer.tenant).await.map_err(ReadError::from)?;
    let fresh = Fresh {
        at_least: head.position,
        wait: PATIENCE,
        then: Late::Refuse,
    };
    Ok(At::Live { fresh: Some(fresh) })
}

/// Issues a document, with the booking's money as the log has it now.
///
/// # Errors
/// [`ReadError`] when what has been paid is not to be had; the command's own refusals are inside.
pub(crate) async fn issue(
    app: &App,
    viewer: &Viewer,
    caller: Caller,
    key: IdempotencyKey,
    ask: DocumentAsk,
) -> Result<Result<DocumentWritten, CommandError>, ReadError> {
    let booking = match app.commands.document_booking(&caller, ask).await {
        Ok(booking) => booking,
        Err(refused) => return Ok(Err(refused)),
    };
    let found = booking_list::one(&app.views, viewer, booking, at_head(app, viewer).await?).await?;
    let money = found.value.map(|row| BookingMoney {
        paid_cents: row.paid_cents,
        tip_cents: row.tip_cents,
        refunded_cents: row.refunded_cents,
        waived_cents: row.waived_cents,
    });
    let seen = MoneySeen {
        as_of: found.info.position,
        money: money.unwrap_or_default(),
    };
    Ok(app.commands.issue_document(caller, key, ask, seen).await)
}

/// A document as PDF; none where there is no such document within reach. A name is shown to those who may see customers.
///
/// # Errors
/// [`ReadError`] when the viewer may not see payments, or there is no answer.
pub(crate) async fn pdf(
    app: &App,
    viewer: &Viewer,
    number: DocumentNumber,
) -> Result<Option<Vec<u8>>, ReadError> {
    viewer.require(Permission::PaymentRead)?;
    let found = document_list::one(&app.views, viewer, number, at_head(app, viewer).await?).await?;
    let Some(row) = found.value else {
        return Ok(None);
    };
    let stream = StreamId::new(Documents::STREAM, row.booking_id.to_string());
    let events = app.log.read_stream(viewer.tenant, &stream).await?;
    let Some(event) = events.iter().find(|event| event.position == row.position) else {
        return Ok(None);
    };
    let read = DocumentEvent::decode(&event.event_type, event.event_version, &event.payload);
    let DocumentEvent::Issued(issued) = read.map_err(|error| LogError::Corrupt {
        position: event.position,
        what: error.to_string(),
    })?;
    let contact = contact(app, viewer, &issued).await?;
    Ok(Some(document(&issued, &contact)))
}

/// What is personal of a document, as far as it is there and the viewer may see it.
async fn contact(app: &App, viewer: &Viewer, issued: &DocumentIssued) -> Result<Contact, ReadError> {
    let party = &issued.party;
    let customer = StreamId::new(Customer::STREAM, party.customer_id.to_string());
    let booking = StreamId::new(Booking::STREAM, party.booking_id.to_string());
    let open = async |needs: Permission, stream: &StreamId, field: &str, sealed: Option<&Sealed>| {
        if !viewer.may(needs) {
            return Ok(Personal::Withheld);
        }
        let Some(sealed) = sealed else {
            return Ok(Personal::Erased);
        };
        match app.vault.open(viewer.tenant, stream, field, sealed).await {
            Ok(Opened::Text(text)) => Ok(Personal::Text(text)),
            Ok(Opened::Erased) => Ok(Personal::Erased),
            Err(error) => Err(ReadError::from(error)),
        }
    };
    Ok(Contact {
        name: open(Permission::CustomerRead, &customer, "name", party.name.as_ref()).await?,
        street: open(
            Permission::BookingRead,
            &booking,
            "venue.street",
            Some(&party.street),
        )
        .await?,
    })
}
