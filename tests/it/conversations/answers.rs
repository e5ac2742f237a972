//! What the assistant says, and never says.

use super::*;

#[tokio::test]
async fn the_assistant_prices_a_party_with_the_companys_own_quote() {
    let server = Server::start().await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let asked = say(
        &support,
        "ask",
        None,
        "Hi, how much is it for 12 adults and 4 kids?",
    )
    .await;
    assert_eq!(authors(&asked), ["customer", "assistant"]);
    assert_eq!(
        (&last(&asked)["intent"], &asked["assistantActive"]),
        (&json!("pricing"), &json!(true))
    );
    let text = last(&asked)["text"].as_str().expect("a text");
    assert!(text.contains("the date") && text.contains("ZIP code"), "{text}");
    assert!(!text.contains('$'), "which branch serves is not known: {text}");
    let more = say(&support, "more", Some(&asked), "March 14, in 95112").await;
    let text = last(&more)["text"].as_str().expect("a text").to_owned();
    let quote = "{ quote(input: {zip: \"95112\", start: \"2026-03-14T18:00:00\", guests: {adults: 12, children: 4}}) {
        total { amount } deposit { amount } } }";
    let quote = support.data(quote, json!({})).await["quote"].take();
    for part in ["total", "deposit"] {
        let amount = quote[part]["amount"].as_str().expect("an amount");
        assert!(text.contains(&format!("${amount}")), "{part} {amount}: {text}");
    }
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn the_assistant_answers_each_intent_from_the_companys_facts() {
    let server = Server::start().await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let station = json!(global_id("Station", server.company.san_jose));
    for (text, intent, contains) in [
        ("what is on the menu?", "menu", "On offer"),
        ("are you available on March 14?", "availability", "On 2026-03-14"),
        ("do you come to 95112?", "location", "we come to you"),
        (
            "what is your cancellation policy?",
            "policy",
            "A deposit of $100.00",
        ),
        ("do you have vegan options?", "dietary", "I make no promise"),
        (
            "I want to book a party for 10 people",
            "booking",
            "To book a party, tell me the date",
        ),
        ("hello", "other", "Thank you for writing"),
        ("the rice was cold", "complaint", "I am sorry"),
    ] {
        let input = json!({"idempotencyKey": text, "text": text, "stationId": station});
        let said = support.done("messagePost", CONVERSATION, input).await["conversation"].take();
        let answer = last(&said)["text"].as_str().expect("a text").to_owned();
        assert_eq!(last(&said)["intent"], intent, "{text}: {answer}");
        assert!(answer.contains(contains), "{text}: {answer}");
    }
}

#[tokio::test]
async fn an_invented_price_is_never_said() {
    let assistant = Told::at_once("Special offer: only $9.99 each!");
    let server = Server::start_as(move |app| api::app::App {
        commands: app.commands.answering_with(assistant),
        ..app
    })
    .await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let asked = say(&support, "ask", None, "what is the price?").await;
    assert_eq!(authors(&asked), ["customer", "assistant"]);
    let text = last(&asked)["text"].as_str().expect("a text");
    assert!(!text.contains("9.99"), "{text}");
    let honest = Told::at_once("Ask me anything.");
    let server = Server::start_as(move |app| api::app::App {
        commands: app.commands.answering_with(honest),
        ..app
    })
    .await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let asked = say(&support, "ask", None, "what is the price?").await;
    assert_eq!(last(&asked)["text"], "Ask me anything.");
}
