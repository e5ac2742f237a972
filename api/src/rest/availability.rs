//! Which slots are free.

#![expect(
    unused_qualifications,
    reason = "what utoipa writes for a handler names its arguments in full"
)]

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::NaiveDate;
use commands::CommandError;
use commands::availability::AvailabilityInput;
use domain::availability::{self, Slot};
use domain::decider::Refusal;
use domain::ids::StationId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::problem::{Problem, Refusals, RuleRefusals};
use super::sent::Asked;
use super::values::StartTime;
use super::{OfCompany, cached, visit};
use crate::app::App;

/// Seconds for which an answer may be kept: somebody may be faster in any case.
const KEPT: u32 = 10;

/// Which days, and for how many.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SlotsOf {
    /// ZIP code of the venue, five digits.
    zip: String,
    /// First local day.
    from: NaiveDate,
    /// Last local day, included; at most 62 days are answered.
    to: NaiveDate,
    /// How many guests come.
    #[param(minimum = 1, maximum = 2000)]
    guests: i32,
    /// The station; the nearest to the venue where absent.
    #[param(value_type = Uuid, required = false)]
    station_id: Option<Uuid>,
}

/// The slots of some days.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Slots {
    /// The station that would serve.
    station_id: Uuid,
    /// Every slot, in order.
    slots: Vec<OfferedSlot>,
}

/// A slot, and whether it can be had.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OfferedSlot {
    /// When the party would start.
    start: StartTime,
    /// Whether it can be asked for now. Somebody may be faster.
    available: bool,
    /// Why it cannot be had: the code that a request would be refused with; null where it can.
    reason: Option<&'static str>,
    /// The reason as a sentence; null where it can be had.
    message: Option<String>,
}

impl From<Slot> for OfferedSlot {
    fn from(slot: Slot) -> Self {
        Self {
            available: slot.refused.is_none(),
            reason: slot.refused.as_ref().map(Refusal::code),
            message: slot.refused.as_ref().map(ToString::to_string),
            start: slot.start.into(),
        }
    }
}

/// Every slot of some days, and why it is not free where it is not.
///
/// The same rules as those of a request. May be kept for ten seconds.
#[utoipa::path(
    get,
    path = "/api/v1/organisations/{organisation}/availability",
    tag = "company",
    params(OfCompany, SlotsOf),
    responses(
        (status = 200, description = "The slots.", body = Slots),
        (status = 304, description = "What `If-None-Match` names is still so."),
        Refusals,
        RuleRefusals,
    )
)]
pub(super) async fn slots(
    State(app): State<Arc<App>>,
    Path(of): Path<OfCompany>,
    headers: HeaderMap,
    Asked(asked): Asked<SlotsOf>,
) -> Result<Response, Problem> {
    let visit = visit(&app, &of.organisation, &headers).await?;
    let (caller, named) = (&visit.caller, asked.station_id.map(StationId));
    let station = app.commands.station_for(caller, named, &asked.zip).await?;
    let input = AvailabilityInput {
        station,
        from: asked.from,
        to: asked.to,
        guests: asked.guests,
        zip: Some(asked.zip),
    };
    let facts = app.commands.availability_facts(caller, &input).await?;
    let slots = availability::slots(&facts.station, &facts.roster, &facts.wanted);
    let slots = slots.map_err(|error| Problem::from(CommandError::Refused(error.into())))?;
    let slots = Slots {
        station_id: station.0,
        slots: slots.into_iter().map(OfferedSlot::from).collect(),
    };
    cached::public(&headers, KEPT, &slots)
}
