//! What people of the company do with reviews.

use domain::access::StationScope;

use super::*;

async fn rated(server: &Server, admin: &Client, booking: &Value, rating: i64) -> Value {
    let key = format!("{booking} {rating}");
    let token = issued(admin, &key, booking).await;
    let body = json!({"rating": rating, "text": format!("Stars: {rating}"), "name": "Sam"});
    assert_eq!(submit(&server.nobody(), &token, body).await.0, 200);
    review(server, admin, booking).await
}

fn moderate(key: &str, review: &Value, approve: bool, reason: Option<&str>) -> Value {
    json!({"idempotencyKey": key, "reviewId": review["id"], "approve": approve, "reason": reason})
}

async fn published(client: &Client, query: &str) -> Value {
    let (status, list) = answer(client.get(&format!("/api/v1/reviews/published/our-hibachi{query}"))).await;
    assert_eq!(status, 200, "{list}");
    list
}

#[tokio::test]
async fn only_what_a_person_has_approved_can_be_read_by_everybody() {
    let (server, admin, [booking, other, third]) = open_with(["first", "second", "third"]).await;
    let nobody = server.nobody();
    let support = server.sign_in(Role::CustomerSupport).await;
    let mut reviews = Vec::new();
    for (minute, booking, rating) in [(1, &booking, 5), (2, &other, 2), (3, &third, 4)] {
        server.set_clock(&format!("2026-03-15T01:0{minute}:00Z"));
        reviews.push(rated(&server, &admin, booking, rating).await);
    }
    assert_eq!(published(&nobody, "").await["reviews"], json!([]));
    let awaiting = "{ reviews(first: 10, filter: {moderation: AWAITING}) { totalCount { value } } }";
    let awaiting = support.data(awaiting, json!({})).await;
    assert_eq!(awaiting["reviews"]["totalCount"]["value"], 3);

    let without = moderate("no", &reviews[1], false, None);
    assert_eq!(support.refused("reviewModerate", without).await, "INVALID_REASON");
    for (key, review) in [("a", &reviews[0]), ("b", &reviews[1]), ("c", &reviews[2])] {
        support
            .done("reviewModerate", "", moderate(key, review, true, None))
            .await;
    }
    let again = moderate("again", &reviews[0], true, None);
    assert_eq!(support.refused("reviewModerate", again).await, "UNCHANGED");
    let back = moderate("back", &reviews[2], false, Some("names another guest"));
    support.done("reviewModerate", "", back).await;
    let reply = json!({"idempotencyKey": "reply", "reviewId": reviews[1]["id"], "text": "We are sorry."});
    support.done("reviewReply", "", reply).await;
    server.caught_up(&server.company).await;

    let list = published(&nobody, "?first=1").await;
    assert_eq!(list["total"], 2);
    let first = &list["reviews"][0];
    assert_eq!(
        (&first["rating"], &first["text"], &first["name"], &first["reply"]),
        (
            &json!(2),
            &json!("Stars: 2"),
            &json!("Sam"),
            &json!("We are sorry.")
        )
    );
    let next = list["next"].as_str().expect("there is another");
    let rest = published(&nobody, &format!("?first=1&after={next}")).await;
    assert_eq!(
        (&rest["reviews"][0]["rating"], &rest["next"]),
        (&json!(5), &Value::Null)
    );
    let here = published(&nobody, &format!("?station={}", server.company.sacramento)).await;
    assert_eq!(here["total"], 2);
    let there = published(&nobody, &format!("?station={}", server.company.san_jose)).await;
    assert_eq!(there["total"], 0);
    for (query, status) in [
        ("?first=0", 400),
        ("?first=101", 400),
        ("?after=x", 400),
        ("?station=x", 400),
    ] {
        let path = format!("/api/v1/reviews/published/our-hibachi{query}");
        assert_eq!(answer(nobody.get(&path)).await.0, status, "{query}");
    }
    assert_eq!(
        answer(nobody.get("/api/v1/reviews/published/nobody")).await.0,
        404
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_coupon_is_for_one_unhappy_customer_and_one_booking() {
    let (server, admin, [booking, other]) = open_with(["first", "second"]).await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let unhappy = rated(&server, &admin, &booking, 2).await;
    let happy = rated(&server, &admin, &other, 5).await;
    let grant = |key: &str, review: &Value| json!({"idempotencyKey": key, "reviewId": review["id"], "reason": "the rice was cold"});
    assert_eq!(
        support.refused("reviewCouponGrant", grant("happy", &happy)).await,
        "REVIEW_NOT_LOW"
    );
    let granted = support
        .done("reviewCouponGrant", "review { coupon }", grant("one", &unhappy))
        .await;
    let coupon = granted["review"]["coupon"].as_str().expect("a code").to_owned();
    assert!(coupon.starts_with("SORRY-"), "{coupon}");
    assert_eq!(
        support.refused("reviewCouponGrant", grant("two", &unhappy)).await,
        "COUPON_GRANTED"
    );
    let ask = |key: &str, email: &str, start: &str| {
        with(
            party(key),
            json!({
                "customer": {"name": "Guest", "email": email}, "start": start, "promoCode": coupon,
                "venue": {"street": "1 Main St", "city": "Sacramento", "state": "CA", "zip": "95814"},
            }),
        )
    };
    let stranger = ask("stranger", "stranger@example.com", "2026-04-18T18:00:00");
    assert_eq!(admin.refused("bookingRequest", stranger).await, "PROMO_NOT_YOURS");
    let theirs = ask("theirs", "first@example.com", "2026-04-18T18:00:00");
    admin.done("bookingRequest", "", theirs).await;
    let again = ask("again", "first@example.com", "2026-04-25T18:00:00");
    let refused = admin.refused("bookingRequest", again).await;
    assert_eq!(refused, "PROMO_USED_BY_CUSTOMER");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn figures_say_how_many_answered_whom_they_praise_and_what_brought_them_to() {
    let (server, mut admin, [booking, other, _]) = open_with(["first", "second", "third"]).await;
    later(&server, &mut admin, ASKED).await;
    let tokens: Vec<String> = sent(&server).await.into_iter().map(|(_, token)| token).collect();
    assert_eq!(tokens.len(), 3);
    let nobody = server.nobody();
    for (token, rating) in tokens.iter().zip([5, 2]) {
        let body = json!({"rating": rating, "text": "so it was"});
        assert_eq!(submit(&nobody, token, body).await.0, 200);
    }
    server.caught_up(&server.company).await;
    let query = "{ reviewStats(from: \"2026-03-01\", to: \"2026-03-31\") {
        issued submitted responseRate average distribution externalClicks escalated escalationRate conversionRate
        byMessage { message sent answered } } }";
    let stats = admin.data(query, json!({})).await["reviewStats"].take();
    assert_eq!(
        stats,
        json!({
            "issued": 3, "submitted": 2, "responseRate": "0.666667", "average": "3.50",
            "distribution": [0, 1, 0, 0, 1], "externalClicks": 0, "escalated": 1, "escalationRate": "0.5",
            "conversionRate": "0",
            "byMessage": [
                {"message": "REQUEST", "sent": 3, "answered": 2},
                {"message": "FIRST_REMINDER", "sent": 0, "answered": 0},
                {"message": "SECOND_REMINDER", "sent": 0, "answered": 0},
                {"message": "BY_STAFF", "sent": null, "answered": 0},
            ],
        })
    );
    let month =
        "{ dashboard(from: \"2026-03-01\", to: \"2026-03-31\", grain: MONTH) { total { reviewAverage } } }";
    let month = admin.data(month, json!({})).await;
    assert_eq!(month["dashboard"]["total"]["reviewAverage"], "3.50");
    let low = "{ reviews(first: 10, filter: {minRating: 1, maxRating: 2}) { nodes { rating } } }";
    let low = admin.data(low, json!({})).await;
    assert_eq!(low["reviews"]["nodes"], json!([{"rating": 2}]));
    assert!(
        review(&server, &admin, &booking).await.is_object()
            && review(&server, &admin, &other).await.is_object()
    );
}

#[tokio::test]
async fn a_station_manager_reads_the_own_stations_reviews_and_changes_nothing() {
    let (server, admin, booking) = open().await;
    let unhappy = rated(&server, &admin, &booking, 1).await;
    let there = StationScope::Only(vec![server.company.san_jose]);
    let manager = server
        .sign_in_at(&server.company, Role::StationManager, there)
        .await;
    assert_eq!(review(&server, &manager, &booking).await, Value::Null);
    let input = moderate("mine", &unhappy, true, None);
    let mutation = "mutation($input: ReviewModerateInput!) { reviewModerate(input: $input) { position } }";
    let refused = manager.graphql(mutation, json!({"input": input})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let here = StationScope::Only(vec![server.company.san_jose]);
    let support = server
        .sign_in_at(&server.company, Role::CustomerSupport, here)
        .await;
    let code = support
        .refused("reviewModerate", moderate("theirs", &unhappy, true, None))
        .await;
    assert_eq!(code, "NOT_FOUND");
}
