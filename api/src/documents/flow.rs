//! What is set on pages from the top down: blocks, tables whose heads are repeated, and a foot with the page's number.

use super::font::{Face, Fonts, Shaped};
use super::sheet::{Ink, Mark, Paper};

/// A way to set text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) face: Face,
    pub(super) size: i32,
    /// From one baseline to the next.
    pub(super) leading: i32,
    pub(super) ink: Ink,
}

/// What is read.
pub(super) const DARK: Ink = Ink(28, 32, 38);
/// What says what is read.
pub(super) const GREY: Ink = Ink(104, 112, 124);
/// Lines between rows.
pub(super) const HAIR: Ink = Ink(218, 223, 229);
/// Behind what matters.
pub(super) const BAND: Ink = Ink(245, 246, 248);
/// The one colour.
pub(super) const ACCENT: Ink = Ink(166, 52, 30);

pub(super) const BODY: Style = style(Face::Regular, 950, 1_400, DARK);
pub(super) const STRONG: Style = style(Face::SemiBold, 950, 1_400, DARK);
pub(super) const SMALL: Style = style(Face::Regular, 800, 1_150, GREY);
pub(super) const LABEL: Style = style(Face::SemiBold, 700, 1_250, GREY);

pub(super) const fn style(face: Face, size: i32, leading: i32, ink: Ink) -> Style {
    Style {
        face,
        size,
        leading,
        ink,
    }
}

/// On which side of its column something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) head: &'static str,
    pub(super) width: i32,
    pub(super) side: Side,
}

/// A row of a table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) cells: Vec<String>,
    pub(super) style: Style,
    /// Behind it, where it matters.
    pub(super) band: Option<Ink>,
}

/// Pages in the making.
pub(super) struct Flow<'a> {
    fonts: &'a Fonts,
    paper: Paper,
    margin: i32,
    pages: Vec<Vec<Mark>>,
    /// How far down the page is used.
    pub(super) y: i32,
    /// What stands at the top of every page after the first.
    running_head: String,
}

/// Room at the bottom of a page for its foot.
const FOOT: i32 = 3_000;
/// Above and below the text of a table's row.
const PADDING: i32 = 420;
/// Between a column and the next.
const GUTTER: i32 = 800;
/// How far what is behind text stands out beside it.
pub(super) const INSET: i32 = 400;
/// How thick a line is.
const HAIRLINE: i32 = 60;

impl<'a> Flow<'a> {
    pub(super) fn new(fonts: &'a Fonts, paper: Paper, margin: i32, running_head: String) -> Self {
        Self {
            fonts,
            paper,
            margin,
            pages: vec![Vec::new()],
            y: margin,
            running_head,
        }
    }

    pub(super) fn left(&self) -> i32 {
        self.margin
    }

    pub(super) fn right(&self) -> i32 {
        self.paper.width - self.margin
    }

    pub(super) fn width(&self) -> i32 {
        self.paper.width - 2 * self.margin
    }

    fn bottom(&self) -> i32 {
        self.paper.height - self.margin - FOOT
    }

    fn put(&mut self, mark: Mark) {
        self.pages
            .last_mut()
            .expect("there is a page from the beginning")
            .push(mark);
    }

    /// A line of text with its baseline where it is told.
    fn set(&mut self, x: i32, y: i32, side: Side, ink: Ink, line: Shaped) {
        let x = match side {
            Side::Left => x,
            Side::Right => x - line.width,
        };
        self.put(Mark::Text { x, y, ink, line });
    }

    /// Text from a point down, at most so wide; the height that it takes.
    pub(super) fn text(&mut self, x: i32, y: i32, width: i32, side: Side, style: Style, text: &str) -> i32 {
        let lines = self.fonts.lines(style.face, style.size, text, width);
        let mut below = y;
        for line in lines {
            self.set(x, below + style.size, side, style.ink, line);
            below += style.leading;
        }
        below - y
    }

    /// A filled rectangle over the whole width.
    pub(super) fn band(&mut self, height: i32, ink: Ink) {
        let (x, width) = (self.left(), self.width());
        self.fill(x, self.y, width, height, ink);
    }

    pub(super) fn fill(&mut self, x: i32, y: i32, width: i32, height: i32, ink: Ink) {
        self.put(Mark::Box {
            x,
            y,
            width,
            height,
            ink,
        });
    }

    /// A thin line over the whole width.
    pub(super) fn rule(&mut self, ink: Ink) {
        self.band(HAIRLINE, ink);
    }

    pub(super) fn gap(&mut self, height: i32) {
        self.y += height;
    }

    /// Begins a page where less than a height is left.
    pub(super) fn ensure(&mut self, height: i32) {
        if self.y + height > self.bottom() {
            self.new_page();
        }
    }

    fn new_page(&mut self) {
        self.pages.push(Vec::new());
        self.y = self.margin;
        let head = self.running_head.clone();
        let (left, width) = (self.left(), self.width());
        self.y += self.text(left, self.y, width, Side::Left, SMALL, &head);
        self.gap(300);
        self.rule(HAIR);
        self.gap(1_200);
    }

    /// A paragraph over the whole width, over as many pages as it takes.
    pub(super) fn paragraph(&mut self, style: Style, text: &str) {
        let (left, width) = (self.left(), self.width());
        for line in self.fonts.lines(style.face, style.size, text, width) {
            self.ensure(style.leading);
            self.set(left, self.y + style.size, Side::Left, style.ink, line);
            self.y += style.leading;
        }
    }

    /// A table over the whole width, with its head on every page that it takes. A row that is higher than a page goes
    /// on on the next.
    pub(super) fn table(&mut self, columns: &[Column], rows: &[Row]) {
        self.ensure(6 * BODY.leading);
        self.table_head(columns);
        for row in rows {
            let wrapped: Vec<Vec<Shaped>> = columns
                .iter()
                .zip(&row.cells)
                .map(|(column, cell)| {
                    let width = column.width - GUTTER;
                    self.fonts.lines(row.style.face, row.style.size, cell, width)
                })
                .collect();
            let count = wrapped.iter().map(Vec::len).max().unwrap_or(1);
            let height = i32::try_from(count)
                .unwrap_or(i32::MAX)
                .saturating_mul(row.style.leading)
                .saturating_add(2 * PADDING);
            if self.y.saturating_add(height) > self.bottom() {
                self.new_page();
                self.table_head(columns);
            }
            if let Some(ink) = row.band {
                let (x, width) = (self.left() - INSET, self.width() + 2 * INSET);
                self.fill(x, self.y, width, height.min(self.bottom() - self.y), ink);
            }
            self.y += PADDING;
            for number in 0..count {
                if self.y + row.style.leading > self.bottom() {
                    self.new_page();
                    self.table_head(columns);
                }
                let line: Vec<Option<Shaped>> =
                    wrapped.iter().map(|cell| cell.get(number).cloned()).collect();
                self.table_line(columns, row.style, line);
            }
            self.y += PADDING;
            self.rule(HAIR);
        }
    }

    fn table_head(&mut self, columns: &[Column]) {
        let heads: Vec<Vec<Shaped>> = columns
            .iter()
            .map(|column| {
                self.fonts
                    .lines(LABEL.face, LABEL.size, column.head, column.width - GUTTER)
            })
            .collect();
        let count = heads.iter().map(Vec::len).max().unwrap_or(1);
        for number in 0..count {
            // Heads of one line stand on the last.
            let line = heads.iter().map(|head| {
                let above = count - head.len();
                number.checked_sub(above).and_then(|at| head.get(at).cloned())
            });
            let line = line.collect();
            self.table_line(
                columns,
                Style {
                    leading: 1_000,
                    ..LABEL
                },
                line,
            );
        }
        self.gap(300);
        self.band(100, DARK);
        self.gap(100);
    }

    fn table_line(&mut self, columns: &[Column], style: Style, cells: Vec<Option<Shaped>>) {
        let mut x = self.left();
        let baseline = self.y + style.size;
        for (column, cell) in columns.iter().zip(cells) {
            let edge = match column.side {
                Side::Left => x,
                Side::Right => x + column.width,
            };
            if let Some(line) = cell {
                self.set(edge, baseline, column.side, style.ink, line);
            }
            x += column.width;
        }
        self.y += style.leading;
    }

    /// The pages, each with a foot: a text, and which page of how many it is.
    pub(super) fn finish(mut self, foot: &[String]) -> Vec<Vec<Mark>> {
        let count = self.pages.len();
        let (left, right, width) = (self.left(), self.right(), self.width());
        let pages = std::mem::take(&mut self.pages);
        let mut finished = Vec::new();
        for (number, marks) in (1..).zip(pages) {
            self.pages = vec![marks];
            self.y = self.bottom() + 1_000;
            self.rule(HAIR);
            let page = format!("Page {number} of {count}");
            let top = self.y + 500;
            self.text(right, top, width, Side::Right, SMALL, &page);
            let mut below = top;
            for line in foot {
                below += self.text(left, below, width - 9_000, Side::Left, SMALL, line);
            }
            finished.append(&mut self.pages);
        }
        finished
    }
}
