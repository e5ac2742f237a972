//! A double of Stripe with a state of its own, over real HTTP on the loopback interface: intents, idempotency keys, refunds,
//! faults on demand, and webhooks that it signs itself.

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::app::App;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use commands::gateways::stripe::{Stripe, StripeKey, StripeSetup, WebhookSecrets};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::http::Client;

/// The account's key.
pub const KEY: &str = "sk_test_of_the_double";
/// With what it signs.
pub const SECRET: &str = "whsec_of_the_double";
/// How long the program waits for an answer of the double.
const TIMEOUT: Duration = Duration::from_millis(400);

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is answered with this status, and nothing is done.
    Status(u16),
    /// It is done, and answered with a server's fault.
    DoneAndFailed,
    /// It is done, and the answer comes too late.
    DoneAndLate,
}

/// What becomes of refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refunding {
    /// They are done at once.
    Succeeds,
    /// They take a while.
    Waits,
    /// They are taken, and fail.
    Fails,
}

#[derive(Default)]
struct Account {
    intents: HashMap<String, Value>,
    refunds: Vec<Value>,
    /// What was asked under a key, and what was answered.
    keys: HashMap<String, (String, Value)>,
    faults: VecDeque<Fault>,
    refunding: Option<Refunding>,
    events: u32,
    requests: u32,
}

/// A double of Stripe.
#[derive(Clone)]
pub struct StripeDouble {
    address: SocketAddr,
    account: Arc<Mutex<Account>>,
}

impl StripeDouble {
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
            .route("/v1/payment_intents", post(create_intent))
            .route("/v1/payment_intents/{id}", get(intent))
            .route("/v1/refunds", post(create_refund).get(refunds))
            .with_state(double.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        double
    }

    /// The program, charging cards through this double.
    ///
    /// # Panics
    /// When the double's address is none.
    pub fn charge(&self, app: App) -> App {
        let key = StripeKey::parse(KEY).expect("a key");
        let setup = StripeSetup::at(key, &format!("http://{}", self.address)).expect("an address");
        let stripe = Stripe::new(StripeSetup {
            timeout: TIMEOUT,
            ..setup
        });
        App {
            commands: app.commands.taking_cards(Arc::new(stripe.expect("a client"))),
            webhook_secrets: WebhookSecrets::parse(&format!("whsec_the_next,{SECRET}")),
            ..app
        }
    }

    /// What goes wrong with the next requests, in their order.
    pub fn fail(&self, faults: &[Fault]) {
        self.account().faults.extend(faults);
    }

    /// What becomes of refunds from now on.
    pub fn refunding(&self, refunding: Refunding) {
        self.account().refunding = Some(refunding);
    }

    /// How many requests there were.
    pub fn requests(&self) -> u32 {
        self.account().requests
    }

    /// Every refund there is.
    pub fn refunds(&self) -> Vec<Value> {
        self.account().refunds.clone()
    }

    /// How many intents there are.
    pub fn intents(&self) -> usize {
        self.account().intents.len()
    }

    /// The customer pays an intent; the object as it is then.
    ///
    /// # Panics
    /// When there is no such intent.
    pub fn pay(&self, intent: &str) -> Value {
        let mut account = self.account();
        let intent = account
            .intents
            .get_mut(intent)
            .expect("an intent of this account");
        intent["status"] = json!("succeeded");
        intent["amount_received"] = intent["amount"].clone();
        intent["latest_charge"] = json!(format!("ch_{}", intent["id"].as_str().unwrap_or_default()));
        intent.clone()
    }

    /// What becomes of an intent otherwise: fields of it that are other from now on.
    ///
    /// # Panics
    /// When there is no such intent.
    pub fn becomes(&self, intent: &str, fields: &Value) {
        let mut account = self.account();
        let intent = account
            .intents
            .get_mut(intent)
            .expect("an intent of this account");
        for (field, value) in fields.as_object().into_iter().flatten() {
            intent[field] = value.clone();
        }
    }

    /// Somebody gives money back on the provider's own pages; the refund.
    pub fn refund_by_hand(&self, intent: &str, cents: i64) -> Value {
        let mut account = self.account();
        let refund = json!({
            "id": format!("re_double_{}", account.refunds.len() + 1), "object": "refund", "amount": cents,
            "currency": "usd", "payment_intent": intent, "status": "succeeded", "metadata": {},
        });
        account.refunds.push(refund.clone());
        refund
    }

    /// More than a day passes: what was asked under a key is asked anew.
    pub fn forget_keys(&self) {
        self.account().keys.clear();
    }

    /// An intent as it stands.
    ///
    /// # Panics
    /// When there is no such intent.
    pub fn intent(&self, intent: &str) -> Value {
        self.account().intents[intent].clone()
    }

    /// The newest intent's id.
    ///
    /// # Panics
    /// When there is none.
    pub fn newest(&self) -> String {
        let account = self.account();
        let newest = account
            .intents
            .values()
            .max_by_key(|intent| intent["number"].as_u64());
        newest.expect("an intent")["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    /// A new event about an object.
    pub fn event(&self, kind: &str, object: &Value, at: DateTime<Utc>) -> Value {
        let mut account = self.account();
        account.events += 1;
        json!({
            "id": format!("evt_double_{}", account.events), "object": "event", "type": kind,
            "created": at.timestamp(), "data": {"object": object},
        })
    }

    /// Sends an event to the program, signed; the status and the text that it answers.
    ///
    /// # Panics
    /// When the program does not answer.
    pub async fn send(&self, to: &Client, event: &Value, now: DateTime<Utc>) -> (u16, String) {
        let body = event.to_string();
        let header = signature(SECRET, now.timestamp(), body.as_bytes());
        deliver(to, "/webhooks/stripe", &header, body).await
    }

    /// Sends a new event about an object, which the program must take.
    ///
    /// # Panics
    /// When it does not.
    pub async fn tell(&self, to: &Client, kind: &str, object: &Value, now: DateTime<Utc>) {
        let event = self.event(kind, object, now);
        let (status, said) = self.send(to, &event, now).await;
        assert_eq!(status, 200, "{kind}: {said}");
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The header over a body, as Stripe makes it.
///
/// # Panics
/// Never: a key of any length will do.
pub fn signature(secret: &str, seconds: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    format!("t={seconds},v1={}", hex::encode(mac.finalize().into_bytes()))
}

/// Posts a body under a header; the status and the text of the answer.
///
/// # Panics
/// When there is no answer.
pub async fn deliver(to: &Client, path: &str, header: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
    let sent = to
        .post(path)
        .header("Stripe-Signature", header)
        .body(body)
        .send()
        .await;
    let answer = sent.expect("the program answers");
    (answer.status().as_u16(), answer.text().await.unwrap_or_default())
}

fn error(status: u16, kind: &str, code: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({"error": {"type": kind, "code": code, "message": "said by the double"}});
    (status, axum::Json(body)).into_response()
}

fn refused(status: u16, kind: &str, code: &str) -> Box<Response> {
    Box::new(error(status, kind, code))
}

/// Fields of a form.
fn form(body: &[u8]) -> HashMap<String, String> {
    let text = String::from_utf8_lossy(body);
    let url = reqwest::Url::parse(&format!("http://double/?{text}"));
    url.map(|url| url.query_pairs().into_owned().collect())
        .unwrap_or_default()
}

fn metadata(form: &HashMap<String, String>) -> Value {
    let said = form.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix("metadata[")?.strip_suffix(']')?;
        Some((name.to_owned(), json!(value)))
    });
    Value::Object(said.collect())
}

/// What every request goes through: who asks, what goes wrong, and whether it was asked before.
async fn answer(
    double: &StripeDouble,
    headers: &HeaderMap,
    asked: String,
    work: impl FnOnce(&mut Account) -> Result<Value, Box<Response>>,
) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("authorization") != Some(&format!("Bearer {KEY}")) {
        return error(401, "invalid_request_error", "invalid_key");
    }
    let (fault, done) = {
        let mut account = double.account();
        account.requests += 1;
        let fault = account.faults.pop_front();
        if let Some(Fault::Status(status)) = fault {
            return error(status, "api_error", "asked_for");
        }
        let key = text("idempotency-key").map(str::to_owned);
        let before = key.as_ref().and_then(|key| account.keys.get(key).cloned());
        let done = match before {
            Some((before, answer)) if before == asked => Ok(answer),
            Some(_) => Err(refused(400, "idempotency_error", "reused")),
            None => work(&mut account),
        };
        if let (Some(key), Ok(answer)) = (key, &done) {
            account.keys.insert(key, (asked, answer.clone()));
        }
        (fault, done)
    };
    match fault {
        Some(Fault::DoneAndFailed) => return error(500, "api_error", "asked_for"),
        Some(Fault::DoneAndLate) => tokio::time::sleep(TIMEOUT * 2).await,
        Some(Fault::Status(_)) | None => {}
    }
    match done {
        Ok(answer) => axum::Json(answer).into_response(),
        Err(refused) => *refused,
    }
}

async fn create_intent(State(double): State<StripeDouble>, headers: HeaderMap, body: Bytes) -> Response {
    let fields = form(&body);
    let asked = String::from_utf8_lossy(&body).into_owned();
    answer(&double, &headers, asked, |account| {
        let amount: i64 = fields
            .get("amount")
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        if amount < 50 {
            return Err(refused(400, "invalid_request_error", "amount_too_small"));
        }
        let number = account.intents.len() + 1;
        let id = format!("pi_double_{number}");
        let intent = json!({
            "id": id, "object": "payment_intent", "amount": amount, "amount_received": 0,
            "currency": fields.get("currency"), "status": "requires_payment_method", "number": number,
            "client_secret": format!("{id}_secret_x"), "metadata": metadata(&fields),
        });
        account.intents.insert(id, intent.clone());
        Ok(intent)
    })
    .await
}

async fn intent(State(double): State<StripeDouble>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let found = double.account().intents.get(&id).cloned();
    answer(&double, &headers, String::new(), |_| {
        found.ok_or_else(|| refused(404, "invalid_request_error", "resource_missing"))
    })
    .await
}

async fn create_refund(State(double): State<StripeDouble>, headers: HeaderMap, body: Bytes) -> Response {
    let fields = form(&body);
    let asked = String::from_utf8_lossy(&body).into_owned();
    answer(&double, &headers, asked, |account| {
        let id = fields.get("payment_intent").cloned().unwrap_or_default();
        let Some(intent) = account.intents.get(&id) else {
            return Err(refused(404, "invalid_request_error", "resource_missing"));
        };
        let amount: i64 = fields.get("amount").and_then(|text| text.parse().ok()).unwrap_or_default();
        let of_intent = |refund: &&Value| refund["payment_intent"] == *id && refund["status"] != "failed";
        let before: i64 = account.refunds.iter().filter(of_intent).filter_map(|refund| refund["amount"].as_i64()).sum();
        if before + amount > intent["amount_received"].as_i64().unwrap_or_default() {
            return Err(refused(400, "invalid_request_error", "charge_already_refunded"));
        }
        let status = match account.refunding {
            Some(Refunding::Waits) => "pending",
            Some(Refunding::Fails) => "failed",
            Some(Refunding::Succeeds) | None => "succeeded",
        };
        let refund = json!({
            "id": format!("re_double_{}", account.refunds.len() + 1), "object": "refund", "amount": amount,
            "currency": "usd", "payment_intent": id, "status": status, "metadata": metadata(&fields),
            "failure_reason": if status == "failed" { json!("expired_or_canceled_card") } else { Value::Null },
        });
        account.refunds.push(refund.clone());
        Ok(refund)
    })
    .await
}

async fn refunds(
    State(double): State<StripeDouble>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let fields = form(query.unwrap_or_default().as_bytes());
    answer(&double, &headers, String::new(), |account| {
        let of = fields.get("payment_intent").cloned().unwrap_or_default();
        let found: Vec<&Value> = account
            .refunds
            .iter()
            .filter(|refund| refund["payment_intent"] == *of)
            .collect();
        Ok(json!({"object": "list", "data": found, "has_more": false}))
    })
    .await
}
