//! Creating users. What proves who they are (passwords) is kept by the API, never in the log.

use domain::access::{Permission, Role, StationScope};
use domain::customer::fold_email;
use domain::decider::Decider;
use domain::envelope::{StreamId, Version};
use domain::ids::{SubjectId, TenantId, UserId};
use domain::user::{USER_EMAIL, User, UserCommand, UserCreated, UserError};

use crate::execute::{Plan, UNIQUE, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

impl Commands {
    /// Lets a person of the company sign in with an e-mail.
    ///
    /// # Errors
    /// A refusal when the address cannot be or is taken, or the role may not.
    pub async fn create_user(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        email: String,
        role: Role,
        stations: StationScope,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::UserWrite)?;
            let email = fold_email(&email).map_err(|_| CommandError::refused(UserError::BadEmail))?;
            let id = UserId(this.ports.id());
            this.run(&caller, &key, "user_create", &(&email, role, &stations), || {
                this.plan_user(&caller, id, &email, role, &stations)
            })
            .await
        })
        .await
    }

    async fn plan_user(
        &self,
        caller: &Caller,
        id: UserId,
        email: &str,
        role: Role,
        stations: &StationScope,
    ) -> Result<Plan, CommandError> {
        let stream = StreamId::new(User::STREAM, id.to_string());
        let created = UserCreated {
            email: self
                .vault
                .seal(caller.tenant, SubjectId(id.0), &stream, "email", email)
                .await?,
            email_key: self.vault.index_key(caller.tenant, USER_EMAIL, email).await?,
            role,
            stations: stations.clone(),
        };
        let events = User::default()
            .decide(UserCommand::Create(created))
            .map_err(CommandError::refused)?;
        Ok(Plan::default()
            .write::<User>(self, id.to_string(), Version(0), events)
            .on_refused_claim(UNIQUE, UserError::EmailTaken))
    }

    /// The user of an e-mail, for sign-in: id and what the user is. None where there is none.
    ///
    /// # Errors
    /// When the log is out of reach or holds what cannot be read.
    pub async fn user_by_email(
        &self,
        tenant: TenantId,
        email: &str,
    ) -> Result<Option<(UserId, UserCreated)>, CommandError> {
        let Ok(email) = fold_email(email) else {
            return Ok(None);
        };
        let key = self.vault.index_key(tenant, USER_EMAIL, &email).await?;
        let Some(holder) = self.log.unique_holder(tenant, USER_EMAIL, &key).await? else {
            return Ok(None);
        };
        let Ok(id) = holder.id.parse::<UserId>() else {
            return Ok(None);
        };
        Ok(self.user(tenant, id).await?.map(|user| (id, user)))
    }

    /// What a user is; none where there is no such user.
    ///
    /// # Errors
    /// When the log is out of reach or holds what cannot be read.
    pub async fn user(&self, tenant: TenantId, id: UserId) -> Result<Option<UserCreated>, CommandError> {
        let caller = Caller::system(tenant, "sign-in");
        Ok(self
            .load::<User>(&caller, &id.to_string())
            .await?
            .state
            .created()
            .cloned())
    }
}
