//! Registering chefs, and saying when each of them works.

mod reassignment;
mod stations;

use domain::access::Permission;
use domain::access::{Role, StationScope};
use domain::chef::{Chef, ChefCommand, ChefError, ChefRegistered, ChefSkillsSet};
use domain::decider::Decider;
use domain::envelope::{ActorKind, StreamId, Version};
use domain::ids::{ChefId, StationId, SubjectId, UserId};
use domain::station::{Station, StationChefJoined, StationCommand, StationError};
use domain::user::User;
use serde::Serialize;

use crate::execute::{Plan, UNIQUE, Written, to_the_end};
use crate::load::Loaded;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// Somebody who is to cook for the company.
#[derive(Debug, Clone, Serialize)]
pub struct ChefRegister {
    /// Name; 1 to 120 characters. Sealed.
    pub name: String,
    /// The stations that the chef works at; at least one.
    pub stations: Vec<StationId>,
    /// What the chef can do.
    pub skills: Vec<String>,
    /// The user that the chef signs in as, if any.
    pub user_id: Option<UserId>,
}

/// A command about a chef who is known.
#[derive(Debug, Clone, Serialize)]
pub struct ChefChange {
    /// The chef.
    pub chef_id: ChefId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// What is asked of the chef's record.
    pub command: ChefCommand,
}

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
        let register = ChefCommand::Register(ChefRegistered { name, user_id: None });
        let events = Chef::default().decide(register).map_err(CommandError::refused)?;
        Ok(Plan::default().write::<Chef>(self, id.to_string(), Version(0), events))
    }

    /// Makes a chef known who works at stations from now on.
    ///
    /// # Errors
    /// `INVALID_NAME`, `INVALID_SKILLS`, `USER_TAKEN`, `NOT_FOUND` for a station or user that is not there.
    pub async fn add_chef(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: ChefRegister,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::ChefWrite)?;
            let id = ChefId(this.ports.id());
            this.run(&caller, &key, "chef_add", &ask, || {
                this.plan_new_chef(&caller, id, &ask)
            })
            .await
        })
        .await
    }

    async fn plan_new_chef(
        &self,
        caller: &Caller,
        id: ChefId,
        ask: &ChefRegister,
    ) -> Result<Plan, CommandError> {
        let name = ask.name.trim();
        if !(1..=120).contains(&name.chars().count()) {
            return Err(CommandError::refused(ChefError::BadName));
        }
        if let Some(user) = ask.user_id {
            let user = self.load::<User>(caller, &user.to_string()).await?;
            if user.state.created().is_none() {
                return Err(CommandError::refused(ChefError::UserNotFound));
            }
        }
        if ask.stations.is_empty() {
            return Err(CommandError::refused(StationError::NotFound));
        }
        let stream = StreamId::new(Chef::STREAM, id.to_string());
        let subject = SubjectId(id.0);
        let name = self
            .vault
            .seal(caller.tenant, subject, &stream, "name", name)
            .await?;
        let mut chef = Chef::default();
        let mut events = Vec::new();
        for command in [
            ChefCommand::Register(ChefRegistered {
                name,
                user_id: ask.user_id,
            }),
            ChefCommand::SetSkills(ChefSkillsSet {
                skills: ask.skills.clone(),
                before: None,
            }),
        ] {
            let decided = chef.decide(command).map_err(CommandError::refused)?;
            decided.iter().for_each(|event| chef.evolve(event));
            events.extend(decided);
        }
        let mut plan = Plan::default().write::<Chef>(self, id.to_string(), Version(0), events);
        for station in ask.stations.iter().collect::<std::collections::BTreeSet<_>>() {
            caller.reach(*station, StationError::NotFound.into())?;
            let loaded = self.load::<Station>(caller, &station.to_string()).await?;
            let joined = StationCommand::JoinChef(StationChefJoined {
                chef_id: id,
                counted_at: None,
            });
            let events = loaded.state.decide(joined).map_err(CommandError::refused)?;
            plan = plan.write::<Station>(self, station.to_string(), loaded.version, events);
        }
        Ok(plan.on_refused_claim(UNIQUE, ChefError::UserTaken))
    }

    /// Changes what is known of a chef: skills, working times, days off, limits. A chef changes the own record alone.
    ///
    /// # Errors
    /// The refusals of [`ChefError`].
    pub async fn change_chef(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: ChefChange,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::ScheduleWrite)?;
            this.run(&caller, &key, "chef_change", &ask, || async {
                let loaded = this.load_chef(&caller, ask.chef_id).await?;
                loaded.expect(ask.expected_version)?;
                let events = loaded.state.decide(ask.command.clone());
                let events = events.map_err(CommandError::refused)?;
                Ok(Plan::default().write::<Chef>(&this, ask.chef_id.to_string(), loaded.version, events))
            })
            .await
        })
        .await
    }

    /// Loads a chef who is known and within the caller's reach: at one of the caller's stations, or the caller.
    pub(crate) async fn load_chef(&self, caller: &Caller, id: ChefId) -> Result<Loaded<Chef>, CommandError> {
        let loaded = self.load::<Chef>(caller, &id.to_string()).await?;
        let known = loaded.state.registered().is_some();
        if known && self.reaches_chef(caller, id, &loaded.state).await? {
            Ok(loaded)
        } else {
            Err(CommandError::refused(ChefError::NotFound))
        }
    }

    async fn reaches_chef(&self, caller: &Caller, id: ChefId, chef: &Chef) -> Result<bool, CommandError> {
        if is_chef(caller) {
            return Ok(chef
                .user()
                .is_some_and(|user| user.to_string() == caller.actor.id));
        }
        let StationScope::Only(stations) = &caller.stations else {
            return Ok(true);
        };
        for station in stations {
            let station = self.load::<Station>(caller, &station.to_string()).await?;
            if station.state.chefs().contains(&id) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether the caller signs in as a chef, who reaches the own record alone.
pub(crate) fn is_chef(caller: &Caller) -> bool {
    caller.actor.kind == ActorKind::User && caller.actor.role == Some(Role::Chef)
}
