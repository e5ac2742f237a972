//! What a bundle needs of signatures: signed heads in one line each, and a signature over its manifest.
//!
//! **Signed bytes of a manifest.** These fields, each as its length in four bytes, big-endian, and its bytes: the
//! domain tag `hibachi.bundle.v1`, and SHA-256 over the manifest's bytes. Ed25519 over them, as for heads.

use super::file::File;
use super::{HeadError, HeadSigner, PublicKey, SignedHead, write_field};
use crate::proof::Hash;

/// Names the format of bundles and its version.
pub const BUNDLE_FORMAT: &str = "hibachi.bundle.v1";

fn form(manifest: &Hash) -> Vec<u8> {
    let mut form = Vec::new();
    write_field(BUNDLE_FORMAT.as_bytes(), &mut form);
    write_field(manifest, &mut form);
    form
}

impl HeadSigner {
    /// Signs a bundle's manifest, given its SHA-256.
    pub fn sign_manifest(&self, manifest: &Hash) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.0.sign(&form(manifest)).as_ref());
        signature
    }
}

impl PublicKey {
    /// Whether a signature is this key's over a bundle's manifest, given its SHA-256.
    pub fn signed_manifest(&self, manifest: &Hash, signature: &[u8; 64]) -> bool {
        self.verifies(&form(manifest), signature)
    }
}

impl SignedHead {
    /// The file's text on one line, without the line's end.
    pub fn to_line(&self) -> String {
        serde_json::to_string(&File::from(self)).expect("a file of texts and numbers is JSON")
    }

    /// Reads a line. The signature is not looked at.
    ///
    /// # Errors
    /// [`HeadError::Malformed`] says what does not fit.
    pub fn from_line(line: &str) -> Result<Self, HeadError> {
        let file: File =
            serde_json::from_str(line).map_err(|error| HeadError::Malformed(error.to_string()))?;
        let head = Self::try_from(file)?;
        if head.to_line() == line {
            return Ok(head);
        }
        Err(HeadError::Malformed(
            "it is not in the one form of a line".to_owned(),
        ))
    }
}
