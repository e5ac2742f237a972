//! Who says that it is Stripe proves it: `Stripe-Signature` over the raw body, as <https://docs.stripe.com/webhooks#verify-manually> has it.

use chrono::{DateTime, Utc};
use domain::organisation::WebhookRefusal;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Seconds that a signature may be old, or ahead.
const TOLERANCE: i64 = 300;
/// Bytes of a SHA-256 in hexadecimal digits.
const DIGITS: usize = 64;
/// How many signatures of one message are looked at: Stripe sends one for each secret that is in force.
const SIGNATURES: usize = 16;

/// The secrets that Stripe signs with: several while one takes the place of another.
#[derive(Clone, Default)]
pub struct WebhookSecrets(Vec<String>);

impl std::fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WebhookSecrets({} secrets)", self.0.len())
    }
}

impl WebhookSecrets {
    /// The secrets of a text: separated by commas or white space.
    pub fn parse(text: &str) -> Self {
        let words = text.split(|letter: char| letter == ',' || letter.is_whitespace());
        Self(words.filter(|word| !word.is_empty()).map(str::to_owned).collect())
    }

    /// Whether there is none: then nobody can prove to be Stripe.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Why a message is not Stripe's, as far as anybody can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No header, or none with a time and a signature of version 1.
    #[error("the signature is missing or cannot be read")]
    Unsigned,
    /// None of its signatures is made with one of our secrets.
    #[error("the signature is not one of ours")]
    Forged,
    /// It was signed more than five minutes ago, or ahead.
    #[error("the signature is too old, or from the future")]
    Stale,
}

impl From<SignatureError> for WebhookRefusal {
    fn from(error: SignatureError) -> Self {
        match error {
            SignatureError::Unsigned => Self::Unsigned,
            SignatureError::Forged => Self::Forged,
            SignatureError::Stale => Self::Stale,
        }
    }
}

/// Lets a message pass whose header holds a signature of its raw bytes by one of the secrets, made within five minutes.
///
/// # Errors
/// [`SignatureError`]; which signature would have been right is not told, nor how far one was off.
pub fn check_signature(
    header: &str,
    body: &[u8],
    secrets: &WebhookSecrets,
    now: DateTime<Utc>,
) -> Result<(), SignatureError> {
    let (time, signatures) = read(header).ok_or(SignatureError::Unsigned)?;
    let seconds: i64 = time.parse().map_err(|_| SignatureError::Unsigned)?;
    let signed = |secret: &String| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
        mac.update(time.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac
    };
    // In constant time each, and every one of them, whichever is right.
    let ours = secrets.0.iter().map(signed).fold(false, |found, mac| {
        signatures.iter().fold(found, |found, signature| {
            mac.clone().verify_slice(signature).is_ok() | found
        })
    });
    if !ours {
        return Err(SignatureError::Forged);
    }
    if now.timestamp().abs_diff(seconds) > TOLERANCE.unsigned_abs() {
        return Err(SignatureError::Stale);
    }
    Ok(())
}

/// The time and the signatures of version 1; any other version is none.
fn read(header: &str) -> Option<(&str, Vec<[u8; 32]>)> {
    let mut time = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=')? {
            ("t", value) if time.is_none() => time = Some(value),
            ("t", _) => return None,
            ("v1", value) if signatures.len() < SIGNATURES => signatures.extend(bytes(value)),
            (_, _) => {}
        }
    }
    let digits = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let time = time.filter(digits)?;
    (!signatures.is_empty()).then_some((time, signatures))
}

/// The bytes of a signature as Stripe writes it: in lower case.
fn bytes(text: &str) -> Option<[u8; 32]> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != DIGITS || !text.bytes().all(lower) {
        return None;
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_of_ours";

    fn signed(secret: &str, seconds: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{seconds}.").as_bytes());
        mac.update(body);
        hex::encode(mac.finalize().into_bytes())
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_225_600, 0).unwrap()
    }

    fn check(header: &str, secrets: &str) -> Result<(), SignatureError> {
        check_signature(header, b"{}", &WebhookSecrets::parse(secrets), now())
    }

    #[test]
    fn one_of_several_signatures_by_one_of_several_secrets_is_enough() {
        let good = signed(SECRET, 1_767_225_600, b"{}");
        let other = signed("whsec_other", 1_767_225_600, b"{}");
        let header = format!("t=1767225600,v1={other},v1={good},v0=abc");
        assert_eq!(check(&header, SECRET), Ok(()));
        assert_eq!(check(&header, &format!("whsec_new, {SECRET}\n")), Ok(()));
        assert_eq!(check(&header, "whsec_new"), Err(SignatureError::Forged));
        assert_eq!(check(&header, ""), Err(SignatureError::Forged));
        let changed = check_signature(&header, b"{ }", &WebhookSecrets::parse(SECRET), now());
        assert_eq!(changed, Err(SignatureError::Forged));
    }

    #[test]
    fn a_signature_holds_for_five_minutes_either_way() {
        for (seconds, held) in [(300, true), (-300, true), (301, false), (-301, false)] {
            let at = 1_767_225_600 + seconds;
            let header = format!("t={at},v1={}", signed(SECRET, at, b"{}"));
            let expected = if held { Ok(()) } else { Err(SignatureError::Stale) };
            assert_eq!(check(&header, SECRET), expected, "{seconds}");
        }
        let far = i64::MIN;
        let header = format!("t={far},v1={}", signed(SECRET, far, b"{}"));
        assert_eq!(check(&header, SECRET), Err(SignatureError::Unsigned));
    }

    #[test]
    fn what_is_no_signature_is_none() {
        let good = signed(SECRET, 1_767_225_600, b"{}");
        for header in [
            String::new(),
            "t=1767225600".to_owned(),
            format!("v1={good}"),
            format!("t=,v1={good}"),
            format!("t=1767225600,t=1767225600,v1={good}"),
            format!("t=1767225600,v0={good}"),
            format!("t=1767225600,v1={}", good.to_uppercase()),
            format!("t=1767225600,v1={}", &good[1..]),
            format!("t=1767225600 v1={good}"),
        ] {
            assert_eq!(check(&header, SECRET), Err(SignatureError::Unsigned), "{header}");
        }
    }

    #[test]
    fn secrets_are_in_no_debug_text() {
        assert_eq!(
            format!("{:?}", WebhookSecrets::parse("a b")),
            "WebhookSecrets(2 secrets)"
        );
    }
}
