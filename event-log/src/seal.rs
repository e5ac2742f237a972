//! The cipher of sealed values: XChaCha20-Poly1305, whose nonces are long enough to be random.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};

use crate::keys::{Entropy, keyed_hash};

/// Bytes of a nonce.
const NONCE: usize = 24;

/// A key that seals: a subject's data key, or the tenant's key that wraps those.
#[derive(Clone)]
pub(crate) struct SealingKey([u8; 32]);

impl SealingKey {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Tells this key from a later one of the same subject; tells nothing of the key.
    pub(crate) fn id(&self) -> [u8; 8] {
        let hash = keyed_hash(&self.0, &[b"hibachi.vault.key-id.v1"]);
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        id
    }

    /// Nonce and ciphertext, bound to the associated data.
    pub(crate) fn seal(&self, entropy: &dyn Entropy, plaintext: &[u8], associated: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce);
        let sealed = self
            .cipher()
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plaintext,
                    aad: associated,
                },
            )
            .expect("the cipher takes up to 256 GiB");
        [nonce.as_slice(), &sealed].concat()
    }

    /// What was sealed, unless key, bytes or associated data are others.
    pub(crate) fn open(&self, sealed: &[u8], associated: &[u8]) -> Option<Vec<u8>> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE>()?;
        self.cipher()
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: ciphertext,
                    aad: associated,
                },
            )
            .ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(self.0))
    }
}
