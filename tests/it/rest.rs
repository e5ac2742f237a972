//! REST for customers' pages: a customer's whole way, what is refused and how, and what stands between a page and the program.

mod described;
mod edge;
mod kept;
mod outages;
mod refused;
mod throttled;
mod way;

use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tests::http::{Client, PARTY};

/// What paths of the company begin with.
const OURS: &str = "/api/v1/organisations/our-hibachi";

/// An answer over the wire.
struct Answered {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answered {
    /// A word of its head.
    fn header(&self, name: &str) -> &str {
        let value = self
            .headers
            .get(name)
            .unwrap_or_else(|| panic!("there is no {name}"));
        value.to_str().expect("it is text")
    }

    /// The body of what was done.
    fn done(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.body);
        self.body
    }

    /// Status and code of a refusal, which is a problem in every respect.
    fn refused(&self) -> (u16, &str) {
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "private, no-store");
        let body = &self.body;
        assert_eq!(body["status"], self.status, "{body}");
        assert_eq!(body["requestId"], self.header("x-request-id"));
        for text in ["type", "title", "detail", "code"] {
            assert!(
                body[text].as_str().is_some_and(|text| text.len() > 3),
                "{text} in {body}"
            );
        }
        assert!(body["errors"].is_array(), "{body}");
        (self.status, body["code"].as_str().expect("a code is text"))
    }
}

async fn answer(request: RequestBuilder) -> Answered {
    let answer = request.send().await.expect("the program answers");
    let (status, headers) = (answer.status(), answer.headers().clone());
    assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let text = answer.text().await.expect("the answer is text");
    Answered {
        status: status.as_u16(),
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    }
}

async fn look(client: &Client, path: &str) -> Answered {
    answer(client.get(path)).await
}

async fn ask(client: &Client, path: &str, body: &Value) -> Answered {
    answer(client.post(path).json(body)).await
}

/// Gives a command under a key that follows from a name.
async fn give(client: &Client, path: &str, key: &str, body: &Value) -> Answered {
    answer(
        client
            .post(path)
            .header("idempotency-key", secret(key))
            .json(body),
    )
    .await
}

/// A key that nobody guesses.
fn secret(name: &str) -> String {
    format!("{name}-3f0c7f4e-6f0a-4be5")
}

/// A party of exactly 851.18 in San Jose, to be priced.
fn priced() -> Value {
    json!({
        "zip": "95112", "start": PARTY, "guests": {"adults": 12, "children": 4},
        "addOns": [{"item": "sauce", "quantity": 2}],
    })
}

/// The same, asked for by somebody new who is named after the key.
fn wanted(key: &str) -> Value {
    json!({
        "customer": {"name": format!("Guest {key}"), "email": format!("{key}@example.com")},
        "smsConsent": true,
        "venue": {"street": "1 Main St", "city": "San Jose", "state": "CA", "zip": "95112"},
        "start": PARTY,
        "guests": {"adults": 12, "children": 4},
        "addOns": [{"item": "sauce", "quantity": 2}],
        "termsVersion": "2026-01",
    })
}
