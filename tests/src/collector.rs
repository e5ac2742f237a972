//! A collector of traces that keeps what it is sent: OTLP over HTTP, as the program sends it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// How long to wait for a span that must come: the exporter sends every five seconds.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
struct Kept {
    bodies: Vec<Bytes>,
    headers: Vec<HeaderMap>,
}

/// A running collector.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
}

impl Collector {
    /// Starts one, in the runtime that this is called in.
    ///
    /// # Panics
    /// When the loopback interface does not answer.
    pub async fn start() -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let router = Router::new()
            .route("/v1/traces", post(take))
            .with_state(kept.clone());
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("the loopback interface has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, kept }
    }

    /// What the program is to be told.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every span that has come.
    ///
    /// # Panics
    /// When something came that is no export of traces.
    pub fn spans(&self) -> Vec<Span> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let exports = kept.bodies.iter().map(|body| {
            ExportTraceServiceRequest::decode(body.clone()).expect("the program sends exports of traces")
        });
        let resources = exports.flat_map(|export| export.resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }

    /// Waits until a span has come that is looked for.
    ///
    /// # Panics
    /// When none comes.
    pub async fn span(&self, about: &str, wanted: impl Fn(&Span) -> bool) -> Span {
        let began = Instant::now();
        loop {
            if let Some(span) = self.spans().into_iter().find(&wanted) {
                return span;
            }
            assert!(began.elapsed() < PATIENCE, "no span came: {about}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// All bytes that have come, as text as far as they are some.
    pub fn everything(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = kept
            .bodies
            .iter()
            .map(|body| String::from_utf8_lossy(body).into_owned());
        texts.collect()
    }

    /// The values of a header that came with them.
    pub fn header(&self, name: &str) -> Vec<String> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let values = kept
            .headers
            .iter()
            .filter_map(|headers| headers.get(name)?.to_str().ok());
        values.map(str::to_owned).collect()
    }
}

async fn take(State(kept): State<Arc<Mutex<Kept>>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.bodies.push(body);
    kept.headers.push(headers);
    (
        StatusCode::OK,
        [("content-type", "application/x-protobuf")],
        Bytes::new(),
    )
        .into_response()
}

/// The word or whole number that a span says under a name, as text.
pub fn attribute(span: &Span, name: &str) -> Option<String> {
    let KeyValue { value, .. } = span.attributes.iter().find(|attribute| attribute.key == name)?;
    let Some(AnyValue { value: Some(value) }) = value else {
        return None;
    };
    if let Value::StringValue(text) = value {
        return Some(text.clone());
    }
    if let Value::IntValue(number) = value {
        return Some(number.to_string());
    }
    None
}
