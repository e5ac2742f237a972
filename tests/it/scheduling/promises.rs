//! What a station promises: each chef once, in no more parties than the chef's limit, as the chefs are known when it is
//! written.

use std::sync::{Arc, Mutex, PoisonError};

use api::app::App;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use commands::booking::{BookingReschedule, OnBehalfOf};
use commands::chef::ChefChange;
use commands::gateways::{SeededIds, SimulatedClock, ZipDirectory};
use commands::ports::{Ids, Ports};
use commands::{Caller, CommandError, Commands, IdempotencyKey};
use domain::access::Role;
use domain::booking::FeeAgreed;
use domain::chef::{ChefCommand, ChefTimeOffAdded};
use domain::ids::ChefId;
use event_log::MasterKey;
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id, party, with};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::{BOOKING, about, as_of, booked, sacramento};

/// The slots of a day at a station for eight guests: free chefs, and why each is not to be had.
async fn slots(client: &Client, station: &Value, day: &str) -> Vec<(i64, Option<String>)> {
    let query = "query($id: ID!, $day: LocalDate!) {
        availability(stationId: $id, from: $day, to: $day, guests: 8, zip: \"95112\") { chefsFree reason } }";
    let data = client.data(query, json!({"id": station, "day": day})).await;
    let slots = data["availability"].as_array().expect("a list").iter();
    let slot = |slot: &Value| {
        let free = slot["chefsFree"].as_i64().expect("a count");
        (free, slot["reason"].as_str().map(str::to_owned))
    };
    slots.map(slot).collect()
}

#[tokio::test]
async fn a_chef_of_two_stations_is_promised_by_one_of_them() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let station = |id| json!(global_id("Station", id));
    let san_jose = station(server.company.san_jose);
    let both = json!({
        "idempotencyKey": "both", "name": "Chef of both",
        "stationIds": [san_jose, station(server.company.sacramento)],
    });
    let both = admin.done("chefRegister", "chef { id }", both).await["chef"]["id"].take();
    let first = booked(&admin, party("first")).await;
    assert_eq!(first["chefs"], json!([]), "the chef of San Jose alone is counted");
    let evening = async || slots(&admin, &san_jose, "2026-03-14").await[2].clone();
    assert_eq!(evening().await, (1, None));
    for number in 1..=3 {
        booked(&admin, sacramento(&server, &format!("own{number}"), json!({}))).await;
    }
    let fourth = booked(&admin, sacramento(&server, "fourth", json!({}))).await;
    assert_eq!(
        fourth["chefs"],
        json!([{"id": both}]),
        "held by name from the request on"
    );
    assert_eq!(evening().await, (0, Some("SLOT_UNAVAILABLE".to_owned())));
    let refused = async |input: Value| admin.refused("bookingRequest", input).await;
    assert_eq!(refused(party("second")).await, "SLOT_UNAVAILABLE");
    let fifth = sacramento(&server, "fifth", json!({}));
    assert_eq!(refused(fifth).await, "SLOT_UNAVAILABLE");
    let off = json!({"reason": "plans changed", "byCompany": false});
    admin.done("bookingCancel", "", about(&fourth, "off", off)).await;
    assert_eq!(evening().await, (1, None));
    let second = booked(&admin, party("last")).await;
    assert_eq!(second["chefs"], json!([{"id": both}]));
    server.assert_rebuild_changes_nothing(&server.company).await;
    let held = replays::verify_claims(&server.app.log, server.company.tenant, &()).await;
    assert!(held.is_ok(), "{held:?}");
}

#[tokio::test]
async fn a_day_that_is_full_by_the_chefs_limit_is_not_on_offer() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let station = json!(global_id("Station", server.company.san_jose));
    let query = "query($id: ID!) { chefs(first: 1, stationId: $id) { nodes { id } } }";
    let chef = admin.data(query, json!({"id": station})).await["chefs"]["nodes"][0]["id"].take();
    let once = json!({"idempotencyKey": "once", "chefId": chef, "perDay": 1});
    admin.done("chefCapsSet", "", once).await;
    let noon = with(party("noon"), json!({"start": "2026-03-14T12:00:00"}));
    let noon = booked(&admin, noon).await;
    assert_eq!(slots(&admin, &station, "2026-03-14").await[2], (1, None));
    let cooks = about(&noon, "cooks", json!({"chefId": chef}));
    admin.done("bookingChefAssign", "", cooks).await;
    let full = (0, Some("NO_CHEF".to_owned()));
    assert_eq!(slots(&admin, &station, "2026-03-14").await[2], full);
    assert_eq!(admin.refused("bookingRequest", party("evening")).await, "NO_CHEF");
    assert_eq!(slots(&admin, &station, "2026-03-15").await[2], (1, None));
}

/// Ids that run something before the next of them is made: when a command has decided and is about to write.
struct Before {
    ids: SeededIds,
    run: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Ids for Before {
    fn next(&self, now: DateTime<Utc>) -> Uuid {
        let run = self.run.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(run) = run {
            run();
        }
        self.ids.next(now)
    }
}

async fn time_off(commands: Commands, caller: Caller, chef_id: ChefId) {
    let day = "2026-04-04".parse().expect("a day");
    let ask = ChefChange {
        chef_id,
        expected_version: None,
        command: ChefCommand::AddTimeOff(ChefTimeOffAdded {
            from: day,
            to: day,
            reason: None,
        }),
    };
    let key = IdempotencyKey::of_reaction("test", "off");
    commands.change_chef(caller, key, ask).await.expect("a day off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_remembers_nothing_hears_of_days_off_that_were_taken_while_it_decided() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&admin, party("moving")).await;
    let caller = Caller::system(server.company.tenant, "test");
    let commands = server.app.commands.clone();
    let chefs = commands.chefs_of(&caller, server.company.san_jose).await;
    let chef = chefs.expect("the log answers")[0];
    let off = time_off(commands, caller.clone(), chef);
    let ids = Before {
        ids: SeededIds::new(78),
        run: Mutex::new(Some(Box::new(move || {
            tokio::task::block_in_place(|| Handle::current().block_on(off));
        }))),
    };
    let ports = Ports {
        clock: Arc::new(SimulatedClock::at(server.now())),
        ids: Arc::new(ids),
        places: Arc::new(ZipDirectory),
    };
    let gateway = server.database().database().await;
    let cold = App::compose(gateway, MasterKey::new([7; 32]), [8; 32], ports);
    let id = URL_SAFE_NO_PAD.decode(booking["id"].as_str().expect("an id"));
    let id = String::from_utf8(id.expect("base64")).expect("text");
    let id = id.strip_prefix("Booking:").expect("a booking's");
    let ask = BookingReschedule {
        booking_id: id.parse().expect("an id"),
        expected_version: None,
        start: "2026-04-04T18:00:00".parse().expect("a time"),
        venue: None,
        fee: FeeAgreed::No,
        on_behalf_of: OnBehalfOf::Customer,
        reason: None,
    };
    let key = IdempotencyKey::of_reaction("test", "move");
    match cold.commands.reschedule_booking(caller, key, ask).await {
        Err(CommandError::Refused(refused)) => assert_eq!(refused.code, "NO_CHEF"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_same_address_written_again_is_no_move() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&admin, party("here")).await;
    let to = |key: &str, street: &str| {
        let venue = json!({"street": street, "city": "San Jose", "state": "ca", "zip": "95112"});
        about(
            &booking,
            key,
            json!({"start": "2026-03-14T18:00:00", "venue": venue}),
        )
    };
    let same = to("same", " 1 Main St ");
    assert_eq!(admin.refused("bookingReschedule", same).await, "UNCHANGED");
    let moved = admin
        .done("bookingReschedule", BOOKING, to("other", "2 Main St"))
        .await;
    assert_eq!(moved["booking"]["start"], booking["start"]);
}

#[tokio::test]
async fn what_was_deleted_does_not_keep_a_customer_and_what_is_over_does_not_come_back() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let with_customer = "booking { id status customer { id } }";
    let request = async |key: &str, start: &str| {
        let input = with(party(key), json!({"start": start}));
        admin.done("bookingRequest", with_customer, input).await["booking"].take()
    };
    let erase = |key: &str, booking: &Value| json!({"idempotencyKey": key, "customerId": booking["customer"]["id"], "reason": "asked for it by letter"});
    let away = request("away", "2026-03-28T18:00:00").await;
    let refused = admin.refused("customerErase", erase("too early", &away)).await;
    assert_eq!(refused, "CUSTOMER_HAS_OPEN_BOOKING");
    let reason = json!({"reason": "made by mistake"});
    admin
        .done("bookingDelete", "", about(&away, "delete", reason))
        .await;
    admin.done("customerErase", "", erase("erase", &away)).await;
    assert_eq!(
        admin
            .refused("bookingRestore", about(&away, "restore", json!({})))
            .await,
        "CUSTOMER_ERASED"
    );

    let over = request("over", "2026-03-14T18:00:00").await;
    let money = json!({"kind": "DEPOSIT", "method": "CASH", "amountMinor": 10_000});
    let paid = admin
        .done("paymentRecord", "payment { id }", about(&over, "money", money))
        .await;
    let verify = json!({"idempotencyKey": "verify", "paymentId": paid["payment"]["id"], "accept": true});
    let at = admin.done("paymentVerify", "", verify).await["position"]
        .as_i64()
        .unwrap();
    assert_eq!(as_of(&admin, &over, at + 1).await["status"], "CONFIRMED");
    server.set_clock("2026-03-16T01:00:00Z");
    admin.sign_in_again().await;
    admin
        .done("customerErase", "", erase("erase the other", &over))
        .await;
    let again = json!({"start": "2026-04-04T18:00:00", "reason": "another try", "acceptFee": true});
    assert_eq!(
        admin
            .refused("bookingReschedule", about(&over, "again", again))
            .await,
        "CUSTOMER_ERASED"
    );
}

#[tokio::test]
async fn a_date_that_no_calendar_has_is_bad_input_and_not_an_accident() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let station = json!(global_id("Station", server.company.san_jose));
    for far in ["+262142-12-31", "-0001-01-01", "0000-01-01"] {
        let query = "query($id: ID!, $day: LocalDate!) {
            availability(stationId: $id, from: $day, to: $day, guests: 8) { reason } }";
        let told = admin.graphql(query, json!({"id": station, "day": far})).await;
        let message = told["errors"][0]["message"].as_str().expect("an error");
        assert!(message.contains("expected a date such as 2026-03-14"), "{told}");
    }
    let last = slots(&admin, &station, "9999-12-31").await;
    assert_eq!(last[0].1.as_deref(), Some("TOO_FAR_AHEAD"));
    let first = slots(&admin, &station, "0001-01-01").await;
    assert_eq!(first[0].1.as_deref(), Some("TOO_SOON"));
}
