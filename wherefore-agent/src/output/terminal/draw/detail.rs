//! The page about one row: its traffic over time with its baseline and alerts, and its flows, ports and
//! processes.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::line::{Line, inner, rate, right, shorten, width};
use super::parts::{alert_line, axis};
use super::plot;
use super::theme::Theme;
use crate::detect::finding::Status;
use crate::message::alert::Alert;
use crate::output::reading::{Side, ends};
use crate::output::terminal::model::{Flow, HISTORY, Model, Row, Subject, service_port};
use crate::text::{self, Bytes, grouped};

/// The fewest points for a baseline.
const LEAST_POINTS: usize = 10;

pub(super) fn draw(
    buffer: &mut Buffer,
    place: Rect,
    model: &Model,
    subject: &Subject,
    theme: &Theme,
) {
    let counts = model.shown();
    let by = model.table_of(subject);
    let name = model.label(subject);
    let place = inner(place);
    let title = Rect { height: 1, ..place };
    let mut line = Line::new(buffer, title);
    line.add(&name, theme.accent).add("  ", Style::new());
    let Some(row) = counts.table(by).get(subject) else {
        right(buffer, title, "no traffic any more", theme.dim);
        return;
    };
    let sums = summary(row);
    let room = usize::from(line.place.right().saturating_sub(line.x));
    line.add(
        &shorten(&model.place_of(subject, row), room.saturating_sub(width(&sums) + 2)),
        theme.dim,
    );
    right(buffer, title, &sums, theme.dim);
    let about: Vec<&Alert> = counts.incidents.about(subject, &name).collect();
    let height = ((place.height.saturating_sub(1)) * 2 / 5).max(4);
    let plots = Rect { y: place.y + 1, height: height.min(place.height - 1), ..place };
    for (side, name, style) in [(0, "received", theme.received), (1, "sent", theme.sent)] {
        let half = plots.width / 2;
        let x = plots.x + side as u16 * half;
        let place = Rect { x, width: half.saturating_sub(1), ..plots };
        time_plot(buffer, place, model, row, &Plot { side, name, style, about: &about }, theme);
    }
    let mut rest = Rect { y: plots.bottom(), height: place.bottom() - plots.bottom(), ..place };
    for alert in about.iter().take(2) {
        if rest.height > 4 {
            alert_line(buffer, Rect { height: 1, ..rest }, alert, theme);
            rest = Rect { y: rest.y + 1, height: rest.height - 1, ..rest };
        }
    }
    lists(buffer, rest, model, subject, theme);
}

fn summary(row: &Row) -> String {
    let packets = row.total[0].packets + row.total[1].packets;
    let [received, sent] = row.total.map(|volume| Bytes(volume.bytes as f64));
    format!("{received} in, {sent} out, {} packets", grouped(packets))
}

/// One of the two plots.
struct Plot<'a> {
    side: usize,
    name: &'static str,
    style: Style,
    about: &'a [&'a Alert],
}

fn time_plot(
    buffer: &mut Buffer,
    place: Rect,
    model: &Model,
    row: &Row,
    plot: &Plot<'_>,
    theme: &Theme,
) {
    if place.height < 4 || place.width < 12 {
        return;
    }
    let counts = model.shown();
    let points: Vec<f32> =
        row.rates.last(counts.tick, HISTORY).iter().map(|rates| rates[plot.side]).collect();
    let known = &points[HISTORY - row.rates.age(counts.tick)..];
    let band = usual(&known[..known.len() - unusual_points(model, plot.about).min(known.len())]);
    let largest = plot::round_up(points.iter().copied().fold(0.0, f32::max));
    let mut line = Line::new(buffer, Rect { height: 1, ..place });
    line.add(plot.name, plot.style.add_modifier(Modifier::BOLD)).add("  ", Style::new());
    line.add(&rate(points.last().copied().unwrap_or(0.0)), Style::new());
    if let Some([low, high]) = band {
        line.add_whole(&format!("  usually {} to {}", rate(low), rate(high)), theme.dim);
    }
    let figures = 10.min(place.width / 3);
    let area = Rect {
        x: place.x + figures + 1,
        y: place.y + 1,
        width: place.width - figures - 1,
        height: place.height - 2,
    };
    let scale = Rect { x: place.x, width: figures, ..area };
    right(buffer, Rect { height: 1, ..scale }, &rate(largest), theme.dim);
    if area.height > 4 {
        let y = area.y + area.height / 2;
        right(buffer, Rect { y, height: 1, ..scale }, &rate(largest / 2.0), theme.dim);
    }
    band.iter().for_each(|band| shade(buffer, area, *band, largest, theme));
    plot::area(buffer, area, &points, largest, plot.style);
    let below = Rect { y: area.bottom(), height: 1, ..area };
    axis(buffer, below, counts, &row.rates, theme);
    mark_alerts(buffer, below, model, plot.about, theme);
}

/// The number of newest readings that do not count for the baseline: the last ten, and all since the first
/// open incident began.
fn unusual_points(model: &Model, about: &[&Alert]) -> usize {
    let last = &model.shown().last;
    let open = about.iter().filter(|alert| alert.status != Status::Resolved);
    let since = open.filter_map(|alert| text::nanoseconds(&alert.started)).min();
    let seconds = since.map_or(0.0, |since| (last.end_ns - since) as f64 / 1e9);
    ((seconds / last.seconds()).ceil() as usize).max(10)
}

/// The range that contains nine out of ten of these points.
fn usual(points: &[f32]) -> Option<[f32; 2]> {
    if points.len() < LEAST_POINTS {
        return None;
    }
    let mut sorted = points.to_vec();
    sorted.sort_by(f32::total_cmp);
    let at = |share: f32| sorted[((sorted.len() - 1) as f32 * share).round() as usize];
    Some([at(0.05), at(0.95)])
}

/// Shades the rows that the baseline touches. Without colours, dots mark its upper end.
fn shade(buffer: &mut Buffer, area: Rect, [low, high]: [f32; 2], largest: f32, theme: &Theme) {
    let row_of = |rate: f32| {
        let up = (rate / largest * f32::from(area.height)).floor() as u16;
        area.bottom() - 1 - up.min(area.height - 1)
    };
    let (top, bottom) = (row_of(high), row_of(low));
    buffer.set_style(Rect { y: top, height: bottom - top + 1, ..area }, theme.band);
    if theme.band == Style::new() {
        let dots = "┄".repeat(usize::from(area.width));
        Line::new(buffer, Rect { y: top, height: 1, ..area }).add(&dots, theme.dim);
    }
}

/// Marks on the time axis when alerts arrived.
fn mark_alerts(buffer: &mut Buffer, place: Rect, model: &Model, about: &[&Alert], theme: &Theme) {
    let last = &model.shown().last;
    let span = last.seconds() * HISTORY as f64;
    for alert in about {
        let Some(at_ns) = text::nanoseconds(&alert.started) else { continue };
        let ago = (last.end_ns - at_ns) as f64 / 1e9;
        if (0.0..span).contains(&ago) {
            let column = ((1.0 - ago / span) * f64::from(place.width)) as u16;
            let x = place.x + column.min(place.width.saturating_sub(1));
            Line::new(buffer, Rect { x, width: 1, ..place }).add("▲", theme.alert);
        }
    }
}

/// Draws flows, and their sums by port and by process.
fn lists(buffer: &mut Buffer, place: Rect, model: &Model, subject: &Subject, theme: &Theme) {
    let by = model.table_of(subject);
    let (flows, seconds) = model.shown().flows_of(subject, by, model.choice.interface);
    let is_wide = place.width >= 100;
    let part = if is_wide { place.width * 3 / 5 } else { place.width };
    let height = if is_wide { place.height } else { place.height * 3 / 5 };
    let left = Rect { width: part.saturating_sub(2), height, ..place };
    let rest = if is_wide {
        Rect { x: place.x + part, width: place.width - part, ..place }
    } else {
        Rect { y: place.y + height, height: place.height - height, ..place }
    };
    let list = |flow: &Flow| (flow_name(flow), flow.volume.bytes);
    let count = flows.len() as u64;
    let skip = model.choice.at.min(flows.len().saturating_sub(1));
    let title = format!("FLOWS of the last {}: {}", text::seconds(seconds), grouped(count));
    sums(buffer, left, &title, flows.iter().skip(skip).map(list), seconds, theme);
    let ports = added(&flows, |flow| {
        let service = Subject::Service(flow.key.protocol, service_port(&flow.key));
        Some(model.label(&service))
    });
    let processes = added(&flows, |flow| flow.owner.clone());
    if processes.is_empty() {
        sums(buffer, rest, "PORTS", ports.into_iter(), seconds, theme);
        return;
    }
    let half = rest.height / 2;
    let upper = Rect { height: half, ..rest };
    let lower = Rect { y: rest.y + half, height: rest.height - half, ..rest };
    sums(buffer, upper, "PORTS", ports.into_iter(), seconds, theme);
    sums(buffer, lower, "PROCESSES", processes.into_iter(), seconds, theme);
}

fn flow_name(flow: &Flow) -> String {
    let (side, ..) = ends(&flow.key);
    let arrow = if side == Side::In { "↓" } else { "↑" };
    let (src, dst) = (flow.key.src_ip(), flow.key.dst_ip());
    let transport = text::protocol(flow.key.protocol);
    match (flow.key.sport, flow.key.dport) {
        (0, 0) => format!("{arrow} {transport} {src} → {dst}"),
        (sport, dport) => format!("{arrow} {transport} {src} {sport} → {dst} {dport}"),
    }
}

/// Sums up bytes by a property of the flows, the largest first.
fn added(flows: &[Flow], name: impl Fn(&Flow) -> Option<String>) -> Vec<(String, u64)> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for flow in flows {
        if let Some(name) = name(flow) {
            *sums.entry(name).or_default() += flow.volume.bytes;
        }
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    sums
}

/// A list of names with their mean rates.
fn sums(
    buffer: &mut Buffer,
    place: Rect,
    title: &str,
    rows: impl Iterator<Item = (String, u64)>,
    seconds: f64,
    theme: &Theme,
) {
    if place.height == 0 {
        return;
    }
    Line::new(buffer, Rect { height: 1, ..place }).add(title, theme.head);
    for (y, (name, bytes)) in (place.y + 1..place.bottom()).zip(rows) {
        let place = Rect { y, height: 1, ..place };
        let figure = rate((bytes as f64 / seconds.max(1e-3)) as f32);
        let room = usize::from(place.width).saturating_sub(width(&figure) + 2);
        Line::new(buffer, place).add(&shorten(&name, room), Style::new());
        right(buffer, place, &figure, Style::new());
    }
}
