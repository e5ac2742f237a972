//! The lines of a report up to a position: as they are stored, and as the log has them. Those by the day of payment are the
//! report's own.

use domain::access::Viewer;
use domain::envelope::Position;
use futures::{Stream, StreamExt, TryStreamExt};
use tokio::sync::mpsc::Receiver;

use crate::engine::{Fold, ProjectionError, ReadError, ReadModels, Wanted, events_until};
use crate::period::Period;
use crate::tax_ledger::{TaxLedger, TaxLineRow};

/// Those of a state and a period, in the settings' words; each in a query of its own, so that it is read once and not for
/// each line.
const OF_REPORT: &str = "
    and state = (select current_setting('hibachi.state'))
    and tax_on >= (select current_setting('hibachi.from')::date)
    and tax_on <= (select current_setting('hibachi.last')::date)";

/// The stored lines of a report, a page at a time.
pub(super) fn up_to(
    models: &ReadModels,
    viewer: &Viewer,
    state: &str,
    period: &Period,
    position: Position,
) -> Receiver<Result<Vec<TaxLineRow>, ReadError>> {
    let wanted = Wanted {
        stations: viewer.stations.clone(),
        conditions: OF_REPORT,
        settings: vec![
            ("state", state.to_owned()),
            ("from", period.from().to_string()),
            ("last", period.until().to_string()),
        ],
    };
    models.pages_until::<TaxLedger>(viewer.tenant, position, wanted)
}

/// The lines of a report as the log has them, whatever the read models say.
pub(super) async fn of_log<'a>(
    models: &'a ReadModels,
    viewer: &Viewer,
    state: &str,
    period: &Period,
    position: Position,
) -> Result<impl Stream<Item = Result<TaxLineRow, ProjectionError>> + Send + use<'a>, ProjectionError> {
    let events = events_until::<TaxLedger>(models, viewer.tenant, position).await?;
    let line = move |event| TaxLedger::apply(None, &event);
    let lines = events.try_filter_map(move |event| std::future::ready(Ok(line(event))));
    let (state, stations) = (state.to_owned(), viewer.stations.clone());
    let days = period.from()..=period.until();
    let wanted = move |line: &TaxLineRow| {
        line.state == state && days.contains(&line.tax_on) && stations.covers(line.station_id)
    };
    Ok(lines.filter(move |line| {
        let kept = line.as_ref().map_or(true, &wanted);
        std::future::ready(kept)
    }))
}
