//! Two stations that share a chef.

use chrono::{NaiveTime, Weekday};
use commands::chef::{ChefChange, ChefRegister};
use commands::station::StationSettingsChange;
use commands::{Caller, IdempotencyKey};
use domain::chef::{Chef, ChefAvailabilitySet, ChefCapsSet, ChefCommand, WeeklyHours};
use domain::decider::Decider;
use domain::ids::{ChefId, StationId};
use domain::station::StationSettings;
use tests::http::Server;

use super::told::Told;

/// Two stations that share a chef, and who may be asked for what.
pub(super) struct Company {
    pub(super) san_jose: StationId,
    pub(super) sacramento: StationId,
    pub(super) chefs: Vec<ChefId>,
    pub(super) may_be_off: Vec<ChefId>,
}

fn time(text: &str) -> NaiveTime {
    text.parse().expect("a time of day")
}

/// San Jose with a chef of its own, Sacramento with three of whom one cooks once a day and two in shifts that meet in the
/// afternoon, and a chef of both.
pub(super) async fn two_stations(server: &Server, caller: &Caller) -> (Company, Told) {
    let commands = &server.app.commands;
    let (san_jose, sacramento) = (server.company.san_jose, server.company.sacramento);
    let mut told = Told::default();
    let key = |name: &str| IdempotencyKey::of_reaction("test", name);
    for station_id in [san_jose, sacramento] {
        let settings = StationSettings {
            lead_hours: 0,
            ..StationSettings::default()
        };
        let change = StationSettingsChange {
            station_id,
            expected_version: None,
            settings,
            reason: "to be asked until the last moment".to_owned(),
        };
        let key = key(&format!("settings of {station_id}"));
        let changed = commands.change_station_settings(caller.clone(), key, change);
        changed.await.expect("they can be changed");
    }
    let own = commands
        .chefs_of(caller, sacramento)
        .await
        .expect("the log answers");
    assert_eq!(own.len(), 3);
    let register = ChefRegister {
        name: "Chef of both".to_owned(),
        stations: vec![san_jose, sacramento],
        skills: vec![],
        user_id: None,
    };
    let both = commands.add_chef(caller.clone(), key("both"), register).await;
    let both: ChefId = both
        .expect("one can join")
        .id_of(Chef::STREAM)
        .parse()
        .expect("ids are UUIDs");
    let week = |from: &str, until: &str| {
        let day = |day| WeeklyHours {
            day,
            from: time(from),
            until: time(until),
        };
        let days = [Weekday::Mon, Weekday::Sat, Weekday::Sun];
        ChefCommand::SetAvailability(ChefAvailabilitySet {
            weekly: days.map(day).to_vec(),
            before: None,
        })
    };
    let once = ChefCommand::SetCaps(ChefCapsSet {
        per_day: Some(1),
        ..ChefCapsSet::default()
    });
    let set = [
        (own[0], once),
        (own[1], week("09:00:00", "17:30:00")),
        (own[2], week("13:30:00", "23:59:00")),
    ];
    for (number, (chef_id, command)) in set.into_iter().enumerate() {
        let change = ChefChange {
            chef_id,
            expected_version: None,
            command,
        };
        let set = commands.change_chef(caller.clone(), key(&format!("times {number}")), change);
        set.await.expect("it can be set");
    }
    told.per_day.insert(own[0], 1);
    told.hours.insert(own[1], (time("09:00:00"), time("17:30:00")));
    told.hours.insert(own[2], (time("13:30:00"), time("23:59:00")));
    let mut chefs = own.clone();
    chefs.push(both);
    chefs.extend(
        commands
            .chefs_of(caller, san_jose)
            .await
            .expect("the log answers"),
    );
    let company = Company {
        san_jose,
        sacramento,
        chefs,
        may_be_off: [own, vec![both]].concat(),
    };
    (company, told)
}
