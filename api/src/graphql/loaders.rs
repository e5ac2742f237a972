//! One look-up for many rows, within one request and one viewer's reach.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, Loader};
use domain::access::Viewer;
use domain::envelope::{Position, Sealed, StreamId};
use domain::ids::{BookingId, ChefId, CustomerId, StationId};
use event_log::{Opened, SealedField};
use projections::audit_trail::AuditRow;
use projections::booking_ledger::Statement;
use projections::booking_list::BookingRow;
use projections::chef_list::ChefRow;
use projections::customer_list::CustomerRow;
use projections::document_list::DocumentRow;
use projections::payment_list::PaymentRow;
use projections::station_list::StationRow;
use projections::tax_ledger::{TaxLineKind, TaxLineRow};
use projections::{
    Answer, At, FirstPages, Fresh, Late, Page, ReadError, ReadInfo, audit_trail, booking_ledger,
    booking_list, chef_list, customer_list, document_list, payment_list, station_list, tax_ledger,
};

use super::error::unread;
use crate::app::App;

/// What is shown in place of data that has been erased.
pub(super) const ERASED: &str = "[erased]";

/// The loaders of one request.
pub(super) struct Loaders(DataLoader<Lookup>);

struct Lookup {
    app: App,
    viewer: Viewer,
}

/// A row as of a time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key<I>(I, When);

/// A time as a key: now, now but not before a position, or as of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum When {
    Now,
    NowFrom(Position, Duration, Late),
    AsOf(Position),
}

impl When {
    fn of(at: At) -> Self {
        match at {
            At::Live { fresh: None } => Self::Now,
            At::Live { fresh: Some(fresh) } => Self::NowFrom(fresh.at_least, fresh.wait, fresh.then),
            At::AsOf(position) => Self::AsOf(position),
        }
    }
    fn at(self) -> At {
        match self {
            Self::Now => At::NOW,
            Self::NowFrom(at_least, wait, then) => At::Live {
                fresh: Some(Fresh { at_least, wait, then }),
            },
            Self::AsOf(position) => At::AsOf(position),
        }
    }
}

/// Tax lines of a booking.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct TaxOf(BookingId);

/// The ledger of a booking.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct LedgerOf(BookingId);

/// The first page of a booking's payments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PaymentsOf(BookingId, u16);

/// The first page of a booking's documents.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct DocumentsOf(BookingId, u16);

/// The first page of what happened to a thing of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct AuditOf(&'static str, String, u16);

/// A sealed field to be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct SealedText {
    stream: StreamId,
    field: &'static str,
    subject: domain::ids::SubjectId,
    sealed: String,
}

type Loaded<K, V> = Result<HashMap<K, V>, Arc<ReadError>>;

/// The keys of each time.
fn by_time<I: Clone>(keys: &[Key<I>]) -> HashMap<When, Vec<I>> {
    let mut groups: HashMap<When, Vec<I>> = HashMap::new();
    for Key(id, when) in keys {
        groups.entry(*when).or_default().push(id.clone());
    }
    groups
}

/// A loader of rows by id: one look-up for each time.
macro_rules! rows_by_id {
    ($id:ty, $row:ty, $key:expr, $many:path) => {
        impl Loader<Key<$id>> for Lookup {
            type Value = ($row, ReadInfo);
            type Error = Arc<ReadError>;
            async fn load(&self, keys: &[Key<$id>]) -> Loaded<Key<$id>, ($row, ReadInfo)> {
                let mut found = HashMap::new();
                for (when, ids) in by_time(keys) {
                    let rows = $many(&self.app.views, &self.viewer, &ids, when.at())
                        .await
                        .map_err(Arc::new)?;
                    let info = rows.info;
                    let keyed = |row| (Key($key(&row), when), (row, info.clone()));
                    found.extend(rows.value.into_iter().map(keyed));
                }
                Ok(found)
            }
        }
    };
}

rows_by_id!(
    CustomerId,
    CustomerRow,
    |row: &CustomerRow| row.customer_id,
    customer_list::many
);
rows_by_id!(
    StationId,
    StationRow,
    |row: &StationRow| row.station_id,
    station_list::many
);
rows_by_id!(
    BookingId,
    BookingRow,
    |row: &BookingRow| row.booking_id,
    booking_list::many
);

rows_by_id!(ChefId, ChefRow, |row: &ChefRow| row.chef_id, chef_list::many);

impl Loader<Key<TaxOf>> for Lookup {
    type Value = TaxLineRow;
    type Error = Arc<ReadError>;
    async fn load(&self, keys: &[Key<TaxOf>]) -> Loaded<Key<TaxOf>, TaxLineRow> {
        let mut found = HashMap::new();
        for (when, ids) in by_time(keys) {
            let ids: Vec<BookingId> = ids.into_iter().map(|TaxOf(id)| id).collect();
            let lines = tax_ledger::for_bookings(&self.app.views, &self.viewer, &ids, when.at()).await;
            let sales = lines
                .map_err(Arc::new)?
                .value
                .into_iter()
                .filter(|line| line.kind == TaxLineKind::Sale);
            found.extend(sales.map(|line| (Key(TaxOf(line.booking_id), when), line)));
        }
        Ok(found)
    }
}

impl Loader<Key<LedgerOf>> for Lookup {
    type Value = Answer<Statement>;
    type Error = Arc<ReadError>;
    async fn load(&self, keys: &[Key<LedgerOf>]) -> Loaded<Key<LedgerOf>, Answer<Statement>> {
        let mut found = HashMap::new();
        for (when, ids) in by_time(keys) {
            let ids: Vec<BookingId> = ids.into_iter().map(|LedgerOf(id)| id).collect();
            let ledgers = booking_ledger::for_bookings(&self.app.views, &self.viewer, &ids, when.at()).await;
            let Answer { mut value, info } = ledgers.map_err(Arc::new)?;
            found.extend(ids.into_iter().map(|id| {
                let answer = Answer {
                    value: value.remove(&id).unwrap_or_default(),
                    info: info.clone(),
                };
                (Key(LedgerOf(id), when), answer)
            }));
        }
        Ok(found)
    }
}

/// A loader of first pages: one look-up for each time, length and kind.
macro_rules! first_pages {
    ($key:ident, $row:ty, $group:ty, $id:ty, $split:expr, $join:expr, $first_of_each:expr) => {
        impl Loader<Key<$key>> for Lookup {
            type Value = Page<$row>;
            type Error = Arc<ReadError>;
            async fn load(&self, keys: &[Key<$key>]) -> Loaded<Key<$key>, Page<$row>> {
                let mut groups: HashMap<(When, $group), Vec<$id>> = HashMap::new();
                for Key(key, when) in keys {
                    let (group, id) = $split(key.clone());
                    groups.entry((*when, group)).or_default().push(id);
                }
                let mut found = HashMap::new();
                for ((when, group), ids) in groups {
                    let pages = $first_of_each(self, group, ids.clone(), when.at()).await;
                    let mut pages: FirstPages<$id, $row> = pages.map_err(Arc::new)?;
                    found.extend(ids.into_iter().map(|id| {
                        let page = pages.take(&id);
                        (Key($join(group, id), when), page)
                    }));
                }
                Ok(found)
            }
        }
    };
}

first_pages!(
    PaymentsOf,
    PaymentRow,
    u16,
    BookingId,
    |PaymentsOf(id, first)| (first, id),
    |first, id| PaymentsOf(id, first),
    async |lookup: &Self, first, ids: Vec<BookingId>, at| {
        payment_list::first_of_each(&lookup.app.views, &lookup.viewer, &ids, first, at).await
    }
);

first_pages!(
    DocumentsOf,
    DocumentRow,
    u16,
    BookingId,
    |DocumentsOf(id, first)| (first, id),
    |first, id| DocumentsOf(id, first),
    async |lookup: &Self, first, ids: Vec<BookingId>, at| {
        document_list::first_of_each(&lookup.app.views, &lookup.viewer, &ids, first, at).await
    }
);

first_pages!(
    AuditOf,
    AuditRow,
    (&'static str, u16),
    String,
    |AuditOf(kind, id, first)| ((kind, first), id),
    |(kind, first), id| AuditOf(kind, id, first),
    async |lookup: &Self, (kind, first), ids: Vec<String>, at| {
        audit_trail::first_of_each(&lookup.app.views, &lookup.viewer, kind, ids, first, at).await
    }
);

impl Loader<SealedText> for Lookup {
    type Value = Option<String>;
    type Error = Arc<ReadError>;
    async fn load(&self, keys: &[SealedText]) -> Loaded<SealedText, Option<String>> {
        let sealed: Vec<Sealed> = keys
            .iter()
            .map(|key| Sealed {
                subject: key.subject,
                sealed: key.sealed.clone(),
            })
            .collect();
        let fields: Vec<SealedField<'_>> = keys
            .iter()
            .zip(&sealed)
            .map(|(key, sealed)| SealedField {
                stream: &key.stream,
                field: key.field,
                sealed,
            })
            .collect();
        let opened = self.app.vault.open_many(self.viewer.tenant, &fields).await;
        let opened = opened.map_err(|error| Arc::new(ReadError::from(error)))?;
        let text = |opened| match opened {
            Opened::Text(text) => Some(text),
            Opened::Erased => None,
        };
        Ok(keys.iter().cloned().zip(opened.into_iter().map(text)).collect())
    }
}

impl Loaders {
    pub(super) fn new(app: &App, viewer: &Viewer) -> Self {
        let lookup = Lookup {
            app: app.clone(),
            viewer: viewer.clone(),
        };
        Self(DataLoader::new(lookup, tokio::spawn))
    }

    pub(super) async fn customer(
        &self,
        id: CustomerId,
        at: At,
    ) -> async_graphql::Result<Option<CustomerRow>> {
        let found = self.0.load_one(Key(id, When::of(at))).await.map_err(shared)?;
        Ok(found.map(|(row, _)| row))
    }

    pub(super) async fn station(&self, id: StationId, at: At) -> async_graphql::Result<Option<StationRow>> {
        let found = self.0.load_one(Key(id, When::of(at))).await.map_err(shared)?;
        Ok(found.map(|(row, _)| row))
    }

    /// Chefs of these ids within reach, in their order.
    pub(super) async fn chefs(&self, ids: &[ChefId], at: At) -> async_graphql::Result<Vec<ChefRow>> {
        let when = When::of(at);
        let keys = ids.iter().map(|id| Key(*id, when));
        let mut found = self.0.load_many(keys).await.map_err(shared)?;
        Ok(ids
            .iter()
            .filter_map(|id| found.remove(&Key(*id, when)))
            .map(|(row, _)| row)
            .collect())
    }

    /// Stations of these ids within reach, in their order.
    pub(super) async fn stations(&self, ids: &[StationId], at: At) -> async_graphql::Result<Vec<StationRow>> {
        let when = When::of(at);
        let keys = ids.iter().map(|id| Key(*id, when));
        let mut found = self.0.load_many(keys).await.map_err(shared)?;
        Ok(ids
            .iter()
            .filter_map(|id| found.remove(&Key(*id, when)))
            .map(|(row, _)| row)
            .collect())
    }

    /// A booking, and what its row holds.
    pub(super) async fn booking(
        &self,
        id: BookingId,
        at: At,
    ) -> async_graphql::Result<Option<(BookingRow, ReadInfo)>> {
        self.0.load_one(Key(id, When::of(at))).await.map_err(shared)
    }

    pub(super) async fn tax(&self, id: BookingId, at: At) -> async_graphql::Result<Option<TaxLineRow>> {
        self.0
            .load_one(Key(TaxOf(id), When::of(at)))
            .await
            .map_err(shared)
    }

    pub(super) async fn ledger(&self, id: BookingId, at: At) -> async_graphql::Result<Answer<Statement>> {
        let found = self
            .0
            .load_one(Key(LedgerOf(id), When::of(at)))
            .await
            .map_err(shared)?;
        found.ok_or_else(super::error::behind)
    }

    /// The first page of a booking's payments, the latest first.
    pub(super) async fn payments(
        &self,
        id: BookingId,
        first: u16,
        at: At,
    ) -> async_graphql::Result<Page<PaymentRow>> {
        let key = Key(PaymentsOf(id, first), When::of(at));
        let found = self.0.load_one(key).await.map_err(shared)?;
        found.ok_or_else(super::error::behind)
    }

    /// The first page of a booking's documents, the latest first.
    pub(super) async fn documents(
        &self,
        id: BookingId,
        first: u16,
        at: At,
    ) -> async_graphql::Result<Page<DocumentRow>> {
        let key = Key(DocumentsOf(id, first), When::of(at));
        let found = self.0.load_one(key).await.map_err(shared)?;
        found.ok_or_else(super::error::behind)
    }

    /// The first page of what happened to a thing of a kind, the latest first.
    pub(super) async fn audit(
        &self,
        kind: &'static str,
        id: String,
        first: u16,
        at: At,
    ) -> async_graphql::Result<Page<AuditRow>> {
        let key = Key(AuditOf(kind, id, first), When::of(at));
        let found = self.0.load_one(key).await.map_err(shared)?;
        found.ok_or_else(super::error::behind)
    }

    /// The text of a sealed field; none once it has been erased.
    pub(super) async fn text(
        &self,
        stream: StreamId,
        field: &'static str,
        sealed: &Sealed,
    ) -> async_graphql::Result<Option<String>> {
        let key = SealedText {
            stream,
            field,
            subject: sealed.subject,
            sealed: sealed.sealed.clone(),
        };
        Ok(self.0.load_one(key).await.map_err(shared)?.flatten())
    }

    /// The text of a sealed field, or the word that stands for erased data.
    pub(super) async fn text_or_erased(
        &self,
        stream: StreamId,
        field: &'static str,
        sealed: &Sealed,
    ) -> async_graphql::Result<String> {
        Ok(self
            .text(stream, field, sealed)
            .await?
            .unwrap_or_else(|| ERASED.to_owned()))
    }
}

/// The error of a look-up that several fields may have shared.
fn shared(error: Arc<ReadError>) -> async_graphql::Error {
    match Arc::try_unwrap(error) {
        Ok(error) => unread(error),
        Err(shared) => match &*shared {
            ReadError::Forbidden(forbidden) => unread(ReadError::Forbidden(forbidden.clone())),
            ReadError::StaleRead { .. }
            | ReadError::AsOfInFuture { .. }
            | ReadError::InstantInFuture { .. } => super::error::of_moment(&shared),
            ReadError::BadCursor(_) | ReadError::Unreadable { .. } | ReadError::Log(_) => {
                super::error::fault("UNAVAILABLE", &*shared)
            }
        },
    }
}
