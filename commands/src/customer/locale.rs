//! In which language a customer is written to.

use domain::access::Permission;
use domain::customer::{Customer, CustomerCommand};
use domain::decider::Decider;
use domain::ids::CustomerId;
use domain::locale::Locale;
use serde::Serialize;

use crate::execute::{Plan, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// The language that a customer wants to be written to in.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerLocaleChange {
    /// Who.
    pub customer_id: CustomerId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Which; the company's own where absent.
    pub locale: Option<Locale>,
}

impl Commands {
    /// Writes to a customer in a language from now on, where there are words in it.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CUSTOMER_ERASED`, `UNCHANGED`.
    pub async fn set_customer_locale(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: CustomerLocaleChange,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::CustomerWrite)?;
            this.run(&caller, &key, "customer_locale_set", &ask, || async {
                let loaded = this
                    .load_customer(&caller, ask.customer_id, ask.expected_version)
                    .await?;
                let command = CustomerCommand::SetLocale {
                    locale: ask.locale.clone(),
                    now: this.ports.now(),
                };
                let events = loaded.state.decide(command).map_err(CommandError::refused)?;
                let id = ask.customer_id.to_string();
                Ok(Plan::default().write::<Customer>(&this, id, loaded.version, events))
            })
            .await
        })
        .await
    }

    /// The languages that a customer is written to in, the first first: their own, then the company's.
    pub(crate) async fn languages_of(
        &self,
        caller: &Caller,
        id: CustomerId,
        company: &Locale,
    ) -> Result<Vec<Locale>, CommandError> {
        let customer = self.load::<Customer>(caller, &id.to_string()).await?;
        let own = customer.state.locale().cloned();
        Ok(own.into_iter().chain([company.clone()]).collect())
    }
}
