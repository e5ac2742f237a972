//! A customer's whole way on a company's page.

use std::time::Duration;

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, PARTY_UTC, Server, with};
use tests::stripe::{Fault, StripeDouble};

use super::{OURS, ask, give, look, priced, wanted};

/// How long to wait for what a policy must do.
const PATIENCE: Duration = Duration::from_secs(20);

/// The booking of a path, once it stands so.
async fn becomes(page: &Client, path: &str, status: &str) -> Value {
    let waited = async {
        loop {
            let booking = look(page, path).await.done();
            if booking["status"] == status {
                return booking;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waited).await;
    waited.unwrap_or_else(|_| panic!("the booking does not become {status}"))
}

#[tokio::test]
async fn a_customer_finds_books_pays_and_rates_a_party() {
    let double = StripeDouble::start().await;
    let stripe = double.clone();
    let server = Server::start_as(move |app| stripe.charge(app)).await;
    let mut admin = server.sign_in(Role::Admin).await;
    let page = server.nobody();

    let company = look(&page, OURS).await.done();
    assert_eq!(company["takesCards"], true);
    let san_jose = server.company.san_jose.to_string();
    let station = &company["stations"][0];
    assert_eq!(station["stationId"], san_jose.as_str());
    assert_eq!(station["starts"], json!(["12:00", "15:00", "18:00", "21:00"]));
    let menu = look(&page, &format!("{OURS}/stations/{san_jose}/menu"))
        .await
        .done();
    let adult = json!({"item": "adult", "label": "adult", "kind": "ADULT", "unitCents": 5_995});
    assert!(
        menu["items"]
            .as_array()
            .is_some_and(|items| items.contains(&adult)),
        "{menu}"
    );
    assert_eq!(
        (&menu["currency"], &menu["depositCents"]),
        (&json!("USD"), &json!(10_000))
    );

    let free = "zip=95112&from=2026-03-14&to=2026-03-14&guests=16";
    let slots = look(&page, &format!("{OURS}/availability?{free}")).await.done();
    let slot = slots["slots"].as_array().and_then(|slots| {
        slots
            .iter()
            .find(|slot| slot["start"]["local"] == "2026-03-14T18:00:00")
    });
    let slot = slot.expect("six o'clock is on offer");
    assert_eq!(
        (&slot["available"], &slot["reason"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(
        slot["start"],
        json!({
            "utc": PARTY_UTC, "local": "2026-03-14T18:00:00", "zone": "America/Los_Angeles", "offset": "-07:00",
            "movedForwardSeconds": 0,
        })
    );

    let quote = ask(&page, &format!("{OURS}/quotes"), &priced()).await.done();
    assert_eq!(
        (
            &quote["totalCents"],
            &quote["depositCents"],
            &quote["balanceCents"]
        ),
        (&json!(85_118), &json!(10_000), &json!(75_118))
    );
    assert_eq!(quote["stationId"], san_jose.as_str());

    let asked = give(&page, &format!("{OURS}/bookings"), "way", &wanted("way")).await;
    assert_eq!(
        (asked.status, asked.header("idempotency-replayed")),
        (201, "false")
    );
    let path = asked.header("location").to_owned();
    let made = asked.done();
    assert_eq!(
        (&made["path"], &made["totalCents"]),
        (&json!(path), &json!(85_118))
    );
    let again = give(&page, &format!("{OURS}/bookings"), "way", &wanted("way")).await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (201, "true")
    );
    assert_eq!(again.done(), made);
    let booking = look(&page, &path).await.done();
    assert_eq!(
        (&booking["status"], &booking["number"], &booking["balanceCents"]),
        (&json!("REQUESTED"), &made["number"], &json!(85_118))
    );
    assert!(
        !booking.to_string().contains("Main St"),
        "it names nobody and no street"
    );
    let taken = look(&page, &format!("{OURS}/availability?{free}")).await.done();
    let reasons: Vec<&Value> = taken["slots"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|slot| &slot["reason"])
        .collect();
    assert!(reasons.contains(&&json!("SLOT_UNAVAILABLE")), "{reasons:?}");

    paid(&server, &page, &double, &path).await;
    rated(&server, &mut admin, &page, &made["number"]).await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// Pays the deposit by card.
async fn paid(server: &Server, page: &Client, double: &StripeDouble, path: &str) {
    let payments = format!("{path}/payments");
    let deposit = json!({"kind": "DEPOSIT", "tipCents": 2_000, "tipChoice": {"screen": "checkout", "preselected": false}});
    double.fail(&[Fault::Status(500); 3]);
    let away = give(page, &payments, "deposit", &deposit).await;
    assert_eq!(away.refused(), (503, "PROVIDER_UNAVAILABLE"));
    assert_eq!(away.header("retry-after"), "5");
    let begun = give(page, &payments, "deposit", &deposit).await.done();
    assert_eq!(
        begun,
        json!({
            "clientSecret": format!("{}_secret_x", double.newest()), "currency": "USD", "amountCents": 10_000,
            "tipCents": 2_000, "cardFeeCents": 360, "totalCents": 12_360,
        })
    );
    let again = give(page, &payments, "deposit", &deposit).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.done(), begun);
    let less = json!({"kind": "DEPOSIT", "tipCents": 0});
    let other = give(page, &payments, "deposit", &less).await;
    assert_eq!(other.refused(), (409, "IDEMPOTENCY_MISMATCH"));
    assert_eq!(double.intents(), 1);

    let charged = double.pay(&double.newest());
    double
        .tell(page, "payment_intent.succeeded", &charged, server.now())
        .await;
    let confirmed = becomes(page, path, "CONFIRMED").await;
    assert_eq!(
        (
            &confirmed["paidCents"],
            &confirmed["tipCents"],
            &confirmed["balanceCents"]
        ),
        (&json!(10_000), &json!(2_000), &json!(75_118))
    );
    let twice = give(page, &payments, "twice", &less).await;
    assert_eq!(twice.refused(), (422, "DEPOSIT_PAID"));
    assert_eq!(
        give(page, &payments, "deposit", &deposit).await.done(),
        begun,
        "what was done stays so"
    );
    let balance = json!({"kind": "BALANCE", "amountCents": 75_118});
    let begun = give(page, &payments, "balance", &balance).await.done();
    assert_eq!(begun["totalCents"], 77_372, "3 % of 751.18 is 22.54");
    for odd in [
        json!({"kind": "BALANCE"}),
        json!({"kind": "DEPOSIT", "amountCents": 10_000}),
        json!({"kind": "BALANCE", "amountCents": -5}),
    ] {
        let refused = give(page, &payments, &format!("odd {odd}").replace(' ', "."), &odd).await;
        assert_eq!(refused.refused(), (422, "INVALID_AMOUNT"), "{odd}");
        assert_eq!(refused.body["errors"][0]["field"], "amountCents");
    }
}

/// Holds the party, and rates it.
async fn rated(server: &Server, admin: &mut Client, page: &Client, number: &Value) {
    server.set_clock(PARTY_UTC);
    admin.sign_in_again().await;
    let found = "query($search: String!) { bookings(first: 1, filter: {search: $search}) { nodes { id } } }";
    let found = admin.data(found, json!({"search": number})).await;
    let id = &found["bookings"]["nodes"][0]["id"];
    admin
        .done(
            "bookingComplete",
            "",
            json!({"idempotencyKey": "held", "bookingId": id}),
        )
        .await;
    let issue = "mutation($input: ReviewLinkIssueInput!) { reviewLinkIssue(input: $input) { link userErrors { code } } }";
    let input = json!({"input": {"idempotencyKey": "link", "bookingId": id, "notify": false}});
    let issued = admin.data(issue, input).await;
    let link = issued["reviewLinkIssue"]["link"]
        .as_str()
        .expect("there is a link");
    let token = link.rsplit('/').next().expect("it ends in its token");
    let shown = look(page, &format!("/api/v1/reviews/validate/{token}"))
        .await
        .done();
    assert_eq!(shown["eventOn"], "2026-03-14");
    let review = json!({"rating": 5, "text": "The onion volcano!"});
    let thanks = ask(page, &format!("/api/v1/reviews/submit/{token}"), &review)
        .await
        .done();
    assert_eq!(thanks["submitted"], true);
    let twice = ask(
        page,
        &format!("/api/v1/reviews/submit/{token}"),
        &json!({"rating": 4}),
    )
    .await;
    assert_eq!(twice.refused(), (410, "LINK_USED"));
    assert_eq!(
        twice.body["error"]["code"], "LINK_USED",
        "as pages have always read it"
    );
}

#[tokio::test]
async fn a_visitor_talks_to_the_assistant_until_a_person_is_called_for() {
    let server = Server::start().await;
    let page = server.nobody();
    let begin = json!({"text": "How much is it for 12 adults on March 14 in 95112?"});
    let begun = give(&page, &format!("{OURS}/conversations"), "talk", &begin).await;
    assert_eq!(begun.status, 201);
    let path = begun.header("location").to_owned();
    let thread = begun.done();
    let authors = |thread: &Value| -> Vec<String> {
        let messages = thread["messages"].as_array().expect("a list").iter();
        messages
            .map(|message| message["author"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(authors(&thread), ["CUSTOMER", "ASSISTANT"]);
    assert_eq!(thread["messages"][0]["text"], begin["text"]);
    assert_eq!(thread["assistantActive"], true);
    let again = give(&page, &format!("{OURS}/conversations"), "talk", &begin).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.done(), thread);

    let person = json!({"text": "A real person, please"});
    let called = give(&page, &path, "person", &person).await.done();
    assert_eq!(
        (authors(&called), &called["assistantActive"]),
        (vec!["CUSTOMER".to_owned()], &json!(false))
    );
    assert_eq!(called["messages"][0]["number"], 3);

    let support = server.sign_in(Role::CustomerSupport).await;
    let open = support
        .data(
            "{ conversations(first: 5) { nodes { id channel messageCount } } }",
            json!({}),
        )
        .await;
    let conversation = &open["conversations"]["nodes"][0];
    assert_eq!(
        (&conversation["channel"], &conversation["messageCount"]),
        (&json!("web"), &json!(3))
    );
    let reply = json!({
        "idempotencyKey": "reply", "conversationId": conversation["id"], "author": "STAFF", "text": "Here I am.",
    });
    support.done("messagePost", "", reply).await;
    let read = look(&page, &format!("{path}?after=3")).await.done();
    assert_eq!(
        (
            authors(&read),
            &read["messages"][0]["text"],
            &read["messages"][0]["number"]
        ),
        (vec!["STAFF".to_owned()], &json!("Here I am."), &json!(4))
    );
    let all = look(&page, &path).await.done();
    assert_eq!(authors(&all), ["CUSTOMER", "ASSISTANT", "CUSTOMER", "STAFF"]);
    let late = look(&page, &format!("{path}?after=10001")).await;
    assert_eq!(late.refused(), (422, "INVALID_RANGE"));
}

#[tokio::test]
async fn who_leaves_and_agrees_is_called_back_and_who_asks_in_vain_as_well() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let page = server.nobody();
    let left = json!({
        "customer": {"name": "Ada", "phone": "+14085550111"}, "zip": "95112", "start": "2026-03-20T18:00",
        "guests": {"adults": 9}, "abandoned": "QUOTE", "consentTextVersion": "2026-02",
    });
    for word in ["false", "true"] {
        let kept = give(&page, &format!("{OURS}/leads"), "left", &left).await;
        assert_eq!((kept.status, kept.header("idempotency-replayed")), (201, word));
        assert_eq!(kept.done(), json!({"captured": true}));
    }
    let unwilling = with(left.clone(), json!({"consentTextVersion": ""}));
    let refused = give(&page, &format!("{OURS}/leads"), "unwilling", &unwilling).await;
    assert_eq!(refused.refused(), (422, "INVALID_TEXT_VERSION"));

    give(&page, &format!("{OURS}/bookings"), "first", &wanted("first"))
        .await
        .done();
    let late = give(&page, &format!("{OURS}/bookings"), "late", &wanted("late")).await;
    assert_eq!(late.refused(), (422, "SLOT_UNAVAILABLE"));
    server.caught_up(&server.company).await;
    let leads = "{ leads(first: 10) { nodes { failure } } }";
    let leads = admin.graphql(leads, json!({})).await;
    let told = leads.to_string();
    assert!(
        told.contains("QUOTE_ABANDONED") && told.contains("SLOT_UNAVAILABLE"),
        "{told}"
    );
}

#[tokio::test]
async fn strangers_learn_nothing_of_promo_codes_but_whether_one_can_be_used() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let page = server.nobody();
    let make = async |admin: &Client, code: &str, terms: Value| {
        let terms = with(json!({"discount": {"amountMinor": 5_000}}), terms);
        let input = json!({"idempotencyKey": code, "code": code, "terms": terms});
        admin.done("promoCodeCreate", "", input).await;
    };
    make(&admin, "SPRING", json!({})).await;
    make(&admin, "OVER", json!({"endsAt": "2026-02-10T18:30:00Z"})).await;
    make(&admin, "LARGE", json!({"minimumMinor": 1_000_000})).await;
    server.set_clock("2026-02-10T19:00:00Z");
    admin.sign_in_again().await;
    let check = async |code: &str| {
        let asked = with(priced(), json!({"promoCode": code}));
        ask(&page, &format!("{OURS}/promo-checks"), &asked).await.done()
    };
    let good = check("spring").await;
    assert_eq!(
        (&good["usable"], &good["discountCents"]),
        (&json!(true), &json!(5_000))
    );
    let unknown = check("NOSUCHCODE").await;
    assert_eq!(
        (&unknown["usable"], &unknown["reason"]),
        (&json!(false), &json!("PROMO_NOT_USABLE"))
    );
    for code in ["OVER", "no code at all", "", "ä"] {
        assert_eq!(check(code).await, unknown, "{code}");
    }
    assert_eq!(check("LARGE").await["reason"], "PROMO_BELOW_MINIMUM");
    for code in ["OVER", "NOSUCHCODE"] {
        let asked = with(priced(), json!({"promoCode": code}));
        let quoted = ask(&page, &format!("{OURS}/quotes"), &asked).await;
        assert_eq!(quoted.refused(), (422, "PROMO_NOT_USABLE"));
        let asked = with(wanted("promo"), json!({"promoCode": code}));
        let booked = give(&page, &format!("{OURS}/bookings"), code, &asked).await;
        assert_eq!(booked.refused(), (422, "PROMO_NOT_USABLE"));
    }
    let asked = with(wanted("promo"), json!({"promoCode": "SPRING"}));
    let booked = give(&page, &format!("{OURS}/bookings"), "spring", &asked)
        .await
        .done();
    assert_eq!(booked["totalCents"], 80_118);
}
