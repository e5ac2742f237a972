//! A story as JSON lines: the first says whose it is, each of the others is an event.

use std::io::Write;

use serde_json::{Value, json};

use super::{StateChange, Step, Story};
use crate::diff::entry_json;
use crate::moment::ReplayError;

pub(super) fn write(story: &Story, to: &mut dyn Write) -> Result<(), ReplayError> {
    let head = json!({
        "stream": story.stream.to_string(),
        "zone": story.zone.map(|zone| zone.name()),
        "events": story.steps.len(),
        "first": story.steps.first().map(|step| step.entry.position),
        "last": story.steps.last().map(|step| step.entry.position),
    });
    writeln!(to, "{head}")?;
    for step in &story.steps {
        writeln!(to, "{}", line(step))?;
    }
    Ok(())
}

fn line(step: &Step) -> Value {
    let change =
        |change: &StateChange| json!({"path": change.path, "before": change.before, "after": change.after});
    let mut told = entry_json(&step.entry);
    told["sequence"] = step.sequence.into();
    told["local_time"] = json!(step.local_time);
    told["changes"] = json!(step.entry.changes);
    told["state"] = step.state.iter().map(change).collect();
    told["before"] = json!(step.before);
    told["after"] = step.after.clone();
    told
}
