//! What the program says of what it is at: lines on standard error, and traces where somebody takes them.

use std::io::IsTerminal;

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
        Ok(traces)
    }
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
        is_our_span(metadata, Level::INFO) || Filter::<S>::enabled(&self.0, metadata, context)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_our_span(metadata, Level::INFO) {
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
    use super::*;

    #[test]
    fn a_format_is_one_of_three() {
        assert_eq!(LogFormat::parse("json"), Some(LogFormat::Json));
        assert_eq!(LogFormat::parse("pretty"), Some(LogFormat::Pretty));
        assert_eq!(LogFormat::parse("text"), Some(LogFormat::Text));
        assert_eq!(LogFormat::parse("xml"), None);
    }
}
