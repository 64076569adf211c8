//! Writes text on the screen line by line, and cuts it at the end.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use textwrap::WordSplitter;

use crate::text::Bytes;

/// A line to which pieces are added while there is space.
pub(super) struct Line<'a> {
    pub(super) buffer: &'a mut Buffer,
    pub(super) place: Rect,
    pub(super) x: u16,
}

impl<'a> Line<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, place: Rect) -> Self {
        Self { buffer, place, x: place.x }
    }

    /// Adds a piece; cuts it if it does not fit.
    pub(super) fn add(&mut self, text: &str, style: Style) -> &mut Self {
        let room = usize::from(self.place.right().saturating_sub(self.x));
        if self.place.height > 0 && room > 0 {
            self.x = self.buffer.set_stringn(self.x, self.place.y, text, room, style).0;
        }
        self
    }

    /// Adds a piece if all of it fits.
    pub(super) fn add_whole(&mut self, text: &str, style: Style) -> &mut Self {
        let room = usize::from(self.place.right().saturating_sub(self.x));
        if width(text) <= room {
            self.add(text, style);
        }
        self
    }
}

pub(super) fn width(text: &str) -> usize {
    ratatui::text::Span::raw(text).width()
}

/// The text; if it is too long, its beginning and an ellipsis.
pub(super) fn shorten(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut short = String::new();
    for letter in text.chars() {
        short.push(letter);
        if width(&short) + 1 > room {
            short.pop();
            break;
        }
    }
    short + "…"
}

/// Wraps a text at this width; names with hyphens stay whole.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let options = textwrap::Options::new(width.max(1)).word_splitter(WordSplitter::NoHyphenation);
    textwrap::wrap(text, options).into_iter().map(std::borrow::Cow::into_owned).collect()
}

/// Writes a text that ends at the right edge.
pub(super) fn right(buffer: &mut Buffer, place: Rect, text: &str, style: Style) {
    let wide = u16::try_from(width(text)).unwrap_or(u16::MAX).min(place.width);
    let place = Rect { x: place.right() - wide, width: wide, ..place };
    Line::new(buffer, place).add(text, style);
}

/// `12.3 MB/s`.
pub(super) fn rate(bytes: f32) -> String {
    format!("{}/s", Bytes(f64::from(bytes)))
}

/// An area without its outermost columns.
pub(super) fn inner(place: Rect) -> Rect {
    Rect { x: place.x + 1, width: place.width.saturating_sub(2), ..place }
}
