//! The lines of a report up to a position: as they are stored, and as the log has them. Those by the day of payment are the
//! report's own.

use domain::access::{StationScope, Viewer};
use domain::envelope::Position;
use domain::ids::{StationId, TenantId};
use futures::{Stream, StreamExt, TryStreamExt};
use tokio::sync::mpsc::Receiver;

use crate::engine::{Fold, ProjectionError, ReadError, ReadModels, Wanted, events_until};
use crate::period::Period;
use crate::tax_ledger::{TaxLedger, TaxLineRow};

/// Those of a state, a period and the stations within reach, in the settings' words; each in a query of its own, so that it
/// is read once and not for each line.
const OF_REPORT: &str = "
    and state = (select current_setting('hibachi.state'))
    and tax_on >= (select current_setting('hibachi.from')::date)
    and tax_on <= (select current_setting('hibachi.last')::date)
    and ((select current_setting('hibachi.stations')) = 'all'
        or station_id = any((select nullif(current_setting('hibachi.stations'), 'all')::uuid[])::uuid[]))";

/// The stored lines of a report, a page at a time.
pub(super) fn up_to(
    models: &ReadModels,
    viewer: &Viewer,
    state: &str,
    period: &Period,
    position: Position,
) -> Receiver<Result<Vec<TaxLineRow>, ReadError>> {
    let stations = match &viewer.stations {
        StationScope::All => "all".to_owned(),
        StationScope::Only(stations) => {
            let ids: Vec<String> = stations.iter().map(StationId::to_string).collect();
            format!("{{{}}}", ids.join(","))
        }
    };
    let wanted = Wanted {
        conditions: OF_REPORT,
        settings: vec![
            ("state", state.to_owned()),
            ("from", period.from().to_string()),
            ("last", period.until().to_string()),
            ("stations", stations),
        ],
    };
    models.pages_until::<TaxLedger>(viewer.tenant, position, wanted)
}

/// The lines of a report as the log has them, whatever the read models say.
pub(super) async fn of_log(
    models: &ReadModels,
    tenant: TenantId,
    state: String,
    period: Period,
    stations: Option<Vec<StationId>>,
    position: Position,
) -> Result<impl Stream<Item = Result<TaxLineRow, ProjectionError>> + Send, ProjectionError> {
    let events = events_until::<TaxLedger>(models, tenant, position).await?;
    let line = move |event| TaxLedger::apply(None, &event);
    let lines = events.try_filter_map(move |event| std::future::ready(Ok(line(event))));
    let days = period.from()..=period.until();
    let wanted = move |line: &TaxLineRow| {
        line.state == state
            && days.contains(&line.tax_on)
            && stations
                .as_ref()
                .is_none_or(|stations| stations.contains(&line.station_id))
    };
    Ok(lines.filter(move |line| {
        let kept = line.as_ref().map_or(true, &wanted);
        std::future::ready(kept)
    }))
}
