//! Lists of customers.

use domain::access::{Permission, Viewer};
use domain::ids::CustomerId;

use super::{CustomerList, CustomerRow};
use crate::engine::{Answer, At, Condition, Order, Page, ReadError, ReadModels, Select, Slice, Value};

/// Which customers to list. Contacts are sealed, so a search compares keyed hashes: whole e-mails and
/// whole numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerFilter {
    /// With this keyed hash of an e-mail.
    pub email_key: Option<String>,
    /// With this keyed hash of a phone.
    pub phone_key: Option<String>,
}

impl CustomerFilter {
    fn conditions(self) -> Vec<Condition> {
        let email = self
            .email_key
            .map(|key| Condition::Eq("email_key", Value::Text(key)));
        let phone = self
            .phone_key
            .map(|key| Condition::Eq("phone_key", Value::Text(key)));
        [email, phone].into_iter().flatten().collect()
    }
}

/// A page of customers, the latest known first.
///
/// # Errors
/// [`ReadError`] when the viewer may not see customers, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: CustomerFilter,
    slice: Slice,
    at: At,
) -> Result<Page<CustomerRow>, ReadError> {
    viewer.require(Permission::CustomerRead)?;
    let select = Select {
        conditions: filter.conditions(),
        order: Order::descending(&["registered_at", "customer_id"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<CustomerList>(viewer.tenant, select, at).await
}

/// How many customers there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: CustomerFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::CustomerRead)?;
    models
        .count::<CustomerList>(viewer.tenant, filter.conditions(), at)
        .await
}

/// One customer.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    id: CustomerId,
    at: At,
) -> Result<Answer<Option<CustomerRow>>, ReadError> {
    Ok(many(models, viewer, &[id], at)
        .await?
        .map(|rows| rows.into_iter().next()))
}

/// The customers of these ids, in no order.
///
/// # Errors
/// As [`page`].
pub async fn many(
    models: &ReadModels,
    viewer: &Viewer,
    ids: &[CustomerId],
    at: At,
) -> Result<Answer<Vec<CustomerRow>>, ReadError> {
    viewer.require(Permission::CustomerRead)?;
    let ids = ids.iter().map(|id| Value::Uuid(id.0)).collect();
    models
        .all::<CustomerList>(viewer.tenant, vec![Condition::OneOf("customer_id", ids)], at)
        .await
}
