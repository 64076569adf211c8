//! Draws the model. This is a pure function of the model, the theme and the size: tests compare its output
//! with stored pictures.

mod detail;
pub(super) mod layout;
mod line;
mod pages;
mod parts;
mod plot;
mod table;
pub mod theme;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::model::{Counts, HISTORY, Model, Page};
use crate::message::held;
use crate::output::reading::{Agreement, ReplayStatus};
use crate::text::{self, Bytes, grouped};
use layout::ScreenLayout;
use line::{Line, inner, rate, right, shorten, width};
use parts::{alert_line, alert_lines, axis};
use theme::Theme;

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, model: &Model, theme: &Theme) {
    /// The smallest screen on which anything useful fits.
    const LEAST: [u16; 2] = [24, 6];
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if area.width < LEAST[0] || area.height < LEAST[1] {
        Line::new(buffer, area).add("wherefore: window too small", theme.notice);
        return;
    }
    let layout = ScreenLayout::of(area, model);
    header(buffer, layout.header, model, theme);
    if let Page::Detail(subject) = &model.choice.page {
        let height = layout.status.y.saturating_sub(layout.plots.y);
        let place = Rect { height, ..layout.plots };
        detail::draw(buffer, place, model, subject, theme);
    } else {
        plots(buffer, layout.plots, model, theme);
        table::draw(buffer, &layout, model, theme);
        alerts(buffer, layout.alerts, model, theme);
    }
    status(buffer, layout.status, model, theme);
    keys(buffer, layout.keys, model, theme);
    pages::draw(buffer, area, model, theme);
}

fn header(buffer: &mut Buffer, place: Rect, model: &Model, theme: &Theme) {
    let counts = model.shown();
    let [received, sent] = counts.now();
    let time = if counts.tick == 0 { String::new() } else { text::clock(counts.last.end_ns) };
    let place = inner(place);
    // On a narrow screen only the time of day.
    let time = if place.width < 90 { time.get(11..).unwrap_or("").to_owned() } else { time };
    let figures = [format!("↓ {}", rate(received)), format!("↑ {}", rate(sent)), time];
    let wide =
        u16::try_from(figures.iter().map(|text| width(text) + 2).sum::<usize>()).unwrap_or(0);
    let left = Rect { width: place.width.saturating_sub(wide), ..place };
    let mut line = Line::new(buffer, left);
    line.add("wherefore", theme.accent).add("  ", Style::new());
    if model.is_lost {
        line.add("the agent has ended  ", theme.alert);
    }
    if model.choice.is_paused {
        line.add("PAUSED  ", theme.notice.add_modifier(Modifier::BOLD));
    }
    if let Some(replay) = &model.replay {
        line.add(&replay_words(replay), theme.notice).add("  ", Style::new());
    }
    line.add(&model.hello.host, Style::new()).add(" ", Style::new());
    line.add(&interfaces(model), theme.dim);
    let right_place =
        Rect { x: place.right().saturating_sub(wide), width: wide.min(place.width), ..place };
    let styles = [theme.received, theme.sent, theme.dim];
    let mut line = Line::new(buffer, right_place);
    for (text, style) in figures.iter().zip(styles) {
        line.add("  ", Style::new()).add(text, style);
    }
}

fn replay_words(replay: &ReplayStatus) -> String {
    let speed = replay.speed;
    match replay {
        replay if replay.is_over => "REPLAY: at the end".to_owned(),
        replay if replay.is_paused => "REPLAY: waiting".to_owned(),
        _ => format!("REPLAY ×{speed}"),
    }
}

fn interfaces(model: &Model) -> String {
    match model.choice.interface {
        Some(index) => format!("only {}", model.interface_name(index)),
        None => {
            let names: Vec<_> =
                model.counts.interfaces.iter().map(|(_, name)| name.as_str()).collect();
            match names.len() {
                0..=3 => names.join(", "),
                many => format!("{many} interfaces"),
            }
        }
    }
}

/// Plots of received and sent traffic, side by side.
fn plots(buffer: &mut Buffer, place: Rect, model: &Model, theme: &Theme) {
    if place.height < 3 {
        return;
    }
    let counts = model.shown();
    let half = place.width / 2;
    let sides = [(0, "received", theme.received), (1, "sent", theme.sent)];
    for (side, name, style) in sides {
        let x = place.x + side as u16 * half;
        let place = inner(Rect { x, width: half, ..place });
        let points: Vec<f32> =
            counts.rates.last(counts.tick, HISTORY).iter().map(|rates| rates[side]).collect();
        let largest = points.iter().copied().fold(0.0, f32::max);
        let mut line = Line::new(buffer, Rect { height: 1, ..place });
        line.add(name, style.add_modifier(Modifier::BOLD)).add("  ", Style::new());
        line.add_whole(&format!("peak {}", rate(largest)), theme.dim);
        let below = Rect { y: place.y + 1, height: place.height - 2, ..place };
        plot::area(buffer, below, &points, largest, style);
        axis(buffer, Rect { y: below.bottom(), height: 1, ..below }, counts, &counts.rates, theme);
    }
}

/// The last alerts: one line each, or more if the table leaves space.
fn alerts(buffer: &mut Buffer, place: Rect, model: &Model, theme: &Theme) {
    if place.height == 0 {
        return;
    }
    let incidents = &model.shown().incidents;
    let open = incidents.open().count();
    let title = format!("alerts: {} open, {} over ", open, incidents.len() - open);
    let place = inner(place);
    let mut line = Line::new(buffer, Rect { height: 1, ..place });
    line.add(&title, if open > 0 { theme.alert } else { theme.head });
    let rule = "─".repeat(usize::from(place.width));
    line.add(&rule, theme.dim);
    let hint = " a: full text";
    right(buffer, Rect { height: 1, ..place }, hint, theme.dim);
    let mut below = Rect { y: place.y + 1, height: place.height - 1, ..place };
    let count = u16::try_from(incidents.len()).unwrap_or(u16::MAX);
    let mut spare = below.height.saturating_sub(count);
    for alert in incidents.iter().take(usize::from(below.height)) {
        let height = alert_lines(alert, place.width).clamp(1, 1 + spare);
        spare -= height - 1;
        alert_line(buffer, Rect { height, ..below }, alert, theme);
        below = Rect { y: below.y + height, height: below.height.saturating_sub(height), ..below };
        if below.height == 0 {
            break;
        }
    }
}

/// The status line, with the most important facts first; the rest is cut.
fn status(buffer: &mut Buffer, place: Rect, model: &Model, theme: &Theme) {
    /// The shortest useful piece.
    const LEAST: usize = 12;
    let place = inner(place);
    let mut line = Line::new(buffer, place);
    if model.choice.is_typing || !model.choice.filter.is_empty() {
        let cursor = if model.choice.is_typing { "▏" } else { "" };
        let typed = format!("/{}{cursor}", model.choice.filter);
        line.add(&typed, theme.accent).add("  ", Style::new());
    }
    let counts = model.shown();
    if counts.tick == 0 {
        line.add("waiting for the first reading …", theme.dim);
        return;
    }
    let pieces = [agreement(counts, theme), uncounted(counts, theme), held_back(counts, theme)];
    let sizes = [(tracked(counts), theme.dim), (so_far(counts), theme.dim)];
    let pieces = pieces.into_iter().flatten().chain(sizes);
    for (number, (text, style)) in pieces.enumerate() {
        let gap = if number > 0 { " · " } else { "" };
        let room = usize::from(place.right().saturating_sub(line.x)).saturating_sub(width(gap));
        if number > 0 && room < width(&text).min(LEAST) {
            break;
        }
        line.add(gap, theme.dim).add(&shorten(&text, room), style);
    }
}

fn agreement(counts: &Counts, theme: &Theme) -> Option<(String, Style)> {
    Some(match counts.last.agreement.as_ref()? {
        Agreement::Equal => ("equals the interface counters".to_owned(), theme.good),
        Agreement::Agrees => ("agrees with the interface counters".to_owned(), theme.good),
        Agreement::Differs(name, received, sent) => {
            (format!("{name} differs by {received} B in, {sent} B out"), theme.alert)
        }
    })
}

/// Frames in no flow, by reason, since counting began.
fn uncounted(counts: &Counts, theme: &Theme) -> Option<(String, Style)> {
    let totals = &counts.totals;
    let reasons = [
        (totals.overflow, "table full"),
        (totals.lost_packets, "lost by the capture"),
        (totals.filtered, "filtered"),
        (totals.malformed_ip, "malformed"),
        (totals.non_ip, "not IP"),
        (counts.groups[1], "groups forgotten"),
        (counts.missed, "readings missed"),
    ];
    let present = reasons.iter().filter(|(count, _)| *count > 0);
    let words: Vec<_> =
        present.map(|(count, what)| format!("{} {what}", grouped(*count))).collect();
    let is_loss = totals.overflow + totals.lost_packets + counts.groups[1] > 0;
    let style = if is_loss { theme.notice } else { theme.dim };
    (!words.is_empty()).then(|| (format!("in no flow: {}", words.join(", ")), style))
}

/// Findings that were held back, by reason.
fn held_back(counts: &Counts, theme: &Theme) -> Option<(String, Style)> {
    held::summary(&counts.held_back).map(|words| (words, theme.notice))
}

fn tracked(counts: &Counts) -> String {
    let flows = counts.last.flows.len() as u64 + counts.last.more_flows;
    let groups = counts.groups[0];
    let noun = if flows == 1 { "flow" } else { "flows" };
    let groups = if groups > 0 { format!(", {} groups", grouped(groups)) } else { String::new() };
    format!("{} {noun}{groups}", grouped(flows))
}

fn so_far(counts: &Counts) -> String {
    let seconds = (counts.last.end_ns - counts.since_ns) as f64 / 1e9;
    format!("{} in {}", Bytes(counts.totals.bytes as f64), text::seconds(seconds))
}

fn keys(buffer: &mut Buffer, place: Rect, model: &Model, theme: &Theme) {
    let keys: &[(&str, &str)] = match model.choice.page {
        _ if model.choice.is_typing => &[("Enter", "keep"), ("Esc", "clear")],
        Page::Table if model.replay.is_some() => &[
            ("q", "quit"),
            ("?", "help"),
            ("Space", "wait"),
            (".", "step"),
            ("+-", "speed"),
            ("←→", "seek"),
            ("Tab", "view"),
            ("/", "filter"),
            ("s", "sort"),
            ("Enter", "details"),
            ("a", "alerts"),
        ],
        Page::Table => &[
            ("q", "quit"),
            ("?", "help"),
            ("Tab", "view"),
            ("/", "filter"),
            ("s", "sort"),
            ("Enter", "details"),
            ("a", "alerts"),
            ("i", "interface"),
            ("Space", "pause"),
            ("l", "log"),
        ],
        _ => &[("Esc", "back"), ("↑↓", "move"), ("q", "quit")],
    };
    let mut line = Line::new(buffer, inner(place));
    for (key, what) in keys {
        let text = format!("{key} {what}  ");
        if usize::from(line.place.right().saturating_sub(line.x)) < width(text.trim_end()) {
            break;
        }
        line.add(key, theme.accent).add(&format!(" {what}  "), theme.dim);
    }
}
