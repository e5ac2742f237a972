//! A bundle's events and blocks, as a walk takes them.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use domain::envelope::{Position, StoredEvent};
use domain::ids::TenantId;
use event_log::Block;

use super::BLOCKS;
use super::damage::{Damage, What};
use super::files::LinesReader;
use super::lines::{BlockLine, EventLine};
use super::manifest::{FileEntry, Manifest};
use crate::lie::{Finding, Lie};

/// Events of a page at most.
const PAGE_EVENTS: usize = 2048;
/// Bytes of payloads and metadata at which a page ends.
const PAGE_BYTES: usize = 2 << 20;

type Page = Result<Vec<StoredEvent>, Damage>;

/// The events and blocks of a bundle. One page is read ahead, in a thread of its own.
pub(super) struct BundleLog {
    directory: PathBuf,
    manifest: Manifest,
    pages: Receiver<Page>,
    blocks: LinesReader,
    closed: i64,
}

impl BundleLog {
    pub(super) fn open(directory: &Path, manifest: &Manifest) -> Result<Self, Damage> {
        let blocks = entry(manifest, BLOCKS)?;
        Ok(Self {
            directory: directory.to_owned(),
            manifest: manifest.clone(),
            pages: read_ahead(directory, manifest),
            blocks: LinesReader::open(directory, blocks)?,
            closed: 0,
        })
    }

    /// The next events; whatever comes is of the positions that it has to be of.
    pub(super) fn page(&mut self, expected: Position) -> Result<Vec<StoredEvent>, Damage> {
        // The thread ends after the last event only, whose number is the head's.
        self.pages.recv().unwrap_or_else(|_| {
            let missing = What::Lie(Lie::MissingEvent);
            Err(Damage::of("", missing).with(expected))
        })
    }

    pub(super) fn block(&mut self) -> Result<Option<Block>, Damage> {
        let Some(line) = self.blocks.next::<BlockLine>()? else {
            return Ok(None);
        };
        let block = Block::from(line);
        self.closed += 1;
        if block.block != self.closed {
            return Err(self.blocks.damage(What::OutOfOrder {
                expected: self.closed,
                found: block.block,
            }));
        }
        Ok(Some(block))
    }

    /// That nothing comes after the last event and the last block.
    pub(super) fn end(&mut self) -> Result<(), Damage> {
        if let Ok(Err(damage)) = self.pages.recv() {
            return Err(damage);
        }
        self.block().map(drop)
    }

    /// Two streams of one hash look like a stream out of order: all events before it are read again, by name.
    pub(super) fn is_mistaken(&self, finding: &Finding) -> Result<bool, Damage> {
        if !matches!(finding.what, Lie::OutOfSequence { .. }) {
            return Ok(false);
        }
        let mut last = None;
        let mut of: Option<StoredEvent> = None;
        let named = self.event(finding.position)?;
        for page in read_ahead(&self.directory, &self.manifest) {
            for event in page? {
                if event.position == finding.position {
                    of = Some(event);
                    break;
                }
                if named.as_ref().is_some_and(|named| named.stream == event.stream) {
                    last = Some(event.sequence);
                }
            }
            if of.is_some() {
                break;
            }
        }
        Ok(of.is_some_and(|event| last.unwrap_or_default().next() == event.sequence))
    }

    fn event(&self, position: Position) -> Result<Option<StoredEvent>, Damage> {
        for page in read_ahead(&self.directory, &self.manifest) {
            if let Some(found) = page?.into_iter().find(|event| event.position == position) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// Where a lie is that is not in an event: its file, and the line where there is one.
fn beside_the_events(lie: &Lie) -> Option<(&'static str, Option<u64>)> {
    match lie {
        Lie::ChangedBlock { block, .. } | Lie::MissingBlock { block } | Lie::BrokenChain { block } => {
            Some((BLOCKS, u64::try_from(*block).ok()))
        }
        Lie::WrongHead => Some((super::MANIFEST, None)),
        Lie::CutTail { .. } | Lie::RewrittenChain { .. } => Some((super::SIGNED_HEADS, None)),
        Lie::ChangedContent { .. }
        | Lie::MissingEvent
        | Lie::InsertedEvent
        | Lie::SwappedEvents { .. }
        | Lie::MovedEvent { .. }
        | Lie::OutOfSequence { .. }
        | Lie::TimeGoesBack
        | Lie::RepeatedId
        | Lie::MisattributedCommand
        | Lie::UnreadableEvent { .. }
        | Lie::MissingClaim { .. }
        | Lie::UnfoundedClaim { .. }
        | Lie::ForgedSignature { .. } => None,
    }
}

/// A damage with the file and line that its event, or its block, is on.
pub(super) fn placed(manifest: &Manifest, damage: Damage) -> Damage {
    if !damage.file.is_empty() {
        return damage;
    }
    let of_a_lie = match damage.what.as_ref() {
        What::Lie(lie) => beside_the_events(lie),
        What::Missing
        | What::NotAFile
        | What::Unlisted
        | What::Unreadable(_)
        | What::OtherLength { .. }
        | What::OtherHash { .. }
        | What::NotGzip(_)
        | What::TrailingBytes
        | What::LineTooLong { .. }
        | What::TooMuch { .. }
        | What::TooFewLines { .. }
        | What::Malformed(_)
        | What::OutOfOrder { .. }
        | What::Contradiction(_)
        | What::Signature(_)
        | What::ManifestNotSigned(_)
        | What::OtherRows { .. } => None,
    };
    let of_its_event = || damage.position.and_then(|position| manifest.place(position));
    let (file, line) = match of_a_lie {
        Some(place) => place,
        None => of_its_event().map_or((super::MANIFEST, None), |(file, line)| (file, Some(line))),
    };
    Damage {
        file: file.to_owned(),
        line,
        ..damage
    }
}

pub(super) fn entry<'a>(manifest: &'a Manifest, name: &str) -> Result<&'a FileEntry, Damage> {
    manifest.file(name).ok_or_else(|| Damage::of(name, What::Missing))
}

fn read_ahead(directory: &Path, manifest: &Manifest) -> Receiver<Page> {
    let (slots, pages) = sync_channel(1);
    let (directory, manifest) = (directory.to_owned(), manifest.clone());
    thread::spawn(move || {
        let mut page = Vec::new();
        let read = read_pages(&directory, &manifest, &slots, &mut page);
        // Nobody asks any more where sending fails.
        if !page.is_empty() {
            slots.send(Ok(page)).ok();
        }
        if let Err(damage) = read {
            slots.send(Err(damage)).ok();
        }
    });
    pages
}

/// Reads to the end or to the first damage; the last events, which fill no page, are left to be sent.
fn read_pages(
    directory: &Path,
    manifest: &Manifest,
    slots: &SyncSender<Page>,
    page: &mut Vec<StoredEvent>,
) -> Result<(), Damage> {
    let tenant = manifest.organisation().tenant;
    let mut expected = Position::START.next();
    let mut bytes = 0;
    for part in manifest.parts() {
        let mut lines = LinesReader::open(directory, part)?;
        loop {
            let next = next_event(&mut lines, tenant, expected);
            let Some(event) = next.map_err(|damage| damage.with(expected))? else {
                break;
            };
            expected = expected.next();
            bytes += event.payload.len() + event.metadata.len();
            page.push(event);
            if page.len() == PAGE_EVENTS || bytes >= PAGE_BYTES {
                bytes = 0;
                if slots.send(Ok(std::mem::take(page))).is_err() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn next_event(
    lines: &mut LinesReader,
    tenant: TenantId,
    expected: Position,
) -> Result<Option<StoredEvent>, Damage> {
    let Some(line) = lines.next::<EventLine<'static>>()? else {
        return Ok(None);
    };
    if line.position != expected.0 {
        return Err(lines.damage(What::OutOfOrder {
            expected: expected.0,
            found: line.position,
        }));
    }
    let event = line.event(tenant);
    event.map(Some).map_err(|why| lines.damage(What::Malformed(why)))
}
