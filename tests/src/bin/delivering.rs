//! A program that does jobs until it is killed, and prints each message that it is about to hand over and each that it has.
//!
//! `delivering HOLD_MS SLOWEST_MS`, with the database's URL in `HIBACHI_TEST_DATABASE`, and in `HIBACHI_TEST_CLOCK` what its
//! clock shows at first, where that is not the real time.

use std::io::{self, Write};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::app::App;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use commands::gateways::{SystemClock, SystemIds, ZipDirectory};
use commands::jobs::JobSettings;
use commands::ports::{CarrierError, Clock, Letter, MessageCarrier, Ports};
use domain::message::MessageChannel;
use event_log::{Database, MasterKey};
use sqlx::postgres::PgConnectOptions;

/// Names the database to work on.
const DATABASE: &str = "HIBACHI_TEST_DATABASE";
/// What the clock shows at first.
const CLOCK: &str = "HIBACHI_TEST_CLOCK";

/// A clock that goes on from a time that somebody has set it to.
struct SetClock {
    set_to: DateTime<Utc>,
    set_at: Instant,
}

impl Clock for SetClock {
    fn now(&self) -> DateTime<Utc> {
        let passed = TimeDelta::from_std(self.set_at.elapsed());
        self.set_to + passed.expect("no test takes so long")
    }
}

fn clock() -> Arc<dyn Clock> {
    match std::env::var(CLOCK) {
        Ok(set_to) => Arc::new(SetClock {
            set_to: set_to.parse().expect("the clock is set to an instant"),
            set_at: Instant::now(),
        }),
        Err(_) => Arc::new(SystemClock),
    }
}

struct Printing {
    slowest_ms: u64,
}

fn tell(what: &str, letter: &Letter) {
    let mut out = io::stdout().lock();
    // Nobody may listen any more: then it is about to be killed.
    drop(writeln!(out, "{what} {}", letter.message_id).and_then(|()| out.flush()));
}

#[async_trait]
impl MessageCarrier for Printing {
    fn name(&self, _channel: MessageChannel) -> &'static str {
        "printing"
    }

    fn carries(&self, _channel: MessageChannel) -> bool {
        true
    }

    async fn carry(&self, letter: &Letter) -> Result<Option<String>, CarrierError> {
        tell("begins", letter);
        let [first, ..] = *letter.message_id.0.as_bytes();
        tokio::time::sleep(Duration::from_millis(self.slowest_ms * u64::from(first) / 255)).await;
        tell("took", letter);
        Ok(None)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = || -> u64 {
        let argument = arguments.next().expect("two numbers");
        argument.parse().expect("milliseconds are a number")
    };
    let (hold_ms, slowest_ms) = (next(), next());
    let url = std::env::var(DATABASE).expect("the database is named");
    let options = PgConnectOptions::from_str(&url).expect("it is a Postgres URL");
    let database = Database::connect(options, 8)
        .await
        .expect("the database takes connections");
    let ports = Ports {
        clock: clock(),
        ids: Arc::new(SystemIds::default()),
        places: Arc::new(ZipDirectory),
    };
    let app = App::compose(database, MasterKey::new([7; 32]), [8; 32], ports);
    let settings = JobSettings {
        hold: Duration::from_millis(hold_ms),
        ..JobSettings::default()
    };
    let commands = app
        .commands
        .sending_through(Arc::new(Printing { slowest_ms }))
        .doing_jobs(settings);
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    commands.do_jobs_until(stopped).await;
}
