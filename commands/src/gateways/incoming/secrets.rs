//! Secrets that a provider proves itself by: of any company, or of one.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Secrets that are shared with a provider: several while one takes the place of another.
#[derive(Clone, Default)]
pub struct SharedSecrets(Vec<SharedSecret>);

#[derive(Clone)]
struct SharedSecret {
    /// The slug of the only company that it is good for.
    company: Option<String>,
    secret: String,
}

impl std::fmt::Debug for SharedSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SharedSecrets({} secrets)", self.0.len())
    }
}

/// Whom a secret speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proven {
    /// Nobody: it is none of ours.
    Nothing,
    /// Any company.
    OfAny,
    /// The company of this slug.
    Of(String),
}

impl SharedSecrets {
    /// The secrets of a text: separated by commas or white space; `slug:secret` for one that is good for that company alone.
    pub fn parse(text: &str) -> Self {
        let words = text.split(|letter: char| letter == ',' || letter.is_whitespace());
        let read = |word: &str| match word.split_once(':') {
            Some((company, secret)) if !company.is_empty() => SharedSecret {
                company: Some(company.to_owned()),
                secret: secret.to_owned(),
            },
            Some(_) | None => SharedSecret {
                company: None,
                secret: word.to_owned(),
            },
        };
        let secrets = words.map(read).filter(|shared| !shared.secret.is_empty());
        Self(secrets.collect())
    }

    /// Whether there is none: then nobody can prove to be the provider.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whom the first secret that fits speaks for, at the address of a company or at that of all. Every one is tried, so that
    /// the time it takes does not tell which.
    pub(super) fn prove(&self, at: Option<&str>, fits: impl Fn(&str) -> bool) -> Proven {
        let mut proven = Proven::Nothing;
        for shared in &self.0 {
            let is_here = shared.company.is_none() || at.is_none() || shared.company.as_deref() == at;
            let is_good = fits(&shared.secret) & is_here;
            if is_good && proven == Proven::Nothing {
                proven = shared.company.clone().map_or(Proven::OfAny, Proven::Of);
            }
        }
        proven
    }
}

/// Whom a token speaks for that is sent as it is. Compared in constant time.
pub fn prove_token(given: &str, secrets: &SharedSecrets, at: Option<&str>) -> Proven {
    let tagged = |text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"hibachi token").expect("a key of any length will do");
        mac.update(text.as_bytes());
        mac
    };
    let given = tagged(given).finalize().into_bytes();
    secrets.prove(at, |secret| tagged(secret).verify_slice(&given).is_ok())
}
