//! The fonts of documents, and text in them: shaped, measured, broken into lines.
//!
//! Lengths are whole hundredths of a point. What the fonts lack is shown as an empty box, and stays what it is in the
//! text that a reader finds or copies.

use std::ops::Range;

use harfrust::{Direction, Feature, FontRef, ShapeOptions, ShaperData, Tag, UnicodeBuffer};
use krilla::Data;
use krilla::text::Font;

/// Inter 4.001, cut down to Latin, Greek and Cyrillic; the licence is beside it.
const REGULAR: &[u8] = include_bytes!("../../data/fonts/Inter-Regular.ttf");
const SEMI_BOLD: &[u8] = include_bytes!("../../data/fonts/Inter-SemiBold.ttf");

/// What stands for a character that the fonts do not have.
const MISSING: &str = "\u{25a1}";

/// Which of the fonts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// For what is read.
    Regular,
    /// For what is found first.
    SemiBold,
}

/// The fonts, ready to be used.
pub(super) struct Fonts {
    regular: Loaded,
    semi_bold: Loaded,
}

struct Loaded {
    bytes: &'static [u8],
    font: Font,
    shaper: ShaperData,
    units_per_em: i32,
    missing: Option<Glyph>,
}

/// A glyph of a line, in units of its font.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glyph {
    pub(super) id: u32,
    pub(super) advance: i32,
    pub(super) x_offset: i32,
    pub(super) y_offset: i32,
    /// The bytes of the text that it is of.
    pub(super) text: Range<usize>,
}

/// A line of text as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shaped {
    pub(super) face: Face,
    /// Height of the type.
    pub(super) size: i32,
    /// Its text.
    pub(super) text: String,
    pub(super) glyphs: Vec<Glyph>,
    /// How wide it is.
    pub(super) width: i32,
}

impl Fonts {
    /// Reads the fonts that the program carries.
    pub(super) fn load() -> Self {
        Self {
            regular: Loaded::read(REGULAR),
            semi_bold: Loaded::read(SEMI_BOLD),
        }
    }

    fn loaded(&self, face: Face) -> &Loaded {
        match face {
            Face::Regular => &self.regular,
            Face::SemiBold => &self.semi_bold,
        }
    }

    /// The font as it is embedded, with the units that its glyphs are measured in.
    pub(super) fn embedded(&self, face: Face) -> (Font, i32) {
        let loaded = self.loaded(face);
        (loaded.font.clone(), loaded.units_per_em)
    }

    /// One line of a text.
    pub(super) fn line(&self, face: Face, size: i32, text: &str) -> Shaped {
        let text: String = text.chars().map(shown).collect();
        let loaded = self.loaded(face);
        let glyphs = loaded.shape(&text);
        let units: i64 = glyphs.iter().map(|glyph| i64::from(glyph.advance)).sum();
        let width = units * i64::from(size) / i64::from(loaded.units_per_em);
        Shaped {
            face,
            size,
            text,
            glyphs,
            width: i32::try_from(width).unwrap_or(i32::MAX),
        }
    }

    /// A text as lines of at most a width: broken between words, and within one only where it is wider by itself.
    pub(super) fn lines(&self, face: Face, size: i32, text: &str, width: i32) -> Vec<Shaped> {
        let mut lines: Vec<Shaped> = Vec::new();
        for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
            if word.is_empty() {
                continue;
            }
            if let Some(last) = lines.last_mut() {
                let longer = self.line(face, size, &format!("{} {word}", last.text));
                if longer.width <= width {
                    *last = longer;
                    continue;
                }
            }
            lines.extend(self.pieces(face, size, word, width));
        }
        if lines.is_empty() {
            lines.push(self.line(face, size, ""));
        }
        lines
    }

    /// A word in as many pieces as it takes.
    fn pieces(&self, face: Face, size: i32, word: &str, width: i32) -> Vec<Shaped> {
        let whole = self.line(face, size, word);
        if whole.width <= width {
            return vec![whole];
        }
        let units_per_em = i64::from(self.loaded(face).units_per_em);
        let room = i64::from(width) * units_per_em / i64::from(size);
        let mut cuts = vec![0];
        let (mut start, mut used) = (0, 0);
        for glyph in &whole.glyphs {
            if used + i64::from(glyph.advance) > room && glyph.text.start > start {
                start = glyph.text.start;
                used = 0;
                cuts.push(start);
            }
            used += i64::from(glyph.advance);
        }
        cuts.push(whole.text.len());
        let piece = |cut: &[usize]| self.line(face, size, &whole.text[cut[0]..cut[1]]);
        cuts.windows(2).map(piece).collect()
    }
}

/// A character as a document has it: nothing that steers a printer, nothing that no text may hold.
fn shown(c: char) -> char {
    match c {
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
        c if c.is_control() => ' ',
        c => c,
    }
}

impl Loaded {
    fn read(bytes: &'static [u8]) -> Self {
        let reference = FontRef::new(bytes).expect("the program carries whole fonts");
        let font = Font::new(Data::from(bytes), 0).expect("the program carries whole fonts");
        let shaper = ShaperData::new(&reference);
        let units_per_em = shaper.shaper(&reference).build().units_per_em();
        let mut loaded = Self {
            bytes,
            font,
            shaper,
            units_per_em,
            missing: None,
        };
        loaded.missing = loaded.shape(MISSING).into_iter().next();
        loaded
    }

    fn shape(&self, text: &str) -> Vec<Glyph> {
        let font = FontRef::new(self.bytes).expect("it was read before");
        let shaper = self.shaper.shaper(&font).build();
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        buffer.set_direction(Direction::LeftToRight);
        // Figures of one width, so that columns of amounts stand in line; not among words, and no wide sign before them.
        let tabular = u32::from(!text.chars().any(char::is_alphabetic));
        let figures = usize::from(text.starts_with('-'));
        let features = [Feature::new(Tag::new(b"tnum"), tabular, figures..)];
        let shaped = shaper.shape(buffer, ShapeOptions::new().features(&features));
        let infos = shaped.glyph_infos();
        let at = |index: usize| {
            infos
                .get(index)
                .and_then(|info| usize::try_from(info.cluster).ok())
                .unwrap_or(text.len())
        };
        let positions = infos.iter().zip(shaped.glyph_positions()).enumerate();
        let glyph = |(index, (info, position)): (usize, (&harfrust::GlyphInfo, &harfrust::GlyphPosition))| {
            let start = at(index);
            let end = (index + 1..=infos.len())
                .map(at)
                .find(|end| *end > start)
                .unwrap_or(text.len());
            let glyph = Glyph {
                id: info.glyph_id,
                advance: position.x_advance,
                x_offset: position.x_offset,
                y_offset: position.y_offset,
                text: start..end,
            };
            match &self.missing {
                Some(missing) if glyph.id == 0 => Glyph {
                    text: glyph.text,
                    ..missing.clone()
                },
                Some(_) | None => glyph,
            }
        };
        positions.map(glyph).collect()
    }
}
