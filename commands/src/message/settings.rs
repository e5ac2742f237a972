//! How a company writes to its customers.

use domain::access::Permission;
use domain::decider::Decider;
use domain::message_settings::MessageSettings;
use domain::organisation::{Organisation, OrganisationCommand};

use crate::execute::{Plan, Written, to_the_end};
use crate::organisation::organisation_id;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

impl Commands {
    /// Changes how the company writes to its customers.
    ///
    /// # Errors
    /// `INVALID_QUIET_HOURS`, `INVALID_URL`, `UNCHANGED`.
    pub async fn change_message_settings(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        settings: MessageSettings,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::TemplateWrite)?;
            this.run(&caller, &key, "message_settings_change", &settings, || async {
                let id = organisation_id(caller.tenant);
                let loaded = this.load::<Organisation>(&caller, &id).await?;
                let command = OrganisationCommand::ChangeMessageSettings {
                    settings: settings.clone(),
                    now: this.ports.now(),
                };
                let events = loaded.state.decide(command).map_err(CommandError::refused)?;
                Ok(Plan::default().write::<Organisation>(&this, id, loaded.version, events))
            })
            .await
        })
        .await
    }

    /// How the company writes to its customers.
    ///
    /// # Errors
    /// When the log is out of reach, or the caller may not see messages.
    pub async fn message_settings(&self, caller: &Caller) -> Result<MessageSettings, CommandError> {
        caller.require(Permission::MessageRead)?;
        self.messages_of(caller).await
    }
}
