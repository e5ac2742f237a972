//! Signed heads: what an installation stands for about a tenant's log, and whoever keeps one can hold it to.
//!
//! **Signed bytes.** These fields, each as its length in four bytes, big-endian, and its bytes, in this order:
//!
//! | field | bytes |
//! |---|---|
//! | domain tag | `hibachi.signed-head.v1` |
//! | organisation | its slug, UTF-8 |
//! | tenant | the UUID's 16 bytes |
//! | position, block | 8 bytes each, big-endian |
//! | block hash | 32 bytes |
//! | recorded at, signed at | microseconds since 1970-01-01T00:00:00Z, 8 bytes each, big-endian |
//! | since | 8 bytes, big-endian |
//! | payloads' digest, metadata's digest | 32 bytes each |
//! | key id | 32 bytes: SHA-256 of the public key's 32 bytes |
//!
//! **Signature.** Ed25519 (RFC 8032, no pre-hash, no context) over these bytes: 64 bytes.
//!
//! **Digests.** Over the events after `since` up to `position`, in order: SHA-256 over the payloads, each as a
//! field, and SHA-256 over the metadata likewise. The chain does not need them: they tell which of the two was changed.

mod bundle;
mod file;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use chrono::{DateTime, Utc};
use domain::envelope::{Position, StoredEvent};
use domain::ids::TenantId;
use sha2::{Digest, Sha256};

pub use self::bundle::BUNDLE_FORMAT;
use self::file::File;
use super::{Hash, write_field};

/// Names the file's format and its version.
pub const SIGNED_HEAD_FORMAT: &str = "hibachi.signed-head.v1";

/// Why a signed head is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// The text is no signed head.
    #[error("this is no signed head: {0}")]
    Malformed(String),
    /// It was signed by a key that is not among the trusted ones.
    #[error("it was signed by the key {0}, which is not trusted")]
    OtherKey(Fingerprint),
    /// The signature is not that of the trusted key over these statements.
    #[error("its signature is not that of the key {0} over what it states")]
    Forged(Fingerprint),
}

/// Names a public key: its SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub Hash);

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// An Ed25519 public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// The key's name.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(self.0).into())
    }

    fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(message, signature)
            .is_ok()
    }
}

impl std::str::FromStr for PublicKey {
    type Err = HeadError;

    fn from_str(text: &str) -> Result<Self, HeadError> {
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key)
            .map_err(|_| HeadError::Malformed("a public key is 64 hexadecimal digits".to_owned()))?;
        Ok(Self(key))
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Signs heads. One per installation, kept with its secrets.
pub struct HeadSigner(Ed25519KeyPair);

impl std::fmt::Debug for HeadSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HeadSigner").field(&self.public_key()).finish()
    }
}

impl HeadSigner {
    /// The signer of a secret, which is Ed25519's seed.
    pub fn new(seed: &[u8; 32]) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(seed).expect("any 32 bytes are a seed of Ed25519"))
    }

    /// What others verify with.
    pub fn public_key(&self) -> PublicKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(key)
    }

    /// Signs.
    pub fn sign(&self, statement: Statement) -> SignedHead {
        let public_key = self.public_key();
        let mut signature = [0; 64];
        let signed = self.0.sign(&statement.form(public_key.fingerprint()));
        signature.copy_from_slice(signed.as_ref());
        SignedHead {
            statement,
            key_id: public_key.fingerprint(),
            public_key,
            signature,
        }
    }
}

/// What a signed head states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Slug of the organisation.
    pub organisation: String,
    /// Whose log.
    pub tenant: TenantId,
    /// The last event.
    pub position: Position,
    /// Number of the last block.
    pub block: i64,
    /// Its hash, which covers every event.
    pub block_hash: Hash,
    /// When the last event was recorded.
    pub recorded_at: DateTime<Utc>,
    /// When this was signed.
    pub signed_at: DateTime<Utc>,
    /// The digests cover the events after this position.
    pub since: Position,
    /// Over those events' parts.
    pub digests: SpanDigests,
}

impl Statement {
    /// The bytes that are signed.
    fn form(&self, key: Fingerprint) -> Vec<u8> {
        let mut form = Vec::new();
        let fields: [&[u8]; 12] = [
            SIGNED_HEAD_FORMAT.as_bytes(),
            self.organisation.as_bytes(),
            self.tenant.0.as_bytes(),
            &self.position.0.to_be_bytes(),
            &self.block.to_be_bytes(),
            &self.block_hash,
            &self.recorded_at.timestamp_micros().to_be_bytes(),
            &self.signed_at.timestamp_micros().to_be_bytes(),
            &self.since.0.to_be_bytes(),
            &self.digests.payloads,
            &self.digests.metadata,
            &key.0,
        ];
        for field in fields {
            write_field(field, &mut form);
        }
        form
    }
}

/// Digests of the parts of a stretch of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanDigests {
    /// Over the payloads.
    pub payloads: Hash,
    /// Over the metadata.
    pub metadata: Hash,
}

impl SpanDigests {
    /// The digests of a stretch that is handed over page by page, in order.
    pub fn over() -> SpanHasher {
        SpanHasher::default()
    }
}

/// [`SpanDigests`] in the making.
#[derive(Debug, Clone, Default)]
pub struct SpanHasher {
    payloads: Sha256,
    metadata: Sha256,
}

impl SpanHasher {
    /// Adds the next event.
    pub fn push(&mut self, event: &StoredEvent) {
        add(&mut self.payloads, &event.payload);
        add(&mut self.metadata, &event.metadata);
    }

    /// The digests of the events so far.
    pub fn digests(self) -> SpanDigests {
        SpanDigests {
            payloads: self.payloads.finalize().into(),
            metadata: self.metadata.finalize().into(),
        }
    }
}

fn add(hasher: &mut Sha256, text: &str) {
    let length = u32::try_from(text.len()).expect("Postgres stores no field of 4 GiB");
    hasher.update(length.to_be_bytes());
    hasher.update(text);
}

/// A statement, with the signature that stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// What is stated.
    pub statement: Statement,
    /// Names the key that signed.
    pub key_id: Fingerprint,
    /// That key, for convenience: nothing may be trusted on the strength of a key that comes with the signature.
    pub public_key: PublicKey,
    /// The signature.
    pub signature: [u8; 64],
}

impl SignedHead {
    /// Whether it is the statement of a holder of one of these keys.
    ///
    /// # Errors
    /// [`HeadError::OtherKey`] when another key signed it, [`HeadError::Forged`] when it, or its signature, was changed.
    pub fn verify(&self, trusted: &[PublicKey]) -> Result<(), HeadError> {
        let named = trusted.iter().find(|key| key.fingerprint() == self.key_id);
        let key = named.ok_or(HeadError::OtherKey(self.key_id))?;
        let form = self.statement.form(self.key_id);
        if self.public_key == *key && key.verifies(&form, &self.signature) {
            Ok(())
        } else {
            Err(HeadError::Forged(self.key_id))
        }
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        let file = File::from(self);
        let mut text = serde_json::to_string_pretty(&file).expect("a file of texts and numbers is JSON");
        text.push('\n');
        text
    }

    /// Reads a file's text. The signature is not looked at.
    ///
    /// # Errors
    /// [`HeadError::Malformed`] says what does not fit.
    pub fn from_json(text: &str) -> Result<Self, HeadError> {
        let file: File =
            serde_json::from_str(text).map_err(|error| HeadError::Malformed(error.to_string()))?;
        file.try_into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> (HeadSigner, SignedHead) {
        let signer = HeadSigner::new(&[7; 32]);
        let at = DateTime::from_timestamp_micros(1_760_000_000_123_456).expect("a valid instant");
        let head = signer.sign(Statement {
            organisation: "my-hibachi".to_owned(),
            tenant: TenantId(uuid::Uuid::from_u128(5)),
            position: Position(12),
            block: 3,
            block_hash: [9; 32],
            recorded_at: at,
            signed_at: at,
            since: Position(4),
            digests: SpanDigests {
                payloads: [1; 32],
                metadata: [2; 32],
            },
        });
        (signer, head)
    }

    #[test]
    fn a_head_is_verified_by_the_key_that_signed_it_and_by_no_other() {
        let (signer, head) = signed();
        assert_eq!(head.verify(&[signer.public_key()]), Ok(()));
        let other = HeadSigner::new(&[8; 32]).public_key();
        assert!(matches!(head.verify(&[other]), Err(HeadError::OtherKey(_))));
        let claims_to_be = SignedHead {
            key_id: other.fingerprint(),
            public_key: other,
            ..head
        };
        assert!(matches!(claims_to_be.verify(&[other]), Err(HeadError::Forged(_))));
    }

    #[test]
    fn a_file_gives_the_head_that_was_written() {
        let (_, head) = signed();
        assert_eq!(SignedHead::from_json(&head.to_json()), Ok(head));
        let none = SignedHead::from_json("{}").unwrap_err();
        assert!(none.to_string().starts_with("this is no signed head: "), "{none}");
        assert!("12".parse::<PublicKey>().is_err());
    }

    /// Every character of the file that carries meaning, changed by one.
    #[test]
    fn a_file_with_any_character_changed_is_refused() {
        let (signer, head) = signed();
        let text = head.to_json();
        let trusted = [signer.public_key()];
        let mut refused = 0;
        for (index, old) in text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
            for new in ['0', '1', 'x', '"'].into_iter().filter(|new| *new != old) {
                let changed = format!("{}{new}{}", &text[..index], &text[index + old.len_utf8()..]);
                let verified = SignedHead::from_json(&changed).and_then(|head| head.verify(&trusted));
                assert!(verified.is_err(), "{changed}");
                refused += 1;
            }
        }
        assert!(refused > 1000);
    }
}
