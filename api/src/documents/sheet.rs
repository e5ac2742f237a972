//! Pages before they are PDF: what is drawn where, in whole hundredths of a point from the upper left corner.

use chrono::{Datelike, NaiveDate};
use krilla::color::rgb;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::text::{GlyphId, KrillaGlyph};
use krilla::{Document, SerializeSettings};

use super::font::{Fonts, Glyph, Shaped};

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ink(pub(super) u8, pub(super) u8, pub(super) u8);

/// Something on a page.
#[derive(Debug, Clone)]
pub(super) enum Mark {
    /// A line of text, its baseline at `y`.
    Text { x: i32, y: i32, ink: Ink, line: Shaped },
    /// A filled rectangle.
    Box {
        x: i32,
        y: i32,
        width: i32,
        height: i32,
        ink: Ink,
    },
}

/// A paper size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paper {
    pub(super) width: i32,
    pub(super) height: i32,
}

impl Paper {
    /// US Letter.
    pub(super) const LETTER: Self = Self {
        width: 61_200,
        height: 79_200,
    };
    /// US Letter on its side.
    pub(super) const LETTER_LANDSCAPE: Self = Self {
        width: 79_200,
        height: 61_200,
    };
}

/// What a program that lists documents reads of one. No time but the day that it is of.
pub(super) struct About {
    pub(super) title: String,
    pub(super) author: String,
    /// What tells the document from any other.
    pub(super) id: String,
    /// What programs find in it.
    pub(super) keywords: Vec<String>,
    pub(super) on: NaiveDate,
}

/// Writes pages as PDF/A-2b, which is meant to be kept: fonts are inside, and nothing refers to anything outside. The
/// same pages are the same bytes.
pub(super) fn write(fonts: &Fonts, paper: Paper, pages: &[Vec<Mark>], about: About) -> Vec<u8> {
    let archival = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_B)
        .finish();
    let mut document = Document::new_with(SerializeSettings {
        configuration: archival.expect("one standard alone agrees with itself"),
        enable_tagging: false,
        ..SerializeSettings::default()
    });
    document.set_metadata(metadata(about));
    for marks in pages {
        let settings = PageSettings::from_wh(points(paper.width), points(paper.height));
        let mut page = document.start_page_with(settings.expect("paper has a size"));
        let mut surface = page.surface();
        for mark in marks {
            draw(&mut surface, fonts, mark);
        }
        surface.finish();
        page.finish();
    }
    document
        .finish()
        .expect("the fonts are ours, every glyph is theirs, and no text is as long as the standard's limit")
}

fn metadata(about: About) -> Metadata {
    let part = |number: u32| u8::try_from(number).unwrap_or(1);
    let date = DateTime::new(u16::try_from(about.on.year()).unwrap_or(0))
        .month(part(about.on.month()))
        .day(part(about.on.day()));
    Metadata::new()
        .title(about.title)
        .authors(vec![about.author])
        .document_id(about.id)
        .keywords(about.keywords)
        .language("en-US".to_owned())
        .creation_date(date)
}

fn draw(surface: &mut Surface<'_>, fonts: &Fonts, mark: &Mark) {
    match mark {
        Mark::Text { x, y, ink, line } => {
            surface.set_fill(Some(fill(*ink)));
            let (font, units_per_em) = fonts.embedded(line.face);
            let glyphs: Vec<KrillaGlyph> = line
                .glyphs
                .iter()
                .map(|glyph| placed(glyph, units_per_em))
                .collect();
            let start = Point::from_xy(points(*x), points(*y));
            surface.draw_glyphs(start, &glyphs, font, &line.text, points(line.size), false);
        }
        Mark::Box {
            x,
            y,
            width,
            height,
            ink,
        } => {
            surface.set_fill(Some(fill(*ink)));
            let rectangle = Rect::from_xywh(points(*x), points(*y), points(*width), points(*height));
            let mut path = PathBuilder::new();
            if let Some(rectangle) = rectangle {
                path.push_rect(rectangle);
            }
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
    }
}

fn fill(Ink(red, green, blue): Ink) -> Fill {
    Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        ..Fill::default()
    }
}

fn placed(glyph: &Glyph, units_per_em: i32) -> KrillaGlyph {
    let em = |units| share(units, units_per_em);
    KrillaGlyph::new(
        GlyphId::new(glyph.id),
        em(glyph.advance),
        em(glyph.x_offset),
        em(glyph.y_offset),
        em(0),
        glyph.text.clone(),
        None,
    )
}

/// Hundredths of a point as points.
fn points(hundredths: i32) -> f32 {
    share(hundredths, 100)
}

/// A length as the library that writes PDF has it. No money is near it.
#[expect(
    clippy::float_arithmetic,
    reason = "lengths on paper are floats in PDF's library"
)]
fn share(length: i32, of: i32) -> f32 {
    let whole = i16::try_from(length / of).unwrap_or(i16::MAX);
    let rest = i16::try_from(length % of).unwrap_or(0);
    f32::from(whole) + f32::from(rest) / f32::from(i16::try_from(of).unwrap_or(i16::MAX))
}
