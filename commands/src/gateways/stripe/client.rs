//! A small client of Stripe's API: four requests, each with a time limit, and tried again only under the same key.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use domain::money::Cents;
use domain::payment::ProviderRefund;
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url, redirect};
use serde_json::Value;

use super::notice::{became, refund};
use crate::ports::{CardIntent, GatewayError, IntentAsk, PaymentGateway, RefundAsk};

/// Metadata of what was made here: the company.
pub(super) const TENANT: &str = "hibachi_tenant";
/// Metadata: the payment.
pub(super) const PAYMENT: &str = "hibachi_payment";
/// Metadata: the refund.
pub(super) const REFUND: &str = "hibachi_refund";
/// Metadata: the booking, and its number for people who look at Stripe's pages.
const BOOKING: &str = "hibachi_booking";
const NUMBER: &str = "hibachi_number";

/// The version of the API that the answers are read as.
const VERSION: &str = "2024-06-20";
/// How often a request is sent at most.
const ATTEMPTS: u32 = 3;
/// How long to wait before the second attempt; four times as long before the third.
const PAUSE: Duration = Duration::from_millis(250);
/// The largest answer that is read, in bytes.
const LARGEST: usize = 1 << 20;

/// The secret key of an account; never shown.
#[derive(Clone)]
pub struct StripeKey(String);

impl StripeKey {
    /// The key of a text; none for an empty one.
    pub fn parse(text: &str) -> Option<Self> {
        let key = text.trim();
        (!key.is_empty()).then(|| Self(key.to_owned()))
    }
}

impl fmt::Debug for StripeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StripeKey(…)")
    }
}

/// How to reach Stripe.
#[derive(Debug, Clone)]
pub struct StripeSetup {
    /// The account's secret key.
    pub key: StripeKey,
    /// Where the API is: `https://api.stripe.com`, or a double of it.
    pub url: Url,
    /// How long one request may take.
    pub timeout: Duration,
}

impl StripeSetup {
    /// Where Stripe is.
    pub const URL: &str = "https://api.stripe.com";
    /// How long one request may take, where nobody has said otherwise.
    pub const TIMEOUT: Duration = Duration::from_secs(8);

    /// The setup with a key, of the API at an address.
    ///
    /// # Errors
    /// [`GatewayError::Misconfigured`] for what is no address.
    pub fn at(key: StripeKey, url: &str) -> Result<Self, GatewayError> {
        Ok(Self {
            key,
            url: Url::parse(url).map_err(|_| misconfigured("the address is none"))?,
            timeout: Self::TIMEOUT,
        })
    }
}

/// Stripe.
#[derive(Debug, Clone)]
pub struct Stripe {
    setup: StripeSetup,
    http: Client,
}

impl Stripe {
    /// A client of Stripe. It connects with the first request.
    ///
    /// # Errors
    /// When the client cannot be set up, or the address is neither HTTPS nor this machine.
    pub fn new(setup: StripeSetup) -> Result<Self, GatewayError> {
        let here = match setup.url.host_str() {
            Some("localhost" | "127.0.0.1" | "[::1]") => true,
            Some(_) => false,
            None => return Err(misconfigured("the address has no host")),
        };
        if setup.url.scheme() != "https" && !here {
            return Err(misconfigured("the address is not https"));
        }
        let client = Client::builder()
            .timeout(setup.timeout)
            .connect_timeout(setup.timeout)
            .redirect(redirect::Policy::none())
            .user_agent("hibachi");
        let client = if here { client.no_proxy() } else { client };
        let http = client
            .build()
            .map_err(|_| misconfigured("the client cannot be set up"))?;
        Ok(Self { setup, http })
    }

    /// Sends a request, again where that is safe: every one is either a question or carries a key.
    async fn send(
        &self,
        method: Method,
        path: &[&str],
        fields: &[(&str, String)],
        key: Option<&str>,
    ) -> Result<Value, GatewayError> {
        let mut pause = PAUSE;
        let mut attempt = 1;
        loop {
            let answered = self
                .attempt(self.request(method.clone(), path, fields, key))
                .await;
            match answered {
                Err(GatewayError::Unreachable(why)) if attempt < ATTEMPTS => {
                    tracing::warn!(why, attempt, "the payment provider is asked again");
                    tokio::time::sleep(pause).await;
                    (pause, attempt) = (pause * 4, attempt + 1);
                }
                answered => return answered,
            }
        }
    }

    fn request(
        &self,
        method: Method,
        path: &[&str],
        fields: &[(&str, String)],
        key: Option<&str>,
    ) -> RequestBuilder {
        let mut url = self.setup.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        let request = self
            .http
            .request(method.clone(), url)
            .bearer_auth(&self.setup.key.0)
            .header("Stripe-Version", VERSION);
        let request = match key {
            Some(key) => request.header("Idempotency-Key", key),
            None => request,
        };
        if method == Method::GET {
            request.query(fields)
        } else {
            request.form(fields)
        }
    }

    async fn attempt(&self, request: RequestBuilder) -> Result<Value, GatewayError> {
        let mut response = request.send().await.map_err(|error| unreachable(&error))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
            if body.len() + chunk.len() > LARGEST {
                return Err(GatewayError::Unreadable);
            }
            body.extend_from_slice(&chunk);
        }
        let answer: Option<Value> = serde_json::from_slice(&body).ok();
        if status.is_success() {
            return answer.ok_or(GatewayError::Unreadable);
        }
        Err(refused(status, answer.as_ref()))
    }
}

fn misconfigured(code: &str) -> GatewayError {
    GatewayError::Misconfigured {
        code: code.to_owned(),
    }
}

/// What is told of a request that got no answer: neither address nor header.
fn unreachable(error: &reqwest::Error) -> GatewayError {
    let why = if error.is_timeout() {
        "it takes too long"
    } else if error.is_connect() {
        "it takes no connection"
    } else {
        "the connection was cut"
    };
    GatewayError::Unreachable(why.to_owned())
}

/// What an answer that is no success means. Only its code is kept: a message may tell of a person.
fn refused(status: StatusCode, answer: Option<&Value>) -> GatewayError {
    let error = answer.and_then(|answer| answer.get("error"));
    let field = |name: &str| error.and_then(|error| error.get(name)).and_then(Value::as_str);
    let code = field("decline_code").or(field("code")).or(field("type"));
    let code: String = code.unwrap_or("unknown").chars().take(100).collect();
    if field("type") == Some("idempotency_error") {
        return GatewayError::KeyReused;
    }
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => GatewayError::Misconfigured { code },
        StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            GatewayError::Unreachable(format!("it says {}", status.as_u16()))
        }
        status if status.is_client_error() => GatewayError::Refused { code },
        status => GatewayError::Unreachable(format!("it says {}", status.as_u16())),
    }
}

fn intent(object: &Value) -> Result<CardIntent, GatewayError> {
    let text = |field: &str| object.get(field).and_then(Value::as_str).map(str::to_owned);
    let said = |name: &str| object.get("metadata")?.get(name)?.as_str();
    Ok(CardIntent {
        id: text("id")
            .filter(|id| !id.is_empty())
            .ok_or(GatewayError::Unreadable)?,
        client_secret: text("client_secret"),
        tenant: said(TENANT).and_then(|id| id.parse().ok()),
        payment_id: said(PAYMENT).and_then(|id| id.parse().ok()),
        fact: became(object),
    })
}

fn cents(amount: Cents) -> String {
    amount.0.to_string()
}

#[async_trait]
impl PaymentGateway for Stripe {
    async fn create_intent(&self, key: &str, ask: &IntentAsk) -> Result<CardIntent, GatewayError> {
        let metadata = |name: &str| format!("metadata[{name}]");
        let (tenant, payment) = (metadata(TENANT), metadata(PAYMENT));
        let (booking, number) = (metadata(BOOKING), metadata(NUMBER));
        let fields = [
            ("amount", cents(ask.total_cents)),
            ("currency", "usd".to_owned()),
            ("automatic_payment_methods[enabled]", "true".to_owned()),
            (tenant.as_str(), ask.tenant.to_string()),
            (payment.as_str(), ask.payment_id.to_string()),
            (booking.as_str(), ask.booking_id.to_string()),
            (number.as_str(), ask.booking_number.clone()),
        ];
        let made = self
            .send(Method::POST, &["payment_intents"], &fields, Some(key))
            .await?;
        intent(&made)
    }

    async fn intent(&self, id: &str) -> Result<CardIntent, GatewayError> {
        let found = self
            .send(Method::GET, &["payment_intents", id], &[], None)
            .await?;
        intent(&found)
    }

    async fn refund(&self, key: &str, ask: &RefundAsk) -> Result<ProviderRefund, GatewayError> {
        let metadata = |name: &str| format!("metadata[{name}]");
        let (tenant, payment, id) = (metadata(TENANT), metadata(PAYMENT), metadata(REFUND));
        let fields = [
            ("payment_intent", ask.intent_id.clone()),
            ("amount", cents(ask.total_cents)),
            (tenant.as_str(), ask.tenant.to_string()),
            (payment.as_str(), ask.payment_id.to_string()),
            (id.as_str(), ask.refund_id.to_string()),
        ];
        let made = self.send(Method::POST, &["refunds"], &fields, Some(key)).await?;
        refund(&made).ok_or(GatewayError::Unreadable)
    }

    async fn refunds(&self, intent_id: &str) -> Result<Vec<ProviderRefund>, GatewayError> {
        let fields = [
            ("payment_intent", intent_id.to_owned()),
            ("limit", "100".to_owned()),
        ];
        let found = self.send(Method::GET, &["refunds"], &fields, None).await?;
        let listed = found
            .get("data")
            .and_then(Value::as_array)
            .ok_or(GatewayError::Unreadable)?;
        listed
            .iter()
            .map(|object| refund(object).ok_or(GatewayError::Unreadable))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_goes_only_to_https_or_to_this_machine() {
        let setup = |url: &str| StripeSetup {
            key: StripeKey::parse("sk_test_of_ours").unwrap(),
            url: Url::parse(url).unwrap(),
            timeout: StripeSetup::TIMEOUT,
        };
        for good in [
            StripeSetup::URL,
            "http://127.0.0.1:12111",
            "http://localhost:8420/",
            "http://[::1]:1",
        ] {
            assert!(Stripe::new(setup(good)).is_ok(), "{good}");
        }
        for bad in ["http://api.stripe.com", "ftp://127.0.0.2", "data:text/plain,x"] {
            assert!(
                matches!(Stripe::new(setup(bad)), Err(GatewayError::Misconfigured { .. })),
                "{bad}"
            );
        }
        assert!(!format!("{:?}", Stripe::new(setup(StripeSetup::URL)).unwrap()).contains("of_ours"));
    }

    #[test]
    fn a_refusal_is_final_and_a_fault_is_not() {
        let error =
            json!({"error": {"type": "card_error", "code": "card_declined", "message": "of Jane Doe"}});
        let kind = |status: u16, answer: &Value| refused(StatusCode::from_u16(status).unwrap(), Some(answer));
        assert_eq!(
            kind(402, &error),
            GatewayError::Refused {
                code: "card_declined".to_owned()
            }
        );
        for status in [409, 429, 500, 503, 302] {
            assert!(
                matches!(kind(status, &error), GatewayError::Unreachable(_)),
                "{status}"
            );
        }
        assert!(matches!(kind(401, &error), GatewayError::Misconfigured { .. }));
        let reused = json!({"error": {"type": "idempotency_error"}});
        assert_eq!(kind(400, &reused), GatewayError::KeyReused);
    }
}
