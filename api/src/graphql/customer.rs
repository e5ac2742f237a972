//! Customers. Their contacts are opened for the answer and shown as `[erased]` once erased.

mod consent;
mod locale;

use async_graphql::{Context, Description, ID, InputObject, Object, Result};
use commands::{CommandError, CustomerErase, Written};
use domain::customer::{CUSTOMER_EMAIL, Customer as CustomerAggregate, fold_email};
use domain::decider::Decider;
use domain::envelope::{Sealed, StreamId};
use domain::ids::CustomerId;
use projections::customer_list::{self, CustomerFilter, CustomerRow};

use super::connection::{connection, counter, payload};
use super::error::{UserError, coded, fault, outcome, unread};
use super::id::{global, local};
use super::loaders::Loaders;
use super::read::{AsOf, Freshness, after as read_after, at, cost, slice};
use super::session::{app, caller, under_key, viewer, views};
use consent::Consent;

pub(super) use consent::ConsentMutation;
pub(super) use locale::LocaleMutation;

/// A person who books.
#[derive(Clone, Description)]
pub(super) struct Customer(pub(super) CustomerRow);

impl Customer {
    fn stream(&self) -> StreamId {
        StreamId::new(CustomerAggregate::STREAM, self.0.customer_id.to_string())
    }

    async fn optional(
        &self,
        ctx: &Context<'_>,
        field: &'static str,
        sealed: &Option<Sealed>,
    ) -> Result<Option<String>> {
        match sealed {
            Some(sealed) => Ok(Some(
                ctx.data_unchecked::<Loaders>()
                    .text_or_erased(self.stream(), field, sealed)
                    .await?,
            )),
            None => Ok(None),
        }
    }
}

#[Object(use_type_description)]
impl Customer {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        global(self.0.customer_id)
    }
    /// Events of the customer so far: what a command expects.
    async fn version(&self) -> i32 {
        i32::try_from(self.0.version).unwrap_or(i32::MAX)
    }
    /// Name.
    async fn name(&self, ctx: &Context<'_>) -> Result<String> {
        ctx.data_unchecked::<Loaders>()
            .text_or_erased(self.stream(), "name", &self.0.name)
            .await
    }
    /// E-mail.
    async fn email(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.optional(ctx, "email", &self.0.email).await
    }
    /// Phone, digits with country code.
    async fn phone(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.optional(ctx, "phone", &self.0.phone).await
    }
    /// Whether the person's data has been erased.
    async fn erased(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx
            .data_unchecked::<Loaders>()
            .text(self.stream(), "name", &self.0.name)
            .await?
            .is_none())
    }
    /// That the person agreed to text messages; null while they do not.
    async fn sms_consent(&self) -> Option<Consent> {
        self.0.sms_consent.clone().map(Consent::from)
    }
    /// That the person agreed to e-mail; null while they do not.
    async fn email_consent(&self) -> Option<Consent> {
        self.0.email_consent.clone().map(Consent::from)
    }
    /// The language that the person is written to in; null for the company's own.
    async fn locale(&self) -> Option<&str> {
        self.0.locale.as_deref()
    }
    /// How many bookings the person has asked for, whatever became of them.
    async fn booking_count(&self) -> i32 {
        i32::try_from(self.0.booking_count).unwrap_or(i32::MAX)
    }
}

connection!(
    CustomerConnection,
    CustomerEdge,
    Customer,
    "Customers, the newest first."
);

/// Questions about customers.
#[derive(Default)]
pub(super) struct CustomerQuery;

#[Object]
impl CustomerQuery {
    /// A customer; null for one that is not there. Needs customer:read.
    async fn customer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Opaque id of a customer.")] id: ID,
        #[graphql(desc = "As of a time in the past: the same answer for ever.")] as_of: Option<AsOf>,
    ) -> Result<Option<Customer>> {
        let Some(id) = local::<CustomerId>(&id) else {
            return Ok(None);
        };
        let at = at(ctx, as_of, None).await?;
        let found = customer_list::one(views(ctx), viewer(ctx)?, id, at)
            .await
            .map_err(unread)?;
        Ok(found.value.map(Customer))
    }

    /// Customers, the newest first; `search` finds one by the whole e-mail address. Needs customer:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn customers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(
            desc = "A whole e-mail address. Not with `asOf`: an address that was erased finds nobody any more."
        )]
        search: Option<String>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<CustomerConnection> {
        let (views, viewer) = (views(ctx), viewer(ctx)?);
        if search.is_some() && as_of.is_some() {
            return Err(coded(
                "BAD_USER_INPUT",
                "search and asOf exclude each other: an address that was erased finds nobody any more",
            ));
        }
        let at = at(ctx, as_of, fresh).await?;
        let mut filter = CustomerFilter::default();
        if let Some(search) = search {
            let email = fold_email(&search).map_err(|error| coded("BAD_USER_INPUT", error.to_string()))?;
            let key = app(ctx)
                .vault
                .index_key(viewer.tenant, CUSTOMER_EMAIL, &email)
                .await;
            filter.email_key = Some(key.map_err(|error| fault("UNAVAILABLE", &error))?);
        }
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = customer_list::page(views, viewer, filter.clone(), slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone(), filter),
            move |(views, viewer, filter)| async move { customer_list::count(&views, &viewer, filter, at).await },
        );
        Ok(CustomerConnection::new(page, previous, counter, Customer))
    }
}

/// Which customer to erase, and why.
#[derive(InputObject)]
pub(super) struct CustomerEraseInput {
    /// The client's own name for this command: sent again, it gives the same result.
    idempotency_key: ID,
    /// The customer.
    customer_id: ID,
    /// The version that was seen; null to erase whatever it is.
    expected_version: Option<i32>,
    /// Why, in 10 to 500 characters. Stays in the log for ever: no personal data.
    reason: String,
}

payload!(CustomerPayload, customer: Customer);

impl CustomerPayload {
    async fn of(
        ctx: &Context<'_>,
        id: CustomerId,
        done: std::result::Result<Written, CommandError>,
    ) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        let at = read_after(written.position);
        let found = customer_list::one(views(ctx), viewer(ctx)?, id, at)
            .await
            .map_err(unread)?;
        Ok(Self::written(found.value.map(Customer), &written))
    }
}

/// Commands on customers.
#[derive(Default)]
pub(super) struct CustomerMutation;

#[Object]
impl CustomerMutation {
    /// Erases a customer's data for good, wherever it is: name, e-mail, phone, addresses, notes and leads. Nobody
    /// can read them any more, past answers included. Needs customer:erase.
    async fn customer_erase(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: CustomerEraseInput,
    ) -> Result<CustomerPayload> {
        let caller = caller(ctx)?;
        let Some(customer_id) = local::<CustomerId>(&input.customer_id) else {
            let refused = UserError::not_found("customerId", "customer");
            return Ok(CustomerPayload::refused(refused));
        };
        let ask = CustomerErase {
            customer_id,
            expected_version: input.expected_version.map(i64::from),
            reason: input.reason,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.erase_customer(caller, key, ask)
        })
        .await;
        CustomerPayload::of(ctx, customer_id, done).await
    }
}
