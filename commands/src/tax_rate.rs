//! Setting tax rates, one by one or with a file.

use domain::access::Permission;
use domain::decider::Decider;
use domain::tax_rate::csv::{BadRow, by_county, read};
use domain::tax_rate::{CountyRates, TaxRateCommand, TaxRateSet};
use sha2::{Digest, Sha256};

use crate::execute::{Plan, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey, Refused};

/// What a file of rates came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaxRatesImport {
    /// All rows were taken.
    Taken(Written),
    /// None was, because of these.
    BadRows(Vec<BadRow>),
}

/// Counties that one file may have rates of: an import is one append.
const MAX_COUNTIES: usize = 200;

impl Commands {
    /// Sets the rate of a jurisdiction; an open rate before it ends the day before.
    ///
    /// # Errors
    /// A refusal when the rate cannot be or another is in force on one of its days.
    pub async fn set_tax_rate(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        set: TaxRateSet,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::TaxWrite)?;
            this.run(&caller, &key, "tax_rate_set", &set, || async {
                let id = CountyRates::stream_key(&set.jurisdiction.state, &set.jurisdiction.county);
                let loaded = this.load::<CountyRates>(&caller, &id).await?;
                let events = loaded
                    .state
                    .decide(TaxRateCommand::Set(set.clone()))
                    .map_err(CommandError::refused)?;
                Ok(Plan::default().write::<CountyRates>(&this, id, loaded.version, events))
            })
            .await
        })
        .await
    }

    /// Takes a file of rates, all rows or none. The columns are those of [`domain::tax_rate::csv::COLUMNS`].
    ///
    /// # Errors
    /// `UNCHANGED` where every rate of the file is known; `TOO_MANY_COUNTIES`. Rows that cannot be taken are no error: they
    /// are told one by one.
    pub async fn import_tax_rates(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        text: String,
    ) -> Result<TaxRatesImport, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::TaxWrite)?;
            let file = hex::encode(Sha256::digest(&text));
            let rows = match read(&text) {
                Ok(rows) => rows,
                Err(bad) => return Ok(TaxRatesImport::BadRows(bad)),
            };
            let counties = by_county(rows);
            if counties.len() > MAX_COUNTIES {
                return Err(refused(
                    "TOO_MANY_COUNTIES",
                    format!("a file has rates of at most {MAX_COUNTIES} counties"),
                ));
            }
            let bad = std::sync::Mutex::new(Vec::new());
            let written = this
                .run(&caller, &key, "tax_rates_import", &file, || async {
                    let (mut plan, mut refusals, mut changes) = (Plan::default(), Vec::new(), 0);
                    for (id, rows) in &counties {
                        let loaded = this.load::<CountyRates>(&caller, id).await?;
                        match loaded.state.import(rows, &file) {
                            Ok(events) if events.is_empty() => {}
                            Ok(events) => {
                                changes += events.len();
                                plan = plan.write::<CountyRates>(&this, id, loaded.version, events);
                            }
                            Err(rows) => refusals.extend(rows),
                        }
                    }
                    let any_bad = !refusals.is_empty();
                    refusals.sort_by_key(|row: &BadRow| row.line);
                    *bad.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = refusals;
                    if any_bad || changes == 0 {
                        return Err(refused("UNCHANGED", "every rate of the file is known".to_owned()));
                    }
                    Ok(plan)
                })
                .await;
            let bad = bad
                .into_inner()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            match written {
                Err(CommandError::Refused(_)) if !bad.is_empty() => Ok(TaxRatesImport::BadRows(bad)),
                written => written.map(TaxRatesImport::Taken),
            }
        })
        .await
    }
}

fn refused(code: &'static str, message: String) -> CommandError {
    CommandError::Refused(Refused {
        code,
        field: vec!["csv"],
        message,
    })
}
