//! Whatever many people ask for at the same time, no station promises more chefs than work then, no chef is at two parties
//! at once nor promised by two stations, and nothing is held for a party that is off. What happened is judged by what the
//! log says, by other code than that which decided.

mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use commands::booking::{
    BookingChef, BookingChefRelease, BookingDelete, BookingGuestCountChange, BookingInput, BookingReschedule,
    BookingRestore, CustomerInput, OnBehalfOf, SmsConsent, VenueInput,
};
use commands::chef::{ChefChange, ChefRegister};
use commands::station::StationSettingsChange;
use commands::{Caller, CommandError, Commands, IdempotencyKey, Written};
use domain::access::Role;
use domain::booking::{Booking, CancelledBy, FeeAgreed};
use domain::chef::{Chef, ChefAvailabilitySet, ChefCapsSet, ChefCommand, ChefTimeOffAdded, WeeklyHours};
use domain::decider::Decider;
use domain::envelope::Position;
use domain::guests::Guests;
use domain::ids::{BookingId, ChefId, StationId};
use domain::recorded::Recorded;
use domain::station::StationSettings;
use event_log::HeldClaim;
use futures::future::join_all;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use tests::http::{Server, global_id};
use tests::seed::{random, remark, seed};

use told::Told;

/// Waves a month before the parties.
const WAVES: usize = 10;
const AT_ONCE: usize = 16;

/// When waves are asked for during the parties: while they go on, and between them.
const DURING: [&str; 6] = [
    "2026-03-14T19:05:00Z",
    "2026-03-14T22:10:00Z",
    "2026-03-15T01:05:00Z",
    "2026-03-15T03:45:00Z",
    "2026-03-15T19:30:00Z",
    "2026-03-16T01:10:00Z",
];

/// Something that somebody asks for.
#[derive(Debug, Clone)]
enum Ask {
    Request(StationId, NaiveDateTime, i32),
    TimeOff(ChefId, NaiveDate),
    Complete(BookingId),
    Reschedule(BookingId, NaiveDateTime),
    Guests(BookingId, i32),
    Cancel(BookingId),
    Delete(BookingId),
    Restore(BookingId),
    Assign(BookingId, ChefId),
    Unassign(BookingId, ChefId),
}

/// One of few slots, so that they are fought for.
fn slot(random: &mut ChaCha8Rng) -> NaiveDateTime {
    let day =
        NaiveDate::from_ymd_opt(2026, 3, 14).expect("a day") + Duration::days(random.random_range(0..3));
    let hour = *[12, 15, 18, 21].choose(random).expect("there are some");
    day.and_hms_opt(hour, 0, 0).expect("a whole hour")
}

fn ask(random: &mut ChaCha8Rng, company: &Company, bookings: &[BookingId]) -> Ask {
    let station = *[company.san_jose, company.sacramento, company.sacramento]
        .choose(random)
        .expect("there are some");
    let guests = *[8, 20, 26, 40, 51].choose(random).expect("there are some");
    // Of the youngest: most of the old ones are off by now.
    let young = &bookings[bookings.len().saturating_sub(24)..];
    let Some(booking) = young.choose(random).copied() else {
        return Ask::Request(station, slot(random), guests);
    };
    let chef = *company.chefs.choose(random).expect("there are some");
    match random.random_range(0..20) {
        0..4 => Ask::Request(station, slot(random), guests),
        15..18 => Ask::Complete(booking),
        18 => Ask::TimeOff(
            *company.may_be_off.choose(random).expect("there are some"),
            slot(random).date(),
        ),
        4..7 => Ask::Reschedule(booking, slot(random)),
        7..9 => Ask::Guests(booking, guests),
        9 => Ask::Cancel(booking),
        10 => Ask::Delete(booking),
        11 => Ask::Restore(booking),
        12..15 => Ask::Assign(booking, chef),
        _ => Ask::Unassign(booking, chef),
    }
}

/// Two stations that share a chef, and who may be asked for what.
struct Company {
    san_jose: StationId,
    sacramento: StationId,
    chefs: Vec<ChefId>,
    may_be_off: Vec<ChefId>,
}

fn party(
    company: &Company,
    station: StationId,
    name: &str,
    start: NaiveDateTime,
    adults: i32,
) -> BookingInput {
    let (city, zip) = if station == company.san_jose {
        ("San Jose", "95112")
    } else {
        ("Sacramento", "95814")
    };
    BookingInput {
        station: Some(station),
        customer: CustomerInput {
            id: None,
            name: Some(name.to_owned()),
            email: Some(format!("{name}@example.com")),
            phone: None,
            sms_consent: SmsConsent::NotGiven,
        },
        venue: VenueInput {
            street: "1 Main St".to_owned(),
            city: city.to_owned(),
            state: "CA".to_owned(),
            zip: zip.to_owned(),
            county: None,
        },
        start,
        guests: Guests {
            adults,
            children: 0,
            under6: 0,
        },
        add_ons: vec![],
        promo_code: None,
        source: None,
        terms_version: None,
        note: None,
    }
}

async fn give(
    commands: Commands,
    caller: Caller,
    company: Arc<Company>,
    name: String,
    ask: Ask,
) -> Result<Written, CommandError> {
    let key = IdempotencyKey::of_reaction("test", &name);
    let expected_version = None;
    match ask {
        Ask::Request(station, start, adults) => {
            let input = party(&company, station, &name, start, adults);
            commands.request_booking(caller, key, input).await
        }
        Ask::Reschedule(booking_id, start) => {
            let ask = BookingReschedule {
                booking_id,
                expected_version,
                start,
                venue: None,
                fee: FeeAgreed::Yes,
                on_behalf_of: OnBehalfOf::Customer,
                reason: None,
            };
            commands.reschedule_booking(caller, key, ask).await
        }
        Ask::Guests(booking_id, adults) => {
            let ask = BookingGuestCountChange {
                booking_id,
                expected_version,
                guests: Guests {
                    adults,
                    children: 0,
                    under6: 0,
                },
                reason: None,
            };
            commands.change_guest_count(caller, key, ask).await
        }
        Ask::TimeOff(chef_id, day) => {
            let off = ChefTimeOffAdded {
                from: day,
                to: day,
                reason: None,
            };
            let ask = ChefChange {
                chef_id,
                expected_version,
                command: ChefCommand::AddTimeOff(off),
            };
            commands.change_chef(caller, key, ask).await
        }
        Ask::Complete(id) => commands.complete_booking(caller, key, id, None, None).await,
        Ask::Cancel(id) => {
            let why = "plans changed".to_owned();
            commands
                .cancel_booking(caller, key, id, None, CancelledBy::Customer, why)
                .await
        }
        Ask::Delete(booking_id) => {
            let ask = BookingDelete {
                booking_id,
                expected_version,
                reason: "made by mistake".to_owned(),
            };
            commands.delete_booking(caller, key, ask).await
        }
        Ask::Restore(booking_id) => {
            let ask = BookingRestore {
                booking_id,
                expected_version,
                reason: None,
            };
            commands.restore_booking(caller, key, ask).await
        }
        Ask::Assign(booking_id, chef_id) => {
            let ask = BookingChef {
                booking_id,
                expected_version,
                chef_id,
            };
            commands.assign_chef(caller, key, ask).await
        }
        Ask::Unassign(booking_id, chef_id) => {
            let ask = BookingChefRelease {
                booking_id,
                expected_version,
                chef_id,
                reason: None,
            };
            commands.unassign_chef(caller, key, ask).await
        }
    }
}

/// Everything in the log, judged event by event; what a command promised, once all of it is told.
async fn judged(server: &Server, mut told: Told) -> Told {
    let mut at = Position::START;
    let mut promised: Option<(BookingId, String)> = None;
    let mut command = None;
    loop {
        let page = server.app.log.read(server.company.tenant, at, 500, None).await;
        let page = page.expect("the log answers");
        let Some(last) = page.last() else { break };
        at = last.position;
        for event in page {
            if command != Some(event.command_id) {
                if let Some((id, about)) = promised.take() {
                    told.promised(id, &about);
                }
                command = Some(event.command_id);
            }
            let about = format!("{} at {}", event.event_type, event.position);
            let event = Recorded::try_from(event).expect("it can be read");
            if let Some(id) = told.tell(&event) {
                promised = Some((id, about));
            }
        }
    }
    if let Some((id, about)) = promised {
        told.promised(id, &about);
    }
    told
}

fn time(text: &str) -> NaiveTime {
    text.parse().expect("a time of day")
}

/// San Jose with a chef of its own, Sacramento with three of whom one cooks once a day and two in shifts that meet in the
/// afternoon, and a chef of both.
async fn two_stations(server: &Server, caller: &Caller) -> (Company, Told) {
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

/// Pays the deposits of what was asked for, so that it does not expire; what is off by now is not.
async fn pay(server: &Server, bookings: &[BookingId]) {
    let admin = server.sign_in(Role::Admin).await;
    for (number, booking) in bookings.iter().enumerate() {
        let money = json!({
            "idempotencyKey": format!("money {number}"), "bookingId": global_id("Booking", booking),
            "kind": "DEPOSIT", "method": "CASH", "amountMinor": 10_000,
        });
        let recorded = admin.command("paymentRecord", "payment { id }", money).await;
        let verify = json!({
            "idempotencyKey": format!("verify {number}"), "paymentId": recorded["payment"]["id"], "accept": true,
        });
        if recorded["payment"]["id"].is_string() {
            admin.command("paymentVerify", "payment { id }", verify).await;
        }
    }
    // What policies answer is written when the read models have it.
    server.caught_up(&server.company).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_asked_at_once_nobody_is_booked_twice_and_nothing_is_left_behind() {
    let server = Server::start().await;
    let tenant = server.company.tenant;
    let mut random = random(seed(), 0);
    let caller = Caller::system(tenant, "test");
    let (company, told) = two_stations(&server, &caller).await;
    let company = Arc::new(company);
    let mut bookings: Vec<BookingId> = Vec::new();
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for wave in 0..WAVES + DURING.len() {
        if wave >= WAVES {
            if wave == WAVES {
                pay(&server, &bookings).await;
            }
            server.set_clock(DURING[wave - WAVES]);
        }
        let asks: Vec<Ask> = (0..AT_ONCE)
            .map(|_| ask(&mut random, &company, &bookings))
            .collect();
        let given = asks.iter().enumerate().map(|(number, ask)| {
            let name = format!("wave{wave}-{number}");
            let (commands, company) = (server.app.commands.clone(), company.clone());
            let given = give(commands, caller.clone(), company, name, ask.clone());
            tokio::spawn(given)
        });
        for (ask, outcome) in asks.iter().zip(join_all(given).await) {
            let outcome = match outcome.expect("no command panics") {
                Ok(written) => {
                    if matches!(ask, Ask::Request(..)) {
                        bookings.push(written.id_of(Booking::STREAM).parse().unwrap());
                    }
                    if matches!(ask, Ask::Complete(_)) {
                        "completed".to_owned()
                    } else {
                        "done".to_owned()
                    }
                }
                Err(CommandError::Refused(refused)) => refused.code.to_owned(),
                Err(CommandError::Conflict) => "CONFLICT".to_owned(),
                Err(error) => panic!("{ask:?}: {error}"),
            };
            *outcomes.entry(outcome).or_default() += 1;
        }
    }
    remark(format_args!("{outcomes:?}"));
    assert!(outcomes["done"] >= AT_ONCE, "{outcomes:?}");
    assert!(
        outcomes.contains_key("SLOT_UNAVAILABLE"),
        "they fight: {outcomes:?}"
    );
    server.caught_up(&server.company).await;

    let told = judged(&server, told).await;
    let crews = told.crews(company.san_jose);
    remark(format_args!(
        "{crews} parties have a crew, {} by name",
        told.by_name
    ));
    assert!(told.by_name > 0, "the chef of both is fought for");
    let (_, held) = server.app.log.held_claims(tenant).await.expect("the log answers");
    let of_time: BTreeSet<HeldClaim> = held
        .iter()
        .filter(|claim| match claim {
            HeldClaim::Capacity { resource, .. } => resource.starts_with("station:"),
            HeldClaim::Interval { .. } => true,
            HeldClaim::Unique { .. } => false,
        })
        .cloned()
        .collect();
    assert_eq!(of_time, told.held());
    // A party counts towards a chef's day and week as long as the chef is to cook it, and no longer.
    let counted = held.iter().filter_map(|claim| match claim {
        HeldClaim::Capacity { resource, holder, .. } => {
            let chef = resource.strip_prefix("chef_day:")?;
            Some((holder.id.parse().unwrap(), chef.parse().unwrap()))
        }
        HeldClaim::Interval { .. } | HeldClaim::Unique { .. } => None,
    });
    let counted: BTreeSet<(BookingId, ChefId)> = counted.collect();
    assert_eq!(counted, told.crew());
    let verified = replays::verify_claims(&server.app.log, tenant, &()).await;
    assert!(verified.is_ok(), "{verified:?}");
    server.assert_rebuild_changes_nothing(&server.company).await;
}
