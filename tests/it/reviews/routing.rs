//! Whom external sites are shown to, and who may choose that.

use super::*;

const SETTINGS: &str = "reviewSettings { routingMode riskVersion riskAcknowledgedUntil links { site url } }";

fn links(key: &str, links: Value) -> Value {
    json!({
        "idempotencyKey": key, "links": links,
        "coupon": {"discount": {"rate": "0.15"}, "validDays": 90},
    })
}

fn google() -> Value {
    json!({"site": "GOOGLE", "url": "https://g.page/r/ours/review"})
}

fn yelp() -> Value {
    json!({"site": "YELP", "url": "https://www.yelp.com/biz/ours"})
}

#[tokio::test]
async fn everybody_sees_the_same_links_unless_the_risk_of_another_mode_was_acknowledged() {
    let (server, admin, [booking, other]) = open_with(["first", "second"]).await;
    let change = links("links", json!([google(), yelp()]));
    admin.done("reviewSettingsChange", SETTINGS, change).await;
    let customer = server.nobody();
    let token = issued(&admin, "first link", &booking).await;
    let (_, invited) = validate(&customer, &token).await;
    assert_eq!(invited["links"].as_array().map(Vec::len), Some(2));
    let (_, thanks) = submit(&customer, &token, json!({"rating": 1, "text": "Cold rice"})).await;
    assert_eq!(thanks["links"], invited["links"], "low ratings see the same");
    let shown = review(&server, &admin, &booking).await;
    assert_eq!(shown["routingMode"], "NEUTRAL");
    assert_eq!(shown["shownExternalLinks"].as_array().map(Vec::len), Some(2));

    let gate = |key: &str, version: Option<&str>| json!({"idempotencyKey": key, "mode": "RATING_GATED", "riskVersion": version});
    let forbidden = mutation_of(&admin, gate("admin", Some("2026-11"))).await;
    assert_eq!(forbidden["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let chief = server.sign_in(Role::SuperAdmin).await;
    for version in [None, Some("2019-01")] {
        let refused = chief.refused("reviewRoutingSet", gate("no", version)).await;
        assert_eq!(refused, "RISK_NOT_ACKNOWLEDGED");
    }
    let current = chief
        .data("{ reviewSettings { riskVersion riskText } }", json!({}))
        .await;
    let version = current["reviewSettings"]["riskVersion"]
        .as_str()
        .expect("a version");
    let refused = chief
        .refused("reviewRoutingSet", gate("yelp", Some(version)))
        .await;
    assert_eq!(refused, "YELP_LINK_REFUSED");
    let change = links("no yelp", json!([google()]));
    admin.done("reviewSettingsChange", SETTINGS, change).await;
    let set = chief
        .done("reviewRoutingSet", SETTINGS, gate("gate", Some(version)))
        .await;
    assert_eq!(set["reviewSettings"]["routingMode"], "RATING_GATED");
    let change = links("yelp again", json!([google(), yelp()]));
    assert_eq!(
        admin.refused("reviewSettingsChange", change).await,
        "YELP_LINK_REFUSED"
    );

    let token = issued(&admin, "second link", &other).await;
    let (_, invited) = validate(&customer, &token).await;
    assert_eq!(invited["links"], json!([]));
    let (_, thanks) = submit(&customer, &token, json!({"rating": 3})).await;
    assert_eq!(thanks["links"], json!([]));
    let shown = review(&server, &admin, &other).await;
    assert_eq!(
        (
            &shown["routingMode"],
            &shown["riskVersion"],
            &shown["shownExternalLinks"]
        ),
        (&json!("RATING_GATED"), &json!(version), &json!([]))
    );
    // A year later nobody has acknowledged it again.
    server.set_clock("2027-03-20T00:00:00Z");
    let mut chief = chief;
    chief.sign_in_again().await;
    let lapsed = chief.data("{ reviewSettings { routingMode } }", json!({})).await;
    assert_eq!(lapsed["reviewSettings"]["routingMode"], "NEUTRAL");
    let trail = "{ auditLog(first: 10, filter: {type: [\"organisation.review_routing_set\"]}) {
        nodes { summary actor { role } changes { path before after } } } }";
    server.caught_up(&server.company).await;
    let told = chief.data(trail, json!({})).await["auditLog"]["nodes"][0].take();
    assert_eq!(told["actor"]["role"], "SUPER_ADMIN");
    assert!(
        told["summary"]
            .as_str()
            .is_some_and(|said| said.contains(version)),
        "{told}"
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

async fn mutation_of(client: &Client, input: Value) -> Value {
    let mutation =
        "mutation($input: ReviewRoutingSetInput!) { reviewRoutingSet(input: $input) { position } }";
    client.graphql(mutation, json!({"input": input})).await
}

#[tokio::test]
async fn who_goes_on_to_an_external_site_is_counted_once_and_sent_nowhere_else() {
    let (server, admin, booking) = open().await;
    let change = links("links", json!([google()]));
    admin.done("reviewSettingsChange", SETTINGS, change).await;
    let token = issued(&admin, "link", &booking).await;
    let following = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client");
    let click = async |site: &str| {
        let url = format!("http://{}/api/v1/reviews/click/{token}/{site}", server.address());
        following.get(url).send().await.expect("the program answers")
    };
    // Not before it was shown.
    assert_eq!(click("google").await.status().as_u16(), 404);
    validate(&server.nobody(), &token).await;
    for _ in 0..2 {
        let answer = click("google").await;
        assert_eq!(answer.status().as_u16(), 303);
        assert_eq!(answer.headers()["location"], "https://g.page/r/ours/review");
    }
    for site in ["yelp", "https:%2F%2Fevil.example"] {
        assert_eq!(click(site).await.status().as_u16(), 404, "{site}");
    }
    let clicked = review(&server, &admin, &booking).await;
    assert_eq!(clicked["clickedExternalSites"], json!(["GOOGLE"]));
    let clicks = events(&server).await;
    let clicks = clicks
        .iter()
        .filter(|event| event.event.name() == "review.external_clicked");
    assert_eq!(clicks.count(), 1);
}

#[tokio::test]
async fn a_company_with_a_page_of_its_own_sends_its_customers_there() {
    let (server, admin, booking) = open().await;
    for (url, refusal) in [
        ("http://ours.example", "INVALID_URL"),
        ("https://ours.example/?a", "INVALID_URL"),
    ] {
        let change = with(links(url, json!([])), json!({"pageUrl": url}));
        assert_eq!(admin.refused("reviewSettingsChange", change).await, refusal);
    }
    let elsewhere = links(
        "bad",
        json!([{"site": "GOOGLE", "url": "https://google.com.evil.example/"}]),
    );
    assert_eq!(
        admin.refused("reviewSettingsChange", elsewhere).await,
        "INVALID_URL"
    );
    let twice = links("twice", json!([google(), google()]));
    assert_eq!(
        admin.refused("reviewSettingsChange", twice).await,
        "INVALID_LINKS"
    );
    let change = with(
        links("page", json!([])),
        json!({"pageUrl": "https://ours.example/how-was-it"}),
    );
    admin.done("reviewSettingsChange", SETTINGS, change.clone()).await;
    let same = with(change, json!({"idempotencyKey": "same"}));
    assert_eq!(admin.refused("reviewSettingsChange", same).await, "UNCHANGED");
    let input = json!({"idempotencyKey": "link", "bookingId": booking, "notify": false});
    let link = admin.done("reviewLinkIssue", "link", input).await["link"].take();
    let link = link.as_str().expect("a link");
    assert!(link.starts_with("https://ours.example/how-was-it/"), "{link}");
    let token = token_of(link);
    let asked = server
        .nobody()
        .get(&format!("/api/v1/reviews/validate/{token}"))
        .header("origin", "https://ours.example")
        .send()
        .await
        .expect("the program answers");
    assert_eq!(asked.headers()["access-control-allow-origin"], "*");
}
