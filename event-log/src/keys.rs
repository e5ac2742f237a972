//! Keys and where they come from.

use domain::ids::TenantId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key above every tenant's keys. Lives in the environment or a file, never in the database.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// The key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A tenant's key for one purpose: HMAC-SHA256 of purpose and tenant under the master key. A pseudo-random
    /// function of both, so that no key tells of another.
    pub(crate) fn derive(&self, tenant: TenantId, purpose: Purpose) -> [u8; 32] {
        keyed_hash(&self.0, &[purpose.label().as_bytes(), tenant.0.as_bytes()])
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// What a derived key is for; one key never serves two purposes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Wraps the tenant's subjects' data keys.
    Wrap,
    /// Makes look-up keys of personal values.
    Index,
    /// Makes digests of commands.
    Digest,
}

impl Purpose {
    fn label(self) -> &'static str {
        match self {
            Self::Wrap => "hibachi.vault.wrap.v1",
            Self::Index => "hibachi.vault.index.v1",
            Self::Digest => "hibachi.vault.digest.v1",
        }
    }
}

/// HMAC-SHA256 over length-prefixed parts.
pub(crate) fn keyed_hash(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(&length_prefixed(parts));
    mac.finalize().into_bytes().into()
}

/// Parts in one piece of bytes, such that no other parts give the same.
pub(crate) fn length_prefixed(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        let length = u64::try_from(part.len()).expect("a length in memory fits 64 bits");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// Where keys and nonces come from.
pub trait Entropy: Send + Sync {
    /// Fills the bytes with what nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has randomness once it has started");
    }
}
