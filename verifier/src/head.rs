//! Signed heads.

use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;

use crate::form::{bytes, fields, micros, sha256, uuid};
use crate::{Fault, Hash};

const FORMAT: &str = "hibachi.signed-head.v1";

/// A signed head's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeadFile {
    format: String,
    organisation: String,
    tenant: String,
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

/// A signed head that its key's holder stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedHead {
    /// Slug of the organisation.
    pub organisation: String,
    /// Whose log.
    pub tenant: [u8; 16],
    /// The last event's position.
    pub position: i64,
    /// Number of the last block.
    pub block: i64,
    /// Its hash.
    pub block_hash: Hash,
    /// When it was signed.
    pub signed_at: String,
    /// SHA-256 of the public key that signed.
    pub key_id: Hash,
}

/// Checks a signed head's file against a public key.
///
/// # Errors
/// [`Fault::Malformed`] when it is no such file, [`Fault::False`] when the key's holder did not sign it.
pub fn check_head(text: &str, trusted: &[u8; 32]) -> Result<CheckedHead, Fault> {
    let file = serde_json::from_str(text).map_err(|error| Fault::Malformed(error.to_string()))?;
    check(file, trusted)
}

pub(crate) fn check(file: HeadFile, trusted: &[u8; 32]) -> Result<CheckedHead, Fault> {
    if file.format != FORMAT {
        return Err(Fault::malformed("the head's format", &format!("is not {FORMAT}")));
    }
    let head = CheckedHead {
        tenant: uuid("the head's tenant", &file.tenant)?,
        position: file.position,
        block: file.block,
        block_hash: bytes("the head's block_hash", &file.block_hash)?,
        key_id: bytes("the head's key_id", &file.key_id)?,
        signed_at: file.signed_at,
        organisation: file.organisation,
    };
    let public_key: [u8; 32] = bytes("the head's public_key", &file.public_key)?;
    let form = fields(&[
        FORMAT.as_bytes(),
        head.organisation.as_bytes(),
        &head.tenant,
        &head.position.to_be_bytes(),
        &head.block.to_be_bytes(),
        &head.block_hash,
        &micros("the head's recorded_at", &file.recorded_at)?.to_be_bytes(),
        &micros("the head's signed_at", &head.signed_at)?.to_be_bytes(),
        &file.since.to_be_bytes(),
        &bytes::<32>("the head's payloads_digest", &file.payloads_digest)?,
        &bytes::<32>("the head's metadata_digest", &file.metadata_digest)?,
        &head.key_id,
    ])?;
    if head.key_id != sha256(&[trusted]) || public_key != *trusted {
        return Err(Fault::lies(
            "the head was signed by another key than the given one",
        ));
    }
    let signature = Signature::from_bytes(&bytes("the head's signature", &file.signature)?);
    let key = VerifyingKey::from_bytes(trusted)
        .map_err(|_| Fault::malformed("the public key", "is no point of Ed25519"))?;
    key.verify_strict(&form, &signature)
        .map_err(|_| Fault::lies("the head's signature is not that of the given key over what it states"))?;
    Ok(head)
}
