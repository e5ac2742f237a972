//! Who works at the demo company.

use anyhow::Result;
use chrono::{NaiveDate, NaiveTime, Weekday};
use commands::chef::{ChefChange, ChefRegister};
use commands::{Caller, Commands};
use domain::access::{Role, StationScope};
use domain::chef::{Chef, ChefAvailabilitySet, ChefCapsSet, ChefCommand, ChefTimeOffAdded, WeeklyHours};
use domain::decider::Decider;
use domain::ids::{ChefId, StationId};
use domain::user::User;

use super::PASSWORD;
use super::company::key;
use crate::app::App;
use crate::auth::NewPassword;

/// A chef, and when that chef works.
pub(super) struct Cook {
    name: &'static str,
    skills: &'static [&'static str],
    week: Week,
    /// First and last day of a holiday.
    holiday: Option<(NaiveDate, NaiveDate)>,
}

/// When a chef works.
enum Week {
    Always,
    /// Thursday to Sunday, from ten to one at night.
    Weekends,
}

/// Three chefs.
pub(super) const SAN_JOSE: [Cook; 3] = [
    Cook {
        name: "Kenji Mori",
        skills: &["teppanyaki", "sushi"],
        week: Week::Always,
        holiday: None,
    },
    Cook {
        name: "Rosa Delgado",
        skills: &["teppanyaki", "vegan"],
        week: Week::Always,
        holiday: Some((day(2026, 2, 2), day(2026, 2, 8))),
    },
    Cook {
        name: "Minh Pham",
        skills: &["teppanyaki", "halal"],
        week: Week::Always,
        holiday: None,
    },
];
/// Two chefs, of whom one works when most parties are held.
pub(super) const SACRAMENTO: [Cook; 2] = [
    Cook {
        name: "Tom Becker",
        skills: &["teppanyaki"],
        week: Week::Always,
        holiday: Some((day(2026, 8, 10), day(2026, 8, 16))),
    },
    Cook {
        name: "Aiko Sato",
        skills: &["teppanyaki", "kosher"],
        week: Week::Weekends,
        holiday: None,
    },
];

const fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day of the calendar")
}

/// Makes the chefs of a station known, with when they work.
pub(super) async fn chefs(
    commands: &Commands,
    caller: &Caller,
    station: StationId,
    cooks: &[Cook],
) -> Result<()> {
    for cook in cooks {
        let ask = ChefRegister {
            name: cook.name.to_owned(),
            stations: vec![station],
            skills: cook.skills.iter().map(|skill| (*skill).to_owned()).collect(),
            user_id: None,
        };
        let written = commands.add_chef(caller.clone(), key(cook.name), ask).await?;
        let chef: ChefId = written.id_of(Chef::STREAM).parse()?;
        for (number, command) in times(cook).into_iter().enumerate() {
            let change = ChefChange {
                chef_id: chef,
                expected_version: None,
                command,
            };
            commands
                .change_chef(caller.clone(), key(&format!("{} {number}", cook.name)), change)
                .await?;
        }
    }
    Ok(())
}

fn times(cook: &Cook) -> Vec<ChefCommand> {
    let mut times = vec![ChefCommand::SetCaps(ChefCapsSet {
        per_day: Some(3),
        per_week: None,
        before: None,
    })];
    if let Week::Weekends = cook.week {
        let hours = |day| WeeklyHours {
            day,
            from: TEN,
            until: ONE_AT_NIGHT,
        };
        let days = [Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
        times.push(ChefCommand::SetAvailability(ChefAvailabilitySet {
            weekly: days.map(hours).to_vec(),
            before: None,
        }));
    }
    if let Some((from, to)) = cook.holiday {
        times.push(ChefCommand::AddTimeOff(ChefTimeOffAdded {
            from,
            to,
            reason: Some("holiday".to_owned()),
        }));
    }
    times
}

const TEN: NaiveTime = NaiveTime::from_hms_opt(10, 0, 0).expect("a time of day");
const ONE_AT_NIGHT: NaiveTime = NaiveTime::from_hms_opt(1, 0, 0).expect("a time of day");

/// People who sign in, one of each role.
pub(super) async fn users(app: &App, commands: &Commands, caller: &Caller, station: StationId) -> Result<()> {
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
    let new = NewPassword {
        password: PASSWORD.to_owned(),
        known: Vec::new(),
    };
    let password = app.auth.accept_password(new).await?;
    for (name, role, stations) in people {
        let email = format!("{name}@demo.test");
        let written = commands
            .create_user(caller.clone(), key(&email), email.clone(), role, stations)
            .await?;
        let user = written.id_of(User::STREAM).parse()?;
        app.auth
            .set_password(caller.tenant, user, password.clone())
            .await?;
    }
    Ok(())
}
