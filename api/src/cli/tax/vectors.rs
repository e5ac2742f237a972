//! `hibachi tax vectors`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use domain::tax::vectors::{COLUMNS, Outcome, Vector};

use crate::cli::{Verdict, note, say};

#[derive(Debug, Args)]
pub(in crate::cli) struct Vectors {
    /// A CSV file with the columns of `domain/data/tax_vectors.csv`.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// A case and what it came to.
struct Ran {
    line: usize,
    vector: Vector,
    outcome: Outcome,
}

impl Vectors {
    pub(super) fn run(self) -> Result<Verdict> {
        let ran = self.read_and_run()?;
        let mut failed = 0_u32;
        for case in &ran {
            say(told(case));
            failed += u32::from(!case.outcome.holds);
        }
        let cases = ran.len();
        say(format_args!("{cases} cases, {failed} do not hold"));
        Ok(if failed == 0 {
            Verdict::Well
        } else {
            Verdict::FoundWrong
        })
    }

    /// Every case, or none where there is a row that is no case: each of these is named.
    fn read_and_run(&self) -> Result<Vec<Ran>> {
        let named = || format!("cannot read {}", self.file.display());
        let text = std::fs::read_to_string(&self.file).with_context(named)?;
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(text.as_bytes());
        let header = reader.headers().with_context(named)?.clone();
        if header.iter().ne(COLUMNS) {
            bail!(
                "{}: the columns must be {}",
                self.file.display(),
                COLUMNS.join(",")
            );
        }
        let mut ran = Vec::new();
        let mut bad = 0_u32;
        for record in reader.records() {
            let record = record.with_context(named)?;
            let line = line_of(&text, record.position().map_or(0, csv::Position::byte));
            let fields: Vec<&str> = record.iter().collect();
            let vector = Vector::read(&fields);
            match vector.and_then(|vector| vector.run().map(|outcome| (vector, outcome))) {
                Ok((vector, outcome)) => ran.push(Ran {
                    line,
                    vector,
                    outcome,
                }),
                Err(error) => {
                    bad += 1;
                    note(format_args!("line {line}: {error}"));
                }
            }
        }
        if bad > 0 {
            bail!("{}: {bad} rows are no cases", self.file.display());
        }
        Ok(ran)
    }
}

/// The line on which a row begins, counted from 1. The reader's own count is taken before it has passed the end of the line
/// before.
fn line_of(text: &str, byte: u64) -> usize {
    let at = usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
    let (before, row) = text.as_bytes().split_at(at);
    let ends = row.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let feeds = before.iter().chain(ends).filter(|byte| **byte == b'\n');
    feeds.count() + 1
}

fn told(case: &Ran) -> String {
    let Ran {
        line,
        vector,
        outcome,
    } = case;
    let verdict = if outcome.holds { "holds" } else { "does not hold" };
    let mut told = format!("line {line}: {} ({}) {verdict}", vector.id, vector.used_as);
    if !outcome.holds {
        told += if outcome.comes_out {
            ": it comes out and must not"
        } else {
            ": it does not come out"
        };
        if let Some(ours) = outcome.ours {
            told += &format!("; we get net {} and tax {}", ours.net_cents, ours.tax_cents);
        }
    }
    told
}
