//! Feature flags: into what of the product the company is let, and for how large a share of its customers.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use domain::feature_flag::{FeatureFlag as Flag, USUAL_SHARE};
use domain::money::RatePpm;
use domain::organisation::FlagState;

use super::connection::payload;
use super::error::{UserError, outcome, refused_question};
use super::scalar::Decimal;
use super::session::{app, caller, under_key, viewer};

/// Something of the product that can be let in for a share of the company's customers.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Flag")]
pub(super) enum FeatureFlag {
    /// The assistant answers customers. Counted by conversation: in one that is out, a person is called for.
    AssistantAnswers,
    /// A customer is asked for a review without a person's doing, a day after their party. Counted by booking.
    ReviewRequests,
}

/// How far the company is let into something.
#[derive(Clone, Description)]
pub(super) struct FeatureFlagSetting {
    flag: Flag,
    state: Option<FlagState>,
}

#[Object(use_type_description)]
impl FeatureFlagSetting {
    /// Into what.
    async fn flag(&self) -> FeatureFlag {
        self.flag.into()
    }
    /// For how large a share of what the flag counts by, as a fraction: `0` is nothing, `0.25` a quarter, `1` all of it. The same
    /// conversation or booking stays in when the share grows.
    async fn share(&self) -> Decimal {
        self.state.map_or(USUAL_SHARE, |state| state.share).into()
    }
    /// Since when; null where it was never set, and all of it is in.
    async fn set_at(&self) -> Option<DateTime<Utc>> {
        self.state.map(|state| state.set_at)
    }
}

/// For how large a share something is to be in.
#[derive(InputObject)]
pub(super) struct FeatureFlagSetInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// What.
    flag: FeatureFlag,
    /// The share as a fraction from `0`, nothing, to `1`, all of it, with at most six places.
    share: Decimal,
    /// Why; 3 to 500 characters, and nobody's personal data.
    reason: String,
}

payload!(FeatureFlagPayload, feature_flag: FeatureFlagSetting);

/// Questions about flags.
#[derive(Default)]
pub(super) struct FeatureFlagQuery;

#[Object]
impl FeatureFlagQuery {
    /// How far the company is let into each thing that has a flag. Whoever is signed in may ask.
    async fn feature_flags(&self, ctx: &Context<'_>) -> Result<Vec<FeatureFlagSetting>> {
        let tenant = viewer(ctx)?.tenant;
        settings(ctx, tenant).await
    }
}

/// Commands about flags.
#[derive(Default)]
pub(super) struct FeatureFlagMutation;

#[Object]
impl FeatureFlagMutation {
    /// Says for how large a share of the company's customers something is in. It counts from the next command on. Needs
    /// flag:write.
    async fn feature_flag_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: FeatureFlagSetInput,
    ) -> Result<FeatureFlagPayload> {
        let caller = caller(ctx)?;
        let tenant = caller.tenant;
        let flag = Flag::from(input.flag);
        let share = match RatePpm::parse(&input.share.0) {
            Ok(share) => share,
            Err(bad) => {
                let refused = UserError::new("INVALID_SHARE", &["share"], bad.to_string());
                return Ok(FeatureFlagPayload::refused(refused));
            }
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx)
                .commands
                .set_feature_flag(caller, key, flag, share, input.reason)
        })
        .await;
        match outcome(done)? {
            Ok(written) => {
                let mut now = settings(ctx, tenant).await?.into_iter();
                let now = now.find(|setting| setting.flag == flag);
                Ok(FeatureFlagPayload::written(now, &written))
            }
            Err(refused) => Ok(FeatureFlagPayload::refused(refused)),
        }
    }
}

async fn settings(ctx: &Context<'_>, tenant: domain::ids::TenantId) -> Result<Vec<FeatureFlagSetting>> {
    let flags = app(ctx).commands.feature_flags(tenant).await;
    let flags = flags.map_err(refused_question)?.into_iter();
    Ok(flags
        .map(|(flag, state)| FeatureFlagSetting { flag, state })
        .collect())
}
