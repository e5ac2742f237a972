//! A double of RingCentral and of Meta's Graph API, over real HTTP on the loopback interface: it checks who asks, takes
//! messages, and answers otherwise when it is told to.

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use commands::gateways::carriers::{Credential, RingCentral, RingCentralSetup, Whatsapp, WhatsappSetup};
use serde_json::{Value, json};

/// The secret of the application at RingCentral.
pub const SECRET: &str = "a-secret-of-the-double";
/// The JWT of the account.
const JWT: &str = "a.jwt.of-the-double";
/// The token at Meta.
const TOKEN: &str = "a-token-of-the-double";
/// How long the program waits for an answer of the double.
const TIMEOUT: Duration = Duration::from_millis(400);

/// What is answered in place of what would be.
#[derive(Debug, Clone)]
pub enum Instead {
    /// Nothing is done, and this is said.
    Says(u16, Value),
    /// Nothing is said in time.
    Late,
}

#[derive(Default)]
struct Account {
    instead: VecDeque<Instead>,
    taken: Vec<Value>,
    sign_ins: u32,
    revoked: u32,
}

/// The double.
#[derive(Clone)]
pub struct TextDouble {
    address: SocketAddr,
    account: Arc<Mutex<Account>>,
}

impl TextDouble {
    /// Starts one; it ends with the runtime that it is started in.
    ///
    /// # Panics
    /// When the loopback interface has no free port.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("the loopback interface has a free port");
        let double = Self {
            address: listener.local_addr().expect("a listener has an address"),
            account: Arc::default(),
        };
        let router = Router::new()
            .route("/restapi/oauth/token", post(sign_in))
            .route("/restapi/v1.0/account/~/extension/~/sms", post(sms))
            .route("/v23.0/5550100/messages", post(whatsapp))
            .with_state(double.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        double
    }

    /// A client of RingCentral that knows this secret.
    ///
    /// # Panics
    /// When the double's address is none.
    pub fn ringcentral(&self, secret: &str) -> RingCentral {
        let credential = |text: &str| Credential::parse(text).expect("a credential");
        let client = RingCentral::new(RingCentralSetup {
            url: format!("http://{}", self.address),
            client_id: credential("hibachi"),
            client_secret: credential(secret),
            jwt: credential(JWT),
            from: "+1 650 555 0100".to_owned(),
            timeout: TIMEOUT,
        });
        client.expect("a client")
    }

    /// A client of WhatsApp.
    ///
    /// # Panics
    /// When the double's address is none.
    pub fn whatsapp(&self) -> Whatsapp {
        let client = Whatsapp::new(WhatsappSetup {
            url: format!("http://{}/v23.0", self.address),
            token: Credential::parse(TOKEN).expect("a token"),
            phone_id: "5550100".to_owned(),
            timeout: TIMEOUT,
        });
        client.expect("a client")
    }

    /// What the next messages are answered with.
    pub fn answer(&self, instead: &[Instead]) {
        self.account().instead.extend(instead.iter().cloned());
    }

    /// Tokens of before are good no more.
    pub fn revoke(&self) {
        let mut account = self.account();
        account.revoked = account.sign_ins;
    }

    /// How often somebody signed in.
    pub fn sign_ins(&self) -> u32 {
        self.account().sign_ins
    }

    /// The messages that were taken.
    pub fn taken(&self) -> Vec<Value> {
        self.account().taken.clone()
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message, or does what it was told to do instead; says how many it has taken.
    async fn take(&self, message: Value) -> Result<usize, Response> {
        let instead = self.account().instead.pop_front();
        match instead {
            Some(Instead::Says(status, body)) => return Err(says(status, body)),
            Some(Instead::Late) => {
                tokio::time::sleep(TIMEOUT * 2).await;
                return Err(says(500, json!({})));
            }
            None => {}
        }
        let mut account = self.account();
        account.taken.push(message);
        Ok(account.taken.len())
    }
}

fn says(status: u16, body: Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(body)).into_response()
}

fn authorization(headers: &HeaderMap) -> &str {
    let value = headers.get("authorization").and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

async fn sign_in(State(double): State<TextDouble>, headers: HeaderMap, body: String) -> Response {
    let url = reqwest::Url::parse(&format!("http://double/?{body}"));
    let form: HashMap<String, String> = url
        .map(|url| url.query_pairs().into_owned().collect())
        .unwrap_or_default();
    let field = |name: &str| form.get(name).map(String::as_str);
    let ours = format!("Basic {}", STANDARD.encode(format!("hibachi:{SECRET}")));
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let is_ours = authorization(&headers) == ours && field("assertion") == Some(JWT);
    if !is_ours || field("grant_type") != Some(grant) {
        return says(400, json!({"error": "invalid_client"}));
    }
    let mut account = double.account();
    account.sign_ins += 1;
    let token = format!("token-{}", account.sign_ins);
    says(
        200,
        json!({"access_token": token, "token_type": "bearer", "expires_in": 3600}),
    )
}

async fn sms(State(double): State<TextDouble>, headers: HeaderMap, Json(message): Json<Value>) -> Response {
    let number = authorization(&headers)
        .strip_prefix("Bearer token-")
        .and_then(|number| number.parse().ok());
    let revoked = double.account().revoked;
    if number.is_none_or(|number: u32| number <= revoked) {
        return says(401, json!({"errorCode": "OAU-213", "message": "Token not found"}));
    }
    match double.take(message).await {
        Ok(count) => says(200, json!({"id": 1000 + count, "messageStatus": "Queued"})),
        Err(instead) => instead,
    }
}

async fn whatsapp(
    State(double): State<TextDouble>,
    headers: HeaderMap,
    Json(message): Json<Value>,
) -> Response {
    if authorization(&headers) != format!("Bearer {TOKEN}") {
        return says(
            401,
            json!({"error": {"code": 190, "message": "Invalid OAuth access token"}}),
        );
    }
    match double.take(message).await {
        Ok(count) => says(200, json!({"messages": [{"id": format!("wamid.{count}")}]})),
        Err(instead) => instead,
    }
}
