//! What follows from events besides their chain: ids that no two have, and results of commands that name their events.

use std::collections::HashSet;

use domain::envelope::{Position, StoredEvent};
use event_log::KeptCommand;
use uuid::Uuid;

use super::COMMANDS;
use super::damage::{Damage, What};
use super::files::LinesReader;
use super::lines::CommandLine;
use crate::lie::Lie;

/// A result, and the line that it is on.
type Numbered = (u64, KeptCommand);

/// The results of commands, read beside the events that they name. The memory it takes grows by some 20 bytes an
/// event, for the ids.
pub(super) struct References {
    commands: LinesReader,
    /// The next result, which no event has come to yet.
    next: Option<Numbered>,
    /// The result whose events are being passed.
    current: Option<Numbered>,
    before: Option<(Position, Uuid)>,
    ids: HashSet<Uuid>,
}

impl References {
    pub(super) fn new(mut commands: LinesReader) -> Result<Self, Damage> {
        let mut before = None;
        Ok(Self {
            next: following(&mut commands, &mut before)?,
            commands,
            current: None,
            before,
            ids: HashSet::new(),
        })
    }

    /// Passes the next event, and gives the results that begin with it, in their order.
    pub(super) fn pass(&mut self, event: &StoredEvent, begun: &mut Vec<KeptCommand>) -> Result<(), Damage> {
        if !self.ids.insert(event.event_id.0) {
            return Err(Damage::of("", What::Lie(Lie::RepeatedId)).with(event.position));
        }
        while let Some((line, next)) = self.next.take_if(|(_, next)| next.first <= event.position) {
            if next.first < event.position {
                return Err(misattributed(line, next.first));
            }
            if next.last >= next.first {
                if let Some((line, _)) = self.current {
                    return Err(misattributed(line, event.position));
                }
                self.current = Some((line, next.clone()));
            }
            begun.push(next);
            self.next = following(&mut self.commands, &mut self.before)?;
        }
        if let Some((line, current)) = &self.current {
            if current.command != event.command_id {
                return Err(misattributed(*line, event.position));
            }
            if current.last == event.position {
                self.current = None;
            }
        }
        Ok(())
    }

    /// The results that are left after the last event: of commands that wrote nothing there.
    pub(super) fn end(&mut self, head: Position) -> Result<Vec<KeptCommand>, Damage> {
        let mut left = Vec::new();
        if let Some((line, _)) = self.current {
            return Err(misattributed(line, head));
        }
        while let Some((line, next)) = self.next.take() {
            if next.first != head.next() || next.last >= next.first {
                return Err(misattributed(line, next.first));
            }
            left.push(next);
            self.next = following(&mut self.commands, &mut self.before)?;
        }
        Ok(left)
    }
}

fn misattributed(line: u64, position: Position) -> Damage {
    let what = What::Lie(Lie::MisattributedCommand);
    Damage::at(COMMANDS, line, what).with(position)
}

/// The next result, which comes after the one before it by first position and id.
fn following(
    commands: &mut LinesReader,
    before: &mut Option<(Position, Uuid)>,
) -> Result<Option<Numbered>, Damage> {
    let Some(line) = commands.next::<CommandLine>()? else {
        return Ok(None);
    };
    let command = KeptCommand::from(line);
    let place = (command.first, command.command.0);
    let is_range = command.first > Position::START
        && command
            .first
            .0
            .checked_sub(1)
            .is_some_and(|least| command.last.0 >= least);
    if !is_range || before.is_some_and(|before| before >= place) {
        let why = "the results of commands are not in their order".to_owned();
        return Err(commands.damage(What::Malformed(why)));
    }
    *before = Some(place);
    Ok(Some((commands.line(), command)))
}
