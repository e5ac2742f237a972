//! Requests, counted and timed by their route: the program's own routes, never what somebody has typed.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Bounds of what requests take, in seconds: those of `quality.md` are among them.
const SECONDS: [f64; 11] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.4, 1.0, 5.0, 30.0];
/// Bounds of what an operation costs, in points.
const POINTS: [f64; 8] = [10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 20_000.0];

type Answered = [(&'static str, String); 3];
type Route = [(&'static str, String); 1];

/// What is counted of requests. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Requests {
    answered: Family<Answered, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    connections: Gauge,
    points: Histogram,
    throttled: Family<[(&'static str, &'static str); 1], Counter>,
    given: Family<[(&'static str, &'static str); 1], Counter>,
}

/// Where an answer of the admin API came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// It was made for who asked.
    Made,
    /// It had been made before, and nothing had happened since.
    Remembered,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            answered: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            points: Histogram::new(POINTS),
            throttled: Family::default(),
            given: Family::default(),
        }
    }
}

impl Requests {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "hibachi_http_requests",
            "Requests by method, route and status; gone where the client did not wait for the answer",
            self.answered.clone(),
        );
        registry.register(
            "hibachi_http_request_seconds",
            "From a request's head to the head of its answer",
            self.seconds.clone(),
        );
        registry.register(
            "hibachi_http_in_flight",
            "Requests that are being answered",
            self.in_flight.clone(),
        );
        registry.register(
            "hibachi_http_connections",
            "Connections that are open",
            self.connections.clone(),
        );
        registry.register(
            "hibachi_graphql_cost",
            "What operations of the admin API cost, in points",
            self.points.clone(),
        );
        registry.register(
            "hibachi_throttled",
            "Requests that were turned away for asking too much, by whose allowance was used up",
            self.throttled.clone(),
        );
        registry.register(
            "hibachi_graphql_answers",
            "Answers of the admin API, by whether they were made anew or had been before",
            self.given.clone(),
        );
    }

    /// An answer was given.
    pub(crate) fn given(&self, source: Source) {
        let source = match source {
            Source::Made => "made",
            Source::Remembered => "remembered",
        };
        self.given.get_or_create(&[("source", source)]).inc();
    }

    /// An operation that costs so much was weighed.
    pub(crate) fn weighed(&self, points: u32) {
        self.points.observe(f64::from(points));
    }

    /// A request was turned away, for this allowance was used up.
    pub(crate) fn throttled(&self, whose: &'static str) {
        self.throttled.get_or_create(&[("allowance", whose)]).inc();
    }

    /// A connection is open until what this gives is dropped.
    pub(crate) fn connected(&self) -> Open {
        self.connections.inc();
        Open(self.connections.clone())
    }
}

/// Something that is counted while it is there.
pub(crate) struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A request that is being answered. Dropped before its answer, its client has gone.
struct Begun {
    requests: Requests,
    method: &'static str,
    route: String,
    at: Instant,
    status: Option<StatusCode>,
}

impl Drop for Begun {
    fn drop(&mut self) {
        let requests = &self.requests;
        requests.in_flight.dec();
        let status = self
            .status
            .map_or("gone".to_owned(), |status| status.as_str().to_owned());
        let answered = [
            ("method", self.method.to_owned()),
            ("route", self.route.clone()),
            ("status", status),
        ];
        requests.answered.get_or_create(&answered).inc();
        let route = [("route", std::mem::take(&mut self.route))];
        let took = self.at.elapsed().as_secs_f64();
        requests.seconds.get_or_create(&route).observe(took);
    }
}

/// Counts a request and times it.
pub(crate) async fn measured(State(requests): State<Requests>, request: Request, next: Next) -> Response {
    requests.in_flight.inc();
    let mut begun = Begun {
        method: method(request.method()),
        route: route(&request).to_owned(),
        requests,
        at: Instant::now(),
        status: None,
    };
    let response = next.run(request).await;
    begun.status = Some(response.status());
    response
}

/// The program's own route that a request is for; `none` where there is none.
pub(crate) fn route<B>(request: &axum::http::Request<B>) -> &str {
    let matched = request.extensions().get::<MatchedPath>();
    matched.map_or("none", MatchedPath::as_str)
}

/// A method by its name, and any that nobody needs as `other`: clients make up what they like.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
