//! What the program says of what it is at: lines on standard error, and traces where somebody takes them.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use anyhow::{Context, Result, bail};
use tokio::runtime::Handle;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};
use tracing_subscriber::layer::{Context as LayerContext, Filter};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, prelude::*};

use super::traces::{TraceSettings, Traces};

/// What is said where nothing else is asked for. A client that never sends the head of its request, or lets its connection
/// rest, is nothing to warn of.
const USUAL: &str = "warn,hyper=error";

/// Crates whose spans are kept whatever is said of events: they tell of which request, company and role a line is.
const OURS: [&str; 5] = ["api", "commands", "event_log", "projections", "replays"];

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line each, for people and simple tools.
    Text,
    /// Several lines each, for people at a terminal.
    Pretty,
    /// An object each, for programs.
    Json,
}

impl LogFormat {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "text" => Some(Self::Text),
            "pretty" => Some(Self::Pretty),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// What is said, how, and who else hears of it.
#[derive(Debug)]
pub struct Logs {
    format: LogFormat,
    filter: EnvFilter,
    traces: TraceSettings,
}

impl Logs {
    /// As the environment has it: `HIBACHI_LOG`, `HIBACHI_LOG_FORMAT`, and the settings of [`TraceSettings`].
    ///
    /// # Errors
    /// Names the setting that is not one.
    pub fn from_environment() -> Result<Self> {
        let format = match std::env::var("HIBACHI_LOG_FORMAT") {
            Ok(word) => LogFormat::parse(&word),
            Err(_) => Some(LogFormat::Text),
        };
        let Some(format) = format else {
            bail!("HIBACHI_LOG_FORMAT must be text, pretty or json")
        };
        let filter = std::env::var("HIBACHI_LOG").unwrap_or_else(|_| USUAL.to_owned());
        Ok(Self {
            format,
            filter: EnvFilter::try_new(filter).context("HIBACHI_LOG is no filter of logs")?,
            traces: TraceSettings::from_environment()?,
        })
    }

    /// Begins to listen; traces are sent from the runtime that is given. What this gives is kept until the program ends: what
    /// is still to be sent goes then.
    ///
    /// # Errors
    /// When traces cannot be sent to where they are to go.
    pub fn start(self, runtime: &Handle) -> Result<Option<Traces>> {
        let lines = fmt::layer().with_writer(std::io::stderr);
        let lines: Box<dyn Layer<Registry> + Send + Sync> = match self.format {
            LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
            LogFormat::Pretty => lines.with_ansi(std::io::stderr().is_terminal()).pretty().boxed(),
            LogFormat::Json => lines.json().boxed(),
        };
        let lines = lines.with_filter(WithOurSpans(self.filter));
        let traces = self.traces.open(runtime)?;
        let exported = traces.as_ref().map(Traces::layer);
        tracing_subscriber::registry().with(lines).with(exported).init();
        std::panic::set_hook(Box::new(tell_of));
        Ok(traces)
    }
}

/// What the lines of panics are filed under: they come through whatever is asked for.
const PANICS: &str = "panic";

/// Tells of a panic, which is a fault of ours: a line among the others, in their format, with the request that it was in. What
/// it says is told where it stands so in the program; what was put together may hold somebody's data, and there the place has
/// to do. `RUST_BACKTRACE=1` tells the way there.
fn tell_of(panic: &PanicHookInfo<'_>) {
    let backtrace = Backtrace::capture();
    let captured = backtrace.status() == BacktraceStatus::Captured;
    tracing::error!(
        target: PANICS,
        place = panic.location().map(tracing::field::display),
        said = panic.payload().downcast_ref::<&'static str>(),
        backtrace = captured.then(|| tracing::field::display(&backtrace)),
        "a panic"
    );
}

/// A filter that lets our own spans through as well: a warning is worth little without its request.
struct WithOurSpans(EnvFilter);

/// Whether this is a span of ours, of such a level or one that matters more.
pub(super) fn is_our_span(metadata: &Metadata<'_>, least: Level) -> bool {
    let root = metadata.target().split("::").next();
    metadata.is_span() && *metadata.level() <= least && root.is_some_and(|root| OURS.contains(&root))
}

impl<S> Filter<S> for WithOurSpans
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    fn enabled(&self, metadata: &Metadata<'_>, context: &LayerContext<'_, S>) -> bool {
        is_our_span(metadata, Level::INFO)
            || metadata.target() == PANICS
            || Filter::<S>::enabled(&self.0, metadata, context)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_our_span(metadata, Level::INFO) || metadata.target() == PANICS {
            Interest::always()
        } else {
            Filter::<S>::callsite_enabled(&self.0, metadata)
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let hint = Filter::<S>::max_level_hint(&self.0)?;
        Some(hint.max(LevelFilter::INFO))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: LayerContext<'_, S>) {
        Filter::<S>::on_new_span(&self.0, attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: LayerContext<'_, S>) {
        Filter::<S>::on_record(&self.0, id, values, context);
    }

    fn on_enter(&self, id: &Id, context: LayerContext<'_, S>) {
        Filter::<S>::on_enter(&self.0, id, context);
    }

    fn on_exit(&self, id: &Id, context: LayerContext<'_, S>) {
        Filter::<S>::on_exit(&self.0, id, context);
    }

    fn on_close(&self, id: Id, context: LayerContext<'_, S>) {
        Filter::<S>::on_close(&self.0, id, context);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Lines that were written.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_a_line_among_the_others_and_tells_no_data() {
        let lines = Lines::default();
        let written = lines.clone();
        let json = fmt::layer().json().with_writer(move || written.clone());
        // Whatever is asked for.
        let json = json.with_filter(WithOurSpans(EnvFilter::new("commands=debug")));
        let name = std::hint::black_box("Emily Williams".to_owned());
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(tell_of));
        let told = tracing::subscriber::with_default(tracing_subscriber::registry().with(json), || {
            let of_request = tracing::info_span!("request", id = "abc");
            let _within = of_request.enter();
            [
                std::panic::catch_unwind(|| panic!("it stands here")),
                std::panic::catch_unwind(|| panic!("{name} is not there")),
            ]
        });
        std::panic::set_hook(before);
        assert!(told.iter().all(Result::is_err));
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let told: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(told.len(), 2, "{text}");
        for line in &told {
            assert_eq!(
                (&line["level"], &line["span"]["id"]),
                (&"ERROR".into(), &"abc".into())
            );
            let place = line["fields"]["place"].as_str().unwrap();
            assert!(place.starts_with("api/src/observing/logs.rs:"), "{place}");
        }
        assert_eq!(told[0]["fields"]["said"], "it stands here");
        assert!(!text.contains(&name), "{text}");
    }

    #[test]
    fn a_format_is_one_of_three() {
        assert_eq!(LogFormat::parse("json"), Some(LogFormat::Json));
        assert_eq!(LogFormat::parse("pretty"), Some(LogFormat::Pretty));
        assert_eq!(LogFormat::parse("text"), Some(LogFormat::Text));
        assert_eq!(LogFormat::parse("xml"), None);
    }
}
