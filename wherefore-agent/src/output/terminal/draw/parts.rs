//! Parts of several pages: the time axis below a plot, and an alert on one line.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::line::{Line, right, shorten, wrapped};
use super::theme::Theme;
use crate::detect::finding::{Kind, Severity, Status};
use crate::message::alert::Alert;
use crate::output::terminal::model::{Counts, HISTORY, Rates};
use crate::text;

/// The time axis below a plot.
pub(super) fn axis(
    buffer: &mut Buffer,
    place: Rect,
    counts: &Counts,
    rates: &Rates,
    theme: &Theme,
) {
    let line = "─".repeat(usize::from(place.width));
    Line::new(buffer, place).add(&line, theme.dim);
    // A reading takes a little more or less than a second.
    let length = counts.last.seconds();
    let length = if length > 0.5 { length.round() } else { length };
    let seconds = length * HISTORY as f64;
    if rates.age(counts.tick) > 0 {
        Line::new(buffer, place).add(&format!("{} ago ", text::seconds(seconds)), theme.dim);
        right(buffer, place, " now", theme.dim);
    }
}

/// Draws an alert on as many lines as fit; the rest is cut.
pub(super) fn alert_line(buffer: &mut Buffer, place: Rect, alert: &Alert, theme: &Theme) {
    let (sign, style) = sign_of(alert, theme);
    let time = alert.time.get(11..19).unwrap_or_default();
    let mut line = Line::new(buffer, Rect { height: place.height.min(1), ..place });
    line.add(sign, style).add(" ", Style::new()).add(time, theme.dim).add(" ", Style::new());
    let style = if alert.status == Status::Resolved { theme.dim } else { Style::new() };
    let (x, text) = (line.x, sentence(alert));
    let room = place.right().saturating_sub(x);
    let mut rest = text.as_str();
    for y in place.y..place.bottom() {
        let is_last = y + 1 == place.bottom();
        let piece = match wrapped(rest, usize::from(room)).into_iter().next() {
            Some(piece) if !is_last => piece,
            _ => shorten(rest, usize::from(room)),
        };
        Line::new(buffer, Rect { x, y, width: room, height: 1 }).add(&piece, style);
        rest = rest.strip_prefix(piece.as_str()).unwrap_or_default().trim_start();
    }
}

/// The number of lines that an alert needs.
pub(super) fn alert_lines(alert: &Alert, width: u16) -> u16 {
    /// The columns of the sign and the time.
    const BEFORE: u16 = 11;
    let lines = wrapped(&sentence(alert), usize::from(width.saturating_sub(BEFORE))).len();
    u16::try_from(lines).unwrap_or(u16::MAX)
}

/// The text without time and host, which the screen shows elsewhere.
pub(super) fn sentence(alert: &Alert) -> String {
    let words = alert.text.split_once(&format!(" {}: ", alert.host));
    words.map_or(alert.text.as_str(), |(_, rest)| rest).to_owned()
}

pub(super) fn sign_of(alert: &Alert, theme: &Theme) -> (&'static str, Style) {
    match (alert.status, alert.severity) {
        (Status::Resolved, _) => ("✓", theme.good),
        _ if alert.kind == Kind::Digest => ("…", theme.notice),
        (_, Severity::Critical) => ("▲", theme.alert),
        _ => ("▲", theme.notice),
    }
}
