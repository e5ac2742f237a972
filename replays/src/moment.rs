//! The moment that a replay is about, and the events up to it.

use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use domain::envelope::{Position, StoredEvent};
use domain::ids::TenantId;
use event_log::{EventLog, LogError};
use futures::{Stream, TryStreamExt};
use projections::{Projection, ProjectionError};

/// A moment of a log, as people say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// After the last event there is.
    Head,
    /// After the event at this position; 0 is before the first.
    Position(Position),
    /// After the last event that was recorded by then.
    Instant(DateTime<Utc>),
}

/// Text that says no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no moment: give a position (4711), an instant with its zone (2026-11-02T15:04:05Z, 2026-11-02T08:04:05-07:00) or head"
)]
pub struct BadMoment(String);

impl FromStr for Moment {
    type Err = BadMoment;

    fn from_str(text: &str) -> Result<Self, BadMoment> {
        if text == "head" {
            return Ok(Self::Head);
        }
        if let Ok(position @ 0..) = text.parse::<i64>() {
            return Ok(Self::Position(Position(position)));
        }
        let instant = DateTime::parse_from_rfc3339(text).map_err(|_| BadMoment(text.to_owned()))?;
        Ok(Self::Instant(instant.to_utc()))
    }
}

/// Why a replay gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log is not that long yet.
    #[error("the log ends at position {head}; there is nothing as of {asked} yet")]
    PastTheEnd {
        /// The position that was asked for.
        asked: Position,
        /// The last position there is.
        head: Position,
    },
    /// The instant has not come; the answer as of it could still change.
    #[error("{} has not come yet", instant(asked))]
    NotYet {
        /// The instant that was asked for.
        asked: DateTime<Utc>,
    },
    /// What changed from a moment to an earlier one.
    #[error("position {from} comes after position {to}: --from is the earlier of the two")]
    Backwards {
        /// Where it should have begun.
        from: Position,
        /// Where it should have ended.
        to: Position,
    },
    /// An event is missing: nothing after it can be told.
    #[error("the log has no event at position {0}; `hibachi replay verify` says more")]
    Missing(Position),
    /// An event that this program cannot read, or rows that it cannot make.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// The log did not answer.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The answer could not be written.
    #[error("the answer cannot be written: {0}")]
    Write(#[from] std::io::Error),
}

impl From<csv::Error> for ReplayError {
    fn from(error: csv::Error) -> Self {
        Self::Write(error.into())
    }
}

/// A place in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The last position before the moment.
    pub position: Position,
    /// When the event there was recorded; none before the first.
    pub recorded_at: Option<DateTime<Utc>>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.recorded_at {
            None => write!(f, "position {}, before the first event", self.position),
            Some(at) => write!(f, "position {}, recorded {}", self.position, instant(at)),
        }
    }
}

/// An instant as the tools write it: RFC 3339 in UTC, to the microsecond.
pub fn instant(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Where in a tenant's log a moment is. Its answer is the same for ever, but for that of [`Moment::Head`].
///
/// # Errors
/// [`ReplayError::PastTheEnd`] and [`ReplayError::NotYet`] for a moment that has not come, [`ReplayError::Log`].
pub async fn place(
    log: &EventLog,
    tenant: TenantId,
    moment: Moment,
    now: DateTime<Utc>,
) -> Result<Place, ReplayError> {
    let head = log.head(tenant).await?;
    let position = match moment {
        Moment::Head => head.position,
        Moment::Position(asked) if asked > head.position => {
            return Err(ReplayError::PastTheEnd {
                asked,
                head: head.position,
            });
        }
        Moment::Position(asked) => asked,
        Moment::Instant(asked) if asked > now => return Err(ReplayError::NotYet { asked }),
        Moment::Instant(asked) => log.position_at(tenant, asked).await?,
    };
    let recorded_at = if position == Position::START {
        None
    } else {
        let last = log.read(tenant, Position(position.0 - 1), 1, None).await?;
        last.first().map(|event| event.recorded_at)
    };
    Ok(Place {
        position,
        recorded_at,
    })
}

/// The events of `(after, until]` that a read model looks at, and those whose type this program does not know.
///
/// # Errors
/// [`ReplayError::Missing`] when one of all the events there is missing, [`ReplayError::Log`].
pub(crate) async fn events(
    log: &EventLog,
    tenant: TenantId,
    of: &dyn Projection,
    (after, until): (Position, Position),
) -> Result<impl Stream<Item = Result<StoredEvent, ReplayError>> + Send, ReplayError> {
    // Among events that are left out the log sees no hole.
    if let Some(missing) = log.first_missing(tenant, after, until).await? {
        return Err(ReplayError::Missing(missing));
    }
    let ignored = domain::recorded::catalogue()
        .into_iter()
        .map(|kind| kind.name)
        .filter(|name| !of.event_types().contains(name))
        .map(str::to_owned)
        .collect();
    let events = log.stream_all(tenant, after, Some(until), Some(ignored));
    Ok(events.map_err(ReplayError::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_position_an_instant_or_the_head() {
        let read = |text: &str| text.parse::<Moment>();
        assert_eq!(read("head"), Ok(Moment::Head));
        assert_eq!(read("0"), Ok(Moment::Position(Position(0))));
        assert_eq!(read("5000000000"), Ok(Moment::Position(Position(5_000_000_000))));
        let noon = Moment::Instant("2026-11-02T19:00:00Z".parse().unwrap());
        assert_eq!(read("2026-11-02T19:00:00Z"), Ok(noon));
        assert_eq!(read("2026-11-02T11:00:00-08:00"), Ok(noon));
        for odd in [
            "",
            "-1",
            "yesterday",
            "2026-11-02",
            "2026-11-02T19:00:00",
            "99999999999999999999",
        ] {
            let said = read(odd).unwrap_err().to_string();
            assert!(said.contains("is no moment"), "{odd}: {said}");
        }
    }
}
