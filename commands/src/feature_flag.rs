//! Feature flags: the one place where it is asked whether something of the product is in.

use domain::access::Permission;
use domain::feature_flag::FeatureFlag;
use domain::ids::TenantId;
use domain::money::RatePpm;
use domain::organisation::{FlagState, Organisation, OrganisationCommand};

use crate::execute::{Written, to_the_end};
use crate::organisation::organisation_id;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

impl Commands {
    /// Says for how large a share of the company's customers, in millionths, something of the product is in. It counts from the
    /// next command on, in every program.
    ///
    /// # Errors
    /// `UNCHANGED`, `INVALID_REASON`, or when the role may not.
    pub async fn set_feature_flag(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        flag: FeatureFlag,
        share: RatePpm,
        reason: String,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::FlagWrite)?;
            let asked = (flag, share, &reason);
            this.run(&caller, &key, "feature_flag_set", &asked, || {
                let command = OrganisationCommand::SetFeatureFlag {
                    flag,
                    share,
                    reason: reason.clone(),
                    now: this.ports.now(),
                };
                this.plan_organisation(&caller, command)
            })
            .await
        })
        .await
    }

    /// How far a company is let into each thing that has a flag; none where it was never set, and all of it is in.
    ///
    /// # Errors
    /// When the log is out of reach or holds what cannot be read.
    pub async fn feature_flags(
        &self,
        tenant: TenantId,
    ) -> Result<Vec<(FeatureFlag, Option<FlagState>)>, CommandError> {
        let caller = Caller::system(tenant, "feature-flags");
        let company = self
            .load::<Organisation>(&caller, &organisation_id(tenant))
            .await?;
        let flags = FeatureFlag::ALL.into_iter();
        Ok(flags.map(|flag| (flag, company.state.flag(flag))).collect())
    }

    /// Whether something of the product is in for a key: what the flag is counted by.
    ///
    /// # Errors
    /// When the log is out of reach or holds what cannot be read.
    pub(crate) async fn is_in(
        &self,
        caller: &Caller,
        flag: FeatureFlag,
        key: &str,
    ) -> Result<bool, CommandError> {
        let id = organisation_id(caller.tenant);
        let company = self.load::<Organisation>(caller, &id).await?;
        Ok(company.state.is_in(flag, key))
    }
}
