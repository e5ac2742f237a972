//! `hibachi company`.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use commands::{Caller, CommandError};
use domain::ids::TenantId;
use domain::organisation::OrganisationCreated;

use super::{Verdict, note, with_app};
use crate::installation::Location;

/// The companies of the installation.
#[derive(Debug, Subcommand)]
pub(super) enum Company {
    /// Let a company join. Its first person comes in by `hibachi user create`. Said again, it changes nothing.
    Create(Create),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    location: Location,
    /// What it goes by on the command line and at sign-in, for ever: 2 to 60 small letters, digits and single dashes.
    #[arg(long, value_name = "SLUG")]
    slug: String,
    /// What it is called on invoices and in messages.
    #[arg(long)]
    name: String,
}

impl Company {
    pub(super) async fn run(self) -> Result<Verdict> {
        let Self::Create(Create { location, slug, name }) = self;
        with_app(&location, async |app| {
            // One that was interrupted goes on under the id that the directory has it by.
            let known = app.database.organisation_by_slug(&slug).await?;
            let tenant = known.map_or_else(|| TenantId(app.commands.new_id()), |company| company.tenant);
            let caller = Caller::system(tenant, "hibachi company create");
            let created = OrganisationCreated {
                name,
                slug: slug.clone(),
            };
            match app.commands.create_organisation(caller, created).await {
                Ok(_) => {}
                Err(CommandError::IdempotencyMismatch) => bail!("there is another company with the slug {slug}"),
                Err(error) => bail!(error),
            }
            note(format_args!(
                "{slug} is here; `hibachi user create --org {slug} --email EMAIL --role SUPER_ADMIN` lets its first person in"
            ));
            Ok(Verdict::Well)
        })
        .await
    }
}
