//! Promo codes: what they take off, who may use them, and that limits hold whoever asks at once.

use chrono::{Duration, NaiveDate};
use domain::access::{Role, StationScope};
use futures::future::join_all;
use serde_json::{Value, json};
use tests::http::{Client, PARTY_UTC, Server, global_id, party, with};

use super::code;

const BOOKING: &str = "booking { id version promoCode discount { minor } total { minor } balanceDue { minor }
    lines { item label total { minor } } customer { id } }";

/// A party in Sacramento, where there are three chefs, on a day of its own.
fn elsewhere(server: &Server, key: &str, day: i64, fields: Value) -> Value {
    let first = NaiveDate::from_ymd_opt(2026, 3, 1).expect("a day");
    let there = json!({
        "stationId": global_id("Station", server.company.sacramento),
        "venue": {"street": "1 Main St", "city": "Sacramento", "state": "CA", "zip": "95814"},
        "start": format!("{}T18:00:00", first + Duration::days(day)),
    });
    with(with(party(key), there), fields)
}

async fn codes(server: &Server, client: &Client) -> Value {
    server.caught_up(&server.company).await;
    let asked = "{ promoCodes(first: 10) { totalCount { value } nodes { code uses limit active } } }";
    client.data(asked, json!({})).await["promoCodes"]["nodes"].take()
}

#[tokio::test]
async fn a_code_takes_its_share_off_quote_and_booking_and_off_every_change() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    code(&admin, "Spring-26", json!({})).await;
    let quote = "{ quote(input: {zip: \"95112\", start: \"2026-03-14T18:00:00\", guests: {adults: 12, children: 4},
        addOns: [{item: \"sauce\", quantity: 2}], promoCode: \" spring-26 \"}) {
        discount { minor } total { minor } deposit { minor } balanceDue { minor } lines { label total { minor } } } }";
    let quote = admin.data(quote, json!({})).await["quote"].take();
    assert_eq!(quote["discount"]["minor"], 8_512);
    assert_eq!(quote["total"]["minor"], 76_606);
    assert_eq!(quote["balanceDue"]["minor"], 66_606);
    assert_eq!(
        quote["lines"][3],
        json!({"label": "Promo code Spring-26", "total": {"minor": -8_512}})
    );
    let asked = with(party("a"), json!({"promoCode": "SPRING-26"}));
    let booked = admin.done("bookingRequest", BOOKING, asked).await["booking"].take();
    assert_eq!(booked["promoCode"], "Spring-26");
    assert_eq!(booked["discount"]["minor"], 8_512);
    assert_eq!(booked["total"]["minor"], 76_606);
    let fewer = json!({"idempotencyKey": "fewer", "bookingId": booked["id"], "guests": {"adults": 10}});
    let changed = admin.done("bookingGuestCountChange", BOOKING, fewer).await["booking"].take();
    assert_eq!(changed["discount"]["minor"], 6_115);
    assert_eq!(changed["total"]["minor"], 59_950 + 1_198 - 6_115);
    // What became of the code since makes no difference.
    let list = admin
        .data("{ promoCodes(first: 1) { nodes { id } } }", json!({}))
        .await;
    let end = json!({
        "idempotencyKey": "end", "promoCodeId": list["promoCodes"]["nodes"][0]["id"], "reason": "the season is over",
    });
    let ended = admin
        .done("promoCodeEnd", "promoCode { active uses endedAt }", end)
        .await;
    assert_eq!(ended["promoCode"]["active"], false);
    assert_eq!(ended["promoCode"]["uses"], 1);
    let menu = json!({"idempotencyKey": "menu", "bookingId": booked["id"], "addOns": []});
    let changed = admin.done("bookingMenuChange", BOOKING, menu).await["booking"].take();
    assert_eq!(changed["total"]["minor"], 59_950 - 5_995);
    let moved = json!({"idempotencyKey": "moved", "bookingId": booked["id"], "start": "2026-03-15T18:00:00"});
    let moved = admin.done("bookingReschedule", BOOKING, moved).await["booking"].take();
    assert_eq!(moved["discount"]["minor"], 5_995);
    let late = with(party("late"), json!({"promoCode": "Spring-26"}));
    assert_eq!(admin.refused("bookingRequest", late).await, "PROMO_EXPIRED");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_code_is_refused_with_the_reason_why() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let sacramento = global_id("Station", server.company.sacramento);
    code(&admin, "LATER", json!({"startsAt": "2026-02-10T19:00:00Z"})).await;
    code(&admin, "OVER", json!({"endsAt": "2026-02-10T18:30:00Z"})).await;
    code(&admin, "THERE", json!({"stationIds": [sacramento]})).await;
    code(&admin, "DEAR", json!({"minimumMinor": 85_119})).await;
    code(&admin, "ONCE", json!({"limit": 1})).await;
    code(&admin, "EACH", json!({"limitPerCustomer": 1})).await;
    code(&admin, "NEW", json!({"newCustomersOnly": true})).await;
    let told = async |promo: &str, fields: Value| {
        let fields = with(json!({"promoCode": promo}), fields);
        let key = format!("told-{}", promo.replace('\0', "-"));
        let asked = with(party(&key), fields);
        admin.command("bookingRequest", "", asked).await["userErrors"][0].take()
    };
    for (promo, refused) in [
        ("NONE", "PROMO_UNKNOWN"),
        ("nul\u{0}l", "PROMO_UNKNOWN"),
        ("LATER", "PROMO_NOT_STARTED"),
        ("THERE", "PROMO_NOT_HERE"),
        ("DEAR", "PROMO_BELOW_MINIMUM"),
    ] {
        let told = told(promo, json!({})).await;
        assert_eq!(
            (&told["code"], &told["field"]),
            (&json!(refused), &json!(["promoCode"]))
        );
    }
    let again = json!({"customer": {"name": "Ann", "email": "ann@example.com"}});
    for (day, promo) in [(1, "ONCE"), (2, "EACH")] {
        let fields = with(json!({"promoCode": promo}), again.clone());
        admin
            .done("bookingRequest", "", elsewhere(&server, promo, day, fields))
            .await;
    }
    assert_eq!(told("ONCE", json!({})).await["code"], "PROMO_USED_UP");
    assert_eq!(
        told("EACH", again.clone()).await["code"],
        "PROMO_USED_BY_CUSTOMER"
    );
    assert_eq!(told("NEW", again).await["code"], "PROMO_NOT_FIRST_TIME");
    // A quote says so too, of whoever asks.
    let quote = "query($code: String!, $email: String) { quote(input: {zip: \"95112\", start: \"2026-03-14T18:00:00\",
        guests: {adults: 12}, promoCode: $code, customerEmail: $email}) { discount { minor } } }";
    let quoted = async |who: &Client, code: &str, email: Option<&str>| {
        who.graphql(quote, json!({"code": code, "email": email})).await
    };
    let code_of = |answer: &Value| answer["errors"][0]["extensions"]["code"].clone();
    assert_eq!(
        code_of(&quoted(&admin, "NEW", Some("Ann@Example.com")).await),
        "PROMO_NOT_FIRST_TIME"
    );
    assert_eq!(
        code_of(&quoted(&admin, "EACH", Some("ann@example.com")).await),
        "PROMO_USED_BY_CUSTOMER"
    );
    assert_eq!(code_of(&quoted(&admin, "ONCE", None).await), "PROMO_USED_UP");
    let new = quoted(&admin, "NEW", Some("bob@example.com")).await;
    assert_eq!(new["data"]["quote"]["discount"]["minor"], 7_194);
    let accountant = server.sign_in(Role::Accountant).await;
    assert_eq!(
        code_of(&quoted(&accountant, "NEW", Some("ann@example.com")).await),
        "FORBIDDEN"
    );
    assert_eq!(code_of(&quoted(&admin, "a\u{0}b", None).await), "PROMO_UNKNOWN");
    let far = quote.replace("95112", "90001");
    let far = admin.graphql(&far, json!({"code": "EACH"})).await;
    let told = &far["errors"][0]["extensions"];
    assert_eq!(
        (&told["code"], &told["field"]),
        (&json!("OUT_OF_AREA"), &json!(["zip"]))
    );
    server.set_clock("2026-02-10T18:30:00Z");
    admin.sign_in_again().await;
    assert_eq!(code_of(&quoted(&admin, "OVER", None).await), "PROMO_EXPIRED");
}

#[tokio::test]
async fn codes_are_made_changed_and_ended_by_whom_they_concern() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let (san_jose, sacramento) = (
        global_id("Station", server.company.san_jose),
        global_id("Station", server.company.sacramento),
    );
    let id = code(&admin, "Spring", json!({"limit": 5, "stationIds": [san_jose]})).await;
    let make = |key: &str, text: &str, terms: Value| {
        let terms = with(json!({"discount": {"amountMinor": 5_000}}), terms);
        json!({"idempotencyKey": key, "code": text, "terms": terms})
    };
    let refused = admin
        .command("promoCodeCreate", "", make("again", " sPRING ", json!({})))
        .await;
    assert_eq!(refused["userErrors"][0]["code"], "PROMO_CODE_TAKEN");
    assert_eq!(refused["userErrors"][0]["field"], json!(["code"]));
    for (code, field, text, terms) in [
        ("INVALID_PROMO_CODE", json!(["code"]), "a b", json!({})),
        (
            "INVALID_DISCOUNT",
            json!(["terms", "discount"]),
            "ABC",
            json!({"discount": {"amountMinor": 0}}),
        ),
        (
            "INVALID_DISCOUNT",
            json!(["terms", "discount"]),
            "ABC",
            json!({"discount": {"rate": "10%"}}),
        ),
        (
            "INVALID_WINDOW",
            json!(["terms", "endsAt"]),
            "ABC",
            json!({"endsAt": "2026-01-01T00:00:00Z"}),
        ),
        (
            "INVALID_LIMIT",
            json!(["terms", "limit"]),
            "ABC",
            json!({"limit": 0}),
        ),
        (
            "INVALID_AMOUNT",
            json!(["terms", "minimumMinor"]),
            "ABC",
            json!({"minimumMinor": -1}),
        ),
        (
            "INVALID_STATIONS",
            json!(["terms", "stationIds"]),
            "ABC",
            json!({"stationIds": [san_jose, san_jose]}),
        ),
        (
            "NOT_FOUND",
            json!(["terms", "stationIds"]),
            "ABC",
            json!({"stationIds": ["x"]}),
        ),
    ] {
        let refused = admin
            .command("promoCodeCreate", "", make(&format!("{terms}"), text, terms))
            .await;
        let told = &refused["userErrors"][0];
        assert_eq!((&told["code"], &told["field"]), (&json!(code), &field), "{told}");
    }
    let change = |key: &str, version: i64, terms: Value, reason: &str| {
        json!({
            "idempotencyKey": key, "promoCodeId": id, "expectedVersion": version, "terms": terms, "reason": reason,
        })
    };
    let terms = json!({"discount": {"amountMinor": 5_000}, "limit": 7, "minimumMinor": 10_000});
    let changed = admin
        .done(
            "promoCodeChange",
            "promoCode { version limit minimum { minor } discount { rate amount { minor } } startsAt stationIds }",
            change("c", 1, terms.clone(), "it goes well"),
        )
        .await;
    assert_eq!(
        changed["promoCode"],
        json!({
            "version": 2, "limit": 7, "minimum": {"minor": 10_000}, "stationIds": [],
            "discount": {"rate": null, "amount": {"minor": 5_000}}, "startsAt": "2026-02-10T18:00:00+00:00",
        })
    );
    let stale = change("stale", 1, json!({"discount": {"rate": "0.5"}}), "too late");
    assert_eq!(admin.refused("promoCodeChange", stale).await, "VERSION_CONFLICT");
    let same = change("same", 2, terms, "nothing new");
    assert_eq!(admin.refused("promoCodeChange", same).await, "UNCHANGED");

    let scope = StationScope::Only(vec![server.company.sacramento]);
    let neighbour = server.neighbour().await;
    let theirs = server
        .sign_in_at(&neighbour, Role::Admin, StationScope::All)
        .await;
    let own = |key: &str| json!({"idempotencyKey": key, "promoCodeId": id, "reason": "not mine to end"});
    assert_eq!(theirs.refused("promoCodeEnd", own("end")).await, "NOT_FOUND");
    theirs
        .done("promoCodeCreate", "", make("theirs", "Spring", json!({})))
        .await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let forbidden = support
        .graphql(
            &tests::http::mutation("promoCodeEnd", ""),
            json!({"input": own("end")}),
        )
        .await;
    assert_eq!(forbidden["errors"][0]["extensions"]["code"], "FORBIDDEN");
    // Somebody of one station makes codes for that one alone, and ends no other.
    let local = server.sign_in_at(&server.company, Role::SuperAdmin, scope).await;
    assert_eq!(
        local
            .refused("promoCodeCreate", make("all", "EVERYWHERE", json!({})))
            .await,
        "STATIONS_REQUIRED"
    );
    let there = json!({"stationIds": [san_jose]});
    assert_eq!(
        local
            .refused("promoCodeCreate", make("there", "THERE", there))
            .await,
        "NOT_FOUND"
    );
    local
        .done(
            "promoCodeCreate",
            "",
            make("here", "HERE", json!({"stationIds": [sacramento]})),
        )
        .await;
    assert_eq!(
        local.refused("promoCodeEnd", own("mine")).await,
        "STATIONS_REQUIRED"
    );
    let ended = admin
        .done("promoCodeEnd", "promoCode { version active }", own("enough"))
        .await;
    assert_eq!(ended["promoCode"], json!({"version": 3, "active": false}));
    let twice = json!({"idempotencyKey": "twice", "promoCodeId": id, "reason": "once more"});
    assert_eq!(admin.refused("promoCodeEnd", twice).await, "PROMO_ENDED");
    let node = "query($id: ID!) { node(id: $id) { ... on PromoCode { code active } } }";
    server.caught_up(&server.company).await;
    let node = admin.data(node, json!({"id": id})).await["node"].take();
    assert_eq!(node, json!({"code": "Spring", "active": false}));
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// Every request is on a day of its own, so that only the code is scarce.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixty_four_who_want_the_last_use_of_a_code_one_gets_it_and_one_more_after_its_cancellation() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    code(&admin, "LAST", json!({"limit": 2})).await;
    let with_code = |key: String, day: i64| elsewhere(&server, &key, day, json!({"promoCode": "last"}));
    admin
        .done("bookingRequest", "", with_code("first".to_owned(), 70))
        .await;
    let wave = async |name: &str| {
        let asked = (0..64).map(|number| with_code(format!("{name}-{number}"), number));
        let asked = asked.map(|input| admin.command("bookingRequest", "booking { id }", input));
        let answers = join_all(asked).await;
        let won: Vec<Value> = answers
            .iter()
            .filter(|answer| answer["position"].is_i64())
            .map(|answer| answer["booking"]["id"].clone())
            .collect();
        let lost = answers
            .iter()
            .filter(|answer| answer["userErrors"][0]["code"] == "PROMO_USED_UP")
            .count();
        assert_eq!((won.len(), lost), (1, 63), "{answers:?}");
        won[0].clone()
    };
    let winner = wave("one").await;
    assert_eq!(
        codes(&server, &admin).await,
        json!([{"code": "LAST", "uses": 2, "limit": 2, "active": false}])
    );
    let cancel = json!({"idempotencyKey": "cancel", "bookingId": winner, "reason": "plans changed"});
    admin.done("bookingCancel", "", cancel).await;
    assert_eq!(codes(&server, &admin).await[0]["uses"], 1);
    wave("two").await;
    assert_eq!(codes(&server, &admin).await[0]["uses"], 2);
    let verified = replays::verify_claims(&server.app.log, server.company.tenant, &()).await;
    assert!(verified.is_ok(), "{verified:?}");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ten_first_bookings_that_one_customer_asks_for_at_once_one_has_the_code() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    code(&admin, "WELCOME", json!({"newCustomersOnly": true})).await;
    let who = json!({"promoCode": "WELCOME", "customer": {"name": "Ann", "email": "ann@example.com"}});
    let asked = (0..10).map(|day| elsewhere(&server, &format!("ann-{day}"), day, who.clone()));
    let asked = asked.map(|input| admin.command("bookingRequest", "booking { id }", input));
    let answers = join_all(asked).await;
    let won = answers
        .iter()
        .filter(|answer| answer["position"].is_i64())
        .count();
    let lost = answers
        .iter()
        .filter(|answer| answer["userErrors"][0]["code"] == "PROMO_NOT_FIRST_TIME")
        .count();
    assert_eq!((won, lost), (1, 9), "{answers:?}");
    // Without the code the same customer books as often as they like.
    let plain = json!({"customer": {"name": "Ann", "email": "ann@example.com"}});
    admin
        .done("bookingRequest", "", elsewhere(&server, "plain", 20, plain))
        .await;
}

#[tokio::test]
async fn a_use_comes_back_with_expiry_and_deletion_and_is_taken_again_by_a_restore() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    code(&admin, "ONE", json!({"limit": 1})).await;
    let asked = |key: &str, day: i64| elsewhere(&server, key, day, json!({"promoCode": "ONE"}));
    let first = admin
        .done("bookingRequest", "booking { id }", asked("first", 1))
        .await["booking"]["id"]
        .take();
    assert_eq!(
        admin.refused("bookingRequest", asked("second", 2)).await,
        "PROMO_USED_UP"
    );
    let about = |key: &str, booking: &Value| json!({"idempotencyKey": key, "bookingId": booking});
    let delete = with(about("delete", &first), json!({"reason": "made by mistake"}));
    admin.done("bookingDelete", "", delete).await;
    let third = admin
        .done("bookingRequest", "booking { id }", asked("third", 3))
        .await["booking"]["id"]
        .take();
    // The use is somebody else's now: the booking cannot come back.
    assert_eq!(
        admin.refused("bookingRestore", about("r1", &first)).await,
        "PROMO_USED_UP"
    );
    let cancel = with(about("cancel", &third), json!({"reason": "plans changed"}));
    admin.done("bookingCancel", "", cancel).await;
    admin.done("bookingRestore", "", about("r2", &first)).await;
    assert_eq!(
        admin.refused("bookingRequest", asked("fourth", 4)).await,
        "PROMO_USED_UP"
    );
    assert_eq!(codes(&server, &admin).await[0]["uses"], 1);
    // The deposit does not come: the use is free once the booking has expired.
    let before = server.head(&server.company).await;
    server.set_clock("2026-02-12T18:00:00Z");
    admin.sign_in_again().await;
    let expired = "query($id: ID!, $at: LogPosition!) {
        booking(id: $id, fresh: {atLeast: $at, waitMs: 10000}) { status } }";
    // What followed the commands before may come first.
    let mut status = Value::Null;
    for at in before + 1..before + 4 {
        status = admin.data(expired, json!({"id": first, "at": at})).await["booking"]["status"].take();
        if status == "EXPIRED" {
            break;
        }
    }
    assert_eq!(status, "EXPIRED");
    admin.done("bookingRequest", "", asked("fifth", 5)).await;
    // Once the event has begun, a cancellation gives nothing back.
    server.set_clock(PARTY_UTC);
    let verified = replays::verify_claims(&server.app.log, server.company.tenant, &()).await;
    assert!(verified.is_ok(), "{verified:?}");
    server.assert_rebuild_changes_nothing(&server.company).await;
}
