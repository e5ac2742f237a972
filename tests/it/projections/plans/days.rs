//! What reads days: the dashboard and calendars.

use domain::ids::{ChefId, StationId};
use projections::calendar::calendar;
use projections::dashboard::{DashboardFilter, Grain, dashboard};
use projections::{At, booking_list};

use super::fill::{self, booking, station};
use super::{Program, at, nodes};
use crate::projections::company::{Company, TENANT, auditor};

/// The dashboard and the calendar read the days that they are asked for, and no others.
pub(super) async fn figures_and_days(company: &Company) {
    let (from, to) = (
        "2021-06-01".parse().expect("the test's own world"),
        "2021-06-30".parse().expect("the test's own world"),
    );
    let bounds = [
        "here",
        "2021-06-01",
        "2021-07-01",
        "2021-05-31T00:00:00Z",
        "2021-07-02T00:00:00Z",
    ];
    let one_station = station(3).to_string();
    for station_id in [None, Some(StationId(station(3)))] {
        let program = Program::over(company).await;
        let filter = DashboardFilter {
            station_id,
            from,
            to,
            grain: Grain::Day,
        };
        let figures = dashboard(&program.models, &auditor(), filter, At::NOW)
            .await
            .expect("the test's own world");
        assert!(figures.value.total.figures.completed > 0);
        let of_station = station_id.map(|_| one_station.as_str());
        let values: Vec<&str> = of_station.into_iter().chain(bounds).collect();
        for plan in program.plans("booking_list", &values).await {
            let kinds: Vec<_> = nodes(&plan)
                .iter()
                .map(|node| node["Node Type"].to_string())
                .collect();
            assert!(!kinds.iter().any(|kind| kind.contains("Seq Scan")), "{plan:#}");
        }
    }
    let program = Program::over(company).await;
    let mut superuser = company.database.superuser().await;
    fill::stations(&mut superuser).await;
    calendar(
        &program.models,
        &auditor(),
        StationId(station(3)),
        from,
        to,
        At::NOW,
    )
    .await
    .expect("the test's own world")
    .value
    .expect("the test's own world");
    let values = [
        one_station.as_str(),
        "{requested,confirmed,completed}",
        "here",
        "2021-05-30T07:00:00Z",
        "2021-07-15T07:00:00Z",
        "2021-06-01T07:00:00Z",
        "2021-07-01T07:00:00Z",
    ];
    for plan in program.plans("booking_list", &values).await {
        let found = nodes(&plan)
            .into_iter()
            .filter_map(|node| node["Index Cond"].as_str());
        let by_station_and_start =
            |condition: &str| condition.contains("(station_id ") && condition.contains("(start_utc ");
        assert!(found.clone().any(by_station_and_start), "{plan:#}");
    }
    calendars(company).await;
}

/// What a chef's and a station's calendar shows is found by the days, however many bookings there are.
async fn calendars(company: &Company) {
    let span = (at("2021-06-01T00:00:00Z"), at("2021-07-01T00:00:00Z"));
    let bounds = [
        "{requested,confirmed,completed}",
        "here",
        "2021-06-01T00:00:00Z",
        "2021-07-01T00:00:00Z",
        "2021-05-30T00:00:00Z",
        "2021-07-15T00:00:00Z",
    ];
    let chef = booking(1).to_string();
    let one_station = station(3).to_string();
    let starts_in = |condition: &str| condition.matches("(start_utc ").count() == 2;
    for of_station in [false, true] {
        let program = Program::over(company).await;
        let (models, tenant) = (&program.models, TENANT);
        let shown = if of_station {
            booking_list::calendar_of_station(models, tenant, StationId(station(3)), span).await
        } else {
            booking_list::calendar_of_chef(models, tenant, ChefId(booking(1)), None, span).await
        };
        shown.expect("the test's own world");
        let of = if of_station { &one_station } else { &chef };
        let values = [&bounds[..], &[of.as_str()]].concat();
        for plan in program.plans("booking_list", &values).await {
            let found = nodes(&plan)
                .into_iter()
                .filter_map(|node| node["Index Cond"].as_str());
            assert!(found.clone().any(starts_in), "{plan:#}");
        }
    }
}
