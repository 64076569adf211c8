//! The plain table, for terminals that cannot draw a screen (`TERM=dumb`) or have no keyboard: the largest
//! groups, redrawn in each interval, with alerts above. No line is longer than the terminal is wide.

use std::io::{self, Write};

use crossterm::style::{StyledContent, Stylize};
use crossterm::{cursor, queue, terminal};
use wherefore_common::FlowKey;

use crate::attribute::{Directory, Ends};
use crate::console::Screen;
use crate::detect::engine::TopGroup;
use crate::message::Outcome;
use crate::message::alert::Alert;
use crate::message::owner::label;
use crate::text::{self, Bytes, grouped};
use crate::traffic::group::GroupBy;
use crate::traffic::interval::{InterfaceReading, Interval, Totals};
use crate::traffic::who::Owner;

/// The columns for rates, sparklines and ports.
const FIXED_COLUMNS: usize = 52;
/// The width if the terminal does not report one.
const USUAL_WIDTH: u16 = 100;

/// The table and its position on the terminal.
pub struct TopView {
    group_by: GroupBy,
    /// The number of lines of the table on the screen.
    drawn: u16,
}

impl TopView {
    /// A table of groups of this kind.
    pub fn new(group_by: GroupBy) -> Self {
        Self { group_by, drawn: 0 }
    }

    /// Writes the alerts above the table and redraws it.
    ///
    /// # Errors
    /// If the terminal no longer exists.
    pub fn draw(
        &mut self,
        interval: &Interval,
        outcome: &Outcome,
        directory: &Directory,
    ) -> io::Result<()> {
        // Written through a buffer, so that the agent does not wait for a stopped terminal.
        let mut screen = Screen::default();
        self.clear(&mut screen)?;
        for alert in &outcome.alerts {
            writeln!(screen, "{}", headline(alert))?;
        }
        let width = usize::from(terminal::size().map_or(USUAL_WIDTH, |(columns, _)| columns));
        let lines = self.table(interval, outcome, directory, width);
        for line in &lines {
            writeln!(screen, "{line}")?;
        }
        self.drawn = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        screen.flush()
    }

    /// Removes the table from the screen, so that others can write.
    ///
    /// # Errors
    /// If the terminal no longer exists.
    pub fn clear(&mut self, screen: &mut impl Write) -> io::Result<()> {
        if self.drawn > 0 {
            queue!(screen, cursor::MoveToPreviousLine(self.drawn))?;
            queue!(screen, terminal::Clear(terminal::ClearType::FromCursorDown))?;
        }
        self.drawn = 0;
        screen.flush()
    }

    fn table(
        &self,
        interval: &Interval,
        outcome: &Outcome,
        directory: &Directory,
        width: usize,
    ) -> Vec<String> {
        let names = width.saturating_sub(FIXED_COLUMNS).clamp(24, 100);
        let header = format!(
            "{:<names$} {:>11} {:>9}  {:<10} {}",
            "WHO -> WHOM", "RATE", "PACKETS", "HISTORY", "LAST PACKET, AND WHO HERE"
        );
        let cut = |line: String| line.chars().take(width).collect::<String>();
        let mut lines = vec![cut(summary(interval, outcome)), cut(header).bold().to_string()];
        let nobody = std::iter::repeat(&None);
        let rows = outcome.top.iter().zip(outcome.owners.iter().chain(nobody));
        let rows = rows.map(|(row, owner)| {
            let by = owner.as_ref().and_then(Owner::process).map(label);
            self.row(row, interval, directory, names)
                + &by.map(|by| format!("  {by}")).unwrap_or_default()
        });
        lines.extend(rows.map(cut));
        lines
    }

    fn row(
        &self,
        row: &TopGroup,
        interval: &Interval,
        directory: &Directory,
        names: usize,
    ) -> String {
        let rate = row.counters.bytes as f64 / interval.seconds().max(1e-9);
        let recent = &row.window[row.window.len().saturating_sub(10)..];
        format!(
            "{:<names$} {:>11} {:>9}  {:<10} {}",
            shorten(&described(self.group_by, &row.key, directory), names),
            format!("{}/s", Bytes(rate)),
            grouped(row.counters.packets),
            text::sparkline(recent),
            text::ports(&row.main_flow),
        )
    }
}

/// The group as `a -> b`.
pub fn who(group_by: GroupBy, key: &FlowKey) -> String {
    format!("{} -> {}", group_by.source(key), group_by.destination(key))
}

/// The group, with the facts about both ends.
fn described(group_by: GroupBy, key: &FlowKey, directory: &Directory) -> String {
    let ends = Ends::of(directory, group_by.addresses(key));
    let source = ends.source(&group_by.source(key));
    format!("{source} -> {}", ends.destination(&group_by.destination(key)))
}

fn headline(alert: &Alert) -> StyledContent<String> {
    format!("ALERT {}", alert.text).red().bold()
}

fn summary(interval: &Interval, outcome: &Outcome) -> String {
    let mut totals = Totals::default();
    totals.add(interval);
    let rate = Bytes(totals.bytes as f64 / interval.seconds().max(1e-9));
    let line = format!(
        "{}  {rate}/s, {} packets, {} flows, {} groups",
        text::clock(interval.end_ns),
        grouped(totals.frames),
        grouped(interval.flows.len() as u64),
        grouped(outcome.groups as u64),
    );
    let remarks = text::remarks([
        (totals.non_ip, "not IP"),
        (totals.malformed_ip, "malformed"),
        (totals.filtered, "filtered"),
        (totals.overflow, "in no flow: the table is full"),
        (totals.lost_packets, "lost by the capture"),
        (outcome.evicted, "groups evicted because there were too many"),
        (outcome.held_back.total(), "held back"),
    ]);
    line + &remarks + &agreement(&interval.interfaces)
}

/// Whether the counts equal the interfaces' counters.
fn agreement(interfaces: &[InterfaceReading]) -> String {
    if interfaces.is_empty() {
        return String::new();
    }
    let differing = interfaces.iter().find(|reading| !reading.agrees());
    match differing {
        None if interfaces.iter().all(InterfaceReading::is_equal) => {
            "; equals the interface counters".to_owned()
        }
        None => "; agrees with the interface counters".to_owned(),
        Some(first) => format!(
            "; {} differs by {} received, {} sent bytes",
            first.interface,
            first.ingress.difference_bytes(),
            first.egress.difference_bytes(),
        ),
    }
}

fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept + "…"
}
