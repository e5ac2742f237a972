//! A play that was interrupted: what it came to, so that the next one goes on where it ended.
//!
//! Steps follow each other in one order, and each command of a story has a name of its own. Up to the last command that
//! was done, a command that was not done was refused: it is not asked again, since what stood against it then may be gone
//! by now. From there on everything is played.

use std::collections::HashMap;

use anyhow::Result;
use commands::{Caller, Commands, IdempotencyKey, Written};
use domain::envelope::Position;

use super::year::Story;

/// Chefs that a party is offered to, one after the other.
pub(super) const ASSIGNMENTS: usize = 16;
/// Commands that one question asks for.
const AT_ONCE: usize = 20_000;
/// Commands of a story, apart from its requests and assignments.
const NAMES: [&str; 9] = [
    "change",
    "move",
    "cancel",
    "complete",
    "pay deposit",
    "verify deposit",
    "pay balance",
    "verify balance",
    "refund",
];

/// The key of a story's command.
pub(super) fn key(prefix: &str, story: &Story, name: &str) -> IdempotencyKey {
    IdempotencyKey::of_reaction("demo", &format!("{prefix} {} {name}", story.number))
}

/// Name of the offer to the n-th chef.
pub(super) fn assignment(turn: usize) -> String {
    format!("assign {turn}")
}

/// Name of a request: for the n-th start, with the story's code or without.
pub(super) fn request(story: &Story, turn: usize, promo: Option<&str>) -> String {
    match (turn, promo == story.promo) {
        (0, true) => "request".to_owned(),
        (turn, true) => format!("request for start {turn}"),
        (turn, false) => format!("request for start {turn} without code"),
    }
}

/// Every request that a story may make, with its start and code.
pub(super) fn requests(story: &Story) -> Vec<(String, usize, Option<&'static str>)> {
    let codes = match story.promo {
        Some(code) => vec![Some(code), None],
        None => vec![None],
    };
    let of = |promo: Option<&'static str>| (0..3).map(move |turn| (request(story, turn, promo), turn, promo));
    codes.into_iter().flat_map(of).collect()
}

/// What is known of an earlier play.
#[derive(Debug, Default)]
pub(super) struct Before {
    done: HashMap<(u32, String), Written>,
    /// Place of the last that was done; the start of the log once that was passed.
    last: Position,
}

impl Before {
    /// What an interrupted play of stories came to; nothing of one that never began, none of one that came to its end.
    pub(super) async fn of(
        held: &Commands,
        caller: &Caller,
        prefix: &str,
        stories: &[Story],
    ) -> Result<Option<Self>> {
        let asked = |story: &Story| requests(story).into_iter().map(|(name, ..)| name).collect();
        let done = load(held, caller, prefix, stories, asked).await?;
        if done.is_empty() {
            return Ok(Some(Self::default()));
        }
        if !held.policies_are_held(caller.tenant).await? {
            return Ok(None);
        }
        let all = |_: &Story| {
            let assignments = (0..ASSIGNMENTS).map(assignment);
            NAMES.into_iter().map(str::to_owned).chain(assignments).collect()
        };
        let mut before = Self {
            done,
            last: Position::START,
        };
        before
            .done
            .extend(load(held, caller, prefix, stories, all).await?);
        let places = before.done.values().map(|written| written.position);
        before.last = places.max().unwrap_or(Position::START);
        Ok(Some(before))
    }

    /// Whether the earlier play goes further than this one has come.
    pub(super) fn lasts(&self) -> bool {
        self.last > Position::START
    }

    /// Place in the log before the first command that was done; none where none was.
    pub(super) fn first(&self) -> Option<Position> {
        let places = self.done.values().map(|written| written.position);
        places.min().map(|first| Position(first.0 - 1))
    }

    /// Place in the log of the last command that was done.
    pub(super) fn last(&self) -> i64 {
        self.last.0
    }

    /// What a command came to in the earlier play: what it wrote, or nothing. None where that play did not get so far.
    pub(super) fn of_command(&mut self, story: &Story, name: &str) -> Option<Option<Written>> {
        if !self.lasts() {
            return None;
        }
        let written = self.done.remove(&(story.number, name.to_owned()));
        if written
            .as_ref()
            .is_some_and(|written| written.position == self.last)
        {
            *self = Self::default();
        }
        Some(written)
    }
}

/// What was done of the commands that stories name.
async fn load(
    commands: &Commands,
    caller: &Caller,
    prefix: &str,
    stories: &[Story],
    names: impl Fn(&Story) -> Vec<String>,
) -> Result<HashMap<(u32, String), Written>> {
    let named = |story: &Story| {
        let number = story.number;
        let asked = names(story)
            .into_iter()
            .map(|name| (key(prefix, story, &name), (number, name)));
        asked.collect::<Vec<_>>()
    };
    let (keys, names): (Vec<IdempotencyKey>, Vec<(u32, String)>) = stories.iter().flat_map(named).unzip();
    let mut done = HashMap::new();
    for (keys, names) in keys.chunks(AT_ONCE).zip(names.chunks(AT_ONCE)) {
        let found = commands.done_before(caller, keys).await?;
        let written = names.iter().cloned().zip(found);
        done.extend(written.filter_map(|(name, written)| Some((name, written?))));
    }
    Ok(done)
}
