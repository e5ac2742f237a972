//! Checks what an installation says of its log, without the installation: signed heads, and proofs that one event
//! is in a log. Neither database nor network is asked.
//!
//! Written from `docs/proof-format.md` alone, and sharing no code with the program that writes the files.

mod form;
mod head;
mod path;
mod proof;

pub use head::{CheckedHead, check_head};
pub use path::root_of;
pub use proof::{CheckedProof, check_proof};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// Why a file does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is no file of this format.
    #[error("the file cannot be read: {0}")]
    Malformed(String),
    /// It is one, and what it says is not so.
    #[error("{0}")]
    False(String),
}

impl Fault {
    fn malformed(field: &str, what: &str) -> Self {
        Self::Malformed(format!("{field} {what}"))
    }

    fn lies(what: impl Into<String>) -> Self {
        Self::False(what.into())
    }
}

/// Reads a public key: 64 hexadecimal digits.
///
/// # Errors
/// [`Fault::Malformed`] when it is none.
pub fn public_key(text: &str) -> Result<[u8; 32], Fault> {
    form::bytes("the public key", text.trim())
}
