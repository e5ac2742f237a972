//! Pictures and videos of customers: what they are is read from their bytes, never believed.

use serde::{Deserialize, Serialize};

use crate::decider::Refusal;

/// Bytes of a picture at most: 10 MiB.
pub const MAX_IMAGE: usize = 10 * 1_024 * 1_024;
/// Bytes of a video at most: 50 MiB.
pub const MAX_VIDEO: usize = 50 * 1_024 * 1_024;
/// Seconds of a video at most.
pub const MAX_SECONDS: u64 = 30;
/// Pictures of a review at most.
pub const MAX_IMAGES: usize = 5;
/// Videos of a review at most.
pub const MAX_VIDEOS: usize = 1;
/// Boxes that are looked at on one level of a video.
const MAX_BOXES: usize = 1_000;

/// What a picture or video is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A JPEG picture.
    Jpeg,
    /// A PNG picture.
    Png,
    /// A WebP picture.
    Webp,
    /// An MP4 video.
    Mp4,
    /// A QuickTime video.
    Mov,
}

impl MediaKind {
    /// Each of them.
    pub const ALL: [Self; 5] = [Self::Jpeg, Self::Png, Self::Webp, Self::Mp4, Self::Mov];

    /// What its files end in.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
        }
    }

    /// The type that it is served under.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Mp4 => "video/mp4",
            Self::Mov => "video/quicktime",
        }
    }

    /// Whether it moves.
    pub fn is_video(self) -> bool {
        match self {
            Self::Jpeg | Self::Png | Self::Webp => false,
            Self::Mp4 | Self::Mov => true,
        }
    }
}

/// A picture or a video of a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewMedia {
    /// SHA-256 of its bytes, hexadecimal: its name.
    pub sha256: String,
    /// What it is.
    pub kind: MediaKind,
    /// How many bytes it has.
    pub bytes: i64,
}

impl ReviewMedia {
    /// The name of its file.
    pub fn file_name(&self) -> String {
        format!("{}.{}", self.sha256, self.kind.extension())
    }

    /// Reads the name of a file; none for what is none of ours.
    pub fn of_file(name: &str, bytes: i64) -> Option<Self> {
        let (sha256, extension) = name.split_once('.')?;
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let kind = MediaKind::ALL
            .into_iter()
            .find(|kind| kind.extension() == extension)?;
        (sha256.len() == 64 && sha256.bytes().all(digit)).then(|| Self {
            sha256: sha256.to_owned(),
            kind,
            bytes,
        })
    }
}

/// Why bytes are no picture or video of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// Something else.
    #[error("a picture is a JPEG, PNG or WebP file, a video an MP4 or MOV file")]
    UnknownKind,
    /// Too large.
    #[error("a picture has at most 10 MB, a video 50 MB")]
    TooLarge,
    /// A video that does not say how long it is.
    #[error("the video's length cannot be read")]
    Unreadable,
    /// Too long.
    #[error("a video is at most 30 seconds long")]
    TooLong,
}

impl Refusal for MediaError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownKind => "MEDIA_TYPE_REFUSED",
            Self::TooLarge => "MEDIA_TOO_LARGE",
            Self::Unreadable => "VIDEO_UNREADABLE",
            Self::TooLong => "VIDEO_TOO_LONG",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        &["media"]
    }
}

/// What a file is by its first bytes; none for what a review has not.
pub fn kind_of(bytes: &[u8]) -> Option<MediaKind> {
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return Some(MediaKind::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(MediaKind::Png);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some(MediaKind::Webp);
    }
    if bytes.get(4..8) != Some(b"ftyp") {
        return None;
    }
    match bytes.get(8..12)? {
        b"qt  " => Some(MediaKind::Mov),
        b"isom" | b"iso2" | b"iso4" | b"iso5" | b"iso6" | b"mp41" | b"mp42" | b"avc1" | b"M4V " | b"MSNV"
        | b"dash" => Some(MediaKind::Mp4),
        _ => None,
    }
}

/// Checks a whole file.
///
/// # Errors
/// [`MediaError`].
pub fn check(bytes: &[u8]) -> Result<MediaKind, MediaError> {
    let kind = kind_of(bytes).ok_or(MediaError::UnknownKind)?;
    if !kind.is_video() {
        return if bytes.len() > MAX_IMAGE {
            Err(MediaError::TooLarge)
        } else {
            Ok(kind)
        };
    }
    if bytes.len() > MAX_VIDEO {
        return Err(MediaError::TooLarge);
    }
    let Length { units, scale } = longest(bytes).ok_or(MediaError::Unreadable)?;
    if u128::from(units) > u128::from(MAX_SECONDS) * u128::from(scale) {
        return Err(MediaError::TooLong);
    }
    Ok(kind)
}

/// A length in units of a scale that says how many of them a second has.
#[derive(Debug, Clone, Copy)]
struct Length {
    units: u64,
    scale: u32,
}

impl Length {
    fn is_longer_than(self, other: Self) -> bool {
        u128::from(self.units) * u128::from(other.scale) > u128::from(other.units) * u128::from(self.scale)
    }
}

/// A box of ISO/IEC 14496-12, and of QuickTime before it: its name and what is in it.
struct Part<'a> {
    name: [u8; 4],
    body: &'a [u8],
}

/// The boxes of one level; none where one of them does not fit into it.
fn parts(mut bytes: &[u8]) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    while bytes.len() >= 8 && parts.len() < MAX_BOXES {
        let name = <[u8; 4]>::try_from(bytes.get(4..8)?).ok()?;
        let (head, size) = match u32_at(bytes, 0)? {
            0 => (8, bytes.len()),
            1 => (16, usize::try_from(u64_at(bytes, 8)?).ok()?),
            size => (8, usize::try_from(size).ok()?),
        };
        parts.push(Part {
            name,
            body: bytes.get(head..size)?,
        });
        bytes = bytes.get(size..)?;
    }
    Some(parts)
}

/// The longest that the film, one of its tracks, or the pieces that follow say it is; none where none says it.
fn longest(bytes: &[u8]) -> Option<Length> {
    let film = inside(bytes, b"moov")?;
    let mut lengths = Vec::new();
    let header = inside(film, b"mvhd").and_then(length)?;
    lengths.push(header);
    for track in all(film, b"trak")? {
        let media = inside(track, b"mdia").and_then(|media| inside(media, b"mdhd"));
        lengths.push(media.and_then(length)?);
    }
    // A film in pieces says how long they are together.
    let pieces = inside(film, b"mvex").and_then(|pieces| inside(pieces, b"mehd"));
    if let Some(pieces) = pieces {
        let units = match pieces.first()? {
            0 => u64::from(u32_at(pieces, 4)?),
            _ => u64_at(pieces, 4)?,
        };
        lengths.push(Length {
            units,
            scale: header.scale,
        });
    }
    let longer = |one: Length, other: Length| if other.is_longer_than(one) { other } else { one };
    lengths
        .into_iter()
        .filter(|length| length.units > 0 && length.scale > 0)
        .reduce(longer)
}

fn all<'a>(bytes: &'a [u8], name: &[u8; 4]) -> Option<Vec<&'a [u8]>> {
    let parts = parts(bytes)?.into_iter();
    Some(
        parts
            .filter(|part| part.name == *name)
            .map(|part| part.body)
            .collect(),
    )
}

fn inside<'a>(bytes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    all(bytes, name)?.into_iter().next()
}

/// Scale and length as `mvhd` and `mdhd` have them, of either version.
fn length(body: &[u8]) -> Option<Length> {
    Some(match body.first()? {
        0 => Length {
            scale: u32_at(body, 12)?,
            units: u64::from(u32_at(body, 16)?),
        },
        1 => Length {
            scale: u32_at(body, 20)?,
            units: u64_at(body, 24)?,
        },
        _ => return None,
    })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    four.try_into().ok().map(u32::from_be_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let eight = bytes.get(at..at.checked_add(8)?)?;
    eight.try_into().ok().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests;
