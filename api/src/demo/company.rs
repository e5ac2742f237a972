//! The company, its branches, chefs, prices, rates and people, and two bookings that the tour shows.

use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use commands::gateways::{SimulatedClock, SystemIds};
use commands::{Caller, Commands, IdempotencyKey};
use domain::access::{Role, StationScope};
use domain::chef::Chef;
use domain::decider::Decider;
use domain::ids::{ChefId, StationId, TenantId};
use domain::money::{Cents, RatePpm};
use domain::organisation::OrganisationCreated;
use domain::price_list::{
    BelowMinimum, BookingPolicy, ItemAdded, ItemKind, MandatoryGratuity, MinimumSet, PriceListCommand,
    TravelBandSet,
};
use domain::station::{Station, StationCreated, StationSettings};
use domain::tax_rate::{Jurisdiction, TaxRateSet};
use domain::user::User;

use super::{PASSWORD, SLUG, Year, bookings};
use crate::app::App;
use crate::demo::bookings::tour_bookings;

const TAX_RATES: &[u8] = include_bytes!("../../data/tax_rates_sample.csv");
const ZONE: Tz = chrono_tz::America::Los_Angeles;
/// Bookings of a first start.
const FIRST_BOOKINGS: u32 = 200;

/// Sets up the demo company with a year of bookings, as of now.
///
/// # Errors
/// When the log or the database is out of reach.
pub async fn company(app: &App) -> Result<()> {
    let now = app.clock.now();
    let tenant = TenantId(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_DNS, SLUG.as_bytes()));
    let caller = Caller::system(tenant, "demo");
    let opened = date(2020, 1, 1)
        .and_hms_opt(8, 0, 0)
        .context("a time of day")?
        .and_utc();
    let clock = Arc::new(SimulatedClock::at(opened));
    let commands = app.commands.under(clock.clone(), Arc::new(SystemIds::default()));

    let created = OrganisationCreated {
        name: "My Hibachi".to_owned(),
        slug: SLUG.to_owned(),
    };
    commands.create_organisation(caller.clone(), created).await?;
    let san_jose = station(&commands, &caller, "San Jose", "95112", 3).await?;
    let sacramento = station(&commands, &caller, "Sacramento", "95814", 2).await?;
    for station in [san_jose, sacramento] {
        prices(&commands, &caller, station, opened).await?;
    }
    tax_rates(&commands, &caller).await?;
    users(app, &commands, &caller, san_jose).await?;

    let today = now.with_timezone(&ZONE).date_naive();
    let from = today.checked_sub_days(Days::new(350)).context("a year ago")?;
    let to = today.checked_add_days(Days::new(42)).context("six weeks ahead")?;
    bookings(
        app,
        tenant,
        &Year {
            count: FIRST_BOOKINGS,
            seed: 7,
            from,
            to,
        },
    )
    .await?;
    tour_bookings(&commands, &clock, &caller, san_jose, now).await?;
    app.views.catch_up(tenant).await?;
    Ok(())
}

fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day of the calendar")
}

fn key(name: &str) -> IdempotencyKey {
    IdempotencyKey::of_reaction("demo", name)
}

async fn station(
    commands: &Commands,
    caller: &Caller,
    name: &str,
    zip: &str,
    chefs: u8,
) -> Result<StationId> {
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
    let station: StationId = written.id_of(Station::STREAM).parse()?;
    for number in 1..=chefs {
        let chef = format!("Chef {number} of {name}");
        let written = commands
            .register_chef(caller.clone(), key(&chef), chef.clone())
            .await?;
        let id: ChefId = written.id_of(Chef::STREAM).parse()?;
        commands
            .join_chef(caller.clone(), key(&format!("{chef} joins")), station, id)
            .await?;
    }
    Ok(station)
}

async fn prices(commands: &Commands, caller: &Caller, station: StationId, from: DateTime<Utc>) -> Result<()> {
    let item = |item: &str, label: &str, kind, price: i64| {
        PriceListCommand::AddItem(ItemAdded {
            item: item.to_owned(),
            label: label.to_owned(),
            kind,
            price_cents: Cents(price),
            min_cents: Cents(price / 2),
            max_cents: Cents(price * 3),
            effective_from: from,
        })
    };
    let gratuity = MandatoryGratuity {
        from_guests: 40,
        rate_ppm: RatePpm(180_000),
    };
    let set = [
        item("adult", "Adult", ItemKind::Adult, 5_995),
        item("child", "Child, 6 to 12", ItemKind::Child, 2_995),
        item("sauce", "Extra sauce set", ItemKind::AddOn, 599),
        item("noodles", "Noodle tray", ItemKind::AddOn, 2_500),
        item("filet", "Filet mignon upgrade", ItemKind::AddOn, 700),
        item("lobster", "Lobster tail", ItemKind::AddOn, 1_500),
        PriceListCommand::SetTravelBand(TravelBandSet {
            free_miles: 25,
            per_mile_cents: Cents(200),
            max_miles: 100,
            before: None,
        }),
        PriceListCommand::SetMinimum(MinimumSet {
            weekday_cents: Cents(50_000),
            weekend_cents: Cents(60_000),
            below: BelowMinimum::TopUp,
            before: None,
        }),
        PriceListCommand::SetPolicy(BookingPolicy {
            gratuity: Some(gratuity),
            ..BookingPolicy::default()
        }),
    ];
    for (number, command) in set.into_iter().enumerate() {
        commands
            .set_prices(
                caller.clone(),
                key(&format!("price {station} {number}")),
                station,
                command,
            )
            .await?;
    }
    Ok(())
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
        };
        commands
            .set_tax_rate(caller.clone(), key(&format!("rate {number}")), set)
            .await?;
    }
    Ok(())
}

async fn users(app: &App, commands: &Commands, caller: &Caller, station: StationId) -> Result<()> {
    let own = StationScope::Only(vec![station]);
    let people = [
        ("super", Role::SuperAdmin, StationScope::All),
        ("admin", Role::Admin, StationScope::All),
        ("support", Role::CustomerSupport, StationScope::All),
        ("manager", Role::StationManager, own.clone()),
        ("chef", Role::Chef, own),
        ("accountant", Role::Accountant, StationScope::All),
        ("auditor", Role::Auditor, StationScope::All),
    ];
    for (name, role, stations) in people {
        let email = format!("{name}@demo.test");
        let written = commands
            .create_user(caller.clone(), key(&email), email.clone(), role, stations)
            .await?;
        let user = written.id_of(User::STREAM).parse()?;
        app.auth
            .set_password(caller.tenant, user, PASSWORD.to_owned())
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
