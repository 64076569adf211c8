//! The output of a backtest for programs: JSON Lines, an object for each incident and one at the end.
//! Owns the format, which is stable.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::{Context, Result};
use serde::Serialize;

use super::history::{History, Incident};
use super::report::Report;
use crate::message::alert::{Kind, Severity};
use crate::message::held::HeldRecord;
use crate::text::rfc3339;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Incident(IncidentRecord<'a>),
    HeldBack(HeldBackRecord<'a>),
    Summary(SummaryRecord<'a>),
}

#[derive(Serialize)]
struct IncidentRecord<'a> {
    /// Null if a threshold decides.
    budget: Option<String>,
    began: String,
    #[serde(rename = "told")]
    reported: String,
    seconds: f64,
    is_over: bool,
    kind: Kind,
    severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dst: Option<&'a str>,
    bytes: u64,
    peak_bytes_per_second: f64,
    usual_bytes: f64,
    probability: f64,
    key: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct HeldBackRecord<'a> {
    budget: Option<String>,
    #[serde(flatten)]
    held: &'a HeldRecord,
}

#[derive(Serialize)]
struct SummaryRecord<'a> {
    files: &'a str,
    start: String,
    end: String,
    seconds: f64,
    interval_seconds: f64,
    intervals: u64,
    /// The most groups that were tracked at the same time.
    groups: usize,
    bytes: u64,
    packets: u64,
    budgets: Vec<BudgetRecord<'a>>,
}

#[derive(Serialize)]
struct BudgetRecord<'a> {
    budget: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    incidents: u64,
    incidents_per_day: f64,
    by_kind: &'a BTreeMap<Kind, u64>,
    /// The number of incidents without a line.
    #[serde(skip_serializing_if = "is_none")]
    unlisted: u64,
    /// The number of findings that were held back, by reason.
    held_back: &'a BTreeMap<String, u64>,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Writes the whole result.
pub(super) fn write(output: &mut impl Write, report: &Report) -> Result<()> {
    for history in &report.histories {
        for incident in &history.incidents {
            line(output, &Line::Incident(incident_record(history, incident)))?;
        }
        for held in &history.held {
            let budget = history.budget.map(|budget| budget.to_string());
            line(output, &Line::HeldBack(HeldBackRecord { budget, held }))?;
        }
    }
    line(output, &Line::Summary(summary(report)))
}

fn line(output: &mut impl Write, line: &Line<'_>) -> Result<()> {
    serde_json::to_writer(&mut *output, line)
        .map_err(io::Error::from)
        .and_then(|()| output.write_all(b"\n"))
        .context("cannot write to standard output")
}

fn incident_record<'a>(history: &History, incident: &'a Incident) -> IncidentRecord<'a> {
    let dst = incident.dst.as_deref();
    IncidentRecord {
        budget: history.budget.map(|budget| budget.to_string()),
        began: rfc3339(incident.began_ns),
        reported: rfc3339(incident.reported_ns),
        seconds: incident.seconds,
        is_over: incident.is_over,
        kind: incident.kind,
        severity: incident.severity,
        series: dst.is_none().then_some(&incident.src),
        interface: dst.and(Some(&incident.interface)),
        src: dst.and(Some(&incident.src)),
        dst,
        bytes: incident.bytes,
        peak_bytes_per_second: incident.peak_bytes_per_second,
        usual_bytes: incident.usual_bytes,
        probability: incident.probability,
        key: &incident.key,
        text: &incident.text,
    }
}

fn summary<'a>(report: &'a Report) -> SummaryRecord<'a> {
    let traffic = &report.traffic;
    let days = traffic.seconds() / 86_400.0;
    let budget = |history: &'a History| {
        let History { budget, by_kind, unlisted, held_back, .. } = history;
        let incidents = history.count();
        BudgetRecord {
            budget: budget.map(|budget| budget.to_string()),
            threshold: budget.is_none().then_some(report.threshold),
            incidents,
            incidents_per_day: if days > 0.0 { incidents as f64 / days } else { 0.0 },
            by_kind,
            unlisted: *unlisted,
            held_back,
        }
    };
    SummaryRecord {
        files: &report.name,
        start: rfc3339(traffic.start_ns()),
        end: rfc3339(traffic.end_ns()),
        seconds: traffic.seconds(),
        interval_seconds: report.interval_seconds,
        intervals: traffic.intervals,
        groups: traffic.groups,
        bytes: traffic.bytes,
        packets: traffic.packets,
        budgets: report.histories.iter().map(budget).collect(),
    }
}
