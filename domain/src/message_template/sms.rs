//! How long a text message is: what a carrier charges by.

/// Characters of the basic alphabet (3GPP TS 23.038, 6.2.1), but for the escape.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§\
                     ¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Characters of its extension (6.2.1.1): each takes the place of two.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// In which alphabet a text message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmsAlphabet {
    /// The seven-bit one of telephones: 160 characters a part.
    Gsm7,
    /// Unicode, for whatever is not in it: 70 characters a part.
    Ucs2,
}

/// How long a text message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmsLength {
    /// In which alphabet it is sent: one character outside of the shorter one makes all of them longer.
    pub alphabet: SmsAlphabet,
    /// Its length in places of that alphabet.
    pub length: usize,
    /// Of how many parts it is: what it costs.
    pub parts: usize,
}

impl SmsLength {
    /// How long a text is.
    pub fn of(text: &str) -> Self {
        let places = |c: char| match c {
            c if BASIC.contains(c) => Some(1),
            c if EXTENDED.contains(c) => Some(2),
            _ => None,
        };
        let (alphabet, length, alone, joined) = match text.chars().map(places).sum::<Option<usize>>() {
            Some(length) => (SmsAlphabet::Gsm7, length, 160, 153),
            None => (SmsAlphabet::Ucs2, text.encode_utf16().count(), 70, 67),
        };
        Self {
            alphabet,
            length,
            parts: if length <= alone {
                1
            } else {
                length.div_ceil(joined)
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (SmsAlphabet, usize, usize) {
        let length = SmsLength::of(text);
        (length.alphabet, length.length, length.parts)
    }

    #[test]
    fn a_text_is_charged_by_the_part() {
        assert_eq!(parts(""), (SmsAlphabet::Gsm7, 0, 1));
        assert_eq!(parts(&"a".repeat(160)), (SmsAlphabet::Gsm7, 160, 1));
        assert_eq!(parts(&"a".repeat(161)), (SmsAlphabet::Gsm7, 161, 2));
        assert_eq!(parts(&"a".repeat(307)), (SmsAlphabet::Gsm7, 307, 3));
        assert_eq!(parts("[€]"), (SmsAlphabet::Gsm7, 6, 1));
        assert_eq!(parts("ñ à É"), (SmsAlphabet::Gsm7, 5, 1));
    }

    #[test]
    fn one_character_of_another_alphabet_makes_all_of_them_longer() {
        assert_eq!(parts("’"), (SmsAlphabet::Ucs2, 1, 1));
        let long = format!("{}’", "a".repeat(70));
        assert_eq!(parts(&long), (SmsAlphabet::Ucs2, 71, 2));
        assert_eq!(parts("\u{1f363}"), (SmsAlphabet::Ucs2, 2, 1));
    }
}
