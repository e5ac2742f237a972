//! Traces: our spans, sent to a collector by OTLP where the settings name one.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use axum::body::Bytes;
use axum::http::{Request, Response};
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::logs::is_our_span;

/// How long a collector may take for what it is sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where traces go; nowhere by default.
#[derive(Clone, Default)]
pub struct TraceSettings {
    url: Option<String>,
    /// Sent with them; they may hold a token.
    headers: HashMap<String, String>,
}

impl fmt::Debug for TraceSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceSettings")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl TraceSettings {
    /// As the environment has it: `HIBACHI_OTLP_URL` and `HIBACHI_OTLP_HEADERS`.
    ///
    /// # Errors
    /// Names the setting that is not one.
    pub(super) fn from_environment() -> Result<Self> {
        let Ok(url) = std::env::var("HIBACHI_OTLP_URL") else {
            return Ok(Self::default());
        };
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            bail!("HIBACHI_OTLP_URL must begin with http:// or https://");
        }
        let headers = std::env::var("HIBACHI_OTLP_HEADERS").unwrap_or_default();
        Ok(Self {
            url: Some(format!("{}/v1/traces", url.trim_end_matches('/'))),
            headers: parse_headers(&headers).context("HIBACHI_OTLP_HEADERS must be name=value,…")?,
        })
    }

    /// Begins to send, from the runtime that is given.
    ///
    /// # Errors
    /// When there is no sending to where they are to go.
    pub(super) fn open(self, runtime: &Handle) -> Result<Option<Traces>> {
        let Some(url) = self.url else { return Ok(None) };
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .no_proxy()
            .build()
            .context("traces cannot be sent")?;
        let sender = Sender {
            client,
            runtime: runtime.clone(),
            refused: AtomicBool::new(false),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(sender)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(url)
            .with_headers(self.headers)
            .with_timeout(PATIENCE)
            .build()
            .context("HIBACHI_OTLP_URL is no address that traces can be sent to")?;
        let about = Resource::builder_empty()
            .with_service_name("hibachi")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(about)
            .build();
        Ok(Some(Traces { provider }))
    }
}

fn parse_headers(text: &str) -> Option<HashMap<String, String>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let pair = |part: &str| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    parts.map(pair).collect()
}

/// Traces on their way. Dropped, what is still to be sent is sent.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// What hears of spans: ours, and what went wrong in them.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let told = filter_fn(|metadata| {
            is_our_span(metadata, Level::DEBUG) || (metadata.is_event() && *metadata.level() <= Level::WARN)
        });
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("hibachi"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(told.with_max_level_hint(LevelFilter::DEBUG))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::debug!(%error, "the last traces were not sent");
        }
    }
}

/// Sends over the program's own HTTP client and runtime: the exporter's thread has neither.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    runtime: Handle,
    /// Whether the last were not taken: that is told once, and not with each.
    refused: AtomicBool,
}

impl Sender {
    fn told(&self, failed: Option<String>) {
        let was_refused = self.refused.swap(failed.is_some(), Ordering::Relaxed);
        match failed {
            Some(error) if !was_refused => tracing::warn!(error, "the collector does not take traces"),
            Some(_) => {}
            None if was_refused => tracing::warn!("the collector takes traces again"),
            None => {}
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let sending = self
            .client
            .request(head.method, head.uri.to_string())
            .headers(head.headers)
            .body(body);
        let sent = self.runtime.spawn(async move {
            let answer = sending.send().await?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        });
        let outcome = match sent.await {
            Ok(Ok((status, body))) if status.is_success() => Ok((status, body)),
            // Without the address: it may hold a token.
            Ok(Err(error)) => Err(error.without_url().to_string()),
            Ok(Ok((status, _))) => Err(format!("it answers {status}")),
            Err(error) => Err(error.to_string()),
        };
        self.told(outcome.as_ref().err().cloned());
        let (status, body) = outcome?;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_pairs() {
        let parsed = parse_headers("authorization=Bearer x=y, tenant = demo").unwrap();
        assert_eq!(parsed["authorization"], "Bearer x=y");
        assert_eq!(parsed["tenant"], "demo");
        assert_eq!(parse_headers(""), Some(HashMap::new()));
        assert_eq!(parse_headers("authorization"), None);
    }

    #[test]
    fn headers_are_not_in_what_is_said_of_the_settings() {
        let settings = TraceSettings {
            url: Some("http://collector".to_owned()),
            headers: HashMap::from([("authorization".to_owned(), "Bearer hunter2".to_owned())]),
        };
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
