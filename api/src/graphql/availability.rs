//! Which slots are free.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use commands::CommandError;
use commands::availability::AvailabilityInput;
use domain::availability::{self, AvailabilityError, Slot};
use domain::decider::Refusal;
use domain::ids::StationId;

use super::booking::EventTime;
use super::error::{coded, refused_question};
use super::id::local;
use super::scalar::LocalDate;
use super::session::{app, caller};

/// A slot, and whether it can be had.
#[derive(SimpleObject)]
pub(super) struct SlotAvailability {
    /// When the event would start.
    start: EventTime,
    /// Whether the party can be asked for now. Somebody may be faster.
    available: bool,
    /// Chefs who work over all of it and have no other party then.
    chefs_free: i32,
    /// Why it cannot be had: the code that a request would be refused with, such as TOO_SOON, TOO_FAR_AHEAD,
    /// STATION_CLOSED, TOO_MANY_GUESTS, NO_CHEF, SLOT_UNAVAILABLE or OUT_OF_AREA; null where it can.
    reason: Option<&'static str>,
    /// The reason as a sentence.
    message: Option<String>,
}

impl From<Slot> for SlotAvailability {
    fn from(slot: Slot) -> Self {
        Self {
            available: slot.refused.is_none(),
            chefs_free: slot.chefs_free,
            reason: slot.refused.as_ref().map(Refusal::code),
            message: slot.refused.as_ref().map(ToString::to_string),
            start: slot.start.into(),
        }
    }
}

/// Questions about free slots.
#[derive(Default)]
pub(super) struct AvailabilityQuery;

fn refused(error: AvailabilityError) -> async_graphql::Error {
    refused_question(CommandError::Refused(error.into()))
}

#[Object]
impl AvailabilityQuery {
    /// Every slot of some days of a station, in order, with why it is not free where it is not. Needs station:read.
    #[graphql(complexity = "50 + 20 * child_complexity")]
    async fn availability(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The station.")] station_id: ID,
        #[graphql(desc = "First local day.")] from: LocalDate,
        #[graphql(desc = "Last local day, included; at most 62 days are answered.")] to: LocalDate,
        #[graphql(desc = "How many guests come.")] guests: i32,
        #[graphql(desc = "ZIP of the venue, for the way there; without one the venue is next door.")]
        zip: Option<String>,
    ) -> Result<Vec<SlotAvailability>> {
        let caller = caller(ctx)?;
        let station =
            local::<StationId>(&station_id).ok_or_else(|| coded("NOT_FOUND", "there is no such station"))?;
        let input = AvailabilityInput {
            station,
            from: from.0,
            to: to.0,
            guests,
            zip,
        };
        let facts = app(ctx)
            .commands
            .availability_facts(&caller, &input)
            .await
            .map_err(refused_question)?;
        let slots = availability::slots(&facts.station, &facts.roster, &facts.wanted);
        Ok(slots
            .map_err(refused)?
            .into_iter()
            .map(SlotAvailability::from)
            .collect())
    }
}
