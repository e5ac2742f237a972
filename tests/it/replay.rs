//! Replays for auditors: a read model at any time, what changed in it, and the story of one aggregate.

mod commands;
mod diff;
mod history;
mod show;

use chrono::{DateTime, Utc};
use domain::envelope::Position;
use projections::projection;
use replays::diff::Diff;
use replays::moment::{Moment, Place, ReplayError, place};
use replays::personal::Personal;
use replays::show::{Format, Shown, Which};
use replays::text::{Colour, Screen};
use serde_json::Value;

use crate::projections::company::{Company, TENANT};

/// What people look at, without colours.
const TABLE: Format = Format::Table(Screen {
    width: 80,
    colour: Colour::Plain,
});

async fn at(company: &Company, moment: Moment) -> Result<Place, ReplayError> {
    let never = DateTime::<Utc>::MAX_UTC;
    place(&company.log, TENANT, moment, never).await
}

async fn show(company: &Company, view: &str, position: Position, which: Which) -> Shown {
    let question = replays::show::Question {
        of: projection(view).expect("the test's own world"),
        place: at(company, Moment::Position(position))
            .await
            .expect("the test's own world"),
        which,
        personal: Personal::read(&company.log, TENANT)
            .await
            .expect("the test's own world"),
        progress: &(),
    };
    replays::show::show(&company.log, TENANT, question)
        .await
        .expect("the test's own world")
}

async fn diff(
    company: &Company,
    view: &str,
    (from, to): (Position, Position),
    which: Which,
) -> Result<Diff, ReplayError> {
    let question = replays::diff::Question {
        of: projection(view).expect("the test's own world"),
        from: at(company, Moment::Position(from))
            .await
            .expect("the test's own world"),
        to: at(company, Moment::Position(to))
            .await
            .expect("the test's own world"),
        which,
        personal: Personal::read(&company.log, TENANT)
            .await
            .expect("the test's own world"),
        progress: &(),
    };
    replays::diff::diff(&company.log, TENANT, question).await
}

/// The lines of an answer in JSON.
fn lines(written: &str) -> Vec<Value> {
    written
        .lines()
        .map(|line| serde_json::from_str(line).expect("every line is JSON"))
        .collect()
}

fn written(write: impl FnOnce(&mut dyn std::io::Write) -> Result<(), ReplayError>) -> String {
    let mut text = Vec::new();
    write(&mut text).expect("memory takes it");
    String::from_utf8(text).expect("answers are text")
}
