//! Setting up a company.

use domain::access::Permission;
use domain::decider::Decider;
use domain::ids::TenantId;
use domain::money::Cents;
use domain::organisation::{Organisation, OrganisationCommand, OrganisationCreated};

use crate::execute::{Plan, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

impl Commands {
    /// Lets a company join the platform: its place in the directory of organisations and its first event.
    ///
    /// # Errors
    /// A refusal for an unusable name or slug; [`CommandError::Unavailable`] when the slug is taken or the
    /// log is out of reach.
    pub async fn create_organisation(
        &self,
        caller: Caller,
        created: OrganisationCreated,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::UserWrite)?;
            let key = IdempotencyKey::of_reaction("organisation_create", &caller.tenant.to_string());
            let checked = Organisation::default().decide(OrganisationCommand::Create(created.clone()));
            checked.map_err(CommandError::refused)?;
            this.log
                .database()
                .create_organisation(caller.tenant, &created.slug, &created.name)
                .await?;
            this.run(&caller, &key, "organisation_create", &created, || {
                this.plan_organisation(&caller, OrganisationCommand::Create(created.clone()))
            })
            .await
        })
        .await
    }

    /// Sets how much of one payment support staff may give back.
    ///
    /// # Errors
    /// `INVALID_AMOUNT`.
    pub async fn set_refund_limit(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        limit_cents: Cents,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PaymentVoid)?;
            this.run(&caller, &key, "refund_limit_set", &limit_cents, || {
                let command = OrganisationCommand::SetRefundLimit {
                    limit_cents,
                    now: this.ports.now(),
                };
                this.plan_organisation(&caller, command)
            })
            .await
        })
        .await
    }

    /// What comes of a command to the caller's company.
    pub(crate) async fn plan_organisation(
        &self,
        caller: &Caller,
        command: OrganisationCommand,
    ) -> Result<Plan, CommandError> {
        let id = organisation_id(caller.tenant);
        let loaded = self.load::<Organisation>(caller, &id).await?;
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(Plan::default().write::<Organisation>(self, id, loaded.version, events))
    }
}

/// Id of the company's own stream.
pub(crate) fn organisation_id(tenant: TenantId) -> String {
    tenant.to_string()
}
