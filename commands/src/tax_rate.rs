//! Setting tax rates.

use domain::access::Permission;
use domain::decider::Decider;
use domain::tax_rate::{CountyRates, TaxRateCommand, TaxRateSet};

use crate::execute::{Plan, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

impl Commands {
    /// Sets the rate of a jurisdiction; an open rate before it ends the day before.
    ///
    /// # Errors
    /// A refusal when the rate cannot be or another is in force on one of its days.
    pub async fn set_tax_rate(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        set: TaxRateSet,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::TaxWrite)?;
            this.run(&caller, &key, "tax_rate_set", &set, || async {
                let id = CountyRates::stream_key(&set.jurisdiction.state, &set.jurisdiction.county);
                let loaded = this.load::<CountyRates>(&caller, &id).await?;
                let events = loaded
                    .state
                    .decide(TaxRateCommand::Set(set.clone()))
                    .map_err(CommandError::refused)?;
                Ok(Plan::default().write::<CountyRates>(&this, id, loaded.version, events))
            })
            .await
        })
        .await
    }
}
