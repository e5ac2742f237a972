//! What is on paper: glyphs for every name, and nothing beside the page.

use proptest::prelude::*;

use super::*;
use crate::documents::customer::pages;
use crate::documents::font::{Face, Fonts};
use crate::documents::sheet::{Mark, Paper};

#[test]
fn names_keep_their_accents_and_what_the_fonts_lack_is_a_box() {
    let fonts = Fonts::load();
    for name in [
        "Nguyễn Thị Ánh",
        "Łukasz Żółć",
        "Ģirts Ķēniņš",
        "Ελένη",
        "Юлия",
        "İpek Şahin",
        "Zoe\u{308}",
    ] {
        let line = fonts.line(Face::Regular, 950, name);
        let boxes = fonts.line(Face::Regular, 950, "□");
        assert!(
            line.glyphs
                .iter()
                .all(|glyph| glyph.id != 0 && glyph.id != boxes.glyphs[0].id),
            "{name}"
        );
    }
    for name in ["王小明", "👩‍🍳", "\u{10ffff}", "\u{feff}\u{0}\u{7}"] {
        let line = fonts.line(Face::Regular, 950, name);
        assert!(line.glyphs.iter().all(|glyph| glyph.id != 0), "{name}");
        document(&invoice(), &contact(name, name));
    }
    let boxes = fonts.line(Face::Regular, 950, "王王").width;
    assert_eq!(boxes, 2 * fonts.line(Face::Regular, 950, "□").width);
}

#[test]
fn figures_are_of_one_width() {
    let fonts = Fonts::load();
    let width = |text: &str| fonts.line(Face::Regular, 950, text).width;
    assert_eq!(width("$111.11"), width("$888.88"));
}

/// Whatever is on a page is on it.
fn assert_on_paper(of: &DocumentIssued, contact: &Contact) {
    let Paper { width, height } = Paper::LETTER;
    let fonts = Fonts::load();
    for mark in pages(&fonts, of, contact).iter().flatten() {
        let (x, y, wide, high) = match mark {
            Mark::Text { x, y, line, .. } => (*x, *y - line.size, line.width, line.size),
            Mark::Box {
                x, y, width, height, ..
            } => (*x, *y, *width, *height),
        };
        assert!(x >= 0 && y >= 0, "{mark:?}");
        assert!(x + wide <= width && y + high <= height, "{mark:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn nothing_runs_out_of_the_page_and_nothing_crashes(
        name in any::<String>(),
        street in "\\PC{0,300}",
        label in "[ -~é王\u{300}]{0,400}",
        city in "[A-Za-z]{0,200}",
        amounts in prop::collection::vec(0_i64..1_000_000_000_000, 0..12),
        paid in 0_i64..1_000_000_000_000,
    ) {
        let lines = amounts.iter().map(|amount| line(LineKind::AddOn, &label, 1, *amount)).collect();
        let mut of = invoice_of(lines, money(paid, paid / 2));
        of.party.city = city.clone();
        of.issuer.organisation = city;
        let whose = contact(&name, &street);
        assert_on_paper(&of, &whose);
        let bytes = document(&of, &whose);
        prop_assert!(bytes.starts_with(b"%PDF"));
    }
}
