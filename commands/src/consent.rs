//! What customers agree to be written by.

use domain::access::Permission;
use domain::customer::{ConsentChannel, Customer, CustomerCommand};
use domain::decider::Decider;
use domain::ids::CustomerId;
use serde::Serialize;

use crate::execute::{Plan, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// What a customer says of being written to by a channel.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerConsentSet {
    /// Who.
    pub customer_id: CustomerId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// By which channel.
    pub channel: ConsentChannel,
    /// Version of the text that they agree to; none where they do not agree any more.
    pub text_version: Option<String>,
    /// Where they say so, as a word: `staff`, `web_form`.
    pub through: String,
}

impl Commands {
    /// Keeps what a customer says of being written to.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CUSTOMER_ERASED`, `UNCHANGED`, `INVALID_TEXT_VERSION`, `INVALID_THROUGH`.
    pub async fn set_customer_consent(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: CustomerConsentSet,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::CustomerWrite)?;
            this.run(&caller, &key, "customer_consent_set", &ask, || {
                this.plan_consent(&caller, &ask)
            })
            .await
        })
        .await
    }

    async fn plan_consent(&self, caller: &Caller, ask: &CustomerConsentSet) -> Result<Plan, CommandError> {
        let loaded = self
            .load_customer(caller, ask.customer_id, ask.expected_version)
            .await?;
        let command = CustomerCommand::SetConsent {
            channel: ask.channel,
            text_version: ask.text_version.clone(),
            through: ask.through.clone(),
            now: self.ports.now(),
        };
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        let id = ask.customer_id.to_string();
        Ok(Plan::default().write::<Customer>(self, id, loaded.version, events))
    }
}
