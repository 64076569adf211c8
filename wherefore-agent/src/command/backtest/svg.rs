//! The plot as a self-contained SVG: no scripts, no fonts, no links, for light and dark. Owns its appearance
//! and its file. All foreign text is escaped and made harmless.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::axis::{Scale, lanes, span, times};
use super::history::Incident;
use super::report::Report;
use super::traffic::Column;
use crate::message::alert::Kind;
use crate::options::UsageError;
use crate::text::{self, Bytes, grouped, printable};

const WIDTH: f64 = 1200.0;
const LEFT: f64 = 96.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 84.0;
/// Height of the plot of traffic.
const HEIGHT: f64 = 280.0;
const INNER: f64 = WIDTH - LEFT - RIGHT;
/// The height of a lane of incidents, below the plot.
const LANE: f64 = 18.0;
const LANES: usize = 12;
/// The number of points of the curves.
const COLUMNS: usize = 1080;
/// The most incidents that are drawn; more could not be distinguished.
const DRAWN: usize = 2000;

/// Literal colours, because many viewers do not support variables.
const STYLE: &str = "\
svg{font:13px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}\
.back{fill:#fff}text{fill:#1f2430}.soft{fill:#667085;font-size:12px}\
.title{font-size:17px;font-weight:600}.number{fill:#fff;font-size:11px;font-weight:600}\
.grid{stroke:#e4e7ec;stroke-width:1}.mean{fill:#2f6fde}.peak{fill:#a9c6f5}\
.mean,.peak,.grid,.number{pointer-events:none}.span{opacity:.14}.bar:hover,.span:hover{opacity:.5}\
.volume,.stop,.new-network{fill:#d1343f}.upload,.beacon{fill:#c2690a}\
.flood,.reflection{fill:#8a4fd0}.scan,.sweep{fill:#c43d88}.digest,.test{fill:#16845b}\
@media(prefers-color-scheme:dark){\
.back{fill:#14171f}text{fill:#e8eaf0}.soft{fill:#98a2b3}.number{fill:#14171f}\
.grid{stroke:#2b303b}.mean{fill:#6ea1ff}.peak{fill:#35548c}.span{opacity:.22}\
.volume,.stop,.new-network{fill:#ff6b74}.upload,.beacon{fill:#f5a54a}\
.flood,.reflection{fill:#b58cf5}.scan,.sweep{fill:#f27fbd}.digest,.test{fill:#4bc795}}";

/// The output file. It is opened first, so that an unusable name is refused at once.
pub(super) struct Target {
    file: File,
    name: String,
}

impl Target {
    pub(super) fn open(path: &Path, inputs: &[PathBuf]) -> Result<Self> {
        let name = path.display().to_string();
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(false);
        let file = options.open(path).with_context(|| format!("cannot create {name}"))?;
        let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        let ours = file.metadata().ok().map(identity);
        let is_it = |input: &&PathBuf| {
            ours.is_some() && ours == std::fs::metadata(input).ok().map(identity)
        };
        if inputs.iter().any(|input| is_it(&input)) {
            bail!(UsageError(format!("{name} is an input: it cannot also be an output")));
        }
        Ok(Self { file, name })
    }

    pub(super) fn write(mut self, text: &str) -> Result<()> {
        let failed = || format!("cannot write to {}", self.name);
        if self.file.metadata().with_context(failed)?.is_file() {
            self.file.set_len(0).with_context(failed)?;
        }
        self.file.write_all(text.as_bytes()).with_context(failed)
    }
}

/// Draws a report.
pub(super) fn draw(report: &Report) -> String {
    let columns = report.traffic.columns(COLUMNS, true);
    let scale = Scale::of(&columns, |column| column.peak);
    let incidents = shown(report);
    let spans: Vec<_> = incidents.iter().map(|one| lane_span(report, one)).collect();
    let places = lanes(&spans, LANES);
    let taken = places.iter().flatten().max().map_or(0, |lane| lane + 1);
    let bottom = TOP + HEIGHT;
    let height = bottom + 34.0 + taken as f64 * LANE + 44.0;
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">
<style>{STYLE}</style>
<rect class="back" width="{WIDTH}" height="{height}"/>
"#
    );
    head(&mut svg, report);
    grid(&mut svg, report, &scale);
    spans_over_plot(&mut svg, report, incidents);
    area(&mut svg, &columns, &scale, "peak", |column| column.peak);
    area(&mut svg, &columns, &scale, "mean", |column| column.rate);
    for ((number, incident), lane) in incidents.iter().enumerate().zip(&places) {
        let Some(lane) = lane else { continue };
        lane_bar(&mut svg, report, number, incident, bottom + 34.0 + *lane as f64 * LANE);
    }
    let hidden = report.shown().count() as usize - places.iter().flatten().count();
    foot(&mut svg, report, height - 16.0, hidden);
    svg.push_str("</svg>\n");
    svg
}

fn shown(report: &Report) -> &[Incident] {
    let incidents = &report.shown().incidents;
    &incidents[..incidents.len().min(DRAWN)]
}

/// The lane of an incident in thousandths of the width, wide enough for its number.
fn lane_span(report: &Report, incident: &Incident) -> (usize, usize) {
    let (start, end) = span(incident, &report.traffic, 1000);
    (start, end.max(start + 20))
}

/// Adds a line of markup; writing to a string never fails.
fn line(svg: &mut String, markup: std::fmt::Arguments<'_>) {
    let _ = svg.write_fmt(markup);
    svg.push('\n');
}

fn head(svg: &mut String, report: &Report) {
    let traffic = &report.traffic;
    let title = escaped(&format!("Backtest of {}", report.name));
    line(svg, format_args!("<title>{title}</title>"));
    let short: String = printable(&report.name).chars().take(110).collect();
    let short = escaped(&format!("Backtest of {short}"));
    line(svg, format_args!(r#"<text class="title" x="{LEFT}" y="32">{short}</text>"#));
    let facts = format!(
        "{} to {} · {} intervals of {} s · {} groups at a time · {}",
        text::clock(traffic.start_ns()),
        text::clock(traffic.end_ns()),
        grouped(traffic.intervals),
        report.interval_seconds,
        grouped(traffic.groups as u64),
        Bytes(traffic.bytes as f64),
    );
    line(svg, format_args!(r#"<text class="soft" x="{LEFT}" y="54">{}</text>"#, escaped(&facts)));
}

fn grid(svg: &mut String, report: &Report, scale: &Scale) {
    let right = WIDTH - RIGHT;
    for (rate, label) in scale.marks() {
        let y = y_of(scale, rate);
        line(
            svg,
            format_args!(
                r#"<path class="grid" d="M{LEFT} {y:.1}H{right}"/><text class="soft" x="{:.1}" y="{:.1}" text-anchor="end">{label}</text>"#,
                LEFT - 8.0,
                y + 4.0
            ),
        );
    }
    let bottom = TOP + HEIGHT;
    for (time, label) in times(&report.traffic, 9) {
        let x = x_of(report.traffic.place(time));
        let is_last = x > WIDTH - 2.0 * RIGHT;
        let (anchor, at) = if is_last { ("end", WIDTH - 4.0) } else { ("middle", x) };
        line(
            svg,
            format_args!(
                r#"<path class="grid" d="M{x:.1} {TOP}V{:.1}"/><text class="soft" x="{at:.1}" y="{:.1}" text-anchor="{anchor}">{label}</text>"#,
                bottom + 6.0,
                bottom + 21.0
            ),
        );
    }
    let kind = if scale.is_log { "bytes a second, logarithmic" } else { "bytes a second" };
    line(svg, format_args!(r#"<text class="soft" x="{LEFT}" y="{}">{kind}</text>"#, TOP - 10.0));
}

/// A filled curve with steps, because each value is the sum of an interval.
fn area(
    svg: &mut String,
    columns: &[Column],
    scale: &Scale,
    class: &str,
    value: fn(&Column) -> f64,
) {
    let bottom = TOP + HEIGHT;
    let mut path = format!("M{LEFT} {bottom:.1}");
    for (place, column) in columns.iter().enumerate() {
        let y = y_of(scale, value(column));
        let x = x_of((place + 1) as f64 / columns.len() as f64);
        let _ = write!(path, "V{y:.1}H{x:.1}");
    }
    line(svg, format_args!(r#"<path class="{class}" d="{path}V{bottom:.1}Z"/>"#));
}

fn spans_over_plot(svg: &mut String, report: &Report, incidents: &[Incident]) {
    for (number, incident) in incidents.iter().enumerate() {
        let (x, width) = extent(report, incident, 1.5);
        line(
            svg,
            format_args!(
                r#"<rect class="span {}" x="{x:.1}" y="{TOP}" width="{width:.1}" height="{HEIGHT}">{}</rect>"#,
                incident.kind.as_str(),
                hover(number, incident)
            ),
        );
    }
}

fn lane_bar(svg: &mut String, report: &Report, number: usize, incident: &Incident, y: f64) {
    let number_text = (number + 1).to_string();
    let (x, width) = extent(report, incident, 8.0 + 7.0 * number_text.len() as f64);
    line(
        svg,
        format_args!(
            r#"<g><rect class="bar {}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{:.1}" rx="3"/><text class="number" x="{:.1}" y="{:.1}">{number_text}</text>{}</g>"#,
            incident.kind.as_str(),
            LANE - 3.0,
            x + 4.0,
            y + 11.5,
            hover(number, incident)
        ),
    );
}

/// The horizontal extent of an incident, at least this wide and inside the plot.
fn extent(report: &Report, incident: &Incident, least: f64) -> (f64, f64) {
    let start = x_of(report.traffic.place(incident.began_ns));
    let end = x_of(report.traffic.place(incident.end_ns()));
    let width = (end - start).max(least);
    (start.min(WIDTH - RIGHT - width), width)
}

/// The text that a browser shows under the pointer.
fn hover(number: usize, incident: &Incident) -> String {
    let text = format!(
        "{}. {}: {}, {} for {}, {}, at most {}/s, probability {:.2}",
        number + 1,
        incident.kind.as_str(),
        incident.who(),
        text::clock(incident.began_ns),
        text::seconds(incident.seconds),
        Bytes(incident.bytes as f64),
        Bytes(incident.peak_bytes_per_second),
        incident.probability,
    );
    format!("<title>{}\n{}</title>", escaped(&text), escaped(&incident.text))
}

/// The legend: the curves, and the kinds of incidents that occur.
fn foot(svg: &mut String, report: &Report, y: f64, hidden: usize) {
    let mut x = LEFT;
    let mut entry = |class: &str, label: &str| {
        line(
            svg,
            format_args!(
                r#"<rect class="{class}" x="{x:.1}" y="{:.1}" width="11" height="11" rx="2"/><text class="soft" x="{:.1}" y="{y:.1}">{}</text>"#,
                y - 10.0,
                x + 16.0,
                escaped(label)
            ),
        );
        x += 40.0 + 6.6 * label.chars().count() as f64;
    };
    entry("mean", "mean");
    entry("peak", "most in an interval");
    let history = report.shown();
    for (kind, count) in &history.by_kind {
        entry(kind.as_str(), &format!("{} {}", name_of(*kind), grouped(*count)));
    }
    let label = history.label(report.threshold);
    let more = if hidden > 0 { format!(", {hidden} not drawn") } else { String::new() };
    let noun = if history.count() == 1 { "incident" } else { "incidents" };
    let note = format!("at {label}: {} {noun}{more} · time in UTC", grouped(history.count()));
    line(
        svg,
        format_args!(
            r#"<text class="soft" x="{}" y="{y:.1}" text-anchor="end">{}</text>"#,
            WIDTH - RIGHT,
            escaped(&note)
        ),
    );
}

fn name_of(kind: Kind) -> &'static str {
    if kind == Kind::Digest { "summary" } else { kind.as_str() }
}

fn x_of(place: f64) -> f64 {
    LEFT + place * INNER
}

fn y_of(scale: &Scale, rate: f64) -> f64 {
    TOP + HEIGHT * (1.0 - scale.height(rate))
}

/// Escapes any text for XML.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in printable(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
