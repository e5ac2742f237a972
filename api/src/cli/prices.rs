//! `hibachi prices`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use commands::price_list::{ImportChange, ImportInput};
use commands::{Caller, CommandError, IdempotencyKey};
use domain::access::{Role, StationScope, Viewer};
use domain::ids::{StationId, TenantId, UserId};
use domain::price_list::Confirmation;
use projections::{At, Slice, station_list};

use super::{Verdict, expect_installation, note, say, tenant, with_app, write_out};
use crate::app::App;
use crate::installation::Location;

/// Price lists as files.
#[derive(Debug, Subcommand)]
pub(super) enum Prices {
    /// A station's price list as CSV (RFC 4180): what is in force, and what is to come. Imported again, it changes nothing.
    Export(Export),
    /// Take a station's price list over from such a file: every row, or none, each bad one named by its line.
    Import(Import),
}

#[derive(Debug, Args)]
struct Which {
    #[command(flatten)]
    location: Location,
    /// Slug of the company.
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Name or id of the station.
    #[arg(long)]
    station: String,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    which: Which,
    /// Where to write it; the terminal where absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(flatten)]
    which: Which,
    /// The file, as `prices export` writes it: item,label,kind,price,min,max,effective_from. Items that it does not name
    /// stay as they are.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Why; 3 to 500 characters.
    #[arg(long)]
    reason: String,
    /// Confirm changes of more than 50 %.
    #[arg(long)]
    confirm: bool,
    /// Say what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Prices {
    pub(super) async fn run(self) -> Result<Verdict> {
        match self {
            Self::Export(export) => export.run().await,
            Self::Import(import) => import.run().await,
        }
    }
}

impl Export {
    async fn run(self) -> Result<Verdict> {
        expect_installation(&self.which.location)?;
        with_app(&self.which.location, async |app| {
            let tenant = tenant(&app, &self.which.org).await?;
            let station = station(&app, tenant, &self.which.station).await?;
            let caller = Caller::system(tenant, "hibachi prices export");
            let text = app.commands.export_prices(&caller, station).await?;
            write_out(&text, self.out.as_deref())?;
            Ok(Verdict::Well)
        })
        .await
    }
}

impl Import {
    async fn run(self) -> Result<Verdict> {
        expect_installation(&self.which.location)?;
        let csv = std::fs::read_to_string(&self.file)
            .with_context(|| format!("cannot read {} as UTF-8 text", self.file.display()))?;
        with_app(&self.which.location, async |app| {
            let tenant = tenant(&app, &self.which.org).await?;
            let ask = ImportInput {
                station: station(&app, tenant, &self.which.station).await?,
                csv,
                reason: self.reason.clone(),
                confirmation: if self.confirm {
                    Confirmation::Given
                } else {
                    Confirmation::NotGiven
                },
                seen: None,
            };
            take_over(&app, tenant, ask, self.dry_run).await
        })
        .await
    }
}

/// Says what changes, or what is wrong with each bad row; then changes it, unless it is only asked about.
async fn take_over(app: &App, tenant: TenantId, ask: ImportInput, dry_run: bool) -> Result<Verdict> {
    let caller = Caller::system(tenant, "hibachi prices import");
    let preview = match app.commands.preview_import(&caller, &ask).await {
        Ok(preview) => preview,
        Err(CommandError::Refused(refused)) => {
            say(format_args!("{}: {}", refused.code, refused.message));
            return Ok(Verdict::FoundWrong);
        }
        Err(error) => return Err(error.into()),
    };
    for bad in &preview.bad {
        say(format_args!("line {}: {}: {}", bad.line, bad.code, bad.message));
    }
    if !preview.bad.is_empty() {
        note("nothing was changed");
        return Ok(Verdict::FoundWrong);
    }
    for change in &preview.changes {
        say(sentence(change));
    }
    if preview.changes.is_empty() {
        note("every price is so already");
        return Ok(Verdict::Well);
    }
    if dry_run {
        note("nothing was changed: this was a dry run");
        return Ok(Verdict::Well);
    }
    let cause = format!("{} {}", ask.station, app.clock.now());
    let key = IdempotencyKey::of_reaction("prices_import", &cause);
    match app.commands.import_prices(caller, key, ask).await {
        Ok(written) => {
            note(format_args!(
                "prices set: {}, at position {}",
                preview.changes.len(),
                written.position
            ));
            Ok(Verdict::Well)
        }
        Err(CommandError::Refused(refused)) => {
            say(format_args!("{}: {}", refused.code, refused.message));
            Ok(Verdict::FoundWrong)
        }
        Err(error) => Err(error.into()),
    }
}

fn sentence(change: &ImportChange) -> String {
    let old = change.old_cents.map_or("new".to_owned(), |old| old.to_string());
    let from = change
        .effective_from
        .to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    format!("{}: {old} -> {} from {from}", change.item, change.new_cents)
}

/// The station of a name or id. Whoever has the installation's secrets sees all of them.
async fn station(app: &App, tenant: TenantId, named: &str) -> Result<StationId> {
    app.views.catch_up(tenant).await?;
    let viewer = Viewer {
        tenant,
        user: UserId(uuid::Uuid::nil()),
        role: Role::Auditor,
        stations: StationScope::All,
        through: None,
    };
    let page = station_list::page(&app.views, &viewer, Slice::first(100), At::NOW).await?;
    let stations: Vec<_> = page.rows.into_iter().map(|listed| listed.row).collect();
    let is = |row: &&station_list::StationRow| row.name == named || row.station_id.to_string() == named;
    let mut found = stations.iter().filter(is).map(|row| row.station_id);
    match (found.next(), found.next()) {
        (Some(station), None) => Ok(station),
        (Some(_), Some(_)) => bail!("there are several stations {named}: name one by its id"),
        (None, _) => {
            let names: Vec<&str> = stations.iter().map(|row| row.name.as_str()).collect();
            bail!("there is no station {named}; there are {}", names.join(", "))
        }
    }
}
