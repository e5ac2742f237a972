//! What customers and strangers send.

use super::*;

#[tokio::test]
async fn a_token_that_was_never_given_out_leads_nowhere() {
    let (server, admin, booking) = open().await;
    let customer = server.nobody();
    let token = issued(&admin, "link", &booking).await;
    let unknown = (404, "LINK_UNKNOWN".to_owned());
    let mut changed = token.clone().into_bytes();
    let last = changed.last_mut().expect("a token is long");
    *last = if *last == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).expect("letters");
    for token in [
        changed.as_str(),
        "nothing",
        &"A".repeat(64),
        "%00",
        "%F0%9F%8D%A3",
    ] {
        assert_eq!(code(validate(&customer, token).await), unknown, "{token}");
        assert_eq!(
            code(submit(&customer, token, json!({"rating": 5})).await),
            unknown
        );
    }
    assert_eq!(validate(&customer, &token).await.0, 200);
    // The token is in no event, and only its hash is.
    let log: String = events(&server)
        .await
        .iter()
        .map(|event| format!("{:?}", event.event))
        .collect();
    assert!(!log.contains(&token));
    let input = json!({"idempotencyKey": "link", "bookingId": booking, "notify": false});
    let again = admin.command("reviewLinkIssue", "link", input).await;
    assert_eq!((&again["link"], &again["replayed"]), (&Value::Null, &json!(true)));
}

#[tokio::test]
async fn an_answer_that_cannot_be_taken_says_why_and_leaves_the_link_good() {
    let (server, admin, booking) = open().await;
    let customer = server.nobody();
    let token = issued(&admin, "link", &booking).await;
    for (body, status, refusal) in [
        (json!({"rating": 0}), 422, "INVALID_RATING"),
        (json!({"rating": 6}), 422, "INVALID_RATING"),
        (json!({"rating": 2, "text": "   "}), 422, "TEXT_REQUIRED"),
        (
            json!({"rating": 5, "text": "x".repeat(4_001)}),
            422,
            "INVALID_TEXT",
        ),
        (json!({"rating": 5, "name": "x".repeat(61)}), 422, "INVALID_NAME"),
        (
            json!({"rating": 5, "media": ["../../secret"]}),
            422,
            "MEDIA_NOT_FOUND",
        ),
        (json!({"rating": "5"}), 400, "BAD_REQUEST"),
        (json!({"rating": 5, "stars": 5}), 400, "BAD_REQUEST"),
        (json!([]), 400, "BAD_REQUEST"),
    ] {
        let got = code(submit(&customer, &token, body.clone()).await);
        assert_eq!(got, (status, refusal.to_owned()), "{body}");
    }
    let plain = customer
        .post(&format!("/api/v1/reviews/submit/{token}"))
        .body("rating=5");
    assert_eq!(
        code(answer(plain).await),
        (415, "UNSUPPORTED_MEDIA_TYPE".to_owned())
    );
    let long = customer
        .post(&format!("/api/v1/reviews/submit/{token}"))
        .json(&json!({"rating": 5, "text": "x".repeat(70_000)}));
    assert_eq!(answer(long).await.0, 413);
    let odd = "\u{0}'; drop table events; -- <script>alert(1)</script> \u{1f363}";
    let (status, _) = submit(&customer, &token, json!({"rating": 3, "text": odd})).await;
    assert_eq!(status, 200);
    assert_eq!(review(&server, &admin, &booking).await["text"], odd);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn of_answers_that_come_at_once_one_is_taken() {
    let (server, admin, booking) = open().await;
    let customer = server.nobody();
    let token = issued(&admin, "link", &booking).await;
    let bodies = (1..=5).map(|rating| json!({"rating": rating, "text": format!("answer {rating}")}));
    let all = bodies.map(|body| submit(&customer, &token, body));
    let answers = futures::future::join_all(all).await;
    let taken = answers.iter().filter(|(status, _)| *status == 200).count();
    assert_eq!(taken, 1, "{answers:?}");
    let submitted = events(&server).await;
    let submitted = submitted
        .iter()
        .filter(|event| event.event.name() == "review.submitted");
    assert_eq!(submitted.count(), 1);
}

#[tokio::test]
async fn the_page_that_a_link_leads_to_is_there_and_tells_nobody_of_the_token() {
    let (server, admin, booking) = open().await;
    let token = issued(&admin, "link", &booking).await;
    let page = server.nobody().get(&format!("/review/{token}"));
    let page = page.send().await.expect("the program answers");
    assert_eq!(page.status().as_u16(), 200);
    let header = |name: &str| {
        let value = page.headers().get(name).expect("the header is there");
        value.to_str().expect("a header is text").to_owned()
    };
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert!(header("content-security-policy").starts_with("default-src 'none'"));
    assert_eq!(header("cache-control"), "private, no-store");
    assert!(page.text().await.expect("text").contains("How was it?"));
    // Looking at the page opens nothing: the page itself asks whether the link is good.
    assert_eq!(review(&server, &admin, &booking).await["status"], "PENDING");
}
