//! Registering chefs.

use domain::access::Permission;
use domain::chef::{Chef, ChefCommand, ChefRegistered};
use domain::decider::Decider;
use domain::envelope::{StreamId, Version};
use domain::ids::{ChefId, SubjectId};

use crate::execute::{Plan, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

impl Commands {
    /// Makes a chef known to the company; the name is sealed.
    ///
    /// # Errors
    /// A refusal when the role may not, or the log is out of reach.
    pub async fn register_chef(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        name: String,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::StationWrite)?;
            let id = ChefId(this.ports.id());
            this.run(&caller, &key, "chef_register", &name, || {
                this.plan_chef(&caller, id, &name)
            })
            .await
        })
        .await
    }

    async fn plan_chef(&self, caller: &Caller, id: ChefId, name: &str) -> Result<Plan, CommandError> {
        let stream = StreamId::new(Chef::STREAM, id.to_string());
        let name = self
            .vault
            .seal(caller.tenant, SubjectId(id.0), &stream, "name", name)
            .await?;
        let register = ChefCommand::Register(ChefRegistered { name });
        let events = Chef::default().decide(register).map_err(CommandError::refused)?;
        Ok(Plan::default().write::<Chef>(self, id.to_string(), Version(0), events))
    }
}
