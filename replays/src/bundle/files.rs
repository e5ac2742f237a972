//! Files of a bundle: written with their hash, and read in bounds.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::damage::{Damage, What};
use super::lines::{self, Hex};
use super::manifest::FileEntry;
use super::{LINE_BYTES, PART_BYTES, TEXT_BYTES, within};

/// Twice as fast as the usual level, for files that are a tenth longer.
const LEVEL: Compression = Compression::new(3);

/// Hashes what goes into a file.
struct Hashed {
    out: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Hashed {
    fn create(directory: &Path, name: &str) -> io::Result<Self> {
        Ok(Self {
            out: BufWriter::new(File::create_new(within(directory, name))?),
            hash: Sha256::new(),
            bytes: 0,
        })
    }

    fn finish(self, name: &str, lines: Option<u64>) -> io::Result<FileEntry> {
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(FileEntry {
            name: name.to_owned(),
            bytes: self.bytes,
            sha256: Hex(self.hash.finalize().into()),
            lines,
        })
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += u64::try_from(bytes.len()).expect("a length in memory fits 64 bits");
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes a file in one piece.
pub(super) fn write_text(directory: &Path, name: &str, text: &str) -> io::Result<FileEntry> {
    let mut file = Hashed::create(directory, name)?;
    file.write_all(text.as_bytes())?;
    file.finish(name, None)
}

enum Encoder {
    Gzip(GzEncoder<Hashed>),
    Plain(Hashed),
}

/// Writes a file of lines, compressed where its name says so.
pub(super) struct LinesWriter {
    name: String,
    encoder: Encoder,
    lines: u64,
    /// Before they are compressed.
    bytes: u64,
}

impl LinesWriter {
    pub(super) fn create(directory: &Path, name: &str) -> io::Result<Self> {
        let file = Hashed::create(directory, name)?;
        let encoder = if is_gzip(name) {
            // Nothing of the machine, and no time.
            Encoder::Gzip(GzBuilder::new().mtime(0).operating_system(255).write(file, LEVEL))
        } else {
            Encoder::Plain(file)
        };
        Ok(Self {
            name: name.to_owned(),
            encoder,
            lines: 0,
            bytes: 0,
        })
    }

    pub(super) fn write(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.write_line(&mut lines::written(value))
    }

    /// Writes a line that has no end yet.
    pub(super) fn write_line(&mut self, line: &mut Vec<u8>) -> io::Result<()> {
        line.push(b'\n');
        let length = length(line);
        if length > LINE_BYTES {
            return Err(io::Error::other(format!(
                "a line of {length} bytes is longer than a bundle may have: {LINE_BYTES}"
            )));
        }
        match &mut self.encoder {
            Encoder::Gzip(out) => out.write_all(line)?,
            Encoder::Plain(out) => out.write_all(line)?,
        }
        self.lines += 1;
        self.bytes += length;
        Ok(())
    }

    /// Whether a line, still without its end, would make it longer than a file of events may be.
    pub(super) fn is_full_before(&self, line: &[u8]) -> bool {
        self.lines > 0 && self.bytes + length(line) + 1 > PART_BYTES
    }

    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    pub(super) fn finish(self) -> io::Result<FileEntry> {
        let file = match self.encoder {
            Encoder::Gzip(out) => out.finish()?,
            Encoder::Plain(out) => out,
        };
        file.finish(&self.name, Some(self.lines))
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("a length in memory fits 64 bits")
}

fn is_gzip(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end == "gz")
}

/// Opens a file that has to be one: not what a link leads to.
pub(super) fn open(directory: &Path, name: &str) -> Result<File, Damage> {
    let path = within(directory, name);
    let unreadable = |error: io::Error| {
        let what = if error.kind() == io::ErrorKind::NotFound {
            What::Missing
        } else {
            What::Unreadable(error.to_string())
        };
        Damage::of(name, what)
    };
    if !fs::symlink_metadata(&path).map_err(unreadable)?.is_file() {
        return Err(Damage::of(name, What::NotAFile));
    }
    File::open(&path).map_err(unreadable)
}

/// Reads a short file in one piece.
pub(super) fn read_text(directory: &Path, name: &str) -> Result<Vec<u8>, Damage> {
    let file = open(directory, name)?;
    let mut text = Vec::new();
    file.take(TEXT_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(|error| Damage::of(name, What::Unreadable(error.to_string())))?;
    if length(&text) > TEXT_BYTES {
        let limit = format!("{TEXT_BYTES} bytes");
        return Err(Damage::of(name, What::TooMuch { limit }));
    }
    Ok(text)
}

/// Holds a file to the length and the hash that the manifest has of it.
pub(super) fn check_bytes(directory: &Path, entry: &FileEntry) -> Result<(), Damage> {
    let file = open(directory, &entry.name)?;
    let damage = |what| Damage::of(&entry.name, what);
    let unreadable = |error: io::Error| damage(What::Unreadable(error.to_string()));
    let found = file.metadata().map_err(unreadable)?.len();
    if found != entry.bytes {
        return Err(damage(What::OtherLength {
            expected: entry.bytes,
            found,
        }));
    }
    let mut hash = Sha256::new();
    let mut reader = BufReader::with_capacity(1 << 16, file.take(entry.bytes));
    loop {
        let piece = reader.fill_buf().map_err(unreadable)?;
        if piece.is_empty() {
            break;
        }
        hash.update(piece);
        let read = piece.len();
        reader.consume(read);
    }
    let found = Hex(hash.finalize().into());
    if found != entry.sha256 {
        return Err(damage(What::OtherHash {
            expected: entry.sha256.to_string(),
            found: found.to_string(),
        }));
    }
    Ok(())
}

enum Decoder {
    Gzip(BufReader<GzDecoder<BufReader<File>>>),
    Plain(BufReader<File>),
}

/// Reads a file of lines, no further than the manifest says that it goes.
pub(super) struct LinesReader {
    name: String,
    decoder: Decoder,
    expected: u64,
    /// Lines that were read.
    line: u64,
    bytes: u64,
    buffer: Vec<u8>,
}

impl LinesReader {
    pub(super) fn open(directory: &Path, entry: &FileEntry) -> Result<Self, Damage> {
        let file = BufReader::with_capacity(1 << 16, open(directory, &entry.name)?);
        let decoder = if is_gzip(&entry.name) {
            Decoder::Gzip(BufReader::with_capacity(1 << 16, GzDecoder::new(file)))
        } else {
            Decoder::Plain(file)
        };
        Ok(Self {
            name: entry.name.clone(),
            decoder,
            expected: entry.lines.unwrap_or_default(),
            line: 0,
            bytes: 0,
            buffer: Vec::new(),
        })
    }

    /// Number of the line that was read last.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Of the line that was read last.
    pub(super) fn damage(&self, what: What) -> Damage {
        Damage::at(&self.name, self.line, what)
    }

    /// The next line's value; none at the end, which is held to be where the manifest says.
    pub(super) fn next<T: Serialize + DeserializeOwned>(&mut self) -> Result<Option<T>, Damage> {
        if !self.advance()? {
            return Ok(None);
        }
        let read = lines::read(&self.buffer);
        read.map(Some).map_err(|why| self.damage(What::Malformed(why)))
    }

    /// The next line as text.
    pub(super) fn next_text(&mut self) -> Result<Option<String>, Damage> {
        if !self.advance()? {
            return Ok(None);
        }
        let text = String::from_utf8(self.buffer.clone());
        let text = text.map_err(|_| self.damage(What::Malformed("this is no UTF-8".to_owned())));
        text.map(Some)
    }

    fn advance(&mut self) -> Result<bool, Damage> {
        self.buffer.clear();
        self.line += 1;
        let read = match &mut self.decoder {
            Decoder::Gzip(reader) => reader.take(LINE_BYTES + 1).read_until(b'\n', &mut self.buffer),
            Decoder::Plain(reader) => reader.take(LINE_BYTES + 1).read_until(b'\n', &mut self.buffer),
        };
        let read = read.map_err(|error| {
            self.damage(match self.decoder {
                Decoder::Gzip(_) => What::NotGzip(error.to_string()),
                Decoder::Plain(_) => What::Unreadable(error.to_string()),
            })
        })?;
        if read == 0 {
            self.line -= 1;
            return self.end().map(|()| false);
        }
        if length(&self.buffer) > LINE_BYTES {
            return Err(self.damage(What::LineTooLong { limit: LINE_BYTES }));
        }
        if self.line > self.expected {
            let limit = format!("{} lines", self.expected);
            return Err(self.damage(What::TooMuch { limit }));
        }
        self.bytes += length(&self.buffer);
        if self.name.starts_with("events-") && self.line > 1 && self.bytes > PART_BYTES {
            let limit = format!("{PART_BYTES} bytes");
            return Err(self.damage(What::TooMuch { limit }));
        }
        if self.buffer.pop() == Some(b'\n') {
            Ok(true)
        } else {
            Err(self.damage(What::Malformed("the line has no end".to_owned())))
        }
    }

    fn end(&mut self) -> Result<(), Damage> {
        if self.line < self.expected {
            return Err(Damage::of(
                &self.name,
                What::TooFewLines {
                    expected: self.expected,
                    found: self.line,
                },
            ));
        }
        let rest = match &mut self.decoder {
            Decoder::Gzip(reader) => reader.get_mut().get_mut().fill_buf().map(<[u8]>::is_empty),
            Decoder::Plain(_) => Ok(true),
        };
        match rest {
            Ok(true) => Ok(()),
            Ok(false) => Err(Damage::of(&self.name, What::TrailingBytes)),
            Err(error) => Err(Damage::of(&self.name, What::Unreadable(error.to_string()))),
        }
    }
}
