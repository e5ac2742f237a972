//! Text for a terminal: measured, clipped, wrapped, and harmless whatever it says.

use std::fmt::Display;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// As it is: for files, programs, and who wants it so.
    Plain,
    /// With ANSI escapes, for a terminal.
    Ansi,
}

/// What text is written on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Columns of a line.
    pub width: usize,
    /// Whether it has colours.
    pub colour: Colour,
}

impl Screen {
    fn paint(self, code: &str, text: impl Display) -> String {
        match self.colour {
            Colour::Plain => text.to_string(),
            Colour::Ansi => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }

    pub(crate) fn strong(self, text: impl Display) -> String {
        self.paint("1", text)
    }

    pub(crate) fn faint(self, text: impl Display) -> String {
        self.paint("2", text)
    }

    pub(crate) fn added(self, text: impl Display) -> String {
        self.paint("32", text)
    }

    pub(crate) fn removed(self, text: impl Display) -> String {
        self.paint("31", text)
    }

    pub(crate) fn changed(self, text: impl Display) -> String {
        self.paint("33", text)
    }
}

/// The text without what a terminal would obey: controls and marks that turn the direction are spelt out.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for letter in text.chars() {
        let obeyed = letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if obeyed {
            clean.extend(letter.escape_default());
        } else {
            clean.push(letter);
        }
    }
    clean
}

/// Columns that a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text in so many columns at most, with an ellipsis where it was longer.
pub(crate) fn clip(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut clipped = String::new();
    let mut taken = 1;
    for letter in text.chars() {
        taken += letter.width().unwrap_or(0);
        if taken > columns {
            break;
        }
        clipped.push(letter);
    }
    clipped.push('…');
    clipped
}

/// The end of the text in so many columns at most, with an ellipsis where it was longer.
pub(crate) fn clip_start(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut taken = 1;
    let fits = |letter: &char| {
        taken += letter.width().unwrap_or(0);
        taken <= columns
    };
    let kept: Vec<char> = text.chars().rev().take_while(fits).collect();
    std::iter::once('…').chain(kept.into_iter().rev()).collect()
}

/// Which side of its column a text is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// The text filled up to so many columns.
pub(crate) fn pad(text: &str, columns: usize, side: Side) -> String {
    let fill = " ".repeat(columns.saturating_sub(width(text)));
    match side {
        Side::Left => format!("{text}{fill}"),
        Side::Right => format!("{fill}{text}"),
    }
}

/// The text in lines of so many columns, broken between words where there are any.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for letter in word.chars() {
            if width(&line) + letter.width().unwrap_or(0) > columns {
                lines.push(std::mem::take(&mut line));
            }
            line.push(letter);
        }
    }
    lines.push(line);
    lines
}

/// The text in a CSV field, where no spreadsheet takes it for a formula.
pub(crate) fn field(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelt_out() {
        assert_eq!(
            clean("a\u{1b}[2Jb\n\u{202e}c é 漢"),
            "a\\u{1b}[2Jb\\n\\u{202e}c é 漢"
        );
    }

    #[test]
    fn a_long_text_is_clipped_and_wrapped_by_what_it_takes_on_the_screen() {
        assert_eq!(clip("abcdef", 6), "abcdef");
        assert_eq!(clip("abcdefg", 6), "abcde…");
        assert_eq!(clip("漢字漢字", 6), "漢字…");
        assert_eq!(clip_start("abcdefg", 6), "…cdefg");
        assert_eq!(clip_start("abcdef", 6), "abcdef");
        assert_eq!(wrap("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(wrap("abcdefghijkl", 8), ["abcdefgh", "ijkl"]);
        assert_eq!(pad("漢", 4, Side::Right), "  漢");
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_the_screen(text in "\\PC{0,60}", columns in 8_usize..40) {
            prop_assert!(width(&clip(&text, columns)) <= columns);
            prop_assert!(width(&clip_start(&text, columns)) <= columns);
            for line in wrap(&text, columns) {
                prop_assert!(line.chars().map(|letter| letter.width().unwrap_or(0)).sum::<usize>() <= columns);
            }
        }
    }
}
