//! A signed head as a JSON file. Every value has one spelling: a text that was changed without a change of meaning is
//! refused too.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::envelope::Position;
use domain::ids::TenantId;
use serde::{Deserialize, Serialize};

use super::{Fingerprint, HeadError, PublicKey, SIGNED_HEAD_FORMAT, SignedHead, SpanDigests, Statement};

/// A signed head as a JSON file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    format: String,
    organisation: String,
    tenant: TenantId,
    position: i64,
    block: i64,
    block_hash: String,
    recorded_at: String,
    signed_at: String,
    since: i64,
    payloads_digest: String,
    metadata_digest: String,
    key_id: String,
    public_key: String,
    signature: String,
}

impl From<&SignedHead> for File {
    fn from(head: &SignedHead) -> Self {
        let statement = &head.statement;
        Self {
            format: SIGNED_HEAD_FORMAT.to_owned(),
            organisation: statement.organisation.clone(),
            tenant: statement.tenant,
            position: statement.position.0,
            block: statement.block,
            block_hash: hex::encode(statement.block_hash),
            recorded_at: instant(statement.recorded_at),
            signed_at: instant(statement.signed_at),
            since: statement.since.0,
            payloads_digest: hex::encode(statement.digests.payloads),
            metadata_digest: hex::encode(statement.digests.metadata),
            key_id: head.key_id.to_string(),
            public_key: head.public_key.to_string(),
            signature: hex::encode(head.signature),
        }
    }
}

impl TryFrom<File> for SignedHead {
    type Error = HeadError;

    fn try_from(file: File) -> Result<Self, HeadError> {
        if file.format != SIGNED_HEAD_FORMAT {
            return Err(HeadError::Malformed(format!(
                "the format is {}, not {SIGNED_HEAD_FORMAT}",
                file.format
            )));
        }
        Ok(Self {
            statement: Statement {
                organisation: file.organisation,
                tenant: file.tenant,
                position: Position(file.position),
                block: file.block,
                block_hash: bytes("block_hash", &file.block_hash)?,
                recorded_at: parse_instant("recorded_at", &file.recorded_at)?,
                signed_at: parse_instant("signed_at", &file.signed_at)?,
                since: Position(file.since),
                digests: SpanDigests {
                    payloads: bytes("payloads_digest", &file.payloads_digest)?,
                    metadata: bytes("metadata_digest", &file.metadata_digest)?,
                },
            },
            key_id: Fingerprint(bytes("key_id", &file.key_id)?),
            public_key: PublicKey(bytes("public_key", &file.public_key)?),
            signature: bytes("signature", &file.signature)?,
        })
    }
}

fn instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// An instant in the one form that it is written in: a text that was changed without a change of meaning is refused too.
fn parse_instant(field: &str, text: &str) -> Result<DateTime<Utc>, HeadError> {
    DateTime::parse_from_rfc3339(text)
        .map(|parsed| parsed.with_timezone(&Utc))
        .ok()
        .filter(|parsed| instant(*parsed) == text)
        .ok_or_else(|| HeadError::Malformed(format!("{field} is no instant in UTC with microseconds")))
}

/// Lower-case hexadecimal digits.
fn bytes<const N: usize>(field: &str, text: &str) -> Result<[u8; N], HeadError> {
    let mut bytes = [0; N];
    let decoded = hex::decode_to_slice(text, &mut bytes).is_ok() && hex::encode(bytes) == text;
    decoded
        .then_some(bytes)
        .ok_or_else(|| HeadError::Malformed(format!("{field} is not {} hexadecimal digits", 2 * N)))
}
