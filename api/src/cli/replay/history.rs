//! `hibachi replay history`.

use anyhow::Result;
use clap::{Args, ValueEnum};
use replays::history::{Asked, Related, history};
use replays::personal::Personal;

use super::output::{Company, StoryForm, Target};
use crate::cli::Verdict;

const HELP: &str = "\
Each event with its position, its time in UTC and at the station, who did it in which role and through what, what
happened in a sentence, why where somebody said, and every field of the aggregate that it changed, before → after. The
aggregate is folded from its own events by the rules that decide on commands.

Streams: kind:id, as station:0193…, payment:0193…, tax_rate:CA/santa clara; a booking also by its number,
booking:7XBSB-BASH1; or an opaque id of the API. A kind that there is not lists those that there are.

JSON is a line that says whose story it is, then a line for each event, with `state` (the fields that changed) and the
whole aggregate as `before` and `after`. Amounts are in cents, rates in millionths, as in the log.

Personal data is [sealed], or [erased] where its key was destroyed by now.

  hibachi replay history --org my-hibachi --stream booking:7XBSB-BASH1
  hibachi replay history --org my-hibachi --stream booking:7XBSB-BASH1 --with-related no --format json";

/// Tell the story of one booking, or of anything else, event by event, with its state before and after.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(in crate::cli) struct History {
    #[command(flatten)]
    company: Company,
    /// Whose story.
    #[arg(long, value_name = "STREAM")]
    stream: Asked,
    /// Weave in what belongs to a booking: payments, documents, messages, review, escalations, work items, jobs, lead.
    #[arg(long, value_enum, default_value_t = Weave::Yes, num_args = 0..=1, default_missing_value = "yes")]
    with_related: Weave,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = StoryForm::Table)]
    format: StoryForm,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Weave {
    Yes,
    No,
}

impl History {
    pub(in crate::cli) async fn run(self) -> Result<Verdict> {
        let related = match self.with_related {
            Weave::Yes => Related::Woven,
            Weave::No => Related::Left,
        };
        let asked = self.stream;
        let story = self
            .company
            .with(async |app, tenant| {
                let stream = asked.find(&app.log, tenant).await?;
                let personal = Personal::read(&app.log, tenant).await?;
                Ok(history(&app.log, tenant, stream, related, &personal).await?)
            })
            .await?;
        let format = self.target.format(self.format.into());
        self.target.write(|to| story.write(format, to))?;
        Ok(Verdict::Well)
    }
}
