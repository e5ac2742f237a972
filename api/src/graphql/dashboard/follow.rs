//! A dashboard that is shown again whenever it has changed.

use std::time::Duration;

use async_graphql::{Context, ID, Result};
use chrono::{Datelike, Months, NaiveDate};
use domain::access::Viewer;
use domain::envelope::Position;
use futures::FutureExt;
use futures::stream::{BoxStream, StreamExt, try_unfold};
use projections::changes::{self, Stirrings};
use projections::dashboard::{self, DashboardError, DashboardFilter};
use projections::{At, Fresh, Late, ReadError};
use tokio::time::{Instant, sleep, sleep_until};

use super::{Beside, Dashboard, Grain, shown, station, unshown};
use crate::app::App;
use crate::graphql::error::unread;
use crate::graphql::live::Spending;
use crate::graphql::scalar::LocalDate;
use crate::graphql::session::{app, viewer};

/// The time between two looks at least.
const PACE: Duration = Duration::from_secs(1);
/// How long a read model may take to come along.
const COME_ALONG: Duration = Duration::from_secs(5);
/// When to look again where one was not there yet, or cannot be read for it is just built anew.
const NOT_THERE_YET: Duration = Duration::from_secs(2);
/// When to look again though nothing has happened: days pass, and rows that were held back are freed.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Which days a dashboard that is followed shows.
#[derive(Debug, Clone, Copy)]
pub(in crate::graphql) struct Days {
    /// The first; that of the current month where absent.
    pub(in crate::graphql) from: Option<LocalDate>,
    /// The last; that of the first one's month where absent.
    pub(in crate::graphql) to: Option<LocalDate>,
    /// How many days a bucket has.
    pub(in crate::graphql) grain: Grain,
}

impl Days {
    /// First and last day, on a day.
    fn on(&self, today: NaiveDate) -> (NaiveDate, NaiveDate) {
        let month = |day: NaiveDate| day.with_day(1).unwrap_or(day);
        let from = self.from.as_ref().map_or(month(today), |day| day.0);
        let next = month(from).checked_add_months(Months::new(1));
        let end = next.and_then(|next| next.pred_opt()).unwrap_or(NaiveDate::MAX);
        (from, self.to.as_ref().map_or(end, |day| day.0))
    }
}

/// The dashboard now, and then each time that it shows something else.
pub(in crate::graphql) async fn followed(
    ctx: &Context<'_>,
    station_id: Option<ID>,
    days: Days,
) -> Result<BoxStream<'static, Result<Dashboard>>> {
    let (app, viewer) = (app(ctx).clone(), viewer(ctx)?.clone());
    let types = dashboard::event_types();
    let stirrings = changes::stirrings(&app.views, viewer.tenant, types)
        .await
        .map_err(unread)?;
    let follower = Follower {
        station: station(station_id)?,
        days,
        beside: Beside::asked(ctx)?,
        spending: ctx.data_unchecked::<Spending>().clone(),
        app,
        viewer,
        at_least: stirrings.position(),
        stirrings,
        last: None,
        look_at: Instant::now(),
    };
    Ok(try_unfold(follower, async |mut follower| {
        let dashboard = follower.next().await.map_err(unshown)?;
        Ok(Some((dashboard, follower)))
    })
    .boxed())
}

/// Somebody who follows a dashboard.
struct Follower {
    app: App,
    viewer: Viewer,
    station: Option<domain::ids::StationId>,
    days: Days,
    beside: Beside,
    spending: Spending,
    stirrings: Stirrings,
    /// The read models must have come so far.
    at_least: Position,
    /// What was shown last, and when it was looked at.
    last: Option<(Dashboard, Instant)>,
    /// When to look, whatever happens.
    look_at: Instant,
}

impl Follower {
    async fn next(&mut self) -> std::result::Result<Dashboard, DashboardError> {
        loop {
            if let Some((_, looked)) = &self.last {
                let earliest = *looked + PACE;
                tokio::select! {
                    position = self.stirrings.next() => self.at_least = position,
                    () = sleep_until(self.look_at) => {}
                }
                sleep_until(earliest).await;
                // What has come meanwhile is seen in the same look.
                while let Some(position) = self.stirrings.next().now_or_never() {
                    self.at_least = position;
                }
                self.spending.paid().await;
            }
            let Some(dashboard) = self.look().await? else {
                continue;
            };
            let looked = Instant::now();
            match &mut self.last {
                Some((last, at)) if last.is_as(&dashboard) => *at = looked,
                _ => {
                    self.last = Some((dashboard.clone(), looked));
                    return Ok(dashboard);
                }
            }
        }
    }

    /// The dashboard as it stands; none where it cannot be read for the moment.
    async fn look(&mut self) -> std::result::Result<Option<Dashboard>, DashboardError> {
        let (from, to) = self.days.on(self.app.clock.now().date_naive());
        let filter = DashboardFilter {
            station_id: self.station,
            from,
            to,
            grain: self.days.grain.into(),
        };
        let at = At::Live {
            fresh: Some(Fresh {
                at_least: self.at_least,
                wait: COME_ALONG,
                then: Late::ShowStale,
            }),
        };
        match shown(&self.app.views, &self.viewer, &filter, &self.beside, at).await {
            Ok(dashboard) => {
                let wait = if dashboard.info.stale {
                    NOT_THERE_YET
                } else {
                    LOOK_AGAIN
                };
                self.look_at = Instant::now() + wait;
                Ok(Some(dashboard))
            }
            Err(DashboardError::Read(ReadError::StaleRead { .. })) => {
                sleep(NOT_THERE_YET).await;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_days_it_is_the_current_month_and_with_the_first_alone_that_ones() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let days = |from: Option<&str>, to: Option<&str>| {
            let of = |text: Option<&str>| text.map(|text| LocalDate(day(text)));
            let days = Days {
                from: of(from),
                to: of(to),
                grain: Grain::Day,
            };
            days.on(day("2026-02-10"))
        };
        assert_eq!(days(None, None), (day("2026-02-01"), day("2026-02-28")));
        assert_eq!(
            days(Some("2026-12-24"), None),
            (day("2026-12-24"), day("2026-12-31"))
        );
        assert_eq!(
            days(None, Some("2026-02-11")),
            (day("2026-02-01"), day("2026-02-11"))
        );
    }
}
