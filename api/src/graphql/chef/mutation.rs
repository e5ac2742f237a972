//! Commands on chefs.

use async_graphql::{Context, ID, Object, Result};
use commands::chef::{ChefChange, ChefRegister};
use commands::{Caller, CommandError, IdempotencyKey, Written};
use domain::chef::{
    Chef as ChefAggregate, ChefAvailabilitySet, ChefCapsSet, ChefCommand, ChefDateExceptionSet,
    ChefSkillsSet, ChefTimeOffAdded, ChefTimeOffCancelled, Hours, WeeklyHours,
};
use domain::decider::Decider;
use domain::ids::{ChefId, StationId, UserId};
use projections::chef_list;

use super::Chef;
use super::input::{
    ChefAvailabilityInput, ChefCapsInput, ChefDateExceptionInput, ChefRegisterInput, ChefSkillsInput,
    ChefStationInput, ChefTimeOffInput,
};
use crate::graphql::connection::payload;
use crate::graphql::error::{UserError, outcome, unread};
use crate::graphql::id::local;
use crate::graphql::read::after as read_after;
use crate::graphql::session::{app, caller, under_key, viewer};

payload!(ChefPayload, chef: Chef);

impl ChefPayload {
    async fn of(ctx: &Context<'_>, done: std::result::Result<Written, CommandError>) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        let Ok(id) = written.id_of(ChefAggregate::STREAM).parse::<ChefId>() else {
            return Ok(Self::written(None, &written));
        };
        Self::about(ctx, id, &written).await
    }

    async fn about(ctx: &Context<'_>, id: ChefId, written: &Written) -> Result<Self> {
        let at = read_after(written.position);
        let found = chef_list::one(&app(ctx).views, viewer(ctx)?, id, at)
            .await
            .map_err(unread)?;
        Ok(Self::written(found.value.map(|row| Chef { row, at }), written))
    }
}

async fn change(
    ctx: &Context<'_>,
    key: &ID,
    chef: &ID,
    expected_version: Option<i32>,
    command: ChefCommand,
) -> Result<ChefPayload> {
    let caller = caller(ctx)?;
    let Some(chef_id) = local::<ChefId>(chef) else {
        return Ok(ChefPayload::refused(UserError::not_found("chefId", "chef")));
    };
    let change = ChefChange {
        chef_id,
        expected_version: expected_version.map(i64::from),
        command,
    };
    let done = under_key(key, |key| app(ctx).commands.change_chef(caller, key, change)).await;
    ChefPayload::of(ctx, done).await
}

async fn at_station<F>(
    ctx: &Context<'_>,
    input: &ChefStationInput,
    command: impl FnOnce(Caller, IdempotencyKey, StationId, ChefId) -> F,
) -> Result<ChefPayload>
where
    F: Future<Output = std::result::Result<Written, CommandError>>,
{
    let caller = caller(ctx)?;
    let (station, chef) = match input.read() {
        Ok(read) => read,
        Err(refused) => return Ok(ChefPayload::refused(refused)),
    };
    let done = under_key(&input.idempotency_key, |key| command(caller, key, station, chef)).await;
    match outcome(done)? {
        Ok(written) => ChefPayload::about(ctx, chef, &written).await,
        Err(refused) => Ok(ChefPayload::refused(refused)),
    }
}

impl ChefStationInput {
    fn read(&self) -> std::result::Result<(StationId, ChefId), UserError> {
        let chef = local::<ChefId>(&self.chef_id).ok_or_else(|| UserError::not_found("chefId", "chef"))?;
        let station = local::<StationId>(&self.station_id);
        let station = station.ok_or_else(|| UserError::not_found("stationId", "station"))?;
        Ok((station, chef))
    }
}

impl ChefRegisterInput {
    fn read(self) -> std::result::Result<(ID, ChefRegister), UserError> {
        let stations = self
            .station_ids
            .iter()
            .map(local::<StationId>)
            .collect::<Option<Vec<_>>>();
        let stations = stations.ok_or_else(|| UserError::not_found("stationIds", "station"))?;
        let user_id = match &self.user_id {
            None => None,
            Some(id) => Some(local::<UserId>(id).ok_or_else(|| UserError::not_found("userId", "user"))?),
        };
        let register = ChefRegister {
            name: self.name,
            stations,
            skills: self.skills,
            user_id,
        };
        Ok((self.idempotency_key, register))
    }
}

/// Commands on chefs.
#[derive(Default)]
pub(in crate::graphql) struct ChefMutation;

#[Object]
impl ChefMutation {
    /// Makes a chef known, who works at stations from now on: their capacity grows by one. Needs chef:write.
    async fn chef_register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: ChefRegisterInput,
    ) -> Result<ChefPayload> {
        let caller = caller(ctx)?;
        let (key, register) = match input.read() {
            Ok(read) => read,
            Err(refused) => return Ok(ChefPayload::refused(refused)),
        };
        let done = under_key(&key, |key| app(ctx).commands.add_chef(caller, key, register)).await;
        ChefPayload::of(ctx, done).await
    }

    /// Lets a chef work at another station too, whose capacity grows by one. Refused while parties to come at the chef's only
    /// other station need every chef that there is. Needs chef:write, and both within reach.
    async fn chef_station_join(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: ChefStationInput,
    ) -> Result<ChefPayload> {
        at_station(ctx, &input, |caller, key, station, chef| {
            app(ctx).commands.join_chef(caller, key, station, chef)
        })
        .await
    }

    /// Lets a chef work at a station no more, whose capacity shrinks by one. Refused while a party to come has the chef. Needs
    /// chef:write, and both within reach.
    async fn chef_station_leave(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: ChefStationInput,
    ) -> Result<ChefPayload> {
        at_station(ctx, &input, |caller, key, station, chef| {
            app(ctx).commands.leave_chef(caller, key, station, chef)
        })
        .await
    }

    /// Says what a chef can do. Needs schedule:write; chefs set their own.
    async fn chef_skills_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: ChefSkillsInput,
    ) -> Result<ChefPayload> {
        let command = ChefCommand::SetSkills(ChefSkillsSet {
            skills: input.skills.clone(),
            before: None,
        });
        change(
            ctx,
            &input.idempotency_key,
            &input.chef_id,
            input.expected_version,
            command,
        )
        .await
    }

    /// Says when a chef works in every week. Needs schedule:write; chefs set their own.
    async fn chef_availability_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: ChefAvailabilityInput,
    ) -> Result<ChefPayload> {
        let command = ChefCommand::SetAvailability(ChefAvailabilitySet {
            weekly: input.weekly.into_iter().map(WeeklyHours::from).collect(),
            before: None,
        });
        change(
            ctx,
            &input.idempotency_key,
            &input.chef_id,
            input.expected_version,
            command,
        )
        .await
    }

    /// Says when a chef works on one day. Needs schedule:write; chefs set their own.
    async fn chef_date_exception_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: ChefDateExceptionInput,
    ) -> Result<ChefPayload> {
        let command = ChefCommand::SetDateException(ChefDateExceptionSet {
            on: input.on.0,
            hours: input
                .hours
                .map(|hours| hours.into_iter().map(Hours::from).collect()),
            before: None,
        });
        change(
            ctx,
            &input.idempotency_key,
            &input.chef_id,
            input.expected_version,
            command,
        )
        .await
    }

    /// Gives a chef days off. A party that the chef is assigned to is not cancelled: it is listed as one that needs another
    /// chef. Needs schedule:write; chefs set their own.
    async fn chef_time_off_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: ChefTimeOffInput,
    ) -> Result<ChefPayload> {
        let command = ChefCommand::AddTimeOff(ChefTimeOffAdded {
            from: input.from.0,
            to: input.to.0,
            reason: input.reason,
        });
        change(
            ctx,
            &input.idempotency_key,
            &input.chef_id,
            input.expected_version,
            command,
        )
        .await
    }

    /// Takes days off back, as they were given. Needs schedule:write; chefs set their own.
    async fn chef_time_off_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: ChefTimeOffInput,
    ) -> Result<ChefPayload> {
        let command = ChefCommand::CancelTimeOff(ChefTimeOffCancelled {
            from: input.from.0,
            to: input.to.0,
        });
        change(
            ctx,
            &input.idempotency_key,
            &input.chef_id,
            input.expected_version,
            command,
        )
        .await
    }

    /// Says how many parties a chef cooks at most. Needs schedule:write; chefs set their own.
    async fn chef_caps_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: ChefCapsInput,
    ) -> Result<ChefPayload> {
        let command = ChefCommand::SetCaps(ChefCapsSet {
            per_day: input.per_day,
            per_week: input.per_week,
            before: None,
        });
        change(
            ctx,
            &input.idempotency_key,
            &input.chef_id,
            input.expected_version,
            command,
        )
        .await
    }
}
