//! The story of one aggregate.

use domain::envelope::StreamId;
use replays::history::{Asked, HistoryError, Related, Story, history};
use replays::personal::Personal;
use replays::show::Format;
use serde_json::{Value, json};

use super::{TABLE, lines, written};
use crate::projections::company::{Company, SAN_JOSE, TENANT, id, number};

async fn story(company: &Company, stream: &str, related: Related) -> Result<Story, HistoryError> {
    let asked: Asked = stream.parse()?;
    let stream = asked.find(&company.log, TENANT).await?;
    let personal = Personal::read(&company.log, TENANT)
        .await
        .expect("the test's own world");
    history(&company.log, TENANT, stream, related, &personal).await
}

/// With a word for each time that the test ran at.
fn timeless(text: &str, story: &Story) -> String {
    let mut text = text.to_owned();
    for step in &story.steps {
        let utc = replays::moment::instant(&step.entry.recorded_at);
        text = text
            .replace(&utc, "UTC")
            .replace(step.local_time.as_ref().expect("the test's own world"), "LOCAL");
    }
    text
}

#[tokio::test]
async fn a_booking_is_told_event_by_event_with_its_payments_woven_in() {
    let company = Company::busy(4).await;
    let told = story(&company, &format!("booking:{}", number(4)), Related::Woven)
        .await
        .unwrap();
    assert_eq!(told.stream, StreamId::new("booking", id(4).to_string()));
    let text = timeless(&written(|to| told.write(TABLE, to)), &told);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_eq!(text, include_str!("story.txt"), "{text}");

    let json = lines(&written(|to| told.write(Format::Json, to)));
    let types: Vec<&Value> = json[1..].iter().map(|step| &step["type"]).collect();
    assert_eq!(
        types,
        [
            "booking.requested",
            "payment.claimed",
            "payment.verified",
            "booking.confirmed",
            "booking.completed"
        ]
    );
    assert_eq!(json[0]["events"], 5);
    let confirmed = &json[4];
    assert_eq!(confirmed["before"]["status"], "requested");
    assert_eq!(confirmed["after"]["status"], "confirmed");
    assert_eq!(
        confirmed["state"],
        json!([{"path": "status", "before": "requested", "after": "confirmed"}])
    );
    assert_eq!(confirmed["after"]["requested"]["venue"]["street"], "[sealed]");

    let alone = story(&company, &format!("booking:{}", id(4)), Related::Left)
        .await
        .unwrap();
    assert_eq!(alone.steps.len(), 3);
}

#[tokio::test]
async fn every_kind_of_stream_has_a_story() {
    let company = Company::busy(1).await;
    for (stream, events, zone) in [
        (format!("station:{SAN_JOSE}"), 2, true),
        (format!("price_list:{SAN_JOSE}"), 2, true),
        (format!("payment:{}", id(1)), 2, true),
        (format!("lead:{}", id(0)), 1, false),
        ("tax_rate:CA/santa clara".to_owned(), 1, false),
        ("organisation:ours".to_owned(), 1, false),
    ] {
        let told = story(&company, &stream, Related::Woven).await.unwrap();
        assert_eq!(told.steps.len(), events, "{stream}");
        assert_eq!(told.zone.is_some(), zone, "{stream}");
        assert!(told.steps.iter().all(|step| !step.state.is_empty()), "{stream}");
    }
}

#[tokio::test]
async fn a_person_is_not_in_the_story_and_one_who_is_erased_says_so() {
    let company = Company::busy(1).await;
    let stream = format!("booking:{}", id(1));
    let customer = {
        let told = story(&company, &stream, Related::Left).await.unwrap();
        let after = &told.steps[0].after["requested"];
        assert_eq!(after["venue"]["street"], "[sealed]");
        after["customer_id"].as_str().unwrap().to_owned()
    };
    let receipt = json!({
        "reason": "asked for it", "destroyed": [{"subject": customer, "key_id": null}], "email_key": "k", "phone_key": null,
    });
    company.append(&customer, "customer.erased", receipt).await;
    let told = story(&company, &stream, Related::Left).await.unwrap();
    assert_eq!(told.steps[0].after["requested"]["venue"]["street"], "[erased]");
    let erased = story(&company, &format!("customer:{customer}"), Related::Left)
        .await
        .unwrap();
    let text = written(|to| erased.write(TABLE, to));
    assert!(
        text.contains("[erased]") && text.contains("because: asked for it"),
        "{text}"
    );
    assert!(!text.contains("[sealed]"), "{text}");
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let company = Company::busy(2).await;
    for (stream, said) in [
        (
            format!("booking:{}", id(77)),
            format!("there is no stream booking:{}", id(77)),
        ),
        (
            "booking:AAAAA-AAAAA".to_owned(),
            "no booking has the number AAAAA-AAAAA".to_owned(),
        ),
        (
            "boat:1".to_owned(),
            "there is no kind of stream boat; there are: ".to_owned(),
        ),
    ] {
        let refused = story(&company, &stream, Related::Woven).await.unwrap_err();
        assert!(refused.to_string().starts_with(&said), "{refused}");
    }
    // A second booking under a number that is taken.
    let first = story(&company, &number(1), Related::Left).await.unwrap();
    let payload = first.steps[0].after["requested"].clone();
    let mut payload = payload;
    payload["venue"]["street"] = json!({"subject": id(1), "sealed": "s"});
    company
        .append(&id(99).to_string(), "booking.requested", payload)
        .await;
    let refused = story(&company, &number(1), Related::Left).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!(
            "more than one booking has the number {}: booking:{}, booking:{}",
            number(1),
            id(1),
            id(99)
        )
    );
}
