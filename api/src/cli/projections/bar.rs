//! How far a long run has come.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use projections::Progress;

use crate::cli::memory::peak;
use crate::cli::note;

/// How often a line says how far it has come, where there is no terminal.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// A bar at the terminal: events, events a second, time left, and the program's memory at its fullest. Elsewhere a line
/// every few seconds.
pub(in crate::cli) struct Bar(pub(in crate::cli) ProgressBar, Mutex<Said>);

/// What was said last.
struct Said {
    name: &'static str,
    at: Instant,
    /// Where it began: a run may go on from where another was cut off.
    began: Option<(Instant, u64)>,
}

impl Bar {
    pub(in crate::cli) fn new(name: &'static str) -> Self {
        let style = ProgressStyle::with_template(
            "{prefix:<16} {wide_bar} {human_pos}/{human_len} events, {per_sec}, {eta} left{msg}",
        );
        let bar = ProgressBar::new(0).with_prefix(name);
        bar.set_style(style.expect("the template is well formed"));
        let said = Said {
            name,
            at: Instant::now(),
            began: None,
        };
        Self(bar, Mutex::new(said))
    }

    /// Events a second since it began.
    pub(super) fn rate(&self) -> u64 {
        let said = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        said.rate(self.0.position())
    }
}

impl Said {
    fn rate(&self, done: u64) -> u64 {
        let Some((at, from)) = self.began else { return 0 };
        let millis = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
        done.saturating_sub(from).saturating_mul(1_000) / millis.max(1)
    }
}

impl Progress for Bar {
    fn at(&self, done: u64, total: u64) {
        self.0.set_length(total);
        let mut said = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        if said.began.is_none() {
            said.began = Some((Instant::now(), done));
            self.0.set_position(done);
            self.0.reset_eta();
            return;
        }
        self.0.set_position(done);
        if said.at.elapsed() < SAY_EVERY {
            return;
        }
        said.at = Instant::now();
        let memory = peak().map_or_else(String::new, |mib| format!(", peak memory {mib} MiB"));
        if self.0.is_hidden() {
            let rate = said.rate(done);
            note(format_args!(
                "{}: {done} of {total} events, {rate}/s, {} s left{memory}",
                said.name,
                total.saturating_sub(done) / rate.max(1)
            ));
        } else {
            self.0.set_message(memory);
        }
    }
}
