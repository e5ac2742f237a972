//! `hibachi user`.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use commands::{Caller, IdempotencyKey};
use domain::access::{Role, StationScope};
use domain::decider::Decider;
use domain::user::User as UserAggregate;

use super::{Verdict, note, with_app};
use crate::installation::Location;

/// People who sign in.
#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Let somebody sign in. The password is read from the variable `HIBACHI_PASSWORD`.
    Create(Create),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    location: Location,
    /// Slug of the company.
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// E-mail to sign in with.
    #[arg(long)]
    email: String,
    /// SUPER_ADMIN, ADMIN, CUSTOMER_SUPPORT, STATION_MANAGER, CHEF, ACCOUNTANT or AUDITOR.
    #[arg(long)]
    role: String,
}

impl User {
    pub(super) async fn run(self) -> Result<Verdict> {
        let Self::Create(create) = self;
        let Some(role) = Role::parse(&create.role) else {
            bail!("there is no role {}", create.role)
        };
        let Ok(password) = std::env::var("HIBACHI_PASSWORD") else {
            bail!("set the password in the variable HIBACHI_PASSWORD")
        };
        with_app(&create.location, async |app| {
            let tenant = app.organisation(&create.org).await?.tenant;
            let caller = Caller::system(tenant, "hibachi user create");
            let key = IdempotencyKey::of_reaction("user_create", &create.email);
            let written = app
                .commands
                .create_user(caller, key, create.email.clone(), role, StationScope::All)
                .await?;
            let user = written.id_of(UserAggregate::STREAM).parse()?;
            app.auth.set_password(tenant, user, password).await?;
            note(format_args!("{} may sign in as {}", create.email, role.as_str()));
            Ok(Verdict::Well)
        })
        .await
    }
}
