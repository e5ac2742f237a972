//! Users: who they are and what they may do. What proves who they are (passwords, second factors, where they are signed
//! in) is kept by the API, never in the log.

mod api_key;
mod people;

use domain::access::{Permission, Role, StationScope};
use domain::customer::fold_email;
use domain::decider::Decider;
use domain::envelope::{ActorKind, StreamId, Version};
use domain::ids::{SubjectId, TenantId, UserId};
use domain::organisation::{Organisation, OrganisationCommand, SecondFactorRule};
use domain::station::Station;
use domain::user::{USER_EMAIL, User, UserCommand, UserCreated, UserError, UserNote};
use serde::Serialize;
use uuid::Uuid;

use crate::execute::{Plan, UNIQUE, Written, to_the_end};
use crate::load::Loaded;
use crate::organisation::organisation_id;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

pub use api_key::{ApiKeyCreate, ApiKeyRevoke};
pub use people::{UserDeactivate, UserReactivate, UserRoleChange, UserUnlock};

/// Something that happened to how a person signs in, to be noted in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteOfUser {
    /// Whom it is about.
    pub user_id: UserId,
    /// What it was asked as.
    pub operation: &'static str,
    /// What whoever asks must be able to do; none for what people do to themselves.
    pub needs: Option<Permission>,
    /// What happened.
    pub note: UserNote,
}

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
        self.expect_stations(caller, stations).await?;
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

    /// Refuses stations that the company has not.
    async fn expect_stations(&self, caller: &Caller, scope: &StationScope) -> Result<(), CommandError> {
        for station in scope.only().into_iter().flatten() {
            let loaded = self.load::<Station>(caller, &station.to_string()).await?;
            if loaded.state.opened().is_none() {
                return Err(CommandError::refused(UserError::StationNotFound));
            }
        }
        Ok(())
    }

    /// Notes what happened to how a person signs in: whoever calls has done it, or is about to.
    ///
    /// # Errors
    /// `NOT_FOUND`, or when the role may not.
    pub async fn note_of_user(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: NoteOfUser,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            let NoteOfUser {
                user_id,
                operation,
                needs,
                note,
            } = ask;
            if let Some(permission) = needs {
                caller.require(permission)?;
            }
            // The same under one key however often it is asked, and whenever: the instants in it do not count.
            this.run(&caller, &key, operation, &user_id, || async {
                let loaded = this.load::<User>(&caller, &user_id.to_string()).await?;
                this.plan_of_user(user_id, &loaded, UserCommand::Note(note.clone()))
            })
            .await
        })
        .await
    }

    /// Says whether the company's people need a second factor to sign in.
    ///
    /// # Errors
    /// `UNCHANGED`, or when the role may not.
    pub async fn set_second_factor_rule(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        rule: SecondFactorRule,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::UserWrite)?;
            this.run(&caller, &key, "second_factor_rule_set", &rule, || {
                let command = OrganisationCommand::SetSecondFactorRule {
                    rule,
                    now: this.ports.now(),
                };
                this.plan_organisation(&caller, command)
            })
            .await
        })
        .await
    }

    /// Whether the company's people need a second factor to sign in.
    ///
    /// # Errors
    /// When the log is out of reach or holds what cannot be read.
    pub async fn second_factor_rule(&self, tenant: TenantId) -> Result<SecondFactorRule, CommandError> {
        let caller = Caller::system(tenant, "sign-in");
        let loaded = self
            .load::<Organisation>(&caller, &organisation_id(tenant))
            .await?;
        Ok(loaded.state.second_factor())
    }

    /// The user of an e-mail, for sign-in: id and what the user is. None where there is none who may sign in.
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

    /// What a user is; none where there is no such user, or they may sign in no more.
    ///
    /// # Errors
    /// When the log is out of reach or holds what cannot be read.
    pub async fn user(&self, tenant: TenantId, id: UserId) -> Result<Option<UserCreated>, CommandError> {
        Ok(self.user_record(tenant, id).await?.active().cloned())
    }

    /// All that the log tells of a user; nothing of one who is not there.
    ///
    /// # Errors
    /// When the log is out of reach or holds what cannot be read.
    pub async fn user_record(&self, tenant: TenantId, id: UserId) -> Result<User, CommandError> {
        let caller = Caller::system(tenant, "sign-in");
        Ok(self.load::<User>(&caller, &id.to_string()).await?.state)
    }

    /// A new id, from the same source as all others.
    pub fn new_id(&self) -> Uuid {
        self.ports.id()
    }

    /// Runs a command on a user's record.
    async fn run_on_user<B: Serialize + Sync>(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        operation: &'static str,
        body: &B,
        ask: OfUser<impl Fn() -> UserCommand>,
    ) -> Result<Written, CommandError> {
        self.run(caller, key, operation, body, || async {
            let loaded = self.load::<User>(caller, &ask.user_id.to_string()).await?;
            loaded.expect(ask.expected_version)?;
            self.plan_of_user(ask.user_id, &loaded, (ask.command)())
        })
        .await
    }

    fn plan_of_user(
        &self,
        user: UserId,
        loaded: &Loaded<User>,
        command: UserCommand,
    ) -> Result<Plan, CommandError> {
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(Plan::default().write::<User>(self, user.to_string(), loaded.version, events))
    }
}

/// What is asked of a user's record, and at which version.
struct OfUser<F> {
    user_id: UserId,
    expected_version: Option<i64>,
    command: F,
}

/// The person who gives a command; none for the operator and the program.
fn person(caller: &Caller) -> Option<UserId> {
    let is_person = caller.actor.kind == ActorKind::User;
    is_person.then(|| caller.actor.id.parse().ok()).flatten()
}
