//! Reactions that one alone gives for a while.

use domain::ids::TenantId;
use uuid::Uuid;

use super::{POLICIES, PolicyError, RELAY};
use crate::Commands;

impl Commands {
    /// The same commands, whose reactions nobody else gives and whose jobs nobody else does meanwhile: for a simulated clock
    /// beside a program that goes by the real one. Ends with [`Self::release_policies`], or half a minute after the last
    /// reaction; who was interrupted is told by [`Self::policies_are_held`].
    #[must_use]
    pub fn holding_policies(&self, holder: Uuid) -> Self {
        Self {
            policies_holder: Some(holder),
            ..self.clone()
        }
    }

    /// Lets nobody else react for half a minute, where these commands are to hold policies.
    ///
    /// # Errors
    /// [`PolicyError`] when the database is out of reach.
    pub async fn hold_policies(&self, tenant: TenantId) -> Result<(), PolicyError> {
        match self.policies_holder {
            Some(holder) => self.set_holder(tenant, Some(holder)).await,
            None => Ok(()),
        }
    }

    /// Lets others react again.
    ///
    /// # Errors
    /// [`PolicyError`] when the database is out of reach.
    pub async fn release_policies(&self, tenant: TenantId) -> Result<(), PolicyError> {
        self.set_holder(tenant, None).await
    }

    /// Whether the holder of these commands was the last to hold the company's policies and has not released them, however
    /// long ago that was: it is at work, or was interrupted.
    ///
    /// # Errors
    /// [`PolicyError`] when the database is out of reach.
    pub async fn policies_are_held(&self, tenant: TenantId) -> Result<bool, PolicyError> {
        let mut tx = self.log().database().begin_read(tenant).await?;
        let held = sqlx::query_scalar(
            "select exists (select from policy_checkpoints where tenant_id = $1 and held_by = $2)",
        )
        .bind(tenant.0)
        .bind(self.policies_holder)
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(held)
    }

    /// Reserves every policy and the relay of jobs for a holder, or for nobody any more. What is reserved for most of the time
    /// already is left as it is.
    async fn set_holder(&self, tenant: TenantId, holder: Option<Uuid>) -> Result<(), PolicyError> {
        let names: Vec<&str> = POLICIES.iter().copied().chain([RELAY]).collect();
        let mut tx = self.log().database().begin(tenant).await?;
        sqlx::query(
            "insert into policy_checkpoints (tenant_id, policy, held_by, held_until)
             select $1, name, $3, clock_timestamp() + interval '30 seconds' from unnest($2::text[]) name
             where not exists (
                 select from policy_checkpoints c
                 where c.tenant_id = $1 and c.policy = name and c.held_by = $3
                     and c.held_until > clock_timestamp() + interval '20 seconds'
             )
             on conflict (tenant_id, policy)
             do update set held_by = excluded.held_by, held_until = excluded.held_until",
        )
        .bind(tenant.0)
        .bind(names)
        .bind(holder)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}
