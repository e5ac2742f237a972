//! What whoever looks after the program can see of it: figures, logs and traces. None of them names a company in its
//! figures, and none holds anything personal or secret.

mod followers;
mod gauges;
mod logs;
mod process;
mod requests;
mod traces;

use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::sync::Mutex;

use crate::app::App;

pub(crate) use followers::{Followers, Following, Way};
pub use logs::{LogFormat, Logs};
pub(crate) use requests::{Requests, Source, measured, route};
pub use traces::TraceSettings;

/// For how long what the database says is given again: what a look costs does not grow with how often it is asked for.
const GOOD_FOR: Duration = Duration::from_secs(5);

/// Media type of [`Figures::text`].
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The figures of one program, for Prometheus. Cheap to clone.
#[derive(Clone)]
pub struct Figures {
    registry: Arc<Registry>,
    pub(crate) requests: Requests,
    pub(crate) followers: Followers,
    last: Arc<Mutex<Option<(Instant, String)>>>,
}

impl Figures {
    /// Figures of a log, its read models and the requests to them.
    pub(crate) fn of(log: &event_log::EventLog, views: &projections::ReadModels) -> Self {
        let mut registry = Registry::default();
        let requests = Requests::default();
        requests.register(&mut registry);
        let followers = Followers::default();
        followers.register(&mut registry);
        log.database().register(&mut registry);
        views.register(&mut registry);
        Self {
            registry: Arc::new(registry),
            requests,
            followers,
            last: Arc::default(),
        }
    }

    /// Every figure, in the text that Prometheus reads. Where the database does not answer, those that it would have
    /// given are left out, and `hibachi_database_up` is 0.
    pub async fn text(&self, app: &App) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a text takes what is written");
        let end = text.trim_end_matches("# EOF\n").len();
        text.truncate(end);
        gauges::of_this_program(&mut text, app);
        process::write(&mut text);
        let mut last = self.last.lock().await;
        match &*last {
            Some((at, known)) if at.elapsed() < GOOD_FOR => text.push_str(known),
            Some(_) | None => {
                let known = gauges::of_the_database(app).await;
                text.push_str(&known);
                *last = Some((Instant::now(), known));
            }
        }
        text.push_str("# EOF\n");
        text
    }
}
