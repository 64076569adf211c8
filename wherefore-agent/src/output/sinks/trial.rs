//! `wherefore alert test`: does what is sent arrive? Owns the test alert and the account of what
//! came back; refuses to retry and to spool.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use wherefore_common::FlowKey;

use super::options::{names, specs};
use super::{Attempt, Sink, SinkSpec, runtime};
use crate::attribute::Ends;
use crate::descriptors;
use crate::message::alert::{Alert, KeyScope, Kind, Severity, Status};
use crate::options::cli::CommonArgs;
use crate::text::rfc3339;
use crate::traffic::group::GroupBy;
use crate::usage::{UsageError, refuse};

/// Sends a test alert through each sink, or those of this name or kind, and says what came back.
///
/// # Errors
/// Where no sink has that name, or one failed.
pub fn test(common: &CommonArgs, host: &str, name: Option<&str>) -> Result<()> {
    let specs = &specs(common)?[..];
    let (given, problems) = names(specs);
    refuse(&problems)?;
    let is_meant = |(spec, given): &(&SinkSpec, &String)| {
        name.is_none_or(|name| *given == name || spec.kind() == name)
    };
    let chosen: Vec<_> = specs.iter().zip(&given).filter(is_meant).collect();
    if chosen.is_empty() {
        let known = if given.is_empty() { "none".to_owned() } else { given.join(", ") };
        let missing = name.map_or("no sink".to_owned(), |name| format!("no sink {name}"));
        bail!(UsageError(format!("{missing} is configured; there are: {known}")));
    }
    let real = as_real_alerts(common, host);
    let mut failed = 0;
    for (spec, name) in &chosen {
        failed += usize::from(!try_sink(spec, name, &real)?);
    }
    if failed > 0 {
        bail!("{failed} of {} sinks failed", chosen.len());
    }
    Ok(())
}

/// Whether both messages were delivered.
fn try_sink(spec: &SinkSpec, name: &str, real: &Alert) -> Result<bool> {
    // The test passes any routing: what is real may not.
    let destination: Vec<_> =
        spec.destination().into_iter().filter(|part| !part.is_empty()).collect();
    say(&format!("{name}: to {}; gets {}", destination.join(" "), spec.routing()))?;
    let mut sink = match spec.open() {
        Ok(sink) => sink,
        Err(error) => {
            say(&format!("{name}: cannot be opened: {}", descriptors::explained(&error)))?;
            return Ok(false);
        }
    };
    let started = real.started.clone();
    for status in [Status::Firing, Status::Resolved] {
        // One incident, with one beginning.
        let (started, time) = (started.clone(), rfc3339(now_ns()));
        let alert = Alert { status, started, time, ..real.clone() };
        if !try_once(sink.as_mut(), name, &alert)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn try_once(sink: &mut dyn Sink, name: &str, alert: &Alert) -> Result<bool> {
    let start = Instant::now();
    let attempt = runtime()?.block_on(sink.attempt(alert));
    let status = alert.status.as_str();
    let (is_delivered, what) = match attempt {
        Attempt::Delivered(answer) => (true, format!("delivered: {answer}")),
        Attempt::Later { after: None, error } => (false, format!("failed for now: {error:#}")),
        Attempt::Later { after: Some(pause), error } => {
            (false, format!("failed, try again after {}: {error:#}", shown(pause)))
        }
        Attempt::Never(error) => (false, format!("refused: {error:#}")),
    };
    say(&format!("{name}: {status} {} ({})", what.trim_end(), shown(start.elapsed())))?;
    Ok(is_delivered)
}

fn shown(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{line}").context("cannot write to standard output")
}

fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// A test alert with the host's name, the labels and the scope of the real ones.
fn as_real_alerts(common: &CommonArgs, host: &str) -> Alert {
    Alert {
        labels: common.alert.alert_label.iter().cloned().collect(),
        key_scope: common.alert.alert_key_scope,
        ..of_host(host, Status::Firing)
    }
}

/// An alert about nothing, to see whether it arrives.
#[cfg(test)]
pub(crate) fn sample(status: Status) -> Alert {
    of_host("this host", status)
}

pub(super) fn of_host(host: &str, status: Status) -> Alert {
    let (now, host) = (rfc3339(now_ns()), host.to_owned());
    let text = format!("{now} {host}: a test of Wherefore's alerts, nothing has happened");
    Alert {
        status,
        key: format!("{:0>32}", "7e57"),
        kind: Kind::Test,
        severity: Severity::Info,
        started: now.clone(),
        time: now,
        host,
        interface: "test0".to_owned(),
        group_by: GroupBy::Pair,
        src: "192.0.2.1".to_owned(),
        dst: "198.51.100.1".to_owned(),
        ends: Ends::default(),
        bytes: 1_000_000,
        packets: 1000,
        interval_seconds: 5.0,
        bytes_per_second: 200_000.0,
        usual_bytes: 100_000.0,
        ratio: Some(10.0),
        probability: 0.9,
        threshold: 0.6,
        due_seconds: None,
        reason: String::new(),
        methods: BTreeMap::from([("magnitude".to_owned(), Some(0.9))]),
        protocol: 6,
        sport: 50_000,
        dport: 443,
        window: vec![100_000.0, 1_000_000.0],
        incident_seconds: 0.0,
        incident_bytes: 0,
        peak_bytes_per_second: 0.0,
        key_scope: KeyScope::Host,
        labels: BTreeMap::new(),
        evidence: Vec::new(),
        text,
        group: FlowKey::default(),
    }
}
