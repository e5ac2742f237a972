//! What may be kept and for how long, and what is made smaller on the way.

use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use tests::http::Server;

use super::{OURS, answer, give, look, wanted};

#[tokio::test]
async fn what_everybody_may_see_is_kept_and_asked_after_by_its_tag() {
    let server = Server::start().await;
    let page = server.nobody();
    let menu = format!("{OURS}/stations/{}/menu", server.company.san_jose);
    let free = format!("{OURS}/availability?zip=95112&from=2026-03-14&to=2026-03-15&guests=2");
    for (path, cache) in [
        ("/api/v1/organisations/our-hibachi", "public, max-age=60"),
        (menu.as_str(), "public, max-age=60"),
        (free.as_str(), "public, max-age=10"),
        ("/api/v1/reviews/published/our-hibachi", "public, max-age=60"),
        ("/api/v1/openapi.json", "public, max-age=300"),
    ] {
        let first = look(&page, path).await;
        assert_eq!(first.header("cache-control"), cache, "{path}");
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with("W/\""), "{tag}");
        let known = page
            .get(path)
            .header("if-none-match", format!("W/\"other\", {tag}"));
        let known = answer(known).await;
        assert_eq!(
            (known.status, known.header("etag")),
            (304, tag.as_str()),
            "{path}"
        );
        assert_eq!(known.body, Value::String(String::new()));
        let other = page.get(path).header("if-none-match", "W/\"other\"");
        assert_eq!(answer(other).await.status, 200, "{path}");
    }
    // A slot that is taken is another answer.
    let before = look(&page, &free).await.header("etag").to_owned();
    let booked = give(&page, &format!("{OURS}/bookings"), "kept", &wanted("kept")).await;
    assert_eq!(booked.header("cache-control"), "private, no-store");
    let path = booked.done()["path"].as_str().expect("a path").to_owned();
    let after = answer(page.get(&free).header("if-none-match", before)).await;
    assert_eq!(after.status, 200);
    let own = look(&page, &path).await;
    assert_eq!(own.header("cache-control"), "private, no-store");
    assert!(own.headers.get("etag").is_none());
}

#[tokio::test]
async fn public_texts_are_made_smaller_and_nothing_that_is_somebodys() {
    let server = Server::start().await;
    let page = server.nobody();
    let gzip = |path: &str| page.get(path).header("accept-encoding", "br, gzip");
    for path in ["/api/v1/openapi.json", "/graphiql"] {
        let answer = gzip(path).send().await.expect("an answer");
        assert_eq!(answer.headers()["content-encoding"], "gzip", "{path}");
        let vary: Vec<_> = answer.headers().get_all("vary").iter().collect();
        assert!(vary.iter().any(|vary| *vary == "accept-encoding"), "{vary:?}");
        let small = answer.bytes().await.expect("it comes");
        let mut whole = String::new();
        GzDecoder::new(&small[..])
            .read_to_string(&mut whole)
            .expect("it is gzip");
        assert_eq!(
            whole,
            page.get(path)
                .send()
                .await
                .expect("an answer")
                .text()
                .await
                .expect("text")
        );
        assert!(
            small.len() * 2 < whole.len(),
            "{path}: {} of {}",
            small.len(),
            whole.len()
        );
    }
    let asked = json!({"text": "How far do you travel? ".repeat(200)});
    let talk = page
        .post(&format!("{OURS}/conversations"))
        .header("accept-encoding", "gzip")
        .header("idempotency-key", super::secret("talk"));
    let talk = talk.json(&asked).send().await.expect("an answer");
    assert_eq!(talk.status(), 201);
    assert!(
        talk.headers().get("content-encoding").is_none(),
        "a secret is beside a stranger's words"
    );
    let graphql = page
        .raw()
        .header("accept-encoding", "gzip")
        .json(&json!({"query": "{ __schema { types { name description } } }"}));
    let graphql = graphql.send().await.expect("an answer");
    assert!(graphql.headers().get("content-encoding").is_none());
    let tiny = gzip(OURS).send().await.expect("an answer");
    assert!(
        tiny.headers().get("content-encoding").is_none(),
        "less than a packet"
    );
}
