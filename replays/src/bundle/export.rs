//! Writing a bundle: verified on the way, and whole or not there.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use chrono::{DateTime, Utc};
use domain::envelope::{Position, StoredEvent};
use event_log::proof::{HeadSigner, SignedHead, SpanDigests, SpanHasher, Statement};
use event_log::{Block, EventLog, Head, LogError, Organisation, Vault};
use projections::ProjectionError;
use sha2::{Digest, Sha256};

use super::files::{LinesWriter, write_text};
use super::folds::Folds;
use super::lines::{self, BlockLine, CommandLine, EventLine, KeyLine};
use super::manifest::{Contents, FileEntry, Manifest};
use super::place::{Place, PlaceError};
use super::{
    BLOCKS, COMMANDS, FORMAT, FORMAT_FILE, KEYS, MANIFEST, PUBLIC_KEY, SIGNATURE, SIGNED_HEAD, SIGNED_HEADS,
    events_file,
};
use crate::diagnose::diagnose;
use crate::lie::Finding;
use crate::verify::{Heads, LogSource, Progress, Source, Trust, VerifyError, verify_references, walk_to};

/// Pages that wait to be compressed.
const WAITING: usize = 2;
/// Keys of persons that one question brings.
const KEYS_PAGE: u32 = 1000;

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The place is not free.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// There is nothing to write.
    #[error("the log is empty")]
    Empty,
    /// The log is not as it was written, or cannot be read.
    #[error(transparent)]
    Unverified(#[from] VerifyError),
    /// A read model cannot be folded.
    #[error(transparent)]
    Fold(#[from] ProjectionError),
    /// A file cannot be written.
    #[error("cannot write {file}: {error}")]
    Io {
        /// Its name.
        file: String,
        /// Why.
        error: io::Error,
    },
}

impl From<Finding> for ExportError {
    fn from(finding: Finding) -> Self {
        Self::Unverified(finding.into())
    }
}

impl From<LogError> for ExportError {
    fn from(error: LogError) -> Self {
        Self::Unverified(error.into())
    }
}

fn io(file: &str) -> impl Fn(io::Error) -> ExportError {
    let file = file.to_owned();
    move |error| ExportError::Io {
        file: file.clone(),
        error,
    }
}

/// A bundle that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Where.
    pub directory: PathBuf,
    /// What it holds.
    pub manifest: Manifest,
}

/// What a bundle is written of.
#[derive(Debug, Clone, Copy)]
pub struct Exporter<'a> {
    /// The log.
    pub log: &'a EventLog,
    /// The company.
    pub organisation: &'a Organisation,
    /// Who signs.
    pub signer: &'a HeadSigner,
    /// The program, with its version.
    pub program: &'a str,
    /// Whose keys come along, wrapped as they are; none where they stay.
    pub keys: Option<&'a Vault>,
    /// When a head is signed that was not kept before.
    pub now: DateTime<Utc>,
}

impl Exporter<'_> {
    /// Writes the log, up to its head as of now, to a directory that is not there or empty.
    ///
    /// # Errors
    /// [`ExportError`]: nothing is there then.
    pub async fn write(&self, directory: &Path, progress: &dyn Progress) -> Result<Exported, ExportError> {
        let place = Place::take(directory)?;
        let tenant = self.organisation.tenant;
        let trust = Trust {
            keys: vec![self.signer.public_key()],
            heads: Vec::new(),
        };
        let heads = Heads::gather(self.log, tenant, &trust).await?;
        let head = self.log.head(tenant).await?;
        if head.position == Position::START {
            return Err(ExportError::Empty);
        }
        verify_references(self.log, tenant, head.position).await?;
        let written = self.write_log(&place, &head, &heads.signed, progress).await;
        let log = match written {
            Err(ExportError::Unverified(VerifyError::Lie(finding))) => {
                let found = diagnose(self.log, tenant, finding, &heads.signed).await?;
                return Err(found.into());
            }
            other => other?,
        };
        let signed = self.signed_head(&head, heads.signed.last(), log.digests).await?;
        let manifest = self.write_rest(&place, &head, &signed, log).await?;
        place.put()?;
        Ok(Exported {
            directory: directory.to_owned(),
            manifest,
        })
    }

    /// Writes events, blocks and results in one walk.
    async fn write_log(
        &self,
        place: &Place,
        head: &Head,
        signed: &[SignedHead],
        progress: &dyn Progress,
    ) -> Result<WrittenLog, ExportError> {
        let directory = place.directory();
        let tenant = self.organisation.tenant;
        let (events, pages) = sync_channel(WAITING);
        let parts = directory.to_owned();
        let parts = thread::spawn(move || write_parts(&parts, &pages));
        let mut walk = Writing {
            log: self.log,
            organisation: self.organisation,
            source: LogSource::new(self.log, tenant, head.position),
            events,
            folds: Folds::start(),
            since: signed
                .last()
                .map_or(Position::START, |head| head.statement.position),
            digests: SpanDigests::over(),
            blocks: LinesWriter::create(directory, BLOCKS).map_err(io(BLOCKS))?,
            commands: LinesWriter::create(directory, COMMANDS).map_err(io(COMMANDS))?,
        };
        let walked = walk_to(&mut walk, head, signed, progress).await;
        let Writing {
            events,
            folds,
            digests,
            blocks,
            mut commands,
            ..
        } = walk;
        drop(events);
        let parts = joined(parts);
        walked?;
        for command in self.log.kept_commands_after(tenant, head.position).await? {
            commands
                .write(&CommandLine::from(&command))
                .map_err(io(COMMANDS))?;
        }
        Ok(WrittenLog {
            parts: parts?,
            blocks: blocks.finish().map_err(io(BLOCKS))?,
            commands: commands.finish().map_err(io(COMMANDS))?,
            digests: digests.digests(),
            read_models: folds.finish()?,
        })
    }

    /// The head as it was signed and kept before; signed and kept now, where it was not. So that the same head comes
    /// into each bundle.
    async fn signed_head(
        &self,
        head: &Head,
        last: Option<&SignedHead>,
        digests: SpanDigests,
    ) -> Result<SignedHead, ExportError> {
        if let Some(kept) = last.filter(|kept| kept.statement.position == head.position) {
            return Ok(kept.clone());
        }
        let signed = self.signer.sign(Statement {
            organisation: self.organisation.slug.clone(),
            tenant: self.organisation.tenant,
            position: head.position,
            block: head.block,
            block_hash: head.block_hash,
            recorded_at: head.recorded_at,
            signed_at: self.now,
            since: last.map_or(Position::START, |last| last.statement.position),
            digests,
        });
        self.log.keep_signed_head(&signed).await?;
        Ok(signed)
    }

    async fn write_rest(
        &self,
        place: &Place,
        head: &Head,
        signed: &SignedHead,
        log: WrittenLog,
    ) -> Result<Manifest, ExportError> {
        let directory = place.directory();
        let text = |name: &str, text: &str| write_text(directory, name, text).map_err(io(name));
        let mut files = vec![
            text(FORMAT_FILE, FORMAT)?,
            text(PUBLIC_KEY, &format!("{}\n", signed.public_key))?,
            text(SIGNED_HEAD, &signed.to_json())?,
        ];
        let mut heads = LinesWriter::create(directory, SIGNED_HEADS).map_err(io(SIGNED_HEADS))?;
        for kept in self.log.signed_heads(self.organisation.tenant).await? {
            if kept.statement.position <= head.position {
                heads
                    .write_line(&mut kept.to_line().into_bytes())
                    .map_err(io(SIGNED_HEADS))?;
            }
        }
        let signed_heads = heads.lines();
        files.push(heads.finish().map_err(io(SIGNED_HEADS))?);
        files.extend(log.parts);
        let commands = log.commands.lines.unwrap_or_default();
        files.extend([log.blocks, log.commands]);
        let mut keys = None;
        if let Some(vault) = self.keys {
            let written = self.write_keys(directory, vault).await?;
            keys = written.lines;
            files.push(written);
        }
        let contents = Contents {
            program: self.program,
            organisation: self.organisation,
            head,
            commands,
            signed_heads,
            keys,
            read_models: log.read_models,
        };
        let manifest = Manifest::new(contents, files);
        let manifest_text = manifest.to_text();
        text(MANIFEST, &manifest_text)?;
        let signature = self.signer.sign_manifest(&Sha256::digest(&manifest_text).into());
        text(SIGNATURE, &format!("{}\n", hex::encode(signature)))?;
        Ok(manifest)
    }

    async fn write_keys(&self, directory: &Path, vault: &Vault) -> Result<FileEntry, ExportError> {
        let tenant = self.organisation.tenant;
        let mut keys = LinesWriter::create(directory, KEYS).map_err(io(KEYS))?;
        if let Some(own) = vault.wrapped_tenant_keys(tenant).await? {
            keys.write(&KeyLine::from(&own)).map_err(io(KEYS))?;
        }
        let mut after = None;
        loop {
            let page = vault.wrapped_subject_keys(tenant, after, KEYS_PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.subject);
            for key in &page {
                keys.write(&KeyLine::from(key)).map_err(io(KEYS))?;
            }
        }
        keys.finish().map_err(io(KEYS))
    }
}

/// What the walk has written and found out.
struct WrittenLog {
    parts: Vec<FileEntry>,
    blocks: FileEntry,
    commands: FileEntry,
    digests: SpanDigests,
    read_models: Vec<super::ReadModel>,
}

struct Writing<'a> {
    log: &'a EventLog,
    organisation: &'a Organisation,
    source: LogSource<'a>,
    events: SyncSender<Arc<Vec<StoredEvent>>>,
    folds: Folds,
    /// The digests cover the events after this position.
    since: Position,
    digests: SpanHasher,
    blocks: LinesWriter,
    commands: LinesWriter,
}

impl Source for Writing<'_> {
    type Error = ExportError;

    async fn page(&mut self, expected: Position) -> Result<Vec<StoredEvent>, ExportError> {
        Ok(self.source.page(expected).await?)
    }

    async fn block(&mut self) -> Result<Option<Block>, ExportError> {
        let block = self.source.block().await?;
        if let Some(block) = &block {
            self.blocks.write(&BlockLine::from(block)).map_err(io(BLOCKS))?;
        }
        Ok(block)
    }

    async fn is_mistaken(&mut self, finding: &Finding) -> Result<bool, ExportError> {
        Ok(self.source.is_mistaken(finding).await?)
    }

    async fn passed(&mut self, events: Vec<StoredEvent>) -> Result<(), ExportError> {
        let commands = self.log.kept_commands(self.organisation.tenant, &events).await?;
        for command in &commands {
            self.commands
                .write(&CommandLine::from(command))
                .map_err(io(COMMANDS))?;
        }
        for event in &events {
            if event.position > self.since {
                self.digests.push(event);
            }
        }
        let events = Arc::new(events);
        self.folds.apply(&events);
        // A thread that has ended tells why in the end.
        self.events.send(events).ok();
        Ok(())
    }
}

type Parts = Result<Vec<FileEntry>, ExportError>;

fn write_parts(directory: &Path, pages: &Receiver<Arc<Vec<StoredEvent>>>) -> Parts {
    let mut parts = Vec::new();
    let mut name = events_file(1);
    let mut part = LinesWriter::create(directory, &name).map_err(io(&name))?;
    while let Ok(events) = pages.recv() {
        for event in events.iter() {
            let mut line = lines::written(&EventLine::from(event));
            if part.is_full_before(&line) {
                parts.push(part.finish().map_err(io(&name))?);
                name = events_file(parts.len() + 1);
                part = LinesWriter::create(directory, &name).map_err(io(&name))?;
            }
            part.write_line(&mut line).map_err(io(&name))?;
        }
    }
    parts.push(part.finish().map_err(io(&name))?);
    Ok(parts)
}

fn joined(thread: JoinHandle<Parts>) -> Parts {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
