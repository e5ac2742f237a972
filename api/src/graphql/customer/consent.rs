//! What customers agree to be written by.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::CustomerConsentSet;
use domain::customer::{Consent as DomainConsent, ConsentChannel as DomainChannel};
use domain::ids::CustomerId;

use super::CustomerPayload;
use crate::graphql::error::UserError;
use crate::graphql::id::local;
use crate::graphql::session::{app, caller, under_key};

/// A way of writing to a customer that has a consent of its own.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainChannel")]
pub(in crate::graphql) enum ConsentChannel {
    /// Text messages, by whatever service.
    Sms,
    /// E-mail.
    Email,
}

/// That a customer agreed to be written to.
#[derive(Clone, SimpleObject)]
pub(in crate::graphql) struct Consent {
    /// When.
    given_at: DateTime<Utc>,
    /// Where they did, as a word: `booking_request`.
    given_through: String,
    /// Version of the text that they saw.
    text_version: String,
}

impl From<DomainConsent> for Consent {
    fn from(consent: DomainConsent) -> Self {
        Self {
            given_at: consent.given_at,
            given_through: consent.given_through,
            text_version: consent.text_version,
        }
    }
}

/// What a customer says of being written to.
#[derive(InputObject)]
pub(in crate::graphql) struct CustomerConsentSetInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Who.
    customer_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// By which channel.
    channel: ConsentChannel,
    /// Version of the text that they agree to, 1 to 60 characters; null where they do not agree any more.
    text_version: Option<String>,
    /// Where they say so: a word of 1 to 40 lower-case letters, digits and underscores.
    #[graphql(default_with = "\"staff\".to_owned()")]
    through: String,
}

/// Commands on what customers agree to.
#[derive(Default)]
pub(in crate::graphql) struct ConsentMutation;

#[Object]
impl ConsentMutation {
    /// Keeps that a customer agrees to be written to by a channel, or does not any more. Needs customer:write.
    async fn customer_consent_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: CustomerConsentSetInput,
    ) -> Result<CustomerPayload> {
        let caller = caller(ctx)?;
        let Some(customer_id) = local::<CustomerId>(&input.customer_id) else {
            let refused = UserError::not_found("customerId", "customer");
            return Ok(CustomerPayload::refused(refused));
        };
        let ask = CustomerConsentSet {
            customer_id,
            expected_version: input.expected_version.map(i64::from),
            channel: input.channel.into(),
            text_version: input.text_version,
            through: input.through,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.set_customer_consent(caller, key, ask)
        })
        .await;
        CustomerPayload::of(ctx, customer_id, done).await
    }
}
