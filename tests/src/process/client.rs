//! Somebody of the demo company who talks to a running program.

use serde_json::{Value, json};

use super::SLUG;

/// Signed in, for as long as a token lives: ten minutes.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    /// Somebody who has not signed in.
    ///
    /// # Panics
    /// Never: a client without TLS needs nothing.
    pub fn nobody(url: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build();
        Self {
            http: http.expect("a client without TLS needs nothing"),
            url: url.to_owned(),
            token: String::new(),
        }
    }

    /// The same with a token.
    ///
    /// # Panics
    /// When it is no text.
    #[must_use]
    pub fn with_token(self, token: &Value) -> Self {
        let token = token.as_str().expect("a token is text").to_owned();
        Self { token, ..self }
    }

    pub(super) async fn sign_in(url: &str, who: &str, password: &str) -> Self {
        let mut client = Self::nobody(url);
        let input = json!({
            "organisation": SLUG, "email": format!("{who}@demo.test"), "password": password,
        });
        let document = "mutation($input: SignInInput!) { signIn(input: $input) { accessToken } }";
        let signed_in = client.data(document, json!({ "input": input })).await;
        let token = signed_in["signIn"]["accessToken"].as_str();
        client.token = token.expect("the password is right").to_owned();
        client
    }

    /// What it sends as `Authorization: Bearer …`.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The whole answer to a query, errors and all.
    ///
    /// # Errors
    /// When no answer comes: the program has ended.
    pub async fn ask(&self, query: &str, variables: &Value) -> reqwest::Result<Value> {
        let body = json!({ "query": query, "variables": variables });
        let mut request = self.http.post(format!("{}/graphql", self.url)).json(&body);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        request.send().await?.json().await
    }

    /// The data that a query asks for.
    ///
    /// # Panics
    /// When the answer has errors, or does not come.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.ask(query, &variables).await.expect("the program answers");
        assert_eq!(answer["errors"], Value::Null, "{query}");
        answer["data"].take()
    }

    /// The text behind another path of the program.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn get(&self, path: &str) -> String {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await;
        let answer = answer.expect("the program answers");
        answer.text().await.expect("the answer is text")
    }
}
