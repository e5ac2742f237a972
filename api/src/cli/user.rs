//! `hibachi user`.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use commands::user::UserUnlock;
use commands::{Caller, IdempotencyKey, Written};
use domain::access::{Role, StationScope};
use domain::decider::Decider;
use domain::ids::UserId;
use domain::user::User as UserAggregate;
use event_log::Organisation;

use super::{Verdict, expect_installation, note, with_app};
use crate::app::App;
use crate::auth::{AccountError, Asked, NewPassword};
use crate::installation::Location;

/// People who sign in.
#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Let somebody sign in. The password is read from the variable `HIBACHI_PASSWORD`.
    Create(Create),
    /// Give somebody who is there another password, read from the variable `HIBACHI_PASSWORD`: after a loss, or where a
    /// company was imported, for sign-in data is in no bundle. They are signed out everywhere.
    Password(Named),
    /// Let somebody in who is locked out after too many wrong guesses, before the time is over.
    Unlock(Named),
    /// Take the second factor of somebody away who has lost the phone and the recovery codes. They are signed out everywhere.
    TotpReset(Named),
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

/// Somebody who is there.
#[derive(Debug, Args)]
pub(super) struct Named {
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
            Self::Password(named) => {
                let password = password()?;
                let (asks, done) = ("hibachi user password", "has another password");
                let email = named.email.clone();
                named
                    .run(asks, done, async |app, company, asked, user| {
                        let new = new_password(password, company, &email);
                        app.auth.reset_password(asked, user, new).await
                    })
                    .await
            }
            Self::Unlock(named) => {
                let (asks, done) = ("hibachi user unlock", "is not locked out any more");
                named
                    .run(asks, done, async |app, _company, asked, user_id| {
                        let expected_version = None;
                        let ask = UserUnlock {
                            user_id,
                            expected_version,
                        };
                        app.auth.unlock(asked, ask).await
                    })
                    .await
            }
            Self::TotpReset(named) => {
                let (asks, done) = ("hibachi user totp-reset", "has no second factor any more");
                named
                    .run(asks, done, async |app, _company, asked, user| {
                        app.auth.reset_factor(asked, user).await
                    })
                    .await
            }
        }
    }
}

fn password() -> Result<String> {
    let Ok(password) = std::env::var("HIBACHI_PASSWORD") else {
        bail!("set the password in the variable HIBACHI_PASSWORD")
    };
    Ok(password)
}

/// A password that somebody of a company is to have.
fn new_password(password: String, company: &Organisation, email: &str) -> NewPassword {
    NewPassword::of_company(password, &company.name, &company.slug).with_email(email)
}

impl Create {
    async fn run(self) -> Result<Verdict> {
        let Some(role) = Role::parse(&self.role) else {
            bail!("there is no role {}", self.role)
        };
        let password = password()?;
        with_app(&self.location, async |app| {
            let company = app.organisation(&self.org).await?;
            let tenant = company.tenant;
            let new = new_password(password, &company, &self.email);
            let password = app.auth.accept_password(new).await?;
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

impl Named {
    /// Does something about the person of the e-mail.
    async fn run<F>(self, asks: &str, done: &str, work: F) -> Result<Verdict>
    where
        F: AsyncFnOnce(&App, &Organisation, Asked, UserId) -> Result<Written, AccountError>,
    {
        expect_installation(&self.location)?;
        with_app(&self.location, async |app| {
            let company = app.organisation(&self.org).await?;
            let tenant = company.tenant;
            let Some((user, _)) = app.commands.user_by_email(tenant, &self.email).await? else {
                bail!("nobody signs in to {} as {}", self.org, self.email)
            };
            // Each run is a command of its own.
            let key = IdempotencyKey::of_reaction(asks, &app.commands.new_id().to_string());
            let caller = Caller::system(tenant, asks);
            work(&app, &company, Asked { caller, key }, user).await?;
            note(format_args!("{} {done}", self.email));
            Ok(Verdict::Well)
        })
        .await
    }
}
