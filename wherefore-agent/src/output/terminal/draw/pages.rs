//! Pages above the table: help, alerts with their full text, the choice of interfaces, the log.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, BorderType, Clear, Padding, Widget};

use super::line::{Line, shorten, wrapped};
use super::parts::alert_line;
use super::theme::Theme;
use crate::message::held;
use crate::output::terminal::help::HELP;
use crate::output::terminal::model::{Model, Page};

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, theme: &Theme) {
    match model.choice.page {
        Page::Table | Page::Detail(_) => {}
        Page::Help => help(buffer, area, theme),
        Page::Alerts => alerts(buffer, area, model, theme),
        Page::Interfaces => interfaces(buffer, area, model, theme),
        Page::Log => log(buffer, area, model, theme),
    }
}

/// Draws an empty frame in the middle of the screen; returns the area inside.
fn window(
    buffer: &mut Buffer,
    area: Rect,
    title: &str,
    [wide, high]: [u16; 2],
    theme: &Theme,
) -> Rect {
    // If only a narrow border of the table were left around it, fill the screen.
    let fitted = |wanted: u16, most: u16, rim: u16| if wanted + rim > most { most } else { wanted };
    let (width, height) = (fitted(wide, area.width, 10), fitted(high, area.height, 2));
    let (x, y) = (area.x + (area.width - width) / 2, area.y + (area.height - height) / 2);
    let place = Rect { x, y, width, height };
    Clear.render(place, buffer);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme.dim)
        .title_style(theme.accent)
        .padding(Padding::horizontal(1))
        .title(format!(" {title} "));
    let inside = block.inner(place);
    block.render(place, buffer);
    inside
}

fn help(buffer: &mut Buffer, area: Rect, theme: &Theme) {
    let size = [96, HELP.len() as u16 + 6];
    let place = window(buffer, area, "wherefore: keys", size, theme);
    let keys = if place.width >= 80 { 30 } else { 19 };
    let mut y = place.y;
    for (key, what) in HELP {
        let [left, right] = beside(place, keys);
        for (text, style, place) in [(key, theme.accent, left), (what, Style::new(), right)] {
            if y < place.bottom() {
                let room = usize::from(place.width);
                Line::new(buffer, Rect { y, height: 1, ..place }).add(&shorten(text, room), style);
            }
        }
        y += 1;
    }
    let notes = [
        "UNUSUAL: full and red while an incident about the row is open; else one block for",
        "each doubling above its own median of the last two minutes. Plots: two minutes.",
    ];
    for (y, note) in (y + 1..place.bottom()).zip(notes) {
        Line::new(buffer, Rect { y, height: 1, ..place }).add(note, theme.dim);
    }
}

fn beside(place: Rect, width: u16) -> [Rect; 2] {
    let width = width.min(place.width);
    let left = Rect { width: width.saturating_sub(1), ..place };
    [left, Rect { x: place.x + width, width: place.width - width, ..place }]
}

fn alerts(buffer: &mut Buffer, area: Rect, model: &Model, theme: &Theme) {
    let size = [140, area.height];
    let place = window(buffer, area, "alerts", size, theme);
    let incidents = &model.shown().incidents;
    let place = held_back(buffer, place, model, theme);
    let Some(chosen) = incidents.get(model.choice.at) else {
        Line::new(buffer, place).add("No alert so far.", theme.dim);
        return;
    };
    let lines = wrapped(&full_text(chosen), usize::from(place.width));
    let below = (lines.len() as u16 + 1).min(place.height / 2 + 1);
    let list = Rect { height: place.height.saturating_sub(below), ..place };
    let first = model.choice.at.saturating_sub(usize::from(list.height) / 2);
    for (y, (number, alert)) in
        (list.y..list.bottom()).zip(incidents.iter().enumerate().skip(first))
    {
        let place = Rect { y, height: 1, ..list };
        alert_line(buffer, place, alert, theme);
        if number == model.choice.at {
            buffer.set_style(place, theme.marked);
        }
    }
    let rule = "─".repeat(usize::from(place.width));
    Line::new(buffer, Rect { y: list.bottom(), height: 1, ..place }).add(&rule, theme.dim);
    for (y, line) in (list.bottom() + 1..place.bottom()).zip(lines) {
        Line::new(buffer, Rect { y, height: 1, ..place }).add(&line, Style::new());
    }
}

/// Draws findings that were held back at the bottom; returns the area above.
fn held_back(buffer: &mut Buffer, place: Rect, model: &Model, theme: &Theme) -> Rect {
    let counts = model.shown();
    let Some(words) = held::summary(&counts.held_back) else { return place };
    let shown = counts.held.iter().take(usize::from(place.height));
    let lines: Vec<_> = shown
        .flat_map(|held| {
            let time = held.time.get(11..19).unwrap_or_default();
            wrapped(&format!("{time} {}", held.line()), usize::from(place.width))
        })
        .collect();
    let needed = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(1);
    let above = Rect { height: place.height - needed.min(place.height / 3), ..place };
    let mut below = (above.bottom()..place.bottom()).map(|y| Rect { y, height: 1, ..place });
    let Some(rule) = below.next() else { return above };
    let mut line = Line::new(buffer, rule);
    line.add("── ", theme.dim).add(&words, theme.notice).add(" ", Style::new());
    line.add(&"─".repeat(usize::from(place.width)), theme.dim);
    for (place, text) in below.zip(&lines) {
        Line::new(buffer, place).add(text, Style::new());
    }
    above
}

/// The message and the paths of its evidence files.
fn full_text(alert: &crate::message::alert::Alert) -> String {
    let mut text = alert.text.clone();
    if !alert.reason.is_empty() && !text.contains(&alert.reason) {
        text = format!("{text}\n{}", alert.reason);
    }
    for path in &alert.evidence {
        text = format!("{text}\npackets: {}", path.display());
    }
    format!("{text}\nkey {}", alert.key)
}

fn interfaces(buffer: &mut Buffer, area: Rect, model: &Model, theme: &Theme) {
    let known = &model.counts.interfaces;
    let size = [40, known.len() as u16 + 3];
    let place = window(buffer, area, "interface", size, theme);
    let names = std::iter::once("all".to_owned()).chain(known.iter().map(|(_, name)| name.clone()));
    let first = model.choice.at.saturating_sub(usize::from(place.height.saturating_sub(1)));
    for (y, (number, name)) in (place.y..place.bottom()).zip(names.enumerate().skip(first)) {
        let place = Rect { y, height: 1, ..place };
        Line::new(buffer, place).add(&name, Style::new());
        if number == model.choice.at {
            buffer.set_style(place, theme.marked);
        }
    }
}

fn log(buffer: &mut Buffer, area: Rect, model: &Model, theme: &Theme) {
    let size = [area.width, area.height];
    let place = window(buffer, area, "log", size, theme);
    let lines: Vec<String> =
        model.log.iter().flat_map(|line| wrapped(line, usize::from(place.width))).collect();
    let height = usize::from(place.height);
    let first = lines.len().saturating_sub(height + model.choice.at);
    for (y, line) in (place.y..place.bottom()).zip(lines.iter().skip(first)) {
        Line::new(buffer, Rect { y, height: 1, ..place }).add(line, Style::new());
    }
    if lines.is_empty() {
        Line::new(buffer, place).add("The log is empty so far.", theme.dim);
    }
}
