//! A message as words: whole, case-folded, without the marks that do not change a word.

/// How many characters of a message are heard: the longest that there is.
pub const LONGEST_HEARD: usize = 10_000;

/// A word of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Lower case, without apostrophes, accents and a possessive `'s`.
    text: String,
    /// Whether a sentence or a part of one begins with it.
    pub(super) begins: bool,
    /// Whether it was written with a capital letter first, and not all in capitals.
    pub(super) is_capital: bool,
    /// Whether it was a possessive.
    pub(super) is_possessive: bool,
}

impl Word {
    /// Whether it is a word, or its plural.
    pub(super) fn is(&self, word: &str) -> bool {
        let text = self.text.as_str();
        text == word
            || text.strip_suffix('s') == Some(word)
            || (text.strip_suffix("es") == Some(word) && !word.ends_with('e'))
            || text
                .strip_suffix("ies")
                .zip(word.strip_suffix('y'))
                .is_some_and(|(plural, singular)| plural == singular)
    }

    /// Whether it is exactly one of these.
    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.contains(&self.text.as_str())
    }

    /// Whether it begins so.
    pub(super) fn starts(&self, with: &str) -> bool {
        self.text.starts_with(with)
    }

    /// Whether it is a plural of a word.
    pub(super) fn is_plural_of(&self, word: &str) -> bool {
        self.is(word) && self.text != word
    }

    /// Whether it is a number, in digits or as a word.
    pub(super) fn is_number(&self) -> bool {
        const NUMBERS: [&str; 24] = [
            "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
            "thirteen", "fourteen", "fifteen", "sixteen", "eighteen", "twenty", "thirty", "forty", "fifty",
            "sixty", "hundred", "dozen", "few",
        ];
        self.text.starts_with(|first: char| first.is_numeric()) || self.is_any(&NUMBERS)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// How a word is written.
#[derive(Default)]
struct Case {
    /// Its first letter is a capital.
    first: bool,
    /// It has a letter that is not.
    lower: bool,
}

/// What ends a part of a sentence.
fn ends(c: char) -> bool {
    matches!(
        c,
        '.' | ','
            | ';'
            | ':'
            | '!'
            | '?'
            | '\n'
            | '\r'
            | '('
            | ')'
            | '"'
            | '。'
            | '！'
            | '？'
            | '…'
            | '—'
            | '–'
            | '|'
    )
}

/// A letter without what does not change the word: full-width forms, accents of Latin letters.
fn plain(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => u32::from(c)
            .checked_sub(0xfee0)
            .and_then(char::from_u32)
            .unwrap_or(c),
        '\u{2018}' | '\u{2019}' | '\u{02bc}' | '`' | '´' => '\'',
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' | 'ı' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        other => other,
    }
}

/// Marks that stand between letters and do not part a word: combining accents, joiners, soft hyphens.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036f}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{00ad}')
}

/// The words of a message, at most those of its first [`LONGEST_HEARD`] characters.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let (mut current, mut case, mut begins) = (String::new(), Case::default(), true);
    let finish = |current: &mut String, case: &mut Case, begins: &mut bool, words: &mut Vec<Word>| {
        if let Some(word) = word(current, case.first && case.lower, *begins) {
            words.push(word);
            *begins = false;
        }
        current.clear();
        *case = Case::default();
    };
    for c in text.chars().take(LONGEST_HEARD).filter(|c| !is_mark(*c)) {
        let c = plain(c);
        if c.is_alphanumeric() || (c == '\'' && !current.is_empty()) {
            case.first |= current.is_empty() && c.is_uppercase();
            case.lower |= c.is_lowercase();
            current.extend(c.to_lowercase().filter(|c| !is_mark(*c)).map(plain));
        } else {
            finish(&mut current, &mut case, &mut begins, &mut words);
            begins |= ends(c);
        }
    }
    finish(&mut current, &mut case, &mut begins, &mut words);
    words
}

fn word(raw: &str, is_capital: bool, begins: bool) -> Option<Word> {
    let raw = raw.trim_end_matches('\'');
    let is_possessive = raw.ends_with("'s");
    let text = raw.strip_suffix("'s").unwrap_or(raw).replace('\'', "");
    (!text.is_empty()).then_some(Word {
        text,
        begins,
        is_capital,
        is_possessive,
    })
}

/// Whether one of so many words before a place, in the same part of the sentence, is such a word.
pub(super) fn before(words: &[Word], place: usize, reach: usize, is: impl Fn(&Word) -> bool) -> bool {
    let first = place.saturating_sub(reach);
    let mut at = place;
    while at > first {
        if words[at].begins {
            return false;
        }
        at -= 1;
        if is(&words[at]) {
            return true;
        }
    }
    false
}

/// The word at a distance before a place, in the same part of the sentence.
pub(super) fn back(words: &[Word], place: usize, by: usize) -> Option<&Word> {
    let from = place.checked_sub(by)?;
    let parted = words[from + 1..=place].iter().any(|word| word.begins);
    (!parted).then(|| &words[from])
}

/// The word at a distance after a place, in the same part of the sentence.
pub(super) fn ahead(words: &[Word], place: usize, by: usize) -> Option<&Word> {
    let to = place.checked_add(by)?;
    let between = words.get(place + 1..=to)?;
    (!between.iter().any(|word| word.begins)).then(|| &words[to])
}
