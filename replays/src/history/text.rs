//! A story for people: in 80 columns, in the order that it happened.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::Value;

use super::{StateChange, Step, Story};
use crate::diff::actor;
use crate::moment::{ReplayError, instant};
use crate::show::plain;
use crate::text::{Screen, Side, clean, clip, clip_start, pad, width, wrap};

/// Columns that the path of a field takes at most.
const WIDEST: usize = 34;

pub(super) fn write(story: &Story, screen: Screen, to: &mut dyn Write) -> Result<(), ReplayError> {
    let mut woven: BTreeMap<&str, usize> = BTreeMap::new();
    for step in story.steps.iter().filter(|step| step.stream != story.stream) {
        *woven.entry(step.stream.kind.as_ref()).or_default() += 1;
    }
    let zone = story.zone.map(|zone| format!("; local times are of {zone}"));
    writeln!(to, "{}", screen.strong(clean(&story.stream.to_string())))?;
    let own = story.steps.len() - woven.values().sum::<usize>();
    let woven: Vec<String> = woven
        .iter()
        .map(|(kind, count)| format!("{count} {kind}.*"))
        .collect();
    let count = match woven.as_slice() {
        [] => format!("{own} events"),
        woven => format!("{own} events, with {}", woven.join(", ")),
    };
    writeln!(to, "{count}{}", zone.unwrap_or_default())?;
    for step in &story.steps {
        write_step(story, step, screen, to)?;
    }
    Ok(())
}

fn write_step(story: &Story, step: &Step, screen: Screen, to: &mut dyn Write) -> Result<(), ReplayError> {
    let entry = &step.entry;
    let title = format!("{}  {}", entry.position, entry.event_type);
    writeln!(to, "\n{}", screen.strong(title))?;
    let local = step.local_time.as_ref().map(|local| format!("  (local {local})"));
    let time = format!("{}{}", instant(&entry.recorded_at), local.unwrap_or_default());
    let mut lines = vec![time, format!("by {}", actor(entry))];
    if step.stream != story.stream {
        lines.push(format!("of {}", clean(&step.stream.to_string())));
    }
    for line in lines {
        writeln!(
            to,
            "  {}",
            screen.faint(clip(&line, screen.width.saturating_sub(2)))
        )?;
    }
    for line in wrap(&clean(&entry.summary), screen.width.saturating_sub(2)) {
        writeln!(to, "  {line}")?;
    }
    if let Some(reason) = &entry.reason {
        for line in wrap(
            &format!("because: {}", clean(reason)),
            screen.width.saturating_sub(2),
        ) {
            writeln!(to, "  {line}")?;
        }
    }
    let fields = fields(step);
    let names = fields.iter().map(|change| width(&change.path)).max();
    let names = names.unwrap_or_default().min(WIDEST);
    for change in &fields {
        let name = pad(&clip_start(&clean(&change.path), names), names, Side::Left);
        let room = screen.width.saturating_sub(names + 6);
        for (place, line) in wrap(&said(change), room).into_iter().enumerate() {
            let name = if place == 0 {
                name.clone()
            } else {
                " ".repeat(names)
            };
            writeln!(to, "    {}  {line}", screen.faint(name))?;
        }
    }
    Ok(())
}

/// What the event changed in the state; and after the first, whose state tells all, what it says beside that.
fn fields(step: &Step) -> Vec<StateChange> {
    let told = step
        .entry
        .changes
        .iter()
        .filter(|told| step.before.is_some() && step.state.iter().all(|change| change.path != told.path));
    let told = told.map(|told| StateChange {
        path: told.path.clone(),
        before: told.before.clone().map(Value::from),
        after: told.after.clone().map(Value::from),
    });
    step.state.iter().cloned().chain(told).collect()
}

/// Before → after; where there was nothing before, what there is.
fn said(change: &StateChange) -> String {
    match (&change.before, &change.after) {
        (None, Some(after)) => plain(after),
        (Some(before), Some(after)) => format!("{} → {}", plain(before), plain(after)),
        (Some(before), None) => format!("{} → nothing", plain(before)),
        (None, None) => String::new(),
    }
}
