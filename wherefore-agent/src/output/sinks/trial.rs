//! `wherefore alert test`: checks whether alerts arrive. Owns the test alert and the report about the
//! answers; refuses to retry and to spool.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::runtime::runtime;
use super::sample::{now_ns, of_host};
use super::sink::{Attempt, Sink};
use super::spec::{SinkSpec, names};
use crate::descriptors;
use crate::message;
use crate::message::alert::{Alert, Status};
use crate::text::rfc3339;
use crate::usage::{UsageError, refuse};

/// Sends a test alert through each sink, or those of this name or kind, and prints the answers.
///
/// # Errors
/// If no sink has that name, or one failed.
pub fn test(
    specs: &[SinkSpec],
    like: &message::Settings,
    host: &str,
    name: Option<&str>,
) -> Result<()> {
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
    let real = as_real_alerts(like, host);
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
    // The test alert ignores the routing, so show which real alerts the sink gets.
    let destination: Vec<_> =
        spec.destination().into_iter().filter(|part| !part.is_empty()).collect();
    print_line(&format!("{name}: to {}; gets {}", destination.join(" "), spec.routing()))?;
    let mut sink = match spec.open() {
        Ok(sink) => sink,
        Err(error) => {
            print_line(&format!("{name}: cannot be opened: {}", descriptors::explained(&error)))?;
            return Ok(false);
        }
    };
    let started = real.started.clone();
    for status in [Status::Firing, Status::Resolved] {
        // Both messages belong to one incident.
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
        Attempt::Later { after: None, error } => {
            (false, format!("failed, but may work later: {error:#}"))
        }
        Attempt::Later { after: Some(pause), error } => {
            (false, format!("failed, try again after {}: {error:#}", shown(pause)))
        }
        Attempt::Never(error) => (false, format!("refused: {error:#}")),
    };
    print_line(&format!("{name}: {status} {} ({})", what.trim_end(), shown(start.elapsed())))?;
    Ok(is_delivered)
}

fn shown(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn print_line(line: &str) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{line}").context("cannot write to standard output")
}

/// A test alert with the host name, labels and scope that real alerts have.
fn as_real_alerts(like: &message::Settings, host: &str) -> Alert {
    Alert {
        labels: like.labels.clone(),
        key_scope: like.key_scope,
        ..of_host(host, Status::Firing)
    }
}
