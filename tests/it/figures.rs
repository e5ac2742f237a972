//! What a company looks at every day, over HTTP: its dashboard, its calendar, its ledgers and its trail.

use domain::access::{Role, StationScope};
use serde_json::{Value, json};
use tests::http::{Client, PARTY, Server, global_id, party};

fn money(amount: &str) -> Value {
    json!({"amount": amount})
}

/// A party that is booked, its deposit found, a tip not found, and that is called off.
async fn called_off(server: &Server, admin: &Client) -> (String, i64) {
    let booked = admin
        .done("bookingRequest", "booking { id }", party("first"))
        .await;
    let booking = booked["booking"]["id"].as_str().expect("an id").to_owned();
    let mut before = 0;
    for (key, kind, amount, accept) in [("deposit", "DEPOSIT", 10_000, true), ("tip", "TIP", 5_000, false)] {
        let paid = json!({
            "idempotencyKey": key, "bookingId": booking, "kind": kind, "method": "ZELLE", "amountMinor": amount,
        });
        let recorded = admin.done("paymentRecord", "payment { id }", paid).await;
        before = recorded["position"].as_i64().expect("it was written");
        let verify = json!({
            "idempotencyKey": format!("{key} verdict"), "paymentId": recorded["payment"]["id"], "accept": accept, "note": "seen",
        });
        let verified = admin.done("paymentVerify", "payment { id }", verify).await;
        if accept {
            // The deposit confirms by itself.
            let confirmed = verified["position"].as_i64().map(|position| position + 1);
            let query = "query($id: ID!, $at: LogPosition!) {
                booking(id: $id, fresh: {atLeast: $at, waitMs: 10000}) { status } }";
            let booking = admin.data(query, json!({"id": booking, "at": confirmed})).await;
            assert_eq!(booking["booking"]["status"], "CONFIRMED");
        }
    }
    let cancel = json!({"idempotencyKey": "off", "bookingId": booking, "reason": "the guests are ill"});
    admin.done("bookingCancel", "booking { id status }", cancel).await;
    server.caught_up(&server.company).await;
    (booking, before)
}

#[tokio::test]
async fn a_dashboard_shows_where_the_bookings_of_each_day_stand() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let (_, before) = called_off(&server, &admin).await;
    let query = "query($from: LocalDate!, $to: LocalDate!, $grain: Grain!, $station: ID, $asOf: AsOf) {
        dashboard(from: $from, to: $to, grain: $grain, stationId: $station, asOf: $asOf) {
            buckets { from to cancelled } readInfo { lagEvents }
            total { from to requested confirmed completed cancelled expired guests booked { amount } collected { amount }
                refunded { amount } outstanding { amount } averageOrder { amount } reviewAverage } } }";
    let week = json!({"from": "2026-03-09", "to": "2026-03-22", "grain": "WEEK"});
    let now = admin.data(query, week.clone()).await["dashboard"].take();
    assert_eq!(
        now["buckets"],
        json!([
            {"from": "2026-03-09", "to": "2026-03-15", "cancelled": 1},
            {"from": "2026-03-16", "to": "2026-03-22", "cancelled": 0},
        ])
    );
    assert_eq!(
        now["total"],
        json!({
            "from": "2026-03-09", "to": "2026-03-22", "requested": 0, "confirmed": 0, "completed": 0, "cancelled": 1,
            "expired": 0, "guests": 0, "booked": money("0.00"), "collected": money("100.00"),
            "refunded": money("0.00"), "outstanding": money("0.00"), "averageOrder": null, "reviewAverage": null,
        })
    );
    let mut then = week.clone();
    then["asOf"] = json!({"position": before});
    then["station"] = json!(global_id("Station", server.company.san_jose));
    let then = admin.data(query, then).await["dashboard"].take();
    let total = &then["total"];
    assert_eq!(
        (
            &total["confirmed"],
            &total["guests"],
            &total["booked"],
            &total["outstanding"],
            &total["averageOrder"]
        ),
        (
            &json!(1),
            &json!(16),
            &money("851.18"),
            &money("751.18"),
            &money("851.18")
        )
    );
    let mut other = week.clone();
    other["station"] = json!(global_id("Station", server.company.sacramento));
    let other = admin.data(query, other).await["dashboard"].take();
    assert_eq!(other["total"]["cancelled"], 0);
    let mut backwards = week;
    backwards["to"] = json!("2026-03-08");
    let refused = admin.graphql(query, backwards).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    let chef = server.sign_in(Role::Chef).await;
    let days = json!({"from": "2026-03-01", "to": "2026-03-31", "grain": "DAY"});
    let refused = chef.graphql(query, days).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test]
async fn a_calendar_shows_who_takes_the_chefs_of_a_station_by_its_clock() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    admin
        .done("bookingRequest", "booking { id }", party("first"))
        .await;
    server.caught_up(&server.company).await;
    let query = "query($station: ID!, $from: LocalDate!, $to: LocalDate!) {
        calendar(stationId: $station, from: $from, to: $to) { zone chefs readInfo { stale }
            days { date begins ends chefsTaken entries { chefsNeeded blockedFromLocal blockedUntilLocal
                booking { status start { local } customer { name } } } } } }";
    let san_jose = global_id("Station", server.company.san_jose);
    let asked = json!({"station": san_jose, "from": "2026-03-07", "to": "2026-03-14"});
    let calendar = admin.data(query, asked).await["calendar"].take();
    assert_eq!(
        (&calendar["zone"], &calendar["chefs"]),
        (&json!("America/Los_Angeles"), &json!(1))
    );
    let days = calendar["days"].as_array().expect("days");
    assert_eq!(days.len(), 8);
    let span = |day: &Value| (day["date"].clone(), day["begins"].clone(), day["ends"].clone());
    let utc = |text: &str| json!(format!("{text}:00+00:00"));
    assert_eq!(
        span(&days[1]),
        (
            json!("2026-03-08"),
            utc("2026-03-08T08:00"),
            utc("2026-03-09T07:00")
        )
    );
    assert_eq!(
        (&days[1]["chefsTaken"], &days[1]["entries"]),
        (&json!(0), &json!([]))
    );
    let party = &days[7];
    assert_eq!(party["chefsTaken"], 1);
    let entry = &party["entries"][0];
    assert_eq!(
        entry["booking"],
        json!({"status": "REQUESTED", "start": {"local": PARTY}, "customer": {"name": "Guest first"}})
    );
    assert_eq!(entry["blockedUntilLocal"], "2026-03-14T20:30:00");
    let kept = StationScope::Only(vec![server.company.sacramento]);
    let kept = server.sign_in_at(&server.company, Role::Auditor, kept).await;
    let asked = json!({"station": san_jose, "from": "2026-03-14", "to": "2026-03-14"});
    assert_eq!(kept.data(query, asked).await["calendar"], Value::Null);
    let long = json!({"station": san_jose, "from": "2026-03-01", "to": "2026-04-12"});
    let refused = admin.graphql(query, long).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_ledger_tells_the_money_of_a_booking_fact_by_fact() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let (booking, before) = called_off(&server, &admin).await;
    let query = "query($id: ID!, $after: String, $asOf: AsOf) { booking(id: $id, asOf: $asOf) {
        paid { minor } balanceDue { minor } refundProposal { proposed { minor } }
        ledger(first: 4, after: $after) { totalCount { value } pageInfo { hasNextPage endCursor }
            nodes { kind paymentKind method amount { minor } tip { minor } moved { minor } balance { minor }
                proposedRefund { minor } } } } }";
    let first = admin.data(query, json!({"id": booking})).await["booking"].take();
    assert_eq!(first["ledger"]["totalCount"]["value"], 6);
    let after = &first["ledger"]["pageInfo"]["endCursor"];
    let second = admin.data(query, json!({"id": booking, "after": after})).await["booking"].take();
    assert_eq!(second["ledger"]["pageInfo"]["hasNextPage"], false);
    let entries = [&first, &second].map(|page| page["ledger"]["nodes"].as_array().expect("a list").clone());
    let told: Vec<Value> = entries
        .concat()
        .iter()
        .map(|entry| {
            let minor = |field: &str| entry[field]["minor"].clone();
            json!([
                entry["kind"],
                entry["paymentKind"],
                minor("amount"),
                minor("tip"),
                minor("moved"),
                minor("balance"),
                minor("proposedRefund")
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["CHARGE", null, 85_118, 0, 85_118, 85_118, null]),
            json!(["PAYMENT_CLAIMED", "DEPOSIT", 10_000, 0, 0, 85_118, null]),
            json!(["PAYMENT_VERIFIED", "DEPOSIT", 10_000, 0, -10_000, 75_118, null]),
            json!(["PAYMENT_CLAIMED", "TIP", 0, 5_000, 0, 75_118, null]),
            json!(["PAYMENT_REJECTED", "TIP", 0, 5_000, 0, 75_118, null]),
            json!(["REFUND_PROPOSED", null, 10_000, 0, 0, 75_118, 10_000]),
        ]
    );
    assert_eq!(
        (
            &first["paid"]["minor"],
            &first["balanceDue"]["minor"],
            &first["refundProposal"]["proposed"]["minor"]
        ),
        (&json!(10_000), &json!(75_118), &json!(10_000))
    );
    let then = json!({"id": booking, "asOf": {"position": before}});
    let then = admin.data(query, then).await["booking"].take();
    assert_eq!(then["ledger"]["totalCount"]["value"], 4);
}

#[tokio::test]
async fn the_trail_tells_typed_changes_and_keeps_to_the_stations_within_reach() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let (booking, _) = called_off(&server, &admin).await;
    let query = "query($filter: AuditFilter) { auditLog(first: 100, filter: $filter) {
        nodes { type summary entityId reason changes { path type before after } } } }";
    let filter = json!({"filter": {"search": "GUESTS ARE ILL"}});
    let found = admin.data(query, filter).await["auditLog"]["nodes"].take();
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    let cancelled = &found[0];
    assert_eq!(
        (&cancelled["type"], &cancelled["entityId"], &cancelled["reason"]),
        (
            &json!("booking.cancelled"),
            &json!(booking),
            &json!("the guests are ill")
        )
    );
    assert_eq!(
        cancelled["changes"][0],
        json!({"path": "status", "type": "STATUS", "before": "CONFIRMED".to_lowercase(), "after": "cancelled"})
    );
    let rates = json!({"filter": {"type": ["tax_rate.set"]}});
    let rates = admin.data(query, rates).await["auditLog"]["nodes"].take();
    assert_eq!(
        rates[0]["changes"][0],
        json!({"path": "rate", "type": "RATE", "before": "0.09125", "after": "0.0975"})
    );
    let kept = StationScope::Only(vec![server.company.san_jose]);
    let kept = server.sign_in_at(&server.company, Role::Auditor, kept).await;
    let seen = kept.data(query, json!({})).await["auditLog"]["nodes"].take();
    let types: Vec<&str> = seen
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|entry| entry["type"].as_str())
        .collect();
    assert!(
        types.contains(&"booking.confirmed") && types.contains(&"payment.rejected"),
        "{types:?}"
    );
    let of_company = |kind: &&str| {
        kind.starts_with("customer.") || kind.starts_with("tax_rate.") || kind.starts_with("user.")
    };
    assert!(!types.iter().any(of_company), "{types:?}");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn prices_are_found_by_item_and_period_and_tax_lines_by_station() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let station = global_id("Station", server.company.san_jose);
    let change = json!({
        "idempotencyKey": "dearer", "stationId": station, "item": "adult", "priceMinor": 6_500, "reason": "season",
        "effectiveFrom": "2026-06-01T00:00:00Z",
    });
    admin.done("priceChange", "", change).await;
    server.caught_up(&server.company).await;
    let query = "query($station: ID!, $item: String, $from: DateTime, $to: DateTime) {
        priceHistory(first: 10, stationId: $station, item: $item, from: $from, to: $to) { totalCount { value }
            nodes { item old { amount } new { amount } reason effectiveFrom } } }";
    let later = json!({"station": station, "from": "2026-01-01T00:00:00Z"});
    let later = admin.data(query, later).await["priceHistory"].take();
    assert_eq!(later["totalCount"]["value"], 1);
    assert_eq!(
        later["nodes"][0],
        json!({
            "item": "adult", "old": money("59.95"), "new": money("65.00"), "reason": "season",
            "effectiveFrom": "2026-06-01T00:00:00+00:00",
        })
    );
    let earlier = json!({"station": station, "item": "adult", "to": "2026-01-01T00:00:00Z"});
    let earlier = admin.data(query, earlier).await["priceHistory"]["nodes"].take();
    assert_eq!(earlier.as_array().map(Vec::len), Some(1));
    assert_eq!(earlier[0]["old"], Value::Null);
    let lines =
        "query($station: ID) { taxLines(first: 10, state: \"CA\", period: \"2026\", stationId: $station) {
        totalCount { value } } }";
    let none = admin.data(lines, json!({"station": station})).await;
    assert_eq!(none["taxLines"]["totalCount"]["value"], 0);
}
