//! The cipher of sealed values: XChaCha20-Poly1305, whose nonces are long enough to be random.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};

use zeroize::Zeroizing;

use crate::keys::{Entropy, KeyId};

/// Bytes of a nonce.
const NONCE: usize = 24;

/// A key that seals: a subject's data key, or the tenant's key that wraps those. Wiped from memory when
/// dropped.
#[derive(Clone)]
pub(crate) struct SealingKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

impl SealingKey {
    pub(crate) fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(bytes.as_mut());
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Tells this key from any other; tells nothing of the key.
    pub(crate) fn id(&self) -> KeyId {
        KeyId::of(&self.0, "hibachi.vault.key-id.v1")
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
        let key: &Key = (&*self.0).into();
        XChaCha20Poly1305::new(key)
    }
}
