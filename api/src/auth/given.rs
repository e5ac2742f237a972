//! Secrets that are given out once and only compared afterwards: refresh tokens and keys for programs. Each says whose it
//! is, so that it is looked for within one company, and 256 bits that nobody can guess.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::{TenantId, UserId};
use event_log::Vault;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What a refresh token begins with, to be known when it is found where it should not be.
const REFRESH: &str = "hir_";
/// What a key for a program begins with.
const KEY: &str = "hib_";
/// The last characters of a key that its owner is shown.
const SHOWN: usize = 4;

/// A secret as it is given out, and what is kept of it.
pub(super) struct Given {
    /// What is given out.
    pub(super) text: String,
    /// SHA-256 of it. There is nothing to guess in 256 random bits, so that a slow hash would protect nothing.
    pub(super) hash: [u8; 32],
}

impl Given {
    fn of(text: String) -> Self {
        let hash = hash(&text);
        Self { text, hash }
    }

    /// A new refresh token of a company.
    pub(super) fn refresh_token(vault: &Vault, tenant: TenantId) -> Self {
        let bytes = [tenant.0.as_bytes().as_slice(), &vault.secret()].concat();
        Self::of(format!("{REFRESH}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// A new key of a person.
    pub(super) fn key(vault: &Vault, tenant: TenantId, user: UserId) -> Self {
        let bytes = [
            tenant.0.as_bytes().as_slice(),
            user.0.as_bytes().as_slice(),
            &vault.secret(),
        ]
        .concat();
        Self::of(format!("{KEY}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The last characters, by which somebody knows it again.
    pub(super) fn ends_with(&self) -> String {
        let from = self.text.len().saturating_sub(SHOWN);
        self.text.get(from..).unwrap_or_default().to_owned()
    }
}

/// Whose a refresh token is; none for what is none.
pub(super) fn of_refresh_token(text: &str) -> Option<TenantId> {
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(REFRESH)?).ok()?;
    let bytes: [u8; 48] = bytes.try_into().ok()?;
    Some(TenantId(Uuid::from_slice(bytes.get(..16)?).ok()?))
}

/// Whether it means to be a key for a program.
pub(super) fn is_key(text: &str) -> bool {
    text.starts_with(KEY)
}

/// Whose a key is; none for what is none.
pub(super) fn of_key(text: &str) -> Option<(TenantId, UserId)> {
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(KEY)?).ok()?;
    let bytes: [u8; 64] = bytes.try_into().ok()?;
    let tenant = Uuid::from_slice(bytes.get(..16)?).ok()?;
    let user = Uuid::from_slice(bytes.get(16..32)?).ok()?;
    Some((TenantId(tenant), UserId(user)))
}

/// What is kept of a secret.
pub(super) fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_out_says_whose_it_is() {
        let (tenant, user) = (TenantId(Uuid::from_u128(7)), UserId(Uuid::from_u128(8)));
        let text =
            |begin: &str, parts: &[&[u8]]| format!("{begin}{}", URL_SAFE_NO_PAD.encode(parts.concat()));
        let token = text(REFRESH, &[tenant.0.as_bytes(), &[1; 32]]);
        let key = text(KEY, &[tenant.0.as_bytes(), user.0.as_bytes(), &[1; 32]]);
        assert_eq!(of_refresh_token(&token), Some(tenant));
        assert_eq!(of_key(&key), Some((tenant, user)));
        assert!(is_key(&key) && !is_key(&token));
        for odd in [
            "",
            "hir_",
            "hib_",
            &token[4..],
            &token[..token.len() - 2],
            "hir_%%%",
        ] {
            assert_eq!((of_refresh_token(odd), of_key(odd)), (None, None), "{odd}");
        }
        assert_eq!(of_key(&token), None);
        assert_eq!(Given::of(key.clone()).ends_with(), &key[key.len() - 4..]);
    }
}
