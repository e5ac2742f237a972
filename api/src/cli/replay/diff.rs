//! `hibachi replay diff`.

use anyhow::Result;
use clap::Args;
use replays::diff::{Question, diff};
use replays::moment::{Moment, place};
use replays::personal::Personal;

use super::output::{Company, Form, Target, verdict, view, which};
use crate::cli::Verdict;
use crate::cli::projections::Bar;

const HELP: &str = "\
Every row that is there at one end only, or differs between the two, field by field, with the events that changed it in
between; a row that was changed and changed back is counted, and not shown. The difference applied to what
`replay show` gives at --from is what it gives at --to. At the end is what all these rows add to each column of money.
Rows come in the order that the log first touched them.

Moments, keys and personal data are as in `hibachi replay show --help`.

Formats: the table has amounts in dollars and (cents). JSON is a line with both ends, their checksums, the counts and
the sums in cents, then a line for each row: change (appeared, vanished, changed), key, fields with before and after,
and events, each with the columns that it changed. CSV is a record for each field that differs, with the positions of
the events that changed it; then SUM for each column of money, in cents under `after`; then POSITION, RECORDED_AT, ROWS,
INCOMPLETE and CHECKSUM, the earlier end under `before` and the later under `after`.

Exit code 0: well, whether anything changed or not; 1: the rows are incomplete, as events are held back that could not
be applied; 2: no answer.

  hibachi replay diff --org my-hibachi --view tax_summary --from 2026-10-01T00:00:00-07:00 --to head
  hibachi replay diff --org my-hibachi --view payment_list --from 4000 --to 4711 --format csv --out changes.csv";

/// Show what changed in a read model between two times, and the events that changed it.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(in crate::cli) struct Diff {
    #[command(flatten)]
    company: Company,
    /// Which read model; a name that there is not lists those that there are.
    #[arg(long, value_name = "NAME")]
    view: String,
    /// The earlier moment: a position, an instant with its zone, or head.
    #[arg(long, value_name = "POSITION|INSTANT")]
    from: Moment,
    /// The later moment.
    #[arg(long, value_name = "POSITION|INSTANT", default_value = "head")]
    to: Moment,
    /// Only the row of this key.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = Form::Table)]
    format: Form,
    #[command(flatten)]
    target: Target,
}

impl Diff {
    pub(in crate::cli) async fn run(self) -> Result<Verdict> {
        let of = view(&self.view)?;
        let which = which(of, self.key.as_deref())?;
        let found = self
            .company
            .with(async |app, tenant| {
                let bar = Bar::new(of.name());
                let now = app.clock.now();
                let question = Question {
                    of,
                    from: place(&app.log, tenant, self.from, now).await?,
                    to: place(&app.log, tenant, self.to, now).await?,
                    which,
                    personal: Personal::read(&app.log, tenant).await?,
                    progress: &bar,
                };
                let found = diff(&app.log, tenant, question).await;
                bar.0.finish_and_clear();
                Ok(found?)
            })
            .await?;
        let format = self.target.format(self.format);
        self.target.write(|to| found.write(format, to))?;
        Ok(verdict(found.view, found.is_incomplete()))
    }
}
