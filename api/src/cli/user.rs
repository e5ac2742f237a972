//! `hibachi user`.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use commands::{Caller, IdempotencyKey};
use domain::access::{Role, StationScope};
use domain::decider::Decider;
use domain::user::User as UserAggregate;

use super::{Verdict, expect_installation, note, with_app};
use crate::installation::Location;

/// People who sign in.
#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Let somebody sign in. The password is read from the variable `HIBACHI_PASSWORD`.
    Create(Create),
    /// Give somebody who is there another password, read from the variable `HIBACHI_PASSWORD`: after a loss, or where a
    /// company was imported, for sign-in data is in no bundle.
    Password(Password),
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

#[derive(Debug, Args)]
pub(super) struct Password {
    #[command(flatten)]
    location: Location,
    /// Slug of the company.
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// E-mail that they sign in with.
    #[arg(long)]
    email: String,
}

impl User {
    pub(super) async fn run(self) -> Result<Verdict> {
        match self {
            Self::Create(create) => create.run().await,
            Self::Password(password) => password.run().await,
        }
    }
}

fn password() -> Result<String> {
    let Ok(password) = std::env::var("HIBACHI_PASSWORD") else {
        bail!("set the password in the variable HIBACHI_PASSWORD")
    };
    Ok(password)
}

impl Create {
    async fn run(self) -> Result<Verdict> {
        let Some(role) = Role::parse(&self.role) else {
            bail!("there is no role {}", self.role)
        };
        let password = password()?;
        with_app(&self.location, async |app| {
            let tenant = app.organisation(&self.org).await?.tenant;
            let caller = Caller::system(tenant, "hibachi user create");
            let key = IdempotencyKey::of_reaction("user_create", &self.email);
            let written = app
                .commands
                .create_user(caller, key, self.email.clone(), role, StationScope::All)
                .await?;
            let user = written.id_of(UserAggregate::STREAM).parse()?;
            app.auth.set_password(tenant, user, password).await?;
            note(format_args!("{} may sign in as {}", self.email, role.as_str()));
            Ok(Verdict::Well)
        })
        .await
    }
}

impl Password {
    async fn run(self) -> Result<Verdict> {
        let password = password()?;
        expect_installation(&self.location)?;
        with_app(&self.location, async |app| {
            let tenant = app.organisation(&self.org).await?.tenant;
            let Some((user, _)) = app.commands.user_by_email(tenant, &self.email).await? else {
                bail!("nobody signs in to {} as {}", self.org, self.email)
            };
            app.auth.set_password(tenant, user, password).await?;
            note(format_args!("{} has another password", self.email));
            Ok(Verdict::Well)
        })
        .await
    }
}
