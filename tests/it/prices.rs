//! Prices as clients see them: promo codes, tips, the card fee, many prices at once, price lists as files, the terms.

mod items;
mod lists;
mod promo;

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id, party};

/// A promo code of ten percent, with its terms set anew.
async fn code(admin: &Client, text: &str, terms: Value) -> String {
    let mut granted = json!({"discount": {"rate": "0.1"}});
    let fields = granted.as_object_mut().expect("terms are an object");
    fields.extend(terms.as_object().expect("terms are an object").clone());
    let input = json!({"idempotencyKey": format!("code {text}"), "code": text, "terms": granted});
    let made = admin.done("promoCodeCreate", "promoCode { id }", input).await;
    made["promoCode"]["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_client_shows_tips_and_card_fee_before_anybody_pays() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    const CHARGES: &str = "tipOptions { rate tip { minor } } card: cardFee { minor }
        tipped: cardFee(method: CARD, tipMinor: 17024) { minor }
        half: cardFee(amountMinor: 42559) { minor } cash: cardFee(method: CASH, tipMinor: 17024) { minor }";
    let quote = format!(
        "{{ quote(input: {{zip: \"95112\", start: \"2026-03-14T18:00:00\", guests: {{adults: 12, children: 4}},
            addOns: [{{item: \"sauce\", quantity: 2}}]}}) {{ total {{ minor }} {CHARGES} }} }}"
    );
    let expected = |total: Option<i64>| {
        let mut shown = json!({
            "tipOptions": [
                {"rate": "0.2", "tip": {"minor": 17_024}}, {"rate": "0.25", "tip": {"minor": 21_280}},
                {"rate": "0.3", "tip": {"minor": 25_535}},
            ],
            "card": {"minor": 2_554}, "tipped": {"minor": 3_064}, "half": {"minor": 1_277}, "cash": {"minor": 0},
        });
        if let Some(total) = total {
            shown["total"] = json!({"minor": total});
        }
        shown
    };
    assert_eq!(
        admin.data(&quote, json!({})).await["quote"],
        expected(Some(85_118))
    );
    let booked = admin
        .done("bookingRequest", &format!("booking {{ {CHARGES} }}"), party("a"))
        .await;
    assert_eq!(booked["booking"], expected(None));
    let negative = quote.replace("tipMinor: 17024", "tipMinor: -1");
    let refused = admin.graphql(&negative, json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "INVALID_AMOUNT");
}

#[tokio::test]
async fn the_terms_of_booking_are_set_and_bookings_keep_theirs() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let station = global_id("Station", server.company.san_jose);
    let before = admin
        .done(
            "bookingRequest",
            "booking { id cardFee { minor } }",
            party("before"),
        )
        .await;
    assert_eq!(before["booking"]["cardFee"]["minor"], 2_554);
    const POLICY: &str = "priceList { policy { deposit { minor } depositDueHours cardFeeRate
        gratuity { fromGuests rate } cancellationTiers { hoursBefore refundRate depositBack }
        changes { freeReschedules freeHoursBefore rescheduleFee { minor } lockedHoursBefore currentPrices } } }";
    let set = json!({
        "idempotencyKey": "terms", "stationId": station, "cardFeeRate": "0.025", "depositMinor": 20_000,
        "gratuity": {"fromGuests": 30, "rate": "0.18"},
        "changes": {"freeReschedules": 2, "freeHoursBefore": 100, "lockedHoursBefore": 48, "currentPrices": true},
    });
    let done = admin.done("bookingPolicySet", POLICY, set.clone()).await;
    let policy = json!({
        "deposit": {"minor": 20_000}, "depositDueHours": 24, "cardFeeRate": "0.025",
        "gratuity": {"fromGuests": 30, "rate": "0.18"},
        "cancellationTiers": [
            {"hoursBefore": 360, "refundRate": "1", "depositBack": true},
            {"hoursBefore": 168, "refundRate": "1", "depositBack": false},
            {"hoursBefore": 72, "refundRate": "0.5", "depositBack": false},
        ],
        "changes": {
            "freeReschedules": 2, "freeHoursBefore": 100, "rescheduleFee": null, "lockedHoursBefore": 48,
            "currentPrices": true,
        },
    });
    assert_eq!(done["priceList"]["policy"], policy);
    let again = admin.done("bookingPolicySet", "", set).await;
    assert_eq!(
        (&again["replayed"], &again["position"]),
        (&json!(true), &done["position"])
    );
    // A gratuity of null is none; what is absent stays.
    let none = json!({"idempotencyKey": "none", "stationId": station, "gratuity": null});
    let done = admin.done("bookingPolicySet", POLICY, none).await;
    assert_eq!(done["priceList"]["policy"]["gratuity"], Value::Null);
    assert_eq!(done["priceList"]["policy"]["cardFeeRate"], "0.025");
    let bad = json!({"idempotencyKey": "bad", "stationId": station, "depositDueHours": 0});
    assert_eq!(admin.refused("bookingPolicySet", bad).await, "INVALID_TERMS");
    let bad = json!({"idempotencyKey": "bad", "stationId": station, "cardFeeRate": "3%"});
    assert_eq!(admin.refused("bookingPolicySet", bad).await, "INVALID_TERMS");

    let at = json!({"id": before["booking"]["id"]});
    let kept = "query($id: ID!) { booking(id: $id) { cardFee { minor } } }";
    assert_eq!(admin.data(kept, at).await["booking"]["cardFee"]["minor"], 2_554);
    let trail = "{ auditLog(first: 10, filter: {type: [\"price_list.policy_set\"]}) {
        nodes { changes { path before after } } } }";
    server.caught_up(&server.company).await;
    let trail = admin.data(trail, json!({})).await;
    let changes = trail["auditLog"]["nodes"][1]["changes"]
        .as_array()
        .expect("a list");
    assert!(
        changes.contains(&json!({"path": "policy.card_fee", "before": null, "after": "0.025"}))
            || changes.contains(&json!({"path": "policy.card_fee", "before": "0.03", "after": "0.025"})),
        "{changes:?}"
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}
