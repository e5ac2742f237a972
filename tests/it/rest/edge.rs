//! Pages of other hosts, what a browser is told of every answer, and proxies in between.

use api::app::App;
use api::http::{Edge, Transport};
use domain::access::Role;
use reqwest::Method;
use serde_json::json;
use tests::http::{Client, PASSWORD, Server};

use super::{OURS, answer, ask, look, priced};

const SHOP: &str = "https://shop.example.com";

async fn server(edge: Edge) -> Server {
    Server::start_as(move |app| App { edge, ..app }).await
}

fn preflight(server: &Server, path: &str, origin: &str) -> reqwest::RequestBuilder {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    client
        .request(Method::OPTIONS, format!("http://{}{path}", server.address()))
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type, idempotency-key")
}

#[tokio::test]
async fn pages_that_are_named_may_ask_and_no_others() {
    let edge = Edge {
        cors_origins: vec![SHOP.parse().expect("an origin")],
        ..Edge::default()
    };
    let server = server(edge).await;
    let page = server.nobody();
    let quotes = format!("{OURS}/quotes");
    for path in [
        quotes.as_str(),
        "/graphql",
        "/graphql/stream",
        "/exports/tax",
        "/documents/INV-2026-000001.pdf",
    ] {
        let may = answer(preflight(&server, path, SHOP)).await;
        assert_eq!(may.status, 204, "{path}");
        assert_eq!(may.header("access-control-allow-origin"), SHOP);
        assert_eq!(may.header("access-control-allow-methods"), "GET, POST");
        for name in ["idempotency-key", "last-event-id"] {
            assert!(may.header("access-control-allow-headers").contains(name));
        }
        assert_eq!(may.header("access-control-max-age"), "7200");
        for other in [
            "https://shop.example.com.evil.test",
            "http://shop.example.com",
            "null",
        ] {
            let may_not = answer(preflight(&server, path, other)).await;
            assert!(
                may_not.headers.get("access-control-allow-origin").is_none(),
                "{other}"
            );
            assert_eq!(may_not.header("vary"), "origin");
        }
    }
    let asked = page.post(&quotes).header("origin", SHOP).json(&priced());
    let asked = answer(asked).await;
    assert_eq!(
        (asked.status, asked.header("access-control-allow-origin")),
        (200, SHOP)
    );
    assert!(asked.headers.get("access-control-allow-credentials").is_none());
    let exposed = asked.header("access-control-expose-headers");
    for name in ["ratelimit", "retry-after", "etag", "x-request-id", "x-log-head"] {
        assert!(exposed.contains(name), "{name}");
    }
    // A refusal can be read as well, and reviews are for any page as they have always been.
    let refused = answer(page.get("/api/v1/nothing").header("origin", SHOP)).await;
    assert_eq!(
        (refused.status, refused.header("access-control-allow-origin")),
        (404, SHOP)
    );
    let reviews = answer(
        page.get("/api/v1/reviews/published/our-hibachi")
            .header("origin", SHOP),
    )
    .await;
    assert_eq!(reviews.header("access-control-allow-origin"), "*");
    let home = answer(page.get("/").header("origin", SHOP)).await;
    assert!(home.headers.get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn nobody_may_ask_from_elsewhere_where_nobody_is_named() {
    let server = Server::start().await;
    let may = answer(preflight(&server, &format!("{OURS}/quotes"), SHOP)).await;
    assert_eq!(may.refused(), (405, "METHOD_NOT_ALLOWED"));
    assert!(may.headers.get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn every_answer_tells_a_browser_what_not_to_make_of_it() {
    let plain = Server::start().await;
    let page = plain.nobody();
    for path in [
        OURS,
        "/api/v1/nothing",
        "/nothing",
        "/",
        "/graphiql",
        "/health/live",
        "/graphql",
        "/review/x",
    ] {
        let told = look(&page, path).await;
        assert_eq!(told.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(told.header("referrer-policy"), "no-referrer", "{path}");
        let policy = told.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(
            told.header("permissions-policy").contains("geolocation=()"),
            "{path}"
        );
        for absent in ["server", "strict-transport-security", "x-powered-by"] {
            assert!(told.headers.get(absent).is_none(), "{absent} of {path}");
        }
    }
    let behind_tls = server(Edge {
        transport: Transport::Tls,
        ..Edge::default()
    });
    let told = look(&behind_tls.await.nobody(), OURS).await;
    assert_eq!(told.header("strict-transport-security"), "max-age=31536000");
}

/// Where the last sign-in came from, by the history.
async fn signed_in_from(server: &Server, admin: &Client, forwarded: &[(&str, &str)]) -> String {
    let email = "admin@our-hibachi.test";
    let sign_in = "mutation($input: SignInInput!) { signIn(input: $input) { accessToken } }";
    let input = json!({"input": {"organisation": "our-hibachi", "email": email, "password": PASSWORD}});
    let mut request = server
        .nobody()
        .raw()
        .json(&json!({"query": sign_in, "variables": input}));
    for (name, value) in forwarded {
        request = request.header(*name, *value);
    }
    let done = answer(request).await.done();
    assert!(done["data"]["signIn"]["accessToken"].is_string(), "{done}");
    let history = admin
        .data("{ signIns(first: 1) { nodes { address } } }", json!({}))
        .await;
    history["signIns"]["nodes"][0]["address"]
        .as_str()
        .expect("an address")
        .to_owned()
}

#[tokio::test]
async fn where_somebody_comes_from_is_a_named_proxys_word_and_nobody_elses() {
    let direct = Server::start().await;
    let admin = direct.sign_in(Role::Admin).await;
    direct.set_clock("2026-02-10T18:01:00Z");
    let spoofed = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.2")];
    assert_eq!(signed_in_from(&direct, &admin, &spoofed).await, "127.0.0.1");

    let behind = server(Edge {
        trusted_proxies: vec!["127.0.0.0/8".parse().expect("a network")],
        ..Edge::default()
    });
    let behind = behind.await;
    let admin = behind.sign_in(Role::Admin).await;
    for (minute, forwarded, from) in [
        (1, ("x-forwarded-for", "198.51.100.7, 192.0.2.1"), "192.0.2.1"),
        (
            2,
            ("x-forwarded-for", "198.51.100.7, 192.0.2.3, 127.0.0.9"),
            "192.0.2.3",
        ),
        (
            3,
            (
                "forwarded",
                "for=198.51.100.7, for=\"[2001:db8::5]:4711\";proto=https",
            ),
            "2001:db8::5",
        ),
    ] {
        behind.set_clock(&format!("2026-02-10T18:0{minute}:00Z"));
        assert_eq!(signed_in_from(&behind, &admin, &[forwarded]).await, from);
    }
    let page = behind.nobody();
    let both = page
        .get(OURS)
        .header("x-forwarded-for", "192.0.2.1")
        .header("forwarded", "for=192.0.2.2");
    assert_eq!(answer(both).await.refused(), (400, "BAD_REQUEST"));
    assert_eq!(ask(&page, &format!("{OURS}/quotes"), &priced()).await.status, 200);
}
