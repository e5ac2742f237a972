//! The company: its branches, its rates, its year, and two bookings that the tour shows.

use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use commands::gateways::{SimulatedClock, SystemIds};
use commands::{Caller, Commands, IdempotencyKey};
use domain::decider::Decider;
use domain::envelope::Position;
use domain::ids::{StationId, TenantId};
use domain::money::RatePpm;
use domain::organisation::OrganisationCreated;
use domain::station::{Station, StationCreated, StationSettings};
use domain::tax_rate::{Jurisdiction, TaxRateSet};

use super::bookings::play;
use super::closing::close_a_quarter;
use super::tour::tour_bookings;
use super::{SLUG, Year, letters, prices, staff};
use crate::app::App;

const TAX_RATES: &[u8] = include_bytes!("../../data/tax_rates_sample.csv");
const ZONE: Tz = chrono_tz::America::Los_Angeles;
/// Bookings of a first start.
const FIRST_BOOKINGS: u32 = 200;
/// Where the log of a company is that was founded, and no more.
const FOUNDED: Position = Position(1);

/// Whether the demo company is there and was set up to the end.
///
/// # Errors
/// When the log or the database is out of reach.
pub async fn is_whole(app: &App) -> Result<bool> {
    if app.database.organisation_by_slug(SLUG).await?.is_none() {
        return Ok(false);
    }
    let begun = app.log.head(tenant()).await?.position > FOUNDED;
    Ok(begun && !held(app).policies_are_held(tenant()).await?)
}

/// Sets up the demo company with a year of bookings up to the moment it was founded: now, or when a set-up began that was
/// interrupted, which is then gone on with.
///
/// # Errors
/// When the log or the database is out of reach.
pub async fn company(app: &App) -> Result<()> {
    let tenant = tenant();
    let caller = Caller::system(tenant, "demo");
    let opened = date(2020, 1, 1)
        .and_hms_opt(8, 0, 0)
        .context("a time of day")?
        .and_utc();
    let held = held(app);
    let clock = Arc::new(SimulatedClock::at(opened));
    let commands = held.under(clock.clone(), Arc::new(SystemIds::default()));
    let created = OrganisationCreated {
        name: "My Hibachi".to_owned(),
        slug: SLUG.to_owned(),
    };
    commands.create_organisation(caller.clone(), created).await?;
    commands.hold_policies(tenant).await?;
    let founded = app.log.read(tenant, Position::START, 1, None).await?;
    let now = founded.first().context("a company that was founded")?.recorded_at;
    let san_jose = set_up(app, &commands, &clock, &caller, opened).await?;

    let today = now.with_timezone(&ZONE).date_naive();
    let year = Year {
        count: FIRST_BOOKINGS,
        seed: 7,
        from: today.checked_sub_days(Days::new(350)).context("a year ago")?,
        to: today.checked_add_days(Days::new(42)).context("six weeks ahead")?,
    };
    play(app, &held, tenant, &year, now).await?;
    tour_bookings(&app.vault, &commands, &clock, &caller, san_jose, now).await?;
    app.views.catch_up(tenant).await?;
    close_a_quarter(app, &commands, caller, today).await?;
    app.views.catch_up(tenant).await?;
    held.release_policies(tenant).await?;
    Ok(())
}

/// Branches, staff, prices, rates and users, as they were before anybody booked. The first branch.
async fn set_up(
    app: &App,
    commands: &Commands,
    clock: &SimulatedClock,
    caller: &Caller,
    opened: DateTime<Utc>,
) -> Result<StationId> {
    let san_jose = station(commands, caller, "San Jose", "95112").await?;
    let sacramento = station(commands, caller, "Sacramento", "95814").await?;
    staff::chefs(commands, caller, san_jose, &staff::SAN_JOSE).await?;
    staff::chefs(commands, caller, sacramento, &staff::SACRAMENTO).await?;
    for station in [san_jose, sacramento] {
        prices::list(commands, caller, station, opened).await?;
    }
    clock.set(prices::RAISED_AT);
    for station in [san_jose, sacramento] {
        prices::raise(commands, caller, station).await?;
    }
    prices::promo_codes(commands, caller).await?;
    letters::templates(commands, caller).await?;
    letters::review_links(commands, caller).await?;
    clock.set(opened);
    tax_rates(commands, caller).await?;
    staff::users(app, commands, caller, san_jose).await?;
    Ok(san_jose)
}

fn tenant() -> TenantId {
    TenantId(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_DNS, SLUG.as_bytes()))
}

/// The commands of the set-up: until it has come to its end, nobody else reacts.
fn held(app: &App) -> Commands {
    let holder = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_DNS, b"set-up of my-hibachi");
    app.commands.holding_policies(holder)
}

pub(super) fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day of the calendar")
}

pub(super) fn key(name: &str) -> IdempotencyKey {
    IdempotencyKey::of_reaction("demo", name)
}

async fn station(commands: &Commands, caller: &Caller, name: &str, zip: &str) -> Result<StationId> {
    let created = StationCreated {
        name: name.to_owned(),
        zone: ZONE,
        zip: zip.parse()?,
        state: "CA".to_owned(),
        settings: StationSettings::default(),
    };
    let written = commands
        .create_station(caller.clone(), key(&format!("station {name}")), created)
        .await?;
    Ok(written.id_of(Station::STREAM).parse()?)
}

async fn tax_rates(commands: &Commands, caller: &Caller) -> Result<()> {
    let mut reader = csv::Reader::from_reader(TAX_RATES);
    for (number, row) in reader.records().enumerate() {
        let row = row?;
        let filled = |index: usize| Some(row[index].to_owned()).filter(|text| !text.is_empty());
        let set = TaxRateSet {
            jurisdiction: Jurisdiction {
                state: row[0].to_owned(),
                county: row[1].to_owned(),
                city: filled(2),
            },
            rate_ppm: RatePpm::parse(&row[3])?,
            effective_from: row[4].parse()?,
            effective_until: filled(5).map(|day| day.parse()).transpose()?,
            source: format!("sample, not current: {}", &row[6]),
            before_ppm: None,
            correction: None,
            zips: Vec::new(),
        };
        commands
            .set_tax_rate(caller.clone(), key(&format!("rate {number}")), set)
            .await?;
    }
    Ok(())
}

/// The newest slot at the station that has begun before an instant, local.
pub(super) fn newest_slot_before(now: DateTime<Utc>) -> chrono::NaiveDateTime {
    let local = (now - Duration::minutes(5)).with_timezone(&ZONE).naive_local();
    let mut candidates: Vec<chrono::NaiveDateTime> = Vec::new();
    for day in [local.date(), local.date().pred_opt().unwrap_or(local.date())] {
        candidates.extend(
            StationSettings::default()
                .slots
                .iter()
                .map(|slot| day.and_time(*slot)),
        );
    }
    candidates
        .into_iter()
        .filter(|slot| *slot <= local)
        .max()
        .unwrap_or(local)
}
