//! For how long a company keeps personal data of leads.

use domain::access::Permission;
use domain::customer::DestroyedKey;
use domain::ids::{LeadId, SubjectId};
use domain::lead::{LeadCommand, LeadError};
use domain::organisation::{Organisation, OrganisationCommand};
use event_log::SubjectKey;

use crate::execute::{Written, to_the_end};
use crate::organisation::organisation_id;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

impl Commands {
    /// Sets for how many months personal data of leads is kept.
    ///
    /// # Errors
    /// `INVALID_WINDOW`.
    pub async fn set_lead_window(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        months: u32,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::StationWrite)?;
            this.run(&caller, &key, "lead_window_set", &months, || {
                let command = OrganisationCommand::SetLeadWindow {
                    months,
                    now: this.ports.now(),
                };
                this.plan_organisation(&caller, command)
            })
            .await
        })
        .await
    }

    /// For how many months a company keeps personal data of leads.
    ///
    /// # Errors
    /// When the log is out of reach, or the caller may not see leads.
    pub async fn lead_window(&self, caller: &Caller) -> Result<u32, CommandError> {
        caller.require(Permission::LeadRead)?;
        let company = self
            .load::<Organisation>(caller, &organisation_id(caller.tenant))
            .await?;
        Ok(company.state.lead_months())
    }

    /// Erases a lead's personal data, if its time is over by the company's setting of now.
    pub(crate) async fn purge_lead(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: LeadId,
    ) -> Result<Written, CommandError> {
        self.run(&caller, &key, "lead_purge", &id, || async {
            let loaded = self.load_lead(&caller, id).await?;
            let subject = SubjectId(id.0);
            let keys = self.vault.subject_keys(caller.tenant, &[subject]).await?;
            let key_id = match keys.get(&subject) {
                Some(SubjectKey::Living(key)) => Some(key.to_string()),
                // Gone with the customer that they became.
                Some(SubjectKey::Destroyed { .. }) => return Err(CommandError::refused(LeadError::Purged)),
                None => None,
            };
            let company = self
                .load::<Organisation>(&caller, &organisation_id(caller.tenant))
                .await?;
            let purge = LeadCommand::Purge {
                destroyed: DestroyedKey { subject, key_id },
                months: company.state.lead_months(),
                now: self.ports.now(),
            };
            self.plan_on_lead(id, &loaded, purge)
        })
        .await
    }
}
