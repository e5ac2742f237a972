//! How a company writes to its customers.

use domain::access::Permission;
use domain::message_settings::MessageSettings;
use domain::organisation::OrganisationCommand;

use crate::execute::{Written, to_the_end};
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
            this.run(&caller, &key, "message_settings_change", &settings, || {
                let command = OrganisationCommand::ChangeMessageSettings {
                    settings: settings.clone(),
                    now: this.ports.now(),
                };
                this.plan_organisation(&caller, command)
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
