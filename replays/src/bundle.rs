//! Bundles: one company's whole log as files, verified where they are written and wherever they are read.
//!
//! `docs/bundle-format.md` is the format, and is in each bundle. A bundle is checked without a database: every hash is
//! computed anew by the walk that verifies a log in its database, and the read models are folded again from it. What
//! a bundle's files say of themselves is not believed: lengths, numbers and names are bounded before they are used.
//!
//! Memory grows with the rows of the read models, which are folded in it, and by some bytes for each event and stream.

mod check;
mod claims;
mod damage;
mod export;
mod files;
mod folds;
mod import;
mod lines;
mod manifest;
mod place;
mod references;
mod source;

use std::path::{Path, PathBuf};

pub use check::{Checked, ModelCheck, ModelState, Sound, check_bundle};
pub use damage::{Damage, What};
pub use export::{ExportError, Exported, Exporter};
pub use import::{ImportError, Imported, Keys, import_bundle};
pub use manifest::{FileEntry, Manifest, ReadModel};

/// The description of the format.
pub const FORMAT: &str = include_str!("../../docs/bundle-format.md");

const FORMAT_FILE: &str = "FORMAT.md";
const MANIFEST: &str = "manifest.json";
const SIGNATURE: &str = "manifest.sig";
const PUBLIC_KEY: &str = "public-key.txt";
const SIGNED_HEAD: &str = "signed-head.json";
const SIGNED_HEADS: &str = "signed-heads.ndjson.gz";
const BLOCKS: &str = "blocks.ndjson.gz";
const COMMANDS: &str = "commands.ndjson.gz";
const KEYS: &str = "keys.ndjson";

/// Bytes of lines that a file of events holds, before they are compressed, unless its only line is longer.
const PART_BYTES: u64 = 64 << 20;
/// Bytes of the longest line, its end included.
const LINE_BYTES: u64 = 16 << 20;
/// Bytes of the longest file that is read in one piece.
const TEXT_BYTES: u64 = 16 << 20;

/// Name of a file of events, counted from 1.
fn events_file(number: usize) -> String {
    format!("events-{number:05}.ndjson.gz")
}

/// A path within a bundle.
fn within(directory: &Path, name: &str) -> PathBuf {
    directory.join(name)
}
