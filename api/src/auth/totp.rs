//! Codes of authenticator apps: RFC 6238 with what every app knows, SHA-1, six digits and thirty seconds.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// How long a code is shown, in seconds.
const STEP_SECS: i64 = 30;

/// How many steps a clock may be off, either way.
const DRIFT: i64 = 1;

/// Bytes of a secret: as many as the hash has.
pub(super) const SECRET_LEN: usize = 20;

/// The code of a time step.
fn code(secret: &[u8], step: i64) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    // RFC 4226, 5.3: the last four bits say where the number is.
    let at = usize::from(hash[19] & 0x0f);
    let number = u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

/// The time step that a code is of, if it is one of now.
pub(super) fn step_of(secret: &[u8], typed: &str, now: DateTime<Utc>) -> Option<i64> {
    let typed: String = typed.chars().filter(|typed| !typed.is_whitespace()).collect();
    let present = now.timestamp().div_euclid(STEP_SECS);
    let steps = present - DRIFT..=present + DRIFT;
    // All of them are compared: how long it takes does not tell which it was.
    steps.rev().fold(None, |found, step| {
        if same(code(secret, step).as_bytes(), typed.as_bytes()) {
            Some(step)
        } else {
            found
        }
    })
}

/// Compares without telling by the time how far they agree.
fn same(ours: &[u8], theirs: &[u8]) -> bool {
    let differ = ours
        .iter()
        .zip(theirs)
        .fold(0, |differ, (one, other)| differ | (one ^ other));
    ours.len() == theirs.len() && differ == 0
}

/// What an app reads a secret from, as a QR code or typed.
pub(super) fn uri(organisation: &str, email: &str, secret: &[u8]) -> String {
    let (organisation, email) = (escaped(organisation), escaped(email));
    format!(
        "otpauth://totp/{organisation}:{email}?secret={}&issuer={organisation}&algorithm=SHA1&digits=6&period=30",
        base32(secret)
    )
}

fn escaped(text: &str) -> String {
    let one = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(one).collect()
}

/// Base 32 of RFC 4648, without padding.
pub(super) fn base32(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    for five in bytes.chunks(5) {
        let mut padded = [0; 8];
        padded[3..3 + five.len()].copy_from_slice(five);
        let bits = u64::from_be_bytes(padded);
        for digit in 0..(five.len() * 8).div_ceil(5) {
            let index = usize::try_from((bits >> (35 - 5 * digit)) & 31).unwrap_or_default();
            text.push(char::from(DIGITS[index]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B; the last six of its eight digits.
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, seconds / 30), expected);
            assert_eq!(step_of(SECRET, expected, at(seconds)), Some(seconds / 30));
        }
    }

    #[test]
    fn a_code_of_the_step_before_or_after_is_taken_and_no_other() {
        let step = 1_234_567_890 / 30;
        let now = at(step * 30);
        let taken = |typed: &str| step_of(SECRET, typed, now);
        for near in [step - 1, step, step + 1] {
            assert_eq!(taken(&code(SECRET, near)), Some(near));
        }
        for far in [step - 2, step + 2] {
            assert_eq!(taken(&code(SECRET, far)), None);
        }
        let typed = code(SECRET, step);
        let (first, last) = typed.split_at(3);
        assert_eq!(taken(&format!(" {first} {last} ")), Some(step));
        for odd in ["", "00592", "0059244", "００５９２４"] {
            assert_eq!(taken(odd), None, "{odd}");
        }
    }

    #[test]
    fn base_32_is_that_of_the_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn an_app_reads_whose_and_which_secret() {
        assert_eq!(
            uri("Our Hibachi", "a+b@example.com", b"foobar"),
            "otpauth://totp/Our%20Hibachi:a%2Bb%40example.com?secret=MZXW6YTBOI&issuer=Our%20Hibachi\
             &algorithm=SHA1&digits=6&period=30"
        );
    }
}
