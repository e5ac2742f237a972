//! One look-up for many rows, within one request and one viewer's reach.

mod batch;
mod first_pages;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::access::Viewer;
use domain::envelope::{Position, Sealed, StreamId};
use domain::ids::{BookingId, ChefId, CustomerId, StationId};
use event_log::{Opened, SealedField};
use projections::booking_ledger::Statement;
use projections::booking_list::BookingRow;
use projections::chef_list::ChefRow;
use projections::customer_list::CustomerRow;
use projections::station_list::StationRow;
use projections::tax_ledger::{TaxLineKind, TaxLineRow};
use projections::{
    Answer, At, Fresh, Late, ReadError, ReadInfo, booking_ledger, booking_list, chef_list, customer_list,
    station_list, tax_ledger,
};

use self::batch::{Batch, Load, Loaded};
use self::first_pages::Pages;
use super::error::unread;
use crate::app::App;

/// What is shown in place of data that has been erased.
pub(super) const ERASED: &str = "[erased]";

/// The loaders of one request.
pub(super) struct Loaders {
    lookup: Arc<Lookup>,
    customers: Rows<CustomerId, CustomerRow>,
    stations: Rows<StationId, StationRow>,
    bookings: Rows<BookingId, BookingRow>,
    chefs: Rows<ChefId, ChefRow>,
    tax: Batch<Key<TaxOf>, TaxLineRow>,
    ledgers: Batch<Key<LedgerOf>, Answer<Statement>>,
    texts: Batch<SealedText, Option<String>>,
    pages: Pages,
}

/// Rows by their ids, and what they hold.
type Rows<I, R> = Batch<Key<I>, (R, ReadInfo)>;

struct Lookup {
    app: Arc<App>,
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

/// A sealed field to be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct SealedText {
    stream: StreamId,
    field: &'static str,
    subject: domain::ids::SubjectId,
    sealed: String,
}

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
        impl Load<Key<$id>> for Lookup {
            type Value = ($row, ReadInfo);
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

impl Load<Key<TaxOf>> for Lookup {
    type Value = TaxLineRow;
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

impl Load<Key<LedgerOf>> for Lookup {
    type Value = Answer<Statement>;
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

impl Load<SealedText> for Lookup {
    type Value = Option<String>;
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
    pub(super) fn new(app: &Arc<App>, viewer: &Viewer) -> Self {
        let lookup = Lookup {
            app: Arc::clone(app),
            viewer: viewer.clone(),
        };
        Self {
            lookup: Arc::new(lookup),
            customers: Batch::default(),
            stations: Batch::default(),
            bookings: Batch::default(),
            chefs: Batch::default(),
            tax: Batch::default(),
            ledgers: Batch::default(),
            texts: Batch::default(),
            pages: Pages::default(),
        }
    }

    pub(super) async fn customer(
        &self,
        id: CustomerId,
        at: At,
    ) -> async_graphql::Result<Option<CustomerRow>> {
        let found = self.customers.one(&self.lookup, Key(id, When::of(at))).await;
        Ok(found.map_err(shared)?.map(|(row, _)| row))
    }

    pub(super) async fn station(&self, id: StationId, at: At) -> async_graphql::Result<Option<StationRow>> {
        let found = self.stations.one(&self.lookup, Key(id, When::of(at))).await;
        Ok(found.map_err(shared)?.map(|(row, _)| row))
    }

    /// Chefs of these ids within reach, in their order.
    pub(super) async fn chefs(&self, ids: &[ChefId], at: At) -> async_graphql::Result<Vec<ChefRow>> {
        let when = When::of(at);
        let keys = ids.iter().map(|id| Key(*id, when)).collect();
        let found = self.chefs.many(&self.lookup, keys).await.map_err(shared)?;
        Ok(found.into_iter().map(|(row, _)| row).collect())
    }

    /// Stations of these ids within reach, in their order.
    pub(super) async fn stations(&self, ids: &[StationId], at: At) -> async_graphql::Result<Vec<StationRow>> {
        let when = When::of(at);
        let keys = ids.iter().map(|id| Key(*id, when)).collect();
        let found = self.stations.many(&self.lookup, keys).await.map_err(shared)?;
        Ok(found.into_iter().map(|(row, _)| row).collect())
    }

    /// A booking, and what its row holds.
    pub(super) async fn booking(
        &self,
        id: BookingId,
        at: At,
    ) -> async_graphql::Result<Option<(BookingRow, ReadInfo)>> {
        let found = self.bookings.one(&self.lookup, Key(id, When::of(at))).await;
        found.map_err(shared)
    }

    pub(super) async fn tax(&self, id: BookingId, at: At) -> async_graphql::Result<Option<TaxLineRow>> {
        let found = self.tax.one(&self.lookup, Key(TaxOf(id), When::of(at))).await;
        found.map_err(shared)
    }

    pub(super) async fn ledger(&self, id: BookingId, at: At) -> async_graphql::Result<Answer<Statement>> {
        let found = self
            .ledgers
            .one(&self.lookup, Key(LedgerOf(id), When::of(at)))
            .await;
        found.map_err(shared)?.ok_or_else(super::error::behind)
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
        let found = self.texts.one(&self.lookup, key).await;
        Ok(found.map_err(shared)?.flatten())
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
