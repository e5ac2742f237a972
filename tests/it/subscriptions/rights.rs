//! Who is told of what.

use std::collections::{BTreeMap, BTreeSet};

use commands::chef::ChefRegister;
use commands::{Caller, IdempotencyKey};
use domain::access::{Role, StationScope};
use domain::chef::Chef;
use domain::decider::Decider;
use domain::ids::ChefId;
use serde_json::{Value, json};
use tests::http::{Client, Company, Server, global_id, party, with};

use super::{CHANGES, Events, Socket, after, code, position, server};

/// Every kind of thing.
const KINDS: [&str; 21] = [
    "booking",
    "chef",
    "conversation",
    "customer",
    "document",
    "document_series",
    "escalation",
    "job",
    "lead",
    "message",
    "message_template",
    "organisation",
    "payment",
    "price_list",
    "promo_code",
    "review",
    "station",
    "tax_period",
    "tax_rate",
    "user",
    "work_item",
];

/// The kinds of things of whose changes a role is not told; of stations everybody is.
fn untold(role: Role) -> &'static [&'static str] {
    match role {
        Role::SuperAdmin | Role::Admin | Role::Auditor => &[],
        Role::CustomerSupport => &["organisation", "tax_period", "tax_rate", "user"],
        Role::StationManager => &[
            "conversation",
            "job",
            "lead",
            "message",
            "message_template",
            "organisation",
            "tax_period",
            "tax_rate",
            "user",
        ],
        // Of others than the own, none.
        Role::Chef => &[
            "booking",
            "chef",
            "conversation",
            "customer",
            "document",
            "document_series",
            "escalation",
            "job",
            "lead",
            "message",
            "message_template",
            "organisation",
            "payment",
            "price_list",
            "promo_code",
            "review",
            "tax_period",
            "tax_rate",
            "user",
            "work_item",
        ],
        Role::Accountant => &[
            "chef",
            "conversation",
            "customer",
            "escalation",
            "job",
            "lead",
            "message",
            "message_template",
            "organisation",
            "review",
            "user",
        ],
    }
}

/// A party that is asked for, in Sacramento where the company has another station.
fn in_sacramento(company: &Company, key: &str) -> Value {
    let there = json!({
        "stationId": global_id("Station", company.sacramento),
        "venue": {"street": "1 Main St", "city": "Sacramento", "state": "CA", "zip": "95814"},
    });
    with(party(key), there)
}

/// Things happen: parties at both stations, money, a lead.
async fn lived_in(server: &Server) -> Value {
    let admin = super::admin(server).await;
    let booked = admin
        .done("bookingRequest", "booking { id }", party("ours"))
        .await;
    let refused = admin.refused("bookingRequest", party("late")).await;
    assert_eq!(refused, "SLOT_UNAVAILABLE");
    let there = in_sacramento(&server.company, "there");
    admin.done("bookingRequest", "booking { id }", there).await;
    let money = json!({
        "idempotencyKey": "money", "bookingId": booked["booking"]["id"], "kind": "DEPOSIT", "method": "ZELLE",
        "amountMinor": 10_000,
    });
    admin.done("paymentRecord", "payment { id }", money).await;
    booked["booking"]["id"].clone()
}

/// A new station, which everybody is told of, and its position.
async fn mark(server: &Server, company: &Company) -> i64 {
    let admin = server
        .sign_in_at(company, Role::SuperAdmin, StationScope::All)
        .await;
    let input = json!({"idempotencyKey": "mark", "name": "Marker", "zone": "America/Los_Angeles", "zip": "93721", "state": "CA"});
    admin.done("stationCreate", "station { id }", input).await["position"]
        .as_i64()
        .expect("it was written")
}

/// Everything that somebody is told until a position.
async fn all(client: &Client, until: i64) -> Vec<Value> {
    let mut events = Events::begun(client, CHANGES, &after(0)).await;
    let mut told = Vec::new();
    loop {
        let change = events.change().await;
        let at = position(&change);
        told.push(change);
        if at >= until {
            return told;
        }
    }
}

/// The kinds of things of a company's log, by the positions of their events.
async fn log(server: &Server, company: &Company) -> BTreeMap<i64, String> {
    let mut tx = server.app.database.begin_read(company.tenant).await;
    let tx = tx.as_mut().expect("the log answers");
    let events = "select position, aggregate_type from events where tenant_id = $1";
    let events: Vec<(i64, String)> = sqlx::query_as(events)
        .bind(company.tenant.0)
        .fetch_all(&mut **tx)
        .await
        .expect("the log answers");
    events.into_iter().collect()
}

#[tokio::test]
async fn each_role_is_told_of_what_it_may_read_and_of_nothing_else() {
    let server = server().await;
    lived_in(&server).await;
    let mut people = Vec::new();
    for role in Role::ALL {
        people.push((role, server.sign_in(role).await));
    }
    server.quiet(&server.company).await;
    let until = mark(&server, &server.company).await;
    let log = log(&server, &server.company).await;
    for (role, person) in people {
        let untold = untold(role);
        let expected: Vec<i64> = log
            .iter()
            .filter(|(at, kind)| **at <= until && !untold.contains(&kind.as_str()))
            .map(|(at, _)| *at)
            .collect();
        let told: Vec<i64> = all(&person, until).await.iter().map(position).collect();
        assert_eq!(told, expected, "{role:?}");
    }
    let kinds: BTreeSet<&str> = log.values().map(String::as_str).collect();
    assert!(kinds.iter().all(|kind| KINDS.contains(kind)), "{kinds:?}");
    assert!(kinds.len() >= 9, "{kinds:?}");
}

#[tokio::test]
async fn somebody_of_one_station_is_told_what_the_trail_shows_them_and_no_other_company_anything() {
    let server = server().await;
    let neighbour = server.neighbour().await;
    let spy = server
        .sign_in_at(&neighbour, Role::SuperAdmin, StationScope::All)
        .await;
    lived_in(&server).await;
    let scope = StationScope::Only(vec![server.company.sacramento]);
    let bound = server.sign_in_at(&server.company, Role::Auditor, scope).await;
    server.quiet(&server.company).await;
    let admin = server.sign_in(Role::SuperAdmin).await;
    let input = json!({"idempotencyKey": "last", "stationId": global_id("Station", server.company.sacramento),
        "item": "adult", "priceMinor": 6_000, "reason": "dearer"});
    let last = admin.done("priceChange", "", input).await["position"]
        .as_i64()
        .expect("it was written");
    server.caught_up(&server.company).await;
    let trail = "{ auditLog(first: 100) { nodes { position } } }";
    let trail = bound.data(trail, json!({})).await["auditLog"]["nodes"].take();
    let mut trail: Vec<i64> = trail.as_array().expect("a list").iter().map(position).collect();
    trail.reverse();
    let told: Vec<i64> = all(&bound, last).await.iter().map(position).collect();
    assert_eq!(told, trail);
    assert!(!told.is_empty() && told.len() < usize::try_from(last).expect("it is small"));
    let theirs = mark(&server, &neighbour).await;
    let told: Vec<i64> = all(&spy, theirs).await.iter().map(position).collect();
    assert_eq!(
        told,
        (1..=theirs).collect::<Vec<_>>(),
        "their own log and no event more"
    );
}

#[tokio::test]
async fn a_chef_is_told_of_the_own_record_and_parties() {
    let server = server().await;
    let booking = lived_in(&server).await;
    let chef = server.sign_in(Role::Chef).await;
    let user = chef.data("{ viewer { userId } }", json!({})).await["viewer"]["userId"].clone();
    let user = user.as_str().expect("an id").to_owned();
    let ask = ChefRegister {
        name: "Cook".to_owned(),
        stations: vec![server.company.san_jose],
        skills: Vec::new(),
        user_id: Some(local(&user).parse().expect("an id")),
    };
    let caller = Caller::system(server.company.tenant, "test");
    let key = IdempotencyKey::of_reaction("test", "cook");
    let known = server
        .app
        .commands
        .add_chef(caller, key, ask)
        .await
        .expect("the chef can be registered");
    let cook: ChefId = known.id_of(Chef::STREAM).parse().expect("an id");
    let admin = super::admin(&server).await;
    let of = |key: &str, more: Value| with(json!({"idempotencyKey": key, "bookingId": booking}), more);
    let cooks = json!({"chefId": global_id("Chef", cook)});
    admin
        .done("bookingNoteAdd", "", of("note 1", json!({"note": "before"})))
        .await;
    admin
        .done("bookingChefAssign", "", of("assign", cooks.clone()))
        .await;
    let noted = admin
        .done("bookingNoteAdd", "", of("note 2", json!({"note": "Rings twice"})))
        .await;
    admin
        .done(
            "bookingReschedule",
            "",
            of("move", json!({"start": "2026-03-15T18:00:00"})),
        )
        .await;
    admin
        .done("bookingNoteAdd", "", of("note 3", json!({"note": "after"})))
        .await;
    let until = mark(&server, &server.company).await;
    let own: Vec<(i64, Value)> = all(&chef, until)
        .await
        .into_iter()
        .filter(|change| change["entityType"] != "station")
        .map(|change| (position(&change), change["type"].clone()))
        .collect();
    let kinds: BTreeSet<&str> = own.iter().filter_map(|(_, name)| name.as_str()).collect();
    assert!(kinds.contains("chef.registered"), "{kinds:?}");
    let booked: Vec<(i64, &str)> = own
        .iter()
        .filter_map(|(at, name)| Some((*at, name.as_str()?)))
        .filter(|(_, name)| name.starts_with("booking."))
        .collect();
    let names: Vec<&str> = booked.iter().map(|(_, name)| *name).collect();
    let parties = [
        "booking.chef_assigned",
        "booking.note_added",
        "booking.chef_unassigned",
    ];
    assert_eq!(
        names, parties,
        "from when the chef cooks until the party is moved, which takes it from them"
    );
    assert_eq!(booked[1].0, noted["position"].as_i64().expect("it was written"));
    // Who comes back between the two is told of the rest alike.
    let mut events = Events::begun(&chef, CHANGES, &after(booked[0].0)).await;
    for (at, _) in &booked[1..] {
        assert_eq!(position(&events.change().await), *at);
    }
}

/// The id within a global one.
fn local(id: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let bytes = URL_SAFE_NO_PAD.decode(id).expect("a global id");
    let text = String::from_utf8(bytes).expect("a global id");
    text.split_once(':').expect("a global id").1.to_owned()
}

#[tokio::test]
async fn what_may_not_be_seen_is_not_followed() {
    let server = server().await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let chef = server.sign_in(Role::Chef).await;
    let accountant = server.sign_in(Role::Accountant).await;
    let dashboard = "subscription { dashboardChanged { total { requested } } }";
    for (who, query, variables) in [
        (&support, CHANGES, json!({"types": ["tax_rate.set"]})),
        (
            &accountant,
            CHANGES,
            json!({"types": ["booking.requested", "customer.registered"]}),
        ),
        (&chef, CHANGES, json!({"types": ["payment.succeeded"]})),
        (&chef, dashboard, json!({})),
    ] {
        let mut events = Events::begun(who, query, &variables).await;
        let (answer, _) = events.answer().await;
        assert_eq!(code(&answer), "FORBIDDEN", "{answer}");
        let mut socket = Socket::of(&server, who).await;
        socket.follow("a", query, &variables).await;
        assert_eq!(code(&socket.answer("a").await), "FORBIDDEN");
    }
    for role in Role::ALL {
        let person = server.sign_in(role).await;
        let mut events = Events::begun(&person, dashboard, &json!({})).await;
        let may = role.may(domain::access::Permission::MoneyRead);
        assert_eq!(events.answer().await.0["errors"].is_null(), may, "{role:?}");
    }
    assert_eq!(
        Events::refused(&server.nobody(), CHANGES, &json!({})).await,
        (401, "UNAUTHENTICATED".to_owned())
    );
}

#[tokio::test]
async fn these_tests_hold_every_field_that_can_be_followed() {
    let server = server().await;
    let auditor = server.sign_in(Role::Auditor).await;
    let schema = "{ __schema { subscriptionType { fields { name } } } }";
    let schema = auditor.data(schema, json!({})).await;
    assert_eq!(
        schema["__schema"]["subscriptionType"]["fields"],
        json!([{"name": "changes"}, {"name": "dashboardChanged"}])
    );
}
