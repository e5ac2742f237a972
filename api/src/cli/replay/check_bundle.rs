//! `hibachi replay check-bundle`: needs no database, and no installation.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;
use replays::Trust;
use replays::bundle::{Checked, Damage, ModelState, Sound, check_bundle};
use serde_json::{Value, json};

use super::bundle::rate;
use super::{read_head, verify};
use crate::cli::projections::Bar;
use crate::cli::{Verdict, say};

/// Verify a bundle without any database: its files, hashes, chain and signatures, and the read models folded from it.
#[derive(Debug, Args)]
pub(in crate::cli) struct CheckBundle {
    /// The bundle.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    trusted: Trusted,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// What a bundle is held to besides itself.
#[derive(Debug, Args)]
pub(super) struct Trusted {
    /// Trust signatures of this key: 64 hexadecimal digits, or a file that holds them; may be given several times. Without
    /// one, the signature shows only that whoever made the bundle had the key that is in it.
    #[arg(long, value_name = "FILE|HEX")]
    public_key: Vec<String>,
    /// Hold the bundle to a signed head that was kept elsewhere; may be given several times.
    #[arg(long, value_name = "HEADFILE")]
    against: Vec<PathBuf>,
}

impl Trusted {
    pub(super) fn trust(&self) -> Result<Trust> {
        let keys = self.public_key.iter().map(|key| verify::public_key(key));
        let heads = self.against.iter().map(|file| read_head(file));
        Ok(Trust {
            keys: keys.collect::<Result<_>>()?,
            heads: heads.collect::<Result<_>>()?,
        })
    }
}

impl CheckBundle {
    pub(in crate::cli) async fn run(self) -> Result<Verdict> {
        if !self.directory.is_dir() {
            bail!("there is no bundle at {}", self.directory.display());
        }
        let trust = self.trusted.trust()?;
        let started = Instant::now();
        let bar = Bar::new("check-bundle");
        let Checked { damages, sound } = check_bundle(&self.directory, &trust, &bar).await;
        bar.0.finish_and_clear();
        match sound {
            Some(sound) => {
                let speed = rate(sound.manifest.events, started.elapsed());
                if self.json {
                    say(in_json(&sound, speed));
                } else {
                    tell(&sound, speed);
                }
                Ok(Verdict::Well)
            }
            None => {
                if self.json {
                    let damages: Vec<Value> = damages.iter().map(damage_json).collect();
                    say(json!({ "ok": false, "damages": damages }));
                } else {
                    tell_damages(&damages);
                }
                Ok(Verdict::FoundWrong)
            }
        }
    }
}

pub(super) fn tell_damages(damages: &[Damage]) {
    for damage in damages {
        say(damage);
    }
}

fn damage_json(damage: &Damage) -> Value {
    json!({
        "file": damage.file, "line": damage.line, "position": damage.position.map(|position| position.0),
        "damage": damage.what.name(), "finding": damage.to_string(),
    })
}

fn tell(sound: &Sound, speed: u128) {
    let manifest = &sound.manifest;
    let organisation = manifest.organisation();
    say(format_args!(
        "{} ({}): {} events in {} blocks are as they were written; head {}",
        organisation.slug,
        organisation.tenant,
        manifest.events,
        manifest.blocks,
        hex::encode(manifest.head().block_hash)
    ));
    say(format_args!(
        "{} results of commands name their events; {} claims are held; {speed} events/s",
        manifest.commands,
        sound.claims()
    ));
    for model in &sound.models {
        match &model.state {
            ModelState::Same { rows, checksum } => {
                say(format_args!(
                    "{:<16} {rows:>9} rows {}",
                    model.name,
                    hex::encode(checksum)
                ));
            }
            ModelState::OtherFold { bundle, ours } => say(format_args!(
                "{:<16} not compared: the bundle was made by version {bundle} of its fold, this program has {ours}",
                model.name
            )),
            ModelState::Unknown => say(format_args!(
                "{:<16} not compared: this program has no such read model",
                model.name
            )),
            ModelState::New => say(format_args!(
                "{:<16} not compared: the bundle was made without it",
                model.name
            )),
        }
    }
    let key = sound.key.fingerprint();
    say(format_args!(
        "held to {} signed heads; {} kept heads of other keys left aside",
        sound.signed_heads, sound.heads_of_other_keys
    ));
    if sound.is_trusted {
        say(format_args!("signed by the trusted key {key}"));
    } else {
        say(format_args!(
            "signed by the key {key}, which came with the bundle: that shows only that whoever made the bundle had that \
             key; give the key that you know by --public-key"
        ));
    }
}

fn in_json(sound: &Sound, speed: u128) -> Value {
    let manifest = &sound.manifest;
    let organisation = manifest.organisation();
    let models: Vec<Value> = sound
        .models
        .iter()
        .map(|model| match &model.state {
            ModelState::Same { rows, checksum } => {
                json!({ "name": model.name, "compared": true, "rows": rows, "checksum": hex::encode(checksum) })
            }
            ModelState::OtherFold { .. } | ModelState::Unknown | ModelState::New => {
                json!({ "name": model.name, "compared": false })
            }
        })
        .collect();
    json!({
        "ok": true, "organisation": organisation.slug, "tenant": organisation.tenant, "events": manifest.events,
        "blocks": manifest.blocks, "commands": manifest.commands, "claims": sound.claims(),
        "head": hex::encode(manifest.head().block_hash), "signed_heads": sound.signed_heads,
        "heads_of_other_keys": sound.heads_of_other_keys, "key": sound.key.fingerprint().to_string(),
        "key_is_trusted": sound.is_trusted, "read_models": models,
        "events_per_s": u64::try_from(speed).unwrap_or(u64::MAX),
    })
}
