//! Whatever many people ask for at the same time, no station promises more chefs than work then, no chef is at two parties
//! at once nor promised by two stations, and nothing is held for a party that is off. What happened is judged by what the
//! log says, by other code than that which decided.

mod asks;
mod company;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use commands::{Caller, CommandError};
use domain::access::Role;
use domain::booking::Booking;
use domain::decider::Decider;
use domain::envelope::Position;
use domain::ids::{BookingId, ChefId};
use domain::recorded::Recorded;
use event_log::HeldClaim;
use futures::future::join_all;
use serde_json::json;
use tests::http::{Server, global_id};
use tests::seed::{random, remark, seed};

use asks::{Ask, ask, give};
use company::two_stations;
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
    // Nothing is given up between one look at the log and the next.
    server.quiet(&server.company).await;
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
