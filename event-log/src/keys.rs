//! Keys and where they come from.

use domain::ids::TenantId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The key above every tenant's keys. Lives in the environment or a file, never in the database. Wiped from
/// memory when dropped.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// The key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Its name: tells it from other master keys, and tells nothing of it.
    pub fn id(&self) -> KeyId {
        KeyId::of(&self.0, "hibachi.vault.master-id.v1")
    }

    /// A tenant's key for one purpose: HMAC-SHA256 of purpose and tenant under the master key. A pseudo-random
    /// function of both, so that no key tells of another.
    pub(crate) fn derive(&self, tenant: TenantId, purpose: Purpose) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(keyed_hash(
            &self.0,
            &[purpose.label().as_bytes(), tenant.0.as_bytes()],
        ))
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// The name of a key: eight bytes of a keyed hash, as hexadecimal digits for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 8]);

impl KeyId {
    pub(crate) fn of(key: &[u8; 32], label: &str) -> Self {
        let hash = keyed_hash(key, &[label.as_bytes()]);
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        Self(id)
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// The master keys of an installation, the newest first. More than one while a rotation runs.
#[derive(Debug, Clone)]
pub struct KeyRing {
    keys: Vec<MasterKey>,
}

impl KeyRing {
    /// A ring of the newest key and those before it, the latest of them first.
    pub fn new(newest: MasterKey, earlier: impl IntoIterator<Item = MasterKey>) -> Self {
        let keys = std::iter::once(newest).chain(earlier).collect();
        Self { keys }
    }

    /// The key that wraps from now on.
    pub fn newest(&self) -> &MasterKey {
        &self.keys[0]
    }

    /// The key that a company's look-up keys follow from, where it has none yet.
    pub(crate) fn oldest(&self) -> &MasterKey {
        &self.keys[self.keys.len() - 1]
    }

    /// The key of a name.
    pub(crate) fn find(&self, id: KeyId) -> Option<&MasterKey> {
        self.keys.iter().find(|key| key.id() == id)
    }

    /// Every key.
    pub fn keys(&self) -> &[MasterKey] {
        &self.keys
    }

    /// This ring, and behind it whatever another has besides.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        for key in &other.keys {
            if self.find(key.id()).is_none() {
                self.keys.push(key.clone());
            }
        }
        self
    }
}

impl From<MasterKey> for KeyRing {
    fn from(key: MasterKey) -> Self {
        Self::new(key, [])
    }
}

/// Where the master keys are read from. Asked again when a row names a key that was not there before, so that
/// a running program follows a rotation.
pub trait MasterKeys: Send + Sync {
    /// The keys as they are now.
    ///
    /// # Errors
    /// A sentence that says which place cannot be read.
    fn read(&self) -> Result<KeyRing, String>;
}

impl MasterKeys for MasterKey {
    fn read(&self) -> Result<KeyRing, String> {
        Ok(self.clone().into())
    }
}

impl MasterKeys for KeyRing {
    fn read(&self) -> Result<KeyRing, String> {
        Ok(self.clone())
    }
}

impl<M: MasterKeys + ?Sized> MasterKeys for std::sync::Arc<M> {
    fn read(&self) -> Result<KeyRing, String> {
        (**self).read()
    }
}

/// What a derived key is for; one key never serves two purposes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Wraps the tenant's own keys and its subjects' data keys.
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
