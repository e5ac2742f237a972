//! A clock alone drives it: a day, day 3, day 7, thirty days.

use super::*;

#[tokio::test]
async fn a_party_that_was_held_leads_to_a_review_and_an_unhappy_customer_to_a_person() {
    let (server, mut admin, booking) = open().await;
    later(&server, &mut admin, "2026-03-16T03:29:00Z").await;
    assert_eq!(review(&server, &admin, &booking).await, Value::Null);
    later(&server, &mut admin, ASKED).await;
    let asked = review(&server, &admin, &booking).await;
    assert_eq!(
        (&asked["status"], &asked["rating"]),
        (&json!("PENDING"), &Value::Null)
    );
    assert_eq!(asked["booking"]["id"], booking);
    later(&server, &mut admin, "2026-03-18T03:30:00Z").await;
    assert_eq!(review(&server, &admin, &booking).await["reminders"], 0);
    later(&server, &mut admin, "2026-03-18T03:32:00Z").await;
    assert_eq!(review(&server, &admin, &booking).await["reminders"], 1);
    later(&server, &mut admin, "2026-03-22T03:32:00Z").await;
    assert_eq!(review(&server, &admin, &booking).await["reminders"], 2);
    later(&server, &mut admin, "2026-03-30T00:00:00Z").await;
    assert_eq!(review(&server, &admin, &booking).await["reminders"], 2);

    let links = sent(&server).await;
    let kinds: Vec<MessageKind> = links.iter().map(|(kind, _)| *kind).collect();
    let reminder = MessageKind::ReviewReminder;
    assert_eq!(kinds, [MessageKind::ReviewRequest, reminder, reminder]);
    let [first, _, last] = links.map_tokens();
    assert_ne!(first, last);
    let customer = server.nobody();
    let (status, invited) = validate(&customer, &last).await;
    assert_eq!(status, 200, "{invited}");
    assert_eq!(
        (&invited["valid"], &invited["eventOn"]),
        (&json!(true), &json!("2026-03-14"))
    );
    assert_eq!(review(&server, &admin, &booking).await["status"], "OPENED");

    let low = json!({"rating": 1});
    assert_eq!(
        code(submit(&customer, &last, low).await),
        (422, "TEXT_REQUIRED".to_owned())
    );
    let words = json!({"rating": 1, "text": "The rice was cold.", "name": "Sam"});
    let (status, thanks) = submit(&customer, &last, words.clone()).await;
    assert_eq!((status, &thanks["letUsFixIt"]), (200, &json!(true)), "{thanks}");
    // A second click of the same button is the same answer; another answer is none.
    assert_eq!(submit(&customer, &last, words).await, (200, thanks));
    let other = json!({"rating": 5});
    let used = (410, "LINK_USED".to_owned());
    assert_eq!(code(submit(&customer, &last, other.clone()).await), used);
    assert_eq!(code(submit(&customer, &first, other).await), used);
    assert_eq!(code(validate(&customer, &first).await), used);

    let done = review(&server, &admin, &booking).await;
    assert_eq!(
        (
            &done["rating"],
            &done["text"],
            &done["publicName"],
            &done["answeredThrough"]
        ),
        (
            &json!(1),
            &json!("The rice was cold."),
            &json!("Sam"),
            &json!("SECOND_REMINDER")
        )
    );
    assert_eq!(
        (&done["status"], &done["escalated"]),
        (&json!("SUBMITTED"), &json!(true))
    );
    until("a person is called", async || {
        react(&server).await;
        events(&server)
            .await
            .iter()
            .any(|event| event.event.name() == "escalation.opened")
    })
    .await;
    told_in_the_trail(&server, &mut admin).await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}

trait Tokens {
    fn map_tokens(self) -> [String; 3];
}

impl Tokens for Vec<(MessageKind, String)> {
    fn map_tokens(self) -> [String; 3] {
        let tokens: Vec<String> = self.into_iter().map(|(_, token)| token).collect();
        tokens.try_into().expect("there are three")
    }
}

/// The audit trail tells the story, without a word of the customer's.
async fn told_in_the_trail(server: &Server, admin: &mut Client) {
    server.caught_up(&server.company).await;
    admin.sign_in_again().await;
    let query =
        "{ auditLog(first: 100, filter: {entityType: \"review\"}) { nodes { type summary redacted } } }";
    let trail = admin.data(query, json!({})).await["auditLog"]["nodes"].take();
    let types: Vec<&str> = trail
        .as_array()
        .expect("entries")
        .iter()
        .rev()
        .filter_map(|entry| entry["type"].as_str())
        .collect();
    assert_eq!(
        types,
        [
            "review.link_issued",
            "review.reminded",
            "review.reminded",
            "review.opened",
            "review.submitted"
        ]
    );
    let text = trail.to_string();
    assert!(
        text.contains("rated booking") && text.contains("1 of 5"),
        "{text}"
    );
    assert!(!text.contains("rice") && !text.contains("Sam"), "{text}");
}

#[tokio::test]
async fn nobody_waits_for_an_answer_longer_than_thirty_days_unless_a_person_asks_again() {
    let (server, mut admin, booking) = open().await;
    later(&server, &mut admin, ASKED).await;
    let customer = server.nobody();
    let (_, token) = sent(&server).await.remove(0);
    // A month during which the program did not run: nobody is reminded twice at once, or after the end.
    later(&server, &mut admin, "2026-04-20T00:00:00Z").await;
    let expired = review(&server, &admin, &booking).await;
    assert_eq!(
        (&expired["status"], &expired["reminders"]),
        (&json!("EXPIRED"), &json!(0))
    );
    assert_eq!(sent(&server).await.len(), 1);
    let over = (410, "LINK_EXPIRED".to_owned());
    assert_eq!(code(validate(&customer, &token).await), over);
    let great = json!({"rating": 5});
    assert_eq!(code(submit(&customer, &token, great.clone()).await), over);
    let again = issued(&admin, "again", &booking).await;
    assert_eq!(submit(&customer, &again, great).await.0, 200);
    let done = review(&server, &admin, &booking).await;
    assert_eq!(
        (&done["rating"], &done["answeredThrough"]),
        (&json!(5), &json!("BY_STAFF"))
    );
    assert_eq!(done["escalated"], false);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_party_that_was_not_held_is_asked_about_by_nobody() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let booking = booked(&server, &admin, "first").await;
    later(&server, &mut admin, ASKED).await;
    assert_eq!(review(&server, &admin, &booking).await, Value::Null);
    let input = json!({"idempotencyKey": "early", "bookingId": booking});
    assert_eq!(
        admin.refused("reviewLinkIssue", input).await,
        "REVIEW_NOT_COMPLETED"
    );
}

#[tokio::test]
async fn nobody_is_asked_about_a_party_of_long_ago() {
    let (server, mut admin, booking) = open().await;
    later(&server, &mut admin, "2026-05-01T00:00:00Z").await;
    assert_eq!(review(&server, &admin, &booking).await, Value::Null);
    let token = issued(&admin, "by hand", &booking).await;
    assert_eq!(validate(&server.nobody(), &token).await.0, 200);
}

#[tokio::test]
async fn where_the_company_does_not_ask_by_itself_a_person_still_may() {
    let (server, mut admin, booking) = open().await;
    let chief = server.sign_in(Role::SuperAdmin).await;
    let out = json!({
        "idempotencyKey": "out", "flag": "REVIEW_REQUESTS", "share": "0", "reason": "we ask at the table",
    });
    chief.done("featureFlagSet", "", out).await;
    later(&server, &mut admin, ASKED).await;
    assert_eq!(review(&server, &admin, &booking).await, Value::Null);
    let token = issued(&admin, "by hand", &booking).await;
    assert_eq!(validate(&server.nobody(), &token).await.0, 200);
}
