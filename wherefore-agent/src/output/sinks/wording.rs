//! Text of alerts for services with limits or labels. Owns which fields are labels, which stay the same in
//! all messages about an incident, and which are annotations; refuses to format for one service.

use std::collections::BTreeMap;

use crate::message::alert::{Alert, KeyScope, Status};
use crate::text::Bytes;

impl Status {
    /// The name used in output.
    pub(in crate::output) fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Update => "update",
            Self::Resolved => "resolved",
        }
    }

    /// The word before a headline.
    fn prefix(self) -> &'static str {
        match self {
            Self::Firing => "",
            Self::Update => "Still: ",
            Self::Resolved => "Resolved: ",
        }
    }
}

/// The alert in one short line.
pub(super) fn headline(alert: &Alert) -> String {
    let moved = Bytes(alert.incident_bytes.max(alert.bytes) as f64);
    plain(&format!("{}{}, {moved}", alert.status.prefix(), alert.headline))
}

/// The alert's text in one line, with the state of the incident.
pub(super) fn line(alert: &Alert) -> String {
    plain(&format!("{}{}", alert.status.prefix(), alert.text))
}

/// Replaces characters that would begin a new line or a new header.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The first characters of a text, at most this many; if it is cut, the last one shows that.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// The labels that identify the incident in Prometheus' terms.
pub(super) fn labels(alert: &Alert) -> BTreeMap<String, String> {
    let own = alert.labels.iter().map(|(name, value)| (label_name(name), value.clone()));
    let mut labels: BTreeMap<String, String> = own.collect();
    let fixed = [
        ("alertname", "Wherefore"),
        ("kind", alert.kind.as_str()),
        ("host", &alert.host),
        ("group_by", alert.group_by.name()),
        ("src", &alert.src),
        ("dst", &alert.dst),
    ];
    labels.extend(fixed.map(|(name, value)| (name.to_owned(), value.to_owned())));
    if alert.key_scope == KeyScope::Network {
        // Several agents may see the same incident: its labels must not differ.
        labels.remove("host");
    }
    // Prometheus treats an empty label like a missing one.
    labels.retain(|_, value| !value.is_empty());
    labels
}

/// Facts that may change during the incident.
pub(super) fn annotations(alert: &Alert) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::from([
        ("summary", headline(alert)),
        ("description", alert.text.clone()),
        ("key", alert.key.clone()),
        ("severity", alert.severity.as_str().to_owned()),
        ("probability", alert.probability.to_string()),
        ("interface", alert.interface.clone()),
        ("bytes", alert.bytes.to_string()),
        ("bytes_per_second", alert.bytes_per_second.to_string()),
    ]);
    if !alert.evidence.is_empty() {
        annotations.insert("evidence", evidence(alert));
    }
    annotations.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
}

/// The files that contain the packets.
pub(super) fn evidence(alert: &Alert) -> String {
    let paths: Vec<_> = alert.evidence.iter().map(|path| path.display().to_string()).collect();
    paths.join(", ")
}

fn label_name(name: &str) -> String {
    let mut name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

/// The state of the incident as `firing` or `resolved`.
pub(super) fn firing_or_resolved(status: Status) -> &'static str {
    if status == Status::Resolved { "resolved" } else { "firing" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sinks::sample::sample;

    #[test]
    fn long_texts_are_cut_by_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
    }

    #[test]
    fn labels_are_the_same_in_all_messages() {
        let mut alert = sample(Status::Firing);
        alert.labels = [("1 team".to_owned(), "net".to_owned())].into();
        let first = labels(&alert);
        alert.interface = "eth1".to_owned();
        alert.bytes += 1;
        assert_eq!(labels(&alert), first);
        assert_eq!(first["_1_team"], "net");
    }

    #[test]
    fn control_characters_start_no_new_line() {
        let alert = Alert { headline: "a\r\nb".to_owned(), ..sample(Status::Resolved) };
        assert!(headline(&alert).starts_with("Resolved: a  b"));
    }
}
