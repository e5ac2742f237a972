//! Every projection there is: one line each.

use std::marker::PhantomData;

use async_trait::async_trait;
use domain::ids::TenantId;

use super::difference::Checked;
use super::error::ProjectionError;
use super::fold::Fold;
use super::history::Batch;
use super::models::ReadModels;
use super::progress::Progress;
use super::rebuild::{self, Rebuilt};
use super::runner::{self, Ran};
use crate::audit_trail::AuditTrail;
use crate::booking_list::BookingList;
use crate::customer_list::CustomerList;
use crate::lead_list::LeadList;
use crate::payment_list::PaymentList;
use crate::price_history::PriceHistory;
use crate::price_list::PriceListView;
use crate::station_list::StationList;
use crate::tax_ledger::TaxLedger;
use crate::tax_rates::TaxRates;
use crate::tax_summary::TaxSummary;

/// Every projection, in the order of the command line's lists.
pub fn registry() -> &'static [&'static dyn Projection] {
    &[
        &Of::<BookingList>(PhantomData),
        &Of::<PaymentList>(PhantomData),
        &Of::<TaxLedger>(PhantomData),
        &Of::<TaxSummary>(PhantomData),
        &Of::<AuditTrail>(PhantomData),
        &Of::<PriceListView>(PhantomData),
        &Of::<PriceHistory>(PhantomData),
        &Of::<CustomerList>(PhantomData),
        &Of::<StationList>(PhantomData),
        &Of::<LeadList>(PhantomData),
        &Of::<TaxRates>(PhantomData),
    ]
}

/// The projection of a name.
///
/// # Errors
/// [`ProjectionError::Unknown`] when there is none.
pub fn projection(name: &str) -> Result<&'static dyn Projection, ProjectionError> {
    let found = registry().iter().find(|projection| projection.name() == name);
    found
        .copied()
        .ok_or_else(|| ProjectionError::Unknown(name.to_owned()))
}

/// A projection, whatever its rows are.
#[async_trait]
pub trait Projection: Send + Sync {
    /// Its name in checkpoints and on the command line.
    fn name(&self) -> &'static str;

    /// Version of its fold in this program.
    fn fold_version(&self) -> i32;

    /// Wire names of the events that it looks at.
    fn event_types(&self) -> &'static [&'static str];

    /// Applies the next events, in one transaction.
    ///
    /// # Errors
    /// [`ProjectionError::Stopped`] when an event cannot be applied: all before it are.
    async fn apply(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        batch: &Batch,
    ) -> Result<Ran, ProjectionError>;

    /// Builds it anew from the whole log and makes that the live one.
    ///
    /// # Errors
    /// [`ProjectionError::Stopped`] when an event cannot be applied: the live one is as it was.
    async fn rebuild(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        progress: &dyn Progress,
    ) -> Result<Rebuilt, ProjectionError>;

    /// Compares its rows with what the log gives.
    ///
    /// # Errors
    /// [`ProjectionError`] when the log or the rows cannot be read.
    async fn check(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        progress: &dyn Progress,
    ) -> Result<Checked, ProjectionError>;
}

struct Of<F>(PhantomData<fn() -> F>);

#[async_trait]
impl<F: Fold> Projection for Of<F> {
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn fold_version(&self) -> i32 {
        F::VERSION
    }

    fn event_types(&self) -> &'static [&'static str] {
        F::event_types()
    }

    async fn apply(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        batch: &Batch,
    ) -> Result<Ran, ProjectionError> {
        runner::apply::<F>(models, tenant, batch).await
    }

    async fn rebuild(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        progress: &dyn Progress,
    ) -> Result<Rebuilt, ProjectionError> {
        rebuild::rebuild::<F>(models, tenant, progress).await
    }

    async fn check(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        progress: &dyn Progress,
    ) -> Result<Checked, ProjectionError> {
        rebuild::check::<F>(models, tenant, progress).await
    }
}
