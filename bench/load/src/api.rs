//! The API as a client speaks it.

use std::time::Instant;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::samples::{Came, note};

/// What a rule of the business may say to anybody: somebody else was faster.
const MAY_BE_REFUSED: [&str; 1] = ["SLOT_UNAVAILABLE"];

/// A client of its own, with connections of its own.
pub fn client() -> reqwest::ClientBuilder {
    Client::builder().no_proxy()
}

/// Asks, and writes down what came of it. The data; none where that was not what was asked for.
pub async fn ask(
    http: &Client,
    url: &str,
    token: &str,
    what: &'static str,
    document: &str,
    variables: Value,
) -> Option<Value> {
    let began = Instant::now();
    let (came, said) = send(http, url, token, document, &variables).await;
    note(what, began, came, || said.to_string());
    (came == Came::Well).then(|| said["data"].clone())
}

/// Asks, and gives the data.
///
/// # Errors
/// Whatever else came.
pub async fn expect(
    http: &Client,
    url: &str,
    token: &str,
    document: &str,
    variables: Value,
) -> Result<Value, String> {
    match send(http, url, token, document, &variables).await {
        (Came::Well, said) => Ok(said["data"].clone()),
        (_, said) => Err(format!("{document} {variables}: {said}")),
    }
}

async fn send(http: &Client, url: &str, token: &str, document: &str, variables: &Value) -> (Came, Value) {
    let body = json!({ "query": document, "variables": variables });
    let mut request = http.post(format!("{url}/graphql")).json(&body);
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => return (Came::Error, json!(format!("{error:?}"))),
    };
    let status = answer.status();
    match answer.json::<Value>().await {
        Ok(_) if status == StatusCode::TOO_MANY_REQUESTS => (Came::Throttled, Value::Null),
        Ok(said) => (judge(status, &said), said),
        Err(error) => (Came::Error, json!(format!("{status}: {error:?}"))),
    }
}

fn judge(status: StatusCode, said: &Value) -> Came {
    if status != StatusCode::OK || !said["errors"].is_null() {
        return Came::Error;
    }
    let payloads = said["data"]
        .as_object()
        .into_iter()
        .flat_map(|data| data.values());
    let mut refusals = payloads
        .filter_map(|payload| payload["userErrors"].as_array())
        .flatten()
        .peekable();
    if refusals.peek().is_none() {
        return Came::Well;
    }
    let may = |refusal: &Value| MAY_BE_REFUSED.iter().any(|code| refusal["code"] == **code);
    if refusals.all(may) {
        Came::Refused
    } else {
        Came::Error
    }
}

/// Looks whether the program is ready.
pub async fn look(http: &Client, url: &str) {
    let began = Instant::now();
    let answer = match http.get(format!("{url}/health/ready")).send().await {
        Ok(answer) if answer.status() == StatusCode::OK => {
            answer.text().await.map_err(|error| format!("{error:?}"))
        }
        Ok(answer) => Err(answer.status().to_string()),
        Err(error) => Err(format!("{error:?}")),
    };
    match answer {
        Ok(_) => note("health", began, Came::Well, String::new),
        Err(error) => note("health", began, Came::Error, || error),
    }
}
