//! A client of server-sent events.

use reqwest::Response;
use serde_json::{Value, json};
use tests::http::Client;
use tokio::time::timeout;

use super::PATIENCE;

/// A stream of events.
pub(super) struct Events {
    response: Response,
    read: String,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// An answer, and the id of its event.
    Next(Value, Option<String>),
    /// There are no more.
    Complete,
    /// The stream has ended.
    Ended,
}

impl Events {
    /// Asks for a subscription, as a client that has seen an event with this id last.
    pub(super) async fn asked(
        client: &Client,
        query: &str,
        variables: &Value,
        last: Option<&str>,
    ) -> Response {
        let url = client.post("/graphql/stream");
        let url = match &client.token {
            Some(token) => url.bearer_auth(token),
            None => url,
        };
        let url = match last {
            Some(last) => url.header("last-event-id", last),
            None => url,
        };
        let asked = url.json(&json!({"query": query, "variables": variables})).send();
        asked.await.expect("the program answers")
    }

    pub(super) async fn begun(client: &Client, query: &str, variables: &Value) -> Self {
        Self::resumed(client, query, variables, None).await
    }

    pub(super) async fn resumed(client: &Client, query: &str, variables: &Value, last: Option<&str>) -> Self {
        let response = Self::asked(client, query, variables, last).await;
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self {
            response,
            read: String::new(),
        }
    }

    /// The code with which a subscription is refused, and the status.
    pub(super) async fn refused(client: &Client, query: &str, variables: &Value) -> (u16, String) {
        let response = Self::asked(client, query, variables, None).await;
        let status = response.status().as_u16();
        let body: Value = response.json().await.expect("it is refused in JSON");
        (status, super::code(&body).to_owned())
    }

    /// The next event, comments left out.
    pub(super) async fn next(&mut self) -> Part {
        timeout(PATIENCE, self.part())
            .await
            .expect("an event comes in time")
    }

    async fn part(&mut self) -> Part {
        loop {
            while let Some((part, rest)) = self.read.split_once("\n\n") {
                let part = part.to_owned();
                self.read = rest.to_owned();
                if let Some(part) = read(&part) {
                    return part;
                }
            }
            match self.response.chunk().await {
                Ok(Some(bytes)) => self
                    .read
                    .push_str(std::str::from_utf8(&bytes).expect("events are text")),
                Ok(None) | Err(_) => return Part::Ended,
            }
        }
    }

    /// The next answer, and the id of its event.
    pub(super) async fn answer(&mut self) -> (Value, Option<String>) {
        match self.next().await {
            Part::Next(answer, id) => (answer, id),
            other @ (Part::Complete | Part::Ended) => panic!("an answer is to come, and not {other:?}"),
        }
    }

    /// The next change.
    pub(super) async fn change(&mut self) -> Value {
        let (answer, id) = self.answer().await;
        let change = super::change(&answer);
        assert_eq!(id, Some(super::position(&change).to_string()));
        change
    }
}

fn read(part: &str) -> Option<Part> {
    let field = |name: &str| {
        part.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim)
    };
    match field("event:")? {
        "next" => {
            let data = serde_json::from_str(field("data:")?).expect("an answer is JSON");
            Some(Part::Next(data, field("id:").map(str::to_owned)))
        }
        "complete" => Some(Part::Complete),
        other => panic!("there are no events {other}"),
    }
}
