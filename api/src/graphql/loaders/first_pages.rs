//! The first pages of what belongs to each row of a page.

use std::collections::HashMap;
use std::sync::Arc;

use domain::ids::BookingId;
use projections::audit_trail::AuditRow;
use projections::document_list::DocumentRow;
use projections::payment_list::PaymentRow;
use projections::{At, FirstPages, Page, audit_trail, document_list, payment_list};

use super::batch::{Batch, Load, Loaded};
use super::{Key, Loaders, Lookup, When, shared};
use crate::graphql::error::behind;

/// The first pages that are asked for in one request.
#[derive(Default)]
pub(super) struct Pages {
    payments: Batch<Key<FirstPage<Payments, BookingId>>, Page<PaymentRow>>,
    documents: Batch<Key<FirstPage<Documents, BookingId>>, Page<DocumentRow>>,
    audit: Batch<Key<FirstPage<Audit, String>>, Page<AuditRow>>,
}

/// The first page of what belongs to a thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FirstPage<L, I>(L, I);

/// So many of a booking's payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Payments(u16);

/// So many of a booking's documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Documents(u16);

/// So many entries of the trail about a thing of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Audit(&'static str, u16);

/// A loader of first pages: one look-up for each time and list.
macro_rules! first_pages {
    ($list:ident, $id:ty, $row:ty, |$lookup:ident, $which:pat_param, $ids:ident, $at:ident| $pages:expr) => {
        impl Load<Key<FirstPage<$list, $id>>> for Lookup {
            type Value = Page<$row>;
            async fn load(
                &self,
                keys: &[Key<FirstPage<$list, $id>>],
            ) -> Loaded<Key<FirstPage<$list, $id>>, Page<$row>> {
                let mut lists: HashMap<(When, $list), Vec<$id>> = HashMap::new();
                for Key(FirstPage(list, id), when) in keys {
                    lists.entry((*when, *list)).or_default().push(id.clone());
                }
                let mut found = HashMap::new();
                for ((when, list), ids) in lists {
                    let ($lookup, $which, $ids, $at) = (self, list, &ids, when.at());
                    let mut pages: FirstPages<$row> = $pages.await.map_err(Arc::new)?;
                    found.extend(ids.into_iter().map(|id| {
                        let page = pages.take(&id);
                        (Key(FirstPage(list, id), when), page)
                    }));
                }
                Ok(found)
            }
        }
    };
}

first_pages!(
    Payments,
    BookingId,
    PaymentRow,
    |lookup, Payments(first), ids, at| payment_list::first_of_each(
        &lookup.app.views,
        &lookup.viewer,
        ids,
        first,
        at
    )
);

first_pages!(
    Documents,
    BookingId,
    DocumentRow,
    |lookup, Documents(first), ids, at| document_list::first_of_each(
        &lookup.app.views,
        &lookup.viewer,
        ids,
        first,
        at
    )
);

first_pages!(Audit, String, AuditRow, |lookup, Audit(kind, first), ids, at| {
    audit_trail::first_of_each(&lookup.app.views, &lookup.viewer, kind, ids, first, at)
});

impl Loaders {
    /// The first page of a booking's payments, the latest first.
    pub(in crate::graphql) async fn payments(
        &self,
        id: BookingId,
        first: u16,
        at: At,
    ) -> async_graphql::Result<Page<PaymentRow>> {
        let key = Key(FirstPage(Payments(first), id), When::of(at));
        let found = self.pages.payments.one(&self.lookup, key).await;
        found.map_err(shared)?.ok_or_else(behind)
    }

    /// The first page of a booking's documents, the latest first.
    pub(in crate::graphql) async fn documents(
        &self,
        id: BookingId,
        first: u16,
        at: At,
    ) -> async_graphql::Result<Page<DocumentRow>> {
        let key = Key(FirstPage(Documents(first), id), When::of(at));
        let found = self.pages.documents.one(&self.lookup, key).await;
        found.map_err(shared)?.ok_or_else(behind)
    }

    /// The first page of what happened to a thing of a kind, the latest first.
    pub(in crate::graphql) async fn audit(
        &self,
        kind: &'static str,
        id: String,
        first: u16,
        at: At,
    ) -> async_graphql::Result<Page<AuditRow>> {
        let key = Key(FirstPage(Audit(kind, first), id), When::of(at));
        let found = self.pages.audit.one(&self.lookup, key).await;
        found.map_err(shared)?.ok_or_else(behind)
    }
}
