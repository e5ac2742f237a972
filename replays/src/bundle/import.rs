//! Importing a bundle: written as it is, and not there for anybody until it is whole.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::envelope::{Position, StoredEvent};
use domain::ids::SubjectId;
use event_log::proof::SignedHead;
use event_log::{
    Begun, Block, EventLog, HeldClaim, Import, KeptCommand, LogError, Organisation, Vault, WrappedSubjectKey,
    WrappedTenantKeys, never_readable,
};

use super::check::Sound;
use super::damage::{Damage, What};
use super::files::LinesReader;
use super::lines::{KeyLine, WrappedKey};
use super::references::References;
use super::source::{BundleLog, entry, placed};
use super::{COMMANDS, KEYS, SIGNED_HEADS};
use crate::erasures::sealed_values;
use crate::lie::Finding;
use crate::verify::{Progress, Source, walk_to};

/// Claims or keys of one transaction.
const ROWS: usize = 2000;

/// What becomes of the personal data of an imported log.
#[derive(Debug, Clone, Copy)]
pub enum Keys<'a> {
    /// The keys come along, and these master keys open them.
    With(&'a Vault),
    /// They do not: everything personal stays sealed for ever.
    Without,
}

/// Why a bundle was not imported. What was written is not there for anybody; the same command takes it up.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The organisation is in the database already.
    #[error("the organisation {tenant} is in this database already: nothing of it is changed")]
    Exists {
        /// Whose log it is.
        tenant: String,
    },
    /// The import of another bundle was begun.
    #[error(
        "the import of another bundle of this organisation was begun and not finished: import that one again"
    )]
    OtherBundle,
    /// Another organisation has the slug.
    #[error("another organisation has the slug {0}: choose one by --as-slug")]
    SlugTaken(String),
    /// The bundle has no keys.
    #[error(
        "the bundle holds no keys: with --without-keys everything personal in it stays sealed for ever; \
         `bundle --with-keys` writes one with them"
    )]
    NoKeys,
    /// The keys do not open.
    #[error("the keys of the bundle do not open here: {0}")]
    Keys(LogError),
    /// The bundle is not as it was when it was checked.
    #[error("the bundle has changed since it was checked: {0}")]
    Damaged(Box<Damage>),
    /// The database cannot be written.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl From<Damage> for ImportError {
    fn from(damage: Damage) -> Self {
        Self::Damaged(Box::new(damage))
    }
}

impl From<Finding> for ImportError {
    fn from(finding: Finding) -> Self {
        Damage::from(finding).into()
    }
}

/// A log that was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Under what it is found.
    pub organisation: Organisation,
    /// The last event.
    pub position: Position,
    /// The event that an earlier import had come to; the start where there was none.
    pub taken_up_at: Position,
    /// Persons whose data nobody can read here, their keys not having come along.
    pub sealed_for_ever: usize,
}

/// Writes a bundle that was checked into a database where its organisation is not; `slug` is what it is found under.
///
/// # Errors
/// [`ImportError`]; what was written is not there for anybody.
pub async fn import_bundle(
    log: &EventLog,
    bundle: &Sound,
    slug: Option<&str>,
    keys: Keys<'_>,
    now: DateTime<Utc>,
    progress: &dyn Progress,
) -> Result<Imported, ImportError> {
    let mut organisation = bundle.manifest.organisation();
    if let Some(slug) = slug {
        slug.clone_into(&mut organisation.slug);
    }
    let tenant_keys = match keys {
        Keys::With(vault) => check_keys(bundle, vault)?,
        Keys::Without => None,
    };
    let begun = log
        .database()
        .begin_import(&organisation, &bundle.manifest_hash)
        .await?;
    let import = match begun {
        Begun::Import(import) => import,
        Begun::Exists => {
            let tenant = organisation.tenant.to_string();
            return Err(ImportError::Exists { tenant });
        }
        Begun::OtherBundle => return Err(ImportError::OtherBundle),
        Begun::SlugTaken => return Err(ImportError::SlugTaken(organisation.slug)),
    };
    let taken_up_at = import.written().events;
    let (mut import, subjects) = write_log(bundle, import, progress).await?;
    write_claims(&mut import, &bundle.claims).await?;
    write_heads(log, bundle).await?;
    let sealed_for_ever = match keys {
        Keys::With(_) => {
            write_keys(&mut import, bundle).await?;
            0
        }
        Keys::Without => {
            let marks = subjects.iter().map(|subject| never_readable(*subject, now));
            let mut marks = skipped(marks, import.written().subject_keys);
            write_subjects(&mut import, || Ok(marks.next())).await?;
            subjects.len()
        }
    };
    if !import
        .finish(&bundle.manifest.head(), tenant_keys.as_ref())
        .await?
    {
        return Err(ImportError::SlugTaken(organisation.slug));
    }
    Ok(Imported {
        organisation,
        position: bundle.manifest.head().position,
        taken_up_at,
        sealed_for_ever,
    })
}

/// That every key opens under the master keys at hand; gives the company's own.
fn check_keys(bundle: &Sound, vault: &Vault) -> Result<Option<WrappedTenantKeys>, ImportError> {
    if bundle.manifest.keys.is_none() {
        return Err(ImportError::NoKeys);
    }
    let tenant = bundle.manifest.organisation().tenant;
    let mut own = None;
    let mut lines = LinesReader::open(&bundle.directory, entry(&bundle.manifest, KEYS)?)?;
    while let Some(line) = lines.next::<KeyLine>()? {
        match WrappedKey::from(line) {
            WrappedKey::Tenant(keys) => {
                vault
                    .can_unwrap_tenant(tenant, &keys)
                    .map_err(ImportError::Keys)?;
                own = Some(keys);
            }
            WrappedKey::Subject(key) => vault
                .can_unwrap_subject(tenant, &key)
                .map_err(ImportError::Keys)?,
        }
    }
    Ok(own)
}

/// Walks the bundle once more, and writes what was not written before.
async fn write_log(
    bundle: &Sound,
    import: Import,
    progress: &dyn Progress,
) -> Result<(Import, BTreeSet<SubjectId>), ImportError> {
    let (directory, manifest) = (&bundle.directory, &bundle.manifest);
    let commands = LinesReader::open(directory, entry(manifest, COMMANDS)?)?;
    let mut writing = Writing {
        log: BundleLog::open(directory, manifest)?,
        references: References::new(commands)?,
        commands: 0,
        blocks: Vec::new(),
        subjects: BTreeSet::new(),
        import,
    };
    let head = manifest.head();
    let walked = walk_to(&mut writing, &head, &[], progress).await;
    walked.map_err(|error| {
        if let ImportError::Damaged(damage) = error {
            placed(manifest, *damage).into()
        } else {
            error
        }
    })?;
    writing.log.end()?;
    let left = writing.references.end(head.position)?;
    writing.write(&[], left).await?;
    Ok((writing.import, writing.subjects))
}

struct Writing {
    log: BundleLog,
    references: References,
    /// Results that were passed.
    commands: i64,
    /// Blocks that were opened and are not written.
    blocks: Vec<Block>,
    /// For whom values are sealed.
    subjects: BTreeSet<SubjectId>,
    import: Import,
}

impl Writing {
    /// Writes what is not there from an earlier import.
    async fn write(&mut self, events: &[StoredEvent], commands: Vec<KeptCommand>) -> Result<(), LogError> {
        let written = self.import.written();
        let new = events.partition_point(|event| event.position <= written.events);
        let blocks: Vec<Block> = std::mem::take(&mut self.blocks)
            .into_iter()
            .filter(|block| block.block > written.blocks)
            .collect();
        let before = usize::try_from(written.commands - self.commands).unwrap_or_default();
        self.commands += i64::try_from(commands.len()).expect("a slice in memory is counted in 64 bits");
        let commands = commands.get(before..).unwrap_or_default();
        self.import.write(&events[new..], &blocks, commands).await
    }
}

impl Source for Writing {
    type Error = ImportError;

    async fn page(&mut self, expected: Position) -> Result<Vec<StoredEvent>, ImportError> {
        Ok(self.log.page(expected)?)
    }

    async fn block(&mut self) -> Result<Option<Block>, ImportError> {
        let block = self.log.block()?;
        self.blocks.extend(block.clone());
        Ok(block)
    }

    async fn is_mistaken(&mut self, finding: &Finding) -> Result<bool, ImportError> {
        Ok(self.log.is_mistaken(finding)?)
    }

    async fn passed(&mut self, events: Vec<StoredEvent>) -> Result<(), ImportError> {
        let mut begun = Vec::new();
        for event in &events {
            self.references.pass(event, &mut begun)?;
            let sealed = sealed_values(event);
            self.subjects
                .extend(sealed.into_iter().map(|(_, sealed)| sealed.subject));
        }
        Ok(self.write(&events, begun).await?)
    }
}

/// What comes after so many.
fn skipped<T>(all: impl Iterator<Item = T>, written: i64) -> impl Iterator<Item = T> {
    all.skip(usize::try_from(written).unwrap_or(usize::MAX))
}

async fn write_claims(import: &mut Import, claims: &BTreeSet<HeldClaim>) -> Result<(), ImportError> {
    let left: Vec<HeldClaim> = skipped(claims.iter().cloned(), import.written().claims).collect();
    for piece in left.chunks(ROWS) {
        import.write_claims(piece).await?;
    }
    Ok(())
}

async fn write_heads(log: &EventLog, bundle: &Sound) -> Result<(), ImportError> {
    let heads = entry(&bundle.manifest, SIGNED_HEADS)?;
    let mut lines = LinesReader::open(&bundle.directory, heads)?;
    while let Some(line) = lines.next_text()? {
        let head = SignedHead::from_line(&line).map_err(|why| lines.damage(What::Signature(why)))?;
        // One that is kept already is of an import that was left.
        log.keep_signed_head(&head).await?;
    }
    Ok(())
}

async fn write_keys(import: &mut Import, bundle: &Sound) -> Result<(), ImportError> {
    let mut lines = LinesReader::open(&bundle.directory, entry(&bundle.manifest, KEYS)?)?;
    let mut left = import.written().subject_keys;
    let next = || {
        while let Some(line) = lines.next::<KeyLine>()? {
            if let WrappedKey::Subject(key) = WrappedKey::from(line) {
                if left == 0 {
                    return Ok(Some(key));
                }
                left -= 1;
            }
        }
        Ok(None)
    };
    write_subjects(import, next).await
}

async fn write_subjects(
    import: &mut Import,
    mut next: impl FnMut() -> Result<Option<WrappedSubjectKey>, Damage>,
) -> Result<(), ImportError> {
    let mut piece = Vec::with_capacity(ROWS);
    loop {
        let key = next()?;
        let is_last = key.is_none();
        piece.extend(key);
        if piece.len() == ROWS || (is_last && !piece.is_empty()) {
            import.write_subject_keys(&piece).await?;
            piece.clear();
        }
        if is_last {
            return Ok(());
        }
    }
}
