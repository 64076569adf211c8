//! The table: tabs, heads of columns, and rows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::layout::{Column, Content, ScreenLayout};
use super::line::{Line, inner, rate, right, shorten, width};
use super::plot;
use super::theme::Theme;
use crate::output::terminal::model::{Model, Row, Sort, Subject, Unusual};
use crate::text::{Bytes, grouped};

pub(super) fn draw(buffer: &mut Buffer, layout: &ScreenLayout, model: &Model, theme: &Theme) {
    tabs(buffer, layout, model, theme);
    heads(buffer, layout, model, theme);
    let rows = model.order().iter().enumerate().skip(layout.first_row);
    for (y, (number, subject)) in (layout.rows.y..layout.rows.bottom()).zip(rows) {
        let place = Rect { y, height: 1, ..layout.rows };
        let is_marked = number == model.choice.selected;
        row(buffer, place, layout, model, subject, theme);
        if is_marked {
            buffer.set_style(place, theme.marked);
        }
    }
    if model.order().is_empty() && model.shown().tick > 0 {
        let nothing = if model.choice.filter.is_empty() { "nothing moves" } else { "no match" };
        let place = inner(layout.rows);
        Line::new(buffer, place).add(nothing, theme.dim);
    }
}

fn tabs(buffer: &mut Buffer, layout: &ScreenLayout, model: &Model, theme: &Theme) {
    for (by, from, to) in &layout.tab_places {
        let place = Rect { x: *from, width: to - from, ..layout.tabs };
        let is_chosen = *by == model.choice.by;
        let style =
            if is_chosen { theme.accent.add_modifier(Modifier::REVERSED) } else { theme.dim };
        Line::new(buffer, place).add(&format!(" {} ", by.title()), style);
    }
    let count = model.order().len() as u64;
    let sort = model.choice.sort.title();
    let order = if model.choice.is_reversed { "smallest first" } else { "largest first" };
    let order = if model.choice.sort == Sort::Name { "" } else { order };
    let end = layout.tab_places.last().map_or(layout.tabs.x, |(_, _, end)| *end);
    let room = layout.tabs.right().saturating_sub(end + 1);
    let place = Rect { x: layout.tabs.right() - room, width: room, ..layout.tabs };
    let comma = if order.is_empty() { "" } else { ", " };
    let texts = [format!("{} by {sort}{comma}{order} ", grouped(count)), format!("by {sort} ")];
    if let Some(text) = texts.iter().find(|text| width(text) <= usize::from(room)) {
        right(buffer, place, text, theme.dim);
    }
}

fn heads(buffer: &mut Buffer, layout: &ScreenLayout, model: &Model, theme: &Theme) {
    for column in &layout.columns {
        let place = cell(column, layout.heads);
        let title = match column.content {
            Content::Name => model.choice.by.column(),
            Content::In => "IN",
            Content::Out => "OUT",
            Content::Total => "TOTAL",
            Content::Peak => "PEAK",
            Content::History => "LAST",
            Content::Unusual if column.width < 7 => "ODD",
            Content::Unusual => "UNUSUAL",
            Content::Owner => "OWNER",
            Content::Place => "WHERE",
        };
        let sorts = column.content.sort() == Some(model.choice.sort);
        let sorts = sorts && column.content != Content::History;
        let arrow = if model.choice.is_reversed { "▴" } else { "▾" };
        let title = if sorts { format!("{title}{arrow}") } else { title.to_owned() };
        let style = if sorts { theme.accent } else { theme.head };
        if is_number(column.content) {
            right(buffer, place, &title, style);
        } else {
            Line::new(buffer, place).add(&title, style);
        }
    }
}

fn is_number(content: Content) -> bool {
    matches!(content, Content::In | Content::Out | Content::Total | Content::Peak)
}

fn cell(column: &Column, line: Rect) -> Rect {
    let width = column.width.min(line.right().saturating_sub(column.x));
    Rect { x: column.x.min(line.right()), width, ..line }
}

fn row(
    buffer: &mut Buffer,
    line: Rect,
    layout: &ScreenLayout,
    model: &Model,
    subject: &Subject,
    theme: &Theme,
) {
    let counts = model.shown();
    let Some(row) = counts.table(model.choice.by).get(subject) else { return };
    let unusual = model.unusual(subject, row);
    let [received, sent] = row.rates.now(counts.tick);
    for column in &layout.columns {
        let place = cell(column, line);
        let mut figure = |text: &str, style: Style| right(buffer, place, text, style);
        match column.content {
            Content::In => figure(&rate_or_nothing(received), theme.received),
            Content::Out => figure(&rate_or_nothing(sent), theme.sent),
            Content::Total => figure(&Bytes(row.bytes() as f64).to_string(), Style::new()),
            Content::Peak => figure(&rate(row.peak()), theme.dim),
            Content::Name => name(buffer, place, model, subject, unusual, theme),
            Content::History => history(buffer, place, row, counts.tick, theme),
            Content::Unusual => bar(buffer, place, unusual, theme),
            Content::Place => {
                let place_of = model.place_of(subject, row);
                let text = shorten(&place_of, usize::from(place.width));
                Line::new(buffer, place).add(&text, theme.dim);
            }
            Content::Owner => {
                let owner = row.owner.as_deref().unwrap_or_default();
                let text = shorten(owner, usize::from(place.width));
                Line::new(buffer, place).add(&text, theme.dim);
            }
        }
    }
}

fn rate_or_nothing(bytes: f32) -> String {
    if bytes > 0.0 { rate(bytes) } else { "·".to_owned() }
}

fn name(
    buffer: &mut Buffer,
    place: Rect,
    model: &Model,
    subject: &Subject,
    unusual: Unusual,
    theme: &Theme,
) {
    let style = match subject {
        _ if unusual.is_alerted => theme.alert,
        Subject::Nobody(_) | Subject::Other => theme.dim,
        _ => Style::new(),
    };
    let text = shorten(&model.label(subject), usize::from(place.width));
    Line::new(buffer, place).add(&text, style);
}

fn history(buffer: &mut Buffer, place: Rect, row: &Row, tick: u64, theme: &Theme) {
    let points = row.rates.last(tick, usize::from(place.width));
    let sums: Vec<f32> = points.iter().map(|[received, sent]| received + sent).collect();
    Line::new(buffer, place).add(&plot::bars(&sums), theme.accent.remove_modifier(Modifier::BOLD));
}

/// Draws a full bar for an open incident, otherwise one block for each doubling above the row's median rate.
fn bar(buffer: &mut Buffer, place: Rect, unusual: Unusual, theme: &Theme) {
    let most = usize::from(place.width);
    let doublings = unusual.times.map_or(0.0, |times| times.max(1.0).log2());
    let blocks = (doublings.floor() as usize).min(most.saturating_sub(1));
    let (blocks, style) = match unusual.is_alerted {
        true => (most, theme.alert),
        false => (blocks, theme.notice),
    };
    Line::new(buffer, place).add(&"■".repeat(blocks), style);
}
