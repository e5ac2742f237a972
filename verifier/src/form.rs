//! The canonical binary form, and the texts that stand for bytes in the files. Each has one spelling: another spelling
//! of the same value is refused.

use chrono::{DateTime, SecondsFormat, Utc};
use sha2::{Digest, Sha256};

use crate::{Fault, Hash};

/// Fields, each as its length in four bytes, big-endian, and its bytes.
pub(crate) fn fields(fields: &[&[u8]]) -> Result<Vec<u8>, Fault> {
    let mut form = Vec::new();
    for field in fields {
        let length =
            u32::try_from(field.len()).map_err(|_| Fault::malformed("a field", "is larger than 4 GiB"))?;
        form.extend_from_slice(&length.to_be_bytes());
        form.extend_from_slice(field);
    }
    Ok(form)
}

pub(crate) fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

pub(crate) fn bytes<const N: usize>(field: &str, text: &str) -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    let right = hex::decode_to_slice(text, &mut bytes).is_ok() && hex::encode(bytes) == text;
    right
        .then_some(bytes)
        .ok_or_else(|| Fault::malformed(field, &format!("is not {} lower-case hexadecimal digits", 2 * N)))
}

pub(crate) fn uuid(field: &str, text: &str) -> Result<[u8; 16], Fault> {
    let groups: Vec<&str> = text.split('-').collect();
    let right = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]);
    if !right {
        return Err(Fault::malformed(field, "is no UUID"));
    }
    bytes(field, &groups.concat())
}

/// Microseconds since 1970-01-01T00:00:00Z.
pub(crate) fn micros(field: &str, text: &str) -> Result<i64, Fault> {
    let parsed = DateTime::parse_from_rfc3339(text).ok();
    let instant = parsed.map(|parsed| parsed.with_timezone(&Utc));
    let instant = instant.filter(|instant| instant.to_rfc3339_opts(SecondsFormat::Micros, true) == text);
    let instant = instant.ok_or_else(|| Fault::malformed(field, "is no UTC instant with microseconds"))?;
    Ok(instant.timestamp_micros())
}
