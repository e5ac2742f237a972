//! `hibachi replay show`.

use anyhow::Result;
use clap::Args;
use replays::moment::{Moment, place};
use replays::personal::Personal;
use replays::show::{Question, show};

use super::output::{Company, Form, Target, verdict, view, which};
use crate::cli::Verdict;
use crate::cli::projections::Bar;

const HELP: &str = "\
The answer is folded from the log, not read from what is stored, and is the same for ever: for a position, and for an
instant that has passed. Its checksum is the SHA-256 of the canonical JSON (RFC 8785) of all rows of the read model in
key order, whichever of them are shown. Two people who compare positions, versions of the fold and checksums have
compared every field.

Moments: a position (4711; 0 is before the first event), an instant with its zone (2026-11-02T15:04:05Z), head.

Keys: as the table shows them. An id, also in the opaque form of the API; the number of a booking, where the read model
has one, for all its rows; state=CA,county_key=alameda,… or a JSON object, for a key of several columns.

Formats: a table has as many columns as fit, amounts in dollars; with --key it has all of them, amounts in dollars and
(cents). JSON is a line that says what the answer is, then a line for each row. CSV is a header, a record for each row,
then records whose first field is VIEW, FOLD_VERSION, POSITION, RECORDED_AT, ROWS, INCOMPLETE and CHECKSUM. Both have
amounts in cents and rates in millionths. Text that a spreadsheet would take for a formula is led by an apostrophe.

Personal data is [sealed], or [erased] where its key was destroyed by now; the API shows it to those who may see it.

Exit code 0: well; 1: the rows are incomplete, as events are held back that could not be applied; 2: no answer.

  hibachi replay show --org my-hibachi --view payment_list --as-of 2026-07-01T00:00:00-07:00
  hibachi replay show --org my-hibachi --view booking_list --key 7XBSB-BASH1
  hibachi replay show --org my-hibachi --view tax_ledger --as-of 4711 --format csv --out ledger.csv";

/// Show a read model as it stood at any time.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    company: Company,
    /// Which read model; a name that there is not lists those that there are.
    #[arg(long, value_name = "NAME")]
    view: String,
    /// The moment: a position, an instant with its zone, or head.
    #[arg(long, value_name = "POSITION|INSTANT", default_value = "head")]
    as_of: Moment,
    /// Only the row of this key.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = Form::Table)]
    format: Form,
    #[command(flatten)]
    target: Target,
}

impl Show {
    pub(in crate::cli) async fn run(self) -> Result<Verdict> {
        let of = view(&self.view)?;
        let which = which(of, self.key.as_deref())?;
        let shown = self
            .company
            .with(async |app, tenant| {
                let bar = Bar::new(of.name());
                let question = Question {
                    of,
                    place: place(&app.log, tenant, self.as_of, app.clock.now()).await?,
                    which,
                    personal: Personal::read(&app.log, tenant).await?,
                    progress: &bar,
                };
                let shown = show(&app.log, tenant, question).await;
                bar.0.finish_and_clear();
                Ok(shown?)
            })
            .await?;
        let format = self.target.format(self.format);
        self.target.write(|to| shown.write(format, to))?;
        Ok(verdict(shown.view, shown.is_incomplete()))
    }
}
