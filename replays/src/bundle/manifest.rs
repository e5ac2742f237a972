//! The manifest: what a bundle holds, and of what.

use chrono::{DateTime, Utc};
use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::proof::BUNDLE_FORMAT;
use event_log::{Head, Organisation};
use serde::{Deserialize, Serialize};

use super::lines::{Hex, Instant};
use super::{BLOCKS, COMMANDS, FORMAT_FILE, KEYS, PUBLIC_KEY, SIGNED_HEAD, SIGNED_HEADS, events_file};

/// What a bundle holds. Nothing in it is of the time or the place where it was made: the same log up to the same head
/// gives the same manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: String,
    /// The program that wrote it, and its version.
    pub program: String,
    organisation: Company,
    head: HeadEntry,
    /// How many events there are.
    pub events: u64,
    /// How many blocks.
    pub blocks: u64,
    /// How many results of commands.
    pub commands: u64,
    /// How many signed heads were kept beside the log.
    pub signed_heads: u64,
    /// How many keys come along; none where they do not.
    pub keys: Option<u64>,
    /// The read models as of the head.
    pub read_models: Vec<ReadModel>,
    /// The files, but this one and its signature.
    pub files: Vec<FileEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Company {
    tenant: TenantId,
    slug: String,
    name: String,
    created_at: Instant,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadEntry {
    position: i64,
    recorded_at: Instant,
    block: i64,
    block_hash: Hex<32>,
}

/// A read model as of the head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadModel {
    /// Its name.
    pub name: String,
    /// Version of the fold that it was made by.
    pub fold_version: i32,
    /// How many rows it has.
    pub rows: u64,
    checksum: Hex<32>,
}

impl ReadModel {
    pub(super) fn new(name: &str, fold_version: i32, rows: u64, checksum: [u8; 32]) -> Self {
        Self {
            name: name.to_owned(),
            fold_version,
            rows,
            checksum: Hex(checksum),
        }
    }

    /// SHA-256 over its rows.
    pub fn checksum(&self) -> [u8; 32] {
        self.checksum.0
    }
}

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its name.
    pub name: String,
    /// Its length, as it lies there.
    pub bytes: u64,
    pub(super) sha256: Hex<32>,
    /// How many lines it has; none where it is not one of lines.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lines: Option<u64>,
}

/// What a manifest is made of besides its files.
pub(super) struct Contents<'a> {
    pub(super) program: &'a str,
    pub(super) organisation: &'a Organisation,
    pub(super) head: &'a Head,
    pub(super) commands: u64,
    pub(super) signed_heads: u64,
    pub(super) keys: Option<u64>,
    pub(super) read_models: Vec<ReadModel>,
}

impl Manifest {
    pub(super) fn new(contents: Contents<'_>, files: Vec<FileEntry>) -> Self {
        let Contents {
            organisation, head, ..
        } = contents;
        Self {
            format: BUNDLE_FORMAT.to_owned(),
            program: contents.program.to_owned(),
            organisation: Company {
                tenant: organisation.tenant,
                slug: organisation.slug.clone(),
                name: organisation.name.clone(),
                created_at: Instant(organisation.created_at),
            },
            head: HeadEntry {
                position: head.position.0,
                recorded_at: Instant(head.recorded_at),
                block: head.block,
                block_hash: Hex(head.block_hash),
            },
            events: head.position.0.unsigned_abs(),
            blocks: head.block.unsigned_abs(),
            commands: contents.commands,
            signed_heads: contents.signed_heads,
            keys: contents.keys,
            read_models: contents.read_models,
            files,
        }
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("texts and numbers have a JSON form");
        text.push('\n');
        text
    }

    /// Reads a manifest's text, and holds it to itself: the names of the files are those that a bundle has, in their
    /// order, and the numbers agree.
    pub(super) fn from_text(text: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if manifest.format != BUNDLE_FORMAT {
            return Err(format!("the format is {}, not {BUNDLE_FORMAT}", manifest.format));
        }
        if manifest.to_text().as_bytes() != text {
            return Err("this is not in the one form that a manifest has".to_owned());
        }
        manifest.check_names()?;
        manifest.check_numbers()?;
        Ok(manifest)
    }

    fn check_names(&self) -> Result<(), String> {
        let parts = self.parts().count();
        let mut expected: Vec<String> = [FORMAT_FILE, PUBLIC_KEY, SIGNED_HEAD, SIGNED_HEADS]
            .map(str::to_owned)
            .to_vec();
        expected.extend((1..=parts.max(1)).map(events_file));
        expected.extend([BLOCKS, COMMANDS].map(str::to_owned));
        expected.extend(self.keys.map(|_| KEYS.to_owned()));
        for (file, name) in self.files.iter().zip(&expected) {
            if file.name != *name {
                return Err(format!(
                    "the file {name} has to be named where {:?} is",
                    file.name
                ));
            }
            let is_of_lines = [".ndjson.gz", ".ndjson"].iter().any(|end| name.ends_with(end));
            if file.lines.is_some() != is_of_lines {
                return Err(format!("lines are to be counted of files of lines: {name}"));
            }
        }
        if self.files.len() == expected.len() {
            Ok(())
        } else {
            Err(format!(
                "{} files have to be named, not {}",
                expected.len(),
                self.files.len()
            ))
        }
    }

    fn check_numbers(&self) -> Result<(), String> {
        let lines = |name: &str| self.file(name).and_then(|file| file.lines);
        let parts = self
            .parts()
            .try_fold(0_u64, |sum, file| sum.checked_add(file.lines?));
        let is_empty_part = self.parts().any(|file| file.lines == Some(0));
        let head = (
            u64::try_from(self.head.position).ok(),
            u64::try_from(self.head.block).ok(),
        );
        let agree = head == (Some(self.events), Some(self.blocks))
            && self.events > 0
            && parts == Some(self.events)
            && !is_empty_part
            && lines(BLOCKS) == Some(self.blocks)
            && lines(COMMANDS) == Some(self.commands)
            && lines(SIGNED_HEADS) == Some(self.signed_heads)
            && lines(KEYS) == self.keys;
        agree
            .then_some(())
            .ok_or_else(|| "the numbers of events, blocks, commands, heads and keys do not agree".to_owned())
    }

    /// The files of events, in their order.
    pub(super) fn parts(&self) -> impl Iterator<Item = &FileEntry> {
        self.files.iter().filter(|file| file.name.starts_with("events-"))
    }

    pub(super) fn file(&self, name: &str) -> Option<&FileEntry> {
        self.files.iter().find(|file| file.name == name)
    }

    /// The file and line of an event.
    pub(super) fn place(&self, position: Position) -> Option<(&str, u64)> {
        let mut before = 0;
        let position = u64::try_from(position.0).ok()?;
        for file in self.parts() {
            let until = before + file.lines?;
            if position <= until {
                return Some((&file.name, position.checked_sub(before)?));
            }
            before = until;
        }
        None
    }

    /// The company whose log it is.
    pub fn organisation(&self) -> Organisation {
        Organisation {
            tenant: self.organisation.tenant,
            slug: self.organisation.slug.clone(),
            name: self.organisation.name.clone(),
            created_at: self.organisation.created_at.0,
        }
    }

    /// Where the log ends in it.
    pub fn head(&self) -> Head {
        let instant: DateTime<Utc> = self.head.recorded_at.0;
        Head {
            position: Position(self.head.position),
            recorded_at: instant,
            block: self.head.block,
            block_hash: self.head.block_hash.0,
        }
    }
}
