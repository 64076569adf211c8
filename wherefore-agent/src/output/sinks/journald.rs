//! systemd's journal, through its native protocol. Owns the fields. Cannot know whether the journal keeps
//! them.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use super::settings::Routing;
use super::sink::{Attempt, AttemptFuture, Sink};
use super::syslog::severity;
use super::wording::{evidence, line};
use crate::message::alert::Alert;

/// Identifies this kind of entry: `journalctl MESSAGE_ID=…` finds all alerts.
const MESSAGE_ID: &str = "5c1f6c0a3f0b4b0e9a5c2f0d7e3b8a64";

/// Settings of the journal.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Settings {
    /// The journal's socket.
    #[arg(long, value_name = "PATH", default_value = "/run/systemd/journal/socket")]
    pub socket: PathBuf,
    /// Which alerts.
    #[command(flatten)]
    pub routing: Routing,
}

/// The journal.
pub(super) struct Journald {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Journald {
    pub(super) fn open(settings: &Settings) -> Result<Self> {
        let socket = UnixDatagram::unbound().context("cannot make a socket")?;
        // A journal that does not read must not hold up other sinks.
        socket.set_nonblocking(true).context("cannot set up a socket")?;
        Ok(Self { socket, path: settings.socket.clone() })
    }

    fn try_once(&self, alert: &Alert) -> Attempt {
        let entry = entry(alert);
        match self.socket.send_to(&entry, &self.path) {
            Ok(sent) => Attempt::Delivered(format!("{sent} bytes sent")),
            Err(error) => {
                let what = format!("cannot send to the journal at {}", self.path.display());
                Attempt::later(anyhow::Error::from(error).context(what))
            }
        }
    }
}

fn entry(alert: &Alert) -> Vec<u8> {
    let mut entry = Vec::new();
    let fixed = [
        ("MESSAGE", line(alert)),
        ("MESSAGE_ID", MESSAGE_ID.to_owned()),
        ("PRIORITY", severity(alert).to_string()),
        ("SYSLOG_IDENTIFIER", "wherefore".to_owned()),
        ("WHEREFORE_KEY", alert.key.clone()),
        ("WHEREFORE_STATUS", alert.status.as_str().to_owned()),
        ("WHEREFORE_KIND", alert.kind.as_str().to_owned()),
        ("WHEREFORE_SEVERITY", alert.severity.as_str().to_owned()),
        ("WHEREFORE_STARTED", alert.started.clone()),
        ("WHEREFORE_TIME", alert.time.clone()),
        ("WHEREFORE_INTERFACE", alert.interface.clone()),
        ("WHEREFORE_GROUP_BY", alert.group_by.name().to_owned()),
        ("WHEREFORE_SRC", alert.src.clone()),
        ("WHEREFORE_DST", alert.dst.clone()),
        ("WHEREFORE_BYTES", alert.bytes.to_string()),
        ("WHEREFORE_PACKETS", alert.packets.to_string()),
        ("WHEREFORE_PROBABILITY", alert.probability.to_string()),
        ("WHEREFORE_EVIDENCE", evidence(alert)),
    ];
    fixed.iter().for_each(|(name, value)| field(&mut entry, name, value));
    for (name, value) in &alert.labels {
        field(&mut entry, &label_field(name), value);
    }
    entry
}

fn field(entry: &mut Vec<u8>, name: &str, value: &str) {
    entry.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        // The length marks the end of the value.
        entry.push(b'\n');
        entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        entry.push(b'=');
    }
    entry.extend_from_slice(value.as_bytes());
    entry.push(b'\n');
}

/// The name of a label as a field: upper case, at most 64 characters.
fn label_field(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    "WHEREFORE_LABEL_".chars().chain(name.chars().map(plain)).take(64).collect()
}

impl Sink for Journald {
    fn attempt<'a>(&'a mut self, alert: &'a Alert) -> AttemptFuture<'a> {
        Box::pin(std::future::ready(self.try_once(alert)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_several_lines_are_counted() {
        let mut entry = Vec::new();
        field(&mut entry, "A", "b=c");
        field(&mut entry, "D", "e\nf");
        assert_eq!(entry, b"A=b=c\nD\n\x03\0\0\0\0\0\0\0e\nf\n");
        assert_eq!(label_field("a team"), "WHEREFORE_LABEL_A_TEAM");
    }
}
