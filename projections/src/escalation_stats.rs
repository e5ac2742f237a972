//! How many conversations does the assistant see to alone, and how long does what it cannot take?

use chrono::{DateTime, NaiveDate, Utc};
use domain::access::{Permission, Viewer};
use domain::conversation::ConversationEvent;
use domain::escalation::EscalationEvent;
use domain::ids::StationId;
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::engine::{
    Answer, At, Column, Condition, Fold, Kind, Poison, ReadError, ReadModels, Value, row, station_scope,
};
use crate::local_day::next;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Conversations that began on the day.
    Conversations,
    /// Those of them that a person of the company is needed for.
    WithHuman,
    /// Escalations that were opened on the day.
    Opened,
    /// Escalations that were resolved on the day, by how long they were open.
    Resolved,
}

impl Measure {
    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conversations => "conversations",
            Self::WithHuman => "with_human",
            Self::Opened => "opened",
            Self::Resolved => "resolved",
        }
    }
}

impl Column for Measure {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

/// Stands for no station: a key has no empty columns.
const NO_STATION: StationId = StationId(Uuid::nil());

row! {
    /// How many of something there were on a day. Days are those of UTC: a conversation has no place.
    pub struct EscalationCountRow in "escalation_stats",
    key (counted_on: NaiveDate, measure: Measure, minutes_open: i64, station_id: StationId) {
        /// The day, UTC.
        pub counted_on: NaiveDate,
        /// What is counted.
        pub measure: Measure,
        /// How long what was resolved had been open, in whole minutes; 0 for what else is counted.
        pub minutes_open: i64,
        /// The station; nil for what is of none.
        pub station_id: StationId,
        /// How many.
        pub count: i64,
    }
}

/// The fold behind the figures of conversations and escalations.
pub struct EscalationStats;

type CountKey = (NaiveDate, Measure, i64, StationId);

impl Fold for EscalationStats {
    type Key = CountKey;
    type Row = EscalationCountRow;
    const NAME: &'static str = "escalation_stats";
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &[
            "conversation.started",
            "conversation.message_posted",
            "conversation.assistant_silenced",
            "conversation.assistant_resumed",
            "escalation.opened",
            "escalation.resolved",
        ]
    }

    fn key(event: &Recorded) -> Option<CountKey> {
        counted(event).map(|(key, _)| key)
    }

    fn apply(row: Option<EscalationCountRow>, event: &Recorded) -> Option<EscalationCountRow> {
        let Some((key, by)) = counted(event) else {
            return row;
        };
        let (counted_on, measure, minutes_open, station_id) = key;
        let count = row.map_or(0, |row| row.count) + by;
        Some(EscalationCountRow {
            counted_on,
            measure,
            minutes_open,
            station_id,
            count,
        })
    }
}

/// What an event counts, and by how many.
fn counted(event: &Recorded) -> Option<(CountKey, i64)> {
    let on = |at: DateTime<Utc>, measure| (at.date_naive(), measure, 0, NO_STATION);
    if let DomainEvent::Escalation(escalation) = &event.event {
        return match escalation {
            EscalationEvent::Opened(opened) => {
                let station = opened.station_id.unwrap_or(NO_STATION);
                Some(((opened.opened_at.date_naive(), Measure::Opened, 0, station), 1))
            }
            EscalationEvent::Resolved(resolved) => {
                let station = resolved.station_id.unwrap_or(NO_STATION);
                let on = resolved.resolved_at.date_naive();
                Some(((on, Measure::Resolved, resolved.minutes_open, station), 1))
            }
            EscalationEvent::Assigned(_)
            | EscalationEvent::Joined(_)
            | EscalationEvent::AssistantResumed(_)
            | EscalationEvent::Surveyed(_) => None,
        };
    }
    let DomainEvent::Conversation(conversation) = &event.event else {
        return None;
    };
    if let ConversationEvent::Started(started) = conversation {
        return Some((on(started.started_at, Measure::Conversations), 1));
    }
    let human = conversation.human_need()?;
    let by = if human.is_needed { 1 } else { -1 };
    Some((on(human.started_at, Measure::WithHuman), by))
}

/// The figures of a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EscalationFigures {
    /// Conversations that began.
    pub conversations: i64,
    /// Those of them that no person of the company was needed for.
    pub handled_without_human: i64,
    /// Escalations that were opened.
    pub opened: i64,
    /// Escalations that were resolved.
    pub resolved: i64,
    /// For how long half of those were open, in half minutes; none where there are none.
    pub median_half_minutes: Option<i64>,
}

/// The figures of some days of UTC, both inclusive.
///
/// # Errors
/// [`ReadError`] when the viewer may not see escalations, or there is no answer.
pub async fn figures(
    models: &ReadModels,
    viewer: &Viewer,
    from: NaiveDate,
    to: NaiveDate,
    at: At,
) -> Result<Answer<EscalationFigures>, ReadError> {
    viewer.require(Permission::EscalationRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::AtLeast("counted_on", Value::Date(from)));
    conditions.push(Condition::Below("counted_on", Value::Date(next(to))));
    let rows = models
        .all::<EscalationStats>(viewer.tenant, conditions, at)
        .await?;
    Ok(rows.map(|rows| add_up(&rows)))
}

fn add_up(rows: &[EscalationCountRow]) -> EscalationFigures {
    let of = |measure: Measure| {
        let counts = rows.iter().filter(|row| row.measure == measure);
        counts.map(|row| row.count).sum::<i64>()
    };
    let mut open: Vec<(i64, i64)> = rows
        .iter()
        .filter(|row| row.measure == Measure::Resolved)
        .map(|row| (row.minutes_open, row.count))
        .collect();
    open.sort_unstable();
    EscalationFigures {
        conversations: of(Measure::Conversations),
        handled_without_human: of(Measure::Conversations) - of(Measure::WithHuman),
        opened: of(Measure::Opened),
        resolved: of(Measure::Resolved),
        median_half_minutes: median(&open),
    }
}

/// Twice the median of numbers that are given with how often each is there, in order.
fn median(numbers: &[(i64, i64)]) -> Option<i64> {
    let all: i64 = numbers.iter().map(|(_, count)| count).sum();
    let nth = |place: i64| {
        let mut before = 0;
        numbers.iter().find_map(|(number, count)| {
            before += count;
            (before > place).then_some(*number)
        })
    };
    nth((all - 1) / 2)
        .zip(nth(all / 2))
        .filter(|_| all > 0)
        .map(|(low, high)| low + high)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(measure: Measure, minutes_open: i64, count: i64) -> EscalationCountRow {
        EscalationCountRow {
            counted_on: "2026-11-01".parse().unwrap(),
            measure,
            minutes_open,
            station_id: NO_STATION,
            count,
        }
    }

    #[test]
    fn what_no_person_was_needed_for_is_what_is_left() {
        let figures = add_up(&[
            row(Measure::Conversations, 0, 10),
            row(Measure::WithHuman, 0, 2),
            row(Measure::Opened, 0, 3),
            row(Measure::Resolved, 5, 1),
            row(Measure::Resolved, 8, 1),
        ]);
        assert_eq!(
            figures,
            EscalationFigures {
                conversations: 10,
                handled_without_human: 8,
                opened: 3,
                resolved: 2,
                median_half_minutes: Some(13),
            }
        );
        assert_eq!(add_up(&[]).median_half_minutes, None);
    }

    proptest! {
        #[test]
        fn the_median_of_a_histogram_is_the_median_of_its_numbers(
            mut numbers in prop::collection::vec(0_i64..50, 1..60)
        ) {
            numbers.sort_unstable();
            let mut counts = std::collections::BTreeMap::new();
            for number in &numbers {
                *counts.entry(*number).or_insert(0) += 1;
            }
            let histogram: Vec<(i64, i64)> = counts.into_iter().collect();
            let middle = numbers.len() / 2;
            let low = if numbers.len() % 2 == 0 { middle - 1 } else { middle };
            prop_assert_eq!(median(&histogram), Some(numbers[low] + numbers[middle]));
        }
    }
}
