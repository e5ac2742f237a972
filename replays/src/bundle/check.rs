//! Checking a bundle: without a database, and without belief in what it says of itself.

mod signatures;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::envelope::{Position, StoredEvent};
use event_log::proof::{Hash, PublicKey, SignedHead};
use event_log::{Block, HeldClaim};
use projections::registry;
use sha2::{Digest, Sha256};

use super::claims::held_twice;
use super::damage::{Damage, What};
use super::files::{LinesReader, check_bytes, read_text};
use super::folds::Folds;
use super::lines::{KeyLine, WrappedKey};
use super::manifest::{Manifest, ReadModel};
use super::references::References;
use super::source::{BundleLog, entry, placed};
use super::{COMMANDS, KEYS, MANIFEST, SIGNATURE};
use crate::claims::Claims;
use crate::lie::{Finding, Lie};
use crate::verify::{Progress, Source, Trust, walk_to};
use signatures::{Held, check_signatures, read_signed_head};

/// What came of checking a bundle.
#[derive(Debug)]
pub struct Checked {
    /// What is wrong with it: its files, and the first lie of its log. None for a bundle that is as it was written.
    pub damages: Vec<Damage>,
    /// The bundle, where nothing is wrong with it.
    pub sound: Option<Sound>,
}

/// A bundle that is as it was written.
#[derive(Debug, Clone)]
pub struct Sound {
    pub(super) directory: PathBuf,
    /// What it holds.
    pub manifest: Manifest,
    /// SHA-256 of its manifest.
    pub manifest_hash: Hash,
    /// The key that signed it.
    pub key: PublicKey,
    /// Whether that key is one that was said to be trusted. Otherwise the signature shows only that whoever made the
    /// bundle had it.
    pub is_trusted: bool,
    /// Signed heads that the chain was found to lead to.
    pub signed_heads: usize,
    /// Kept heads of other keys, which were left aside.
    pub heads_of_other_keys: usize,
    /// What its events hold.
    pub(super) claims: BTreeSet<HeldClaim>,
    /// The read models, folded from it.
    pub models: Vec<ModelCheck>,
}

impl Sound {
    /// How many claims its events hold.
    pub fn claims(&self) -> usize {
        self.claims.len()
    }
}

/// A read model of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelCheck {
    /// Its name.
    pub name: String,
    /// How it compares.
    pub state: ModelState,
}

/// How a read model, folded again, compares with the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelState {
    /// The same rows.
    Same {
        /// How many.
        rows: u64,
        /// SHA-256 over them.
        checksum: Hash,
    },
    /// The manifest was made by another version of the fold, whose rows may be others.
    OtherFold {
        /// The version of the manifest.
        bundle: i32,
        /// This program's.
        ours: i32,
    },
    /// This program has no such read model.
    Unknown,
    /// The program that wrote the bundle had none.
    New,
}

/// Checks a bundle. Without trusted keys its own is used, which proves nothing of who made it.
pub async fn check_bundle(directory: &Path, trust: &Trust, progress: &dyn Progress) -> Checked {
    let mut damages = Vec::new();
    let checked = check(directory, trust, progress, &mut damages).await;
    let sound = match checked {
        Ok(sound) if damages.is_empty() => Some(sound),
        Ok(_) => None,
        Err(damage) => {
            damages.push(damage);
            None
        }
    };
    Checked { damages, sound }
}

/// Goes as far as it can: what does not hinder the walk is noted.
async fn check(
    directory: &Path,
    trust: &Trust,
    progress: &dyn Progress,
    damages: &mut Vec<Damage>,
) -> Result<Sound, Damage> {
    let text = read_text(directory, MANIFEST)?;
    let manifest_hash: Hash = Sha256::digest(&text).into();
    let manifest = Manifest::from_text(&text).map_err(|why| Damage::of(MANIFEST, What::Malformed(why)))?;
    for file in &manifest.files {
        damages.extend(check_bytes(directory, file).err());
    }
    damages.extend(unlisted(directory, &manifest));
    let signed = match read_signed_head(directory) {
        Ok(signed) => signed,
        Err(damage) => {
            // The log may say more of what was done to it.
            damages.push(damage);
            let held = Held::default();
            examine(directory, &manifest, &held.heads, progress).await?;
            return Err(damages.pop().expect("one was just pushed"));
        }
    };
    let keys = match trust.keys.as_slice() {
        [] => vec![signed.public_key],
        trusted => trusted.to_vec(),
    };
    damages.extend(check_signatures(
        directory,
        &manifest,
        &manifest_hash,
        &signed,
        &keys,
    ));
    let held = match Held::gather(directory, &manifest, trust, &keys, &signed) {
        Ok(held) => held,
        Err(damage) => {
            damages.push(damage);
            Held::default()
        }
    };
    damages.extend(check_keys(directory, &manifest).err());
    let examined = examine(directory, &manifest, &held.heads, progress).await?;
    let models = compare(&manifest.read_models, &examined.models, damages);
    Ok(Sound {
        directory: directory.to_owned(),
        manifest,
        manifest_hash,
        key: signed.public_key,
        is_trusted: !trust.keys.is_empty(),
        signed_heads: held.heads.len(),
        heads_of_other_keys: held.of_other_keys,
        claims: examined.claims,
        models,
    })
}

/// What lies in the directory and does not belong there.
fn unlisted(directory: &Path, manifest: &Manifest) -> Vec<Damage> {
    let unreadable = |error: std::io::Error| Damage::of(".", What::Unreadable(error.to_string()));
    let found = match fs::read_dir(directory) {
        Ok(found) => found,
        Err(error) => return vec![unreadable(error)],
    };
    let mut damages = Vec::new();
    for file in found {
        let name = match file {
            Ok(file) => file.file_name(),
            Err(error) => {
                damages.push(unreadable(error));
                continue;
            }
        };
        let name = name.to_string_lossy();
        if name != MANIFEST && name != SIGNATURE && manifest.file(&name).is_none() {
            damages.push(Damage::of(&name, What::Unlisted));
        }
    }
    damages.sort_by(|a, b| a.file.cmp(&b.file));
    damages
}

/// That the keys' file is one: the company's own first, then persons by their ids.
fn check_keys(directory: &Path, manifest: &Manifest) -> Result<(), Damage> {
    if manifest.keys.is_none() {
        return Ok(());
    }
    let mut lines = LinesReader::open(directory, entry(manifest, KEYS)?)?;
    let mut before = None;
    while let Some(line) = lines.next::<KeyLine>()? {
        let follows = match WrappedKey::from(line) {
            WrappedKey::Tenant(_) => lines.line() == 1,
            WrappedKey::Subject(key) => before
                .replace(key.subject)
                .is_none_or(|before| before < key.subject),
        };
        if !follows {
            let why = "the keys are not in their order".to_owned();
            return Err(lines.damage(What::Malformed(why)));
        }
    }
    Ok(())
}

/// What the walk has found out.
struct Examined {
    claims: BTreeSet<HeldClaim>,
    models: Vec<ReadModel>,
}

/// Walks the events, the blocks and the results beside each other, and folds.
async fn examine(
    directory: &Path,
    manifest: &Manifest,
    heads: &[SignedHead],
    progress: &dyn Progress,
) -> Result<Examined, Damage> {
    let commands = LinesReader::open(directory, entry(manifest, COMMANDS)?)?;
    let mut walk = Examination {
        log: BundleLog::open(directory, manifest)?,
        references: References::new(commands)?,
        claims: Claims::default(),
        folds: Folds::start(),
    };
    let head = manifest.head();
    let walked = walk_to(&mut walk, &head, heads, progress).await;
    walked.map_err(|damage| placed(manifest, damage))?;
    walk.log.end()?;
    walk.references.end(head.position)?;
    let claims = walk.claims.held();
    if let Some(claims) = held_twice(&claims) {
        let why = format!("the events hold one thing twice: {claims}");
        return Err(Damage::of(MANIFEST, What::Contradiction(why)).with(head.position));
    }
    let models = walk.folds.finish();
    let models = models.map_err(|error| Damage::of(MANIFEST, What::Contradiction(error.to_string())))?;
    Ok(Examined { claims, models })
}

struct Examination {
    log: BundleLog,
    references: References,
    claims: Claims,
    folds: Folds,
}

impl Source for Examination {
    type Error = Damage;

    async fn page(&mut self, expected: Position) -> Result<Vec<StoredEvent>, Damage> {
        self.log.page(expected)
    }

    async fn block(&mut self) -> Result<Option<Block>, Damage> {
        self.log.block()
    }

    async fn is_mistaken(&mut self, finding: &Finding) -> Result<bool, Damage> {
        self.log.is_mistaken(finding)
    }

    async fn passed(&mut self, events: Vec<StoredEvent>) -> Result<(), Damage> {
        let mut begun = Vec::new();
        for event in &events {
            self.references.pass(event, &mut begun)?;
            begun.clear();
            self.claims.push(event).map_err(|why| Finding {
                position: event.position,
                what: Lie::UnreadableEvent { why },
            })?;
        }
        self.folds.apply(&Arc::new(events));
        Ok(())
    }
}

/// Holds the read models to the manifest, as far as they were made by the same folds.
fn compare(bundle: &[ReadModel], folded: &[ReadModel], damages: &mut Vec<Damage>) -> Vec<ModelCheck> {
    let mut models = Vec::new();
    for expected in bundle {
        let found = folded.iter().find(|model| model.name == expected.name);
        let state = match found {
            None => ModelState::Unknown,
            Some(found) if found.fold_version != expected.fold_version => ModelState::OtherFold {
                bundle: expected.fold_version,
                ours: found.fold_version,
            },
            Some(found) => {
                if found != expected {
                    let said =
                        |model: &ReadModel| format!("{} rows, {}", model.rows, hex::encode(model.checksum()));
                    let what = What::OtherRows {
                        model: expected.name.clone(),
                        expected: said(expected),
                        found: said(found),
                    };
                    damages.push(Damage::of(MANIFEST, what));
                }
                ModelState::Same {
                    rows: found.rows,
                    checksum: found.checksum(),
                }
            }
        };
        models.push(ModelCheck {
            name: expected.name.clone(),
            state,
        });
    }
    let is_new = |name: &str| bundle.iter().all(|model| model.name != name);
    let new = registry().iter().map(|projection| projection.name());
    models.extend(new.filter(|name| is_new(name)).map(|name| ModelCheck {
        name: name.to_owned(),
        state: ModelState::New,
    }));
    models
}
