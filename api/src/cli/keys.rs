//! `hibachi keys`.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use event_log::{KeyId, MasterKey, MasterKeys};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{Verdict, expect_installation, note, say};
use crate::app::App;
use crate::installation::{Installation, Location, Retired};

/// The keys that seal personal data.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Go over to a new master key: every key is wrapped anew, while servers run. Can be broken off and begun again.
    Rotate(Rotate),
    /// Say which master key wraps how many keys; exit code 1 when one is missing.
    List(List),
    /// Go over to a new key for access tokens, while servers run. Nobody is signed out.
    RotateToken(RotateToken),
}

#[derive(Debug, Args)]
pub(super) struct Rotate {
    #[command(flatten)]
    location: Location,
    /// Keys that one transaction wraps anew.
    #[arg(long, value_name = "KEYS", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    batch: u32,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    location: Location,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RotateToken {
    #[command(flatten)]
    location: Location,
    /// Somebody else has the key: nothing that it signed is honoured any more. People go on with their refresh tokens.
    #[arg(long)]
    leaked: bool,
}

impl Keys {
    pub(super) async fn run(self) -> Result<Verdict> {
        let location = match &self {
            Self::Rotate(rotate) => &rotate.location,
            Self::List(list) => &list.location,
            Self::RotateToken(rotate) => &rotate.location,
        };
        expect_installation(location)?;
        let installation = Installation::open(location).await?;
        let app = App::connect(&installation).await?;
        let done = match &self {
            Self::Rotate(ask) => rotate(&app, &installation, ask.batch).await,
            Self::List(ask) => list(&app, &installation, ask.json).await,
            Self::RotateToken(ask) => rotate_token(&app, &installation, ask),
        };
        app.database.close().await;
        installation.close().await?;
        done
    }
}

async fn rotate(app: &App, installation: &Installation, batch: u32) -> Result<Verdict> {
    let rotation = installation.master_keys.rotate()?;
    let newest = newest(installation)?;
    let mut wrapped = rewrap(app, newest, batch).await?;
    rotation.promote()?;
    // A company that came in meanwhile may be under the key that was.
    app.vault.wait_for_new_tenants().await?;
    wrapped += rewrap(app, newest, batch).await?;
    let left = not_under(app, newest).await?;
    if left > 0 {
        bail!("{left} keys are not under {newest} yet: run this again");
    }
    let by_environment = rotation.by_environment();
    rotation.finish()?;
    say(format_args!(
        "{wrapped} keys wrapped anew; the master key is {newest}"
    ));
    if by_environment {
        note("no key needs HIBACHI_MASTER_KEY_PREVIOUS any more: take it away and restart the servers");
    } else {
        note("the key before is deleted; servers that ran meanwhile forget it when they are restarted");
    }
    Ok(Verdict::Well)
}

fn rotate_token(app: &App, installation: &Installation, ask: &RotateToken) -> Result<Verdict> {
    let retired = if ask.leaked {
        Retired::Void
    } else {
        Retired::Honoured
    };
    let name = installation.token_keys.rotate(retired, app.clock.now())?;
    say(format_args!("access tokens are signed with the key {name}"));
    note(match retired {
        Retired::Honoured => {
            "servers take it up within a minute; tokens of the key before stay good for as long as they would have been"
        }
        Retired::Void => {
            "servers take it up within a minute: restart them to have it at once; tokens of the key before are void"
        }
    });
    Ok(Verdict::Well)
}

fn newest(installation: &Installation) -> Result<KeyId> {
    match installation.master_keys.read() {
        Ok(ring) => Ok(ring.newest().id()),
        Err(reason) => bail!(reason),
    }
}

async fn rewrap(app: &App, newest: KeyId, batch: u32) -> Result<u64> {
    let style =
        ProgressStyle::with_template("{prefix:<16} {wide_bar} {human_pos}/{human_len} keys, {eta} left")?;
    let mut wrapped = 0;
    for company in app.database.organisations().await? {
        let total = app.vault.key_use(company.tenant).await?.not_under(newest);
        let bar = ProgressBar::new(total.unsigned_abs())
            .with_prefix(company.slug)
            .with_style(style.clone());
        let reached = |keys| bar.set_position(keys);
        wrapped += app.vault.rewrap(company.tenant, batch, &reached).await?;
        bar.finish_and_clear();
    }
    Ok(wrapped)
}

async fn not_under(app: &App, newest: KeyId) -> Result<i64> {
    let mut left = 0;
    for company in app.database.organisations().await? {
        left += app.vault.key_use(company.tenant).await?.not_under(newest);
    }
    Ok(left)
}

async fn list(app: &App, installation: &Installation, as_json: bool) -> Result<Verdict> {
    let ring = match installation.master_keys.read() {
        Ok(ring) => ring,
        Err(reason) => bail!(reason),
    };
    let at_hand: Vec<KeyId> = ring.keys().iter().map(MasterKey::id).collect();
    let mut wraps: BTreeMap<KeyId, i64> = at_hand.iter().map(|id| (*id, 0)).collect();
    let (mut unnamed, mut destroyed) = (0, 0);
    for company in app.database.organisations().await? {
        let used = app.vault.key_use(company.tenant).await?;
        destroyed += used.destroyed;
        if let Some(id) = used.tenant {
            // Its own two are wrapped as one.
            *wraps.entry(id).or_default() += 1;
        }
        for (id, keys) in used.subjects {
            match id {
                Some(id) => *wraps.entry(id).or_default() += keys,
                None => unnamed += keys,
            }
        }
    }
    let place = |id: KeyId| match at_hand.iter().position(|known| *known == id) {
        Some(0) => "newest",
        Some(_) => "earlier",
        None => "missing",
    };
    if as_json {
        let keys: Vec<_> = wraps
            .iter()
            .map(|(id, keys)| json!({ "id": id.to_string(), "place": place(*id), "wraps": keys }))
            .collect();
        say(json!({ "masterKeys": keys, "unnamed": unnamed, "destroyed": destroyed }));
    } else {
        for (id, keys) in &wraps {
            say(format_args!("{id}  {:<7}  wraps {keys} keys", place(*id)));
        }
        if unnamed > 0 {
            say(format_args!(
                "{unnamed} keys do not name theirs: a rotation gives them one"
            ));
        }
        say(format_args!("{destroyed} persons' keys are destroyed"));
    }
    let missing = wraps.keys().any(|id| place(*id) == "missing");
    Ok(if missing {
        Verdict::FoundWrong
    } else {
        Verdict::Well
    })
}
