//! In which language a customer is written to.

use async_graphql::{Context, ID, InputObject, Object, Result};
use commands::CustomerLocaleChange;
use domain::ids::CustomerId;

use super::CustomerPayload;
use crate::graphql::error::UserError;
use crate::graphql::id::local;
use crate::graphql::message::language;
use crate::graphql::session::{app, caller, under_key};

/// The language that a customer wants to be written to in.
#[derive(InputObject)]
pub(in crate::graphql) struct CustomerLocaleSetInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Who.
    customer_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Which: `en`, `es-MX`. Null: the company's own.
    locale: Option<String>,
}

/// Commands on the language of customers.
#[derive(Default)]
pub(in crate::graphql) struct LocaleMutation;

#[Object]
impl LocaleMutation {
    /// Writes to a customer in a language from now on: by the template of it, else of its language without the country, else of
    /// the company's language. Needs customer:write.
    async fn customer_locale_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: CustomerLocaleSetInput,
    ) -> Result<CustomerPayload> {
        let caller = caller(ctx)?;
        let Some(customer_id) = local::<CustomerId>(&input.customer_id) else {
            let refused = UserError::not_found("customerId", "customer");
            return Ok(CustomerPayload::refused(refused));
        };
        let locale = match input.locale.as_deref().map(language).transpose() {
            Ok(locale) => locale,
            Err(refused) => return Ok(CustomerPayload::refused(refused)),
        };
        let ask = CustomerLocaleChange {
            customer_id,
            expected_version: input.expected_version.map(i64::from),
            locale,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.set_customer_locale(caller, key, ask)
        })
        .await;
        CustomerPayload::of(ctx, customer_id, done).await
    }
}
