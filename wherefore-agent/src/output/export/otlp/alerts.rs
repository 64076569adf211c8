//! Alerts as log records. Owns which field becomes which attribute: OpenTelemetry's names where there are any,
//! the names of `wherefore.` for all others, so that no field is left out.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use serde_json::Value as Json;

use super::attributes::{attribute, of_json, text, time, transport};
use crate::message::alert::{Alert, Severity, Status};

/// The name of the events.
const ALERT: &str = "wherefore.alert";

/// The record of an alert.
pub(super) fn record(alert: &Alert) -> LogRecord {
    let end = time(crate::text::nanoseconds(&alert.time).unwrap_or_default());
    LogRecord {
        time_unix_nano: end,
        observed_time_unix_nano: end,
        severity_number: severity(alert).into(),
        severity_text: alert.severity.as_str().to_owned(),
        body: Some(AnyValue { value: Some(Value::StringValue(alert.text.clone())) }),
        attributes: attributes(alert),
        event_name: ALERT.to_owned(),
        ..LogRecord::default()
    }
}

/// As the log data model maps the levels of syslog; the end of an incident is no reason to worry.
fn severity(alert: &Alert) -> SeverityNumber {
    match (alert.status, alert.severity) {
        (Status::Resolved, _) | (_, Severity::Info) => SeverityNumber::Info,
        (_, Severity::Warning) => SeverityNumber::Warn,
        (_, Severity::Critical) => SeverityNumber::Error2,
    }
}

fn attributes(alert: &Alert) -> Vec<KeyValue> {
    let mut attributes: Vec<_> = transport(alert.protocol).collect();
    for (end, subject) in [("source", &alert.src), ("destination", &alert.dst)] {
        // A subject may also be a prefix, a unit or a country.
        let is_address = subject.parse::<std::net::IpAddr>().is_ok();
        let name =
            if is_address { format!("{end}.address") } else { format!("wherefore.{end}.group") };
        attributes.push(text(&name, subject.clone()));
    }
    let Ok(Json::Object(fields)) = serde_json::to_value(alert) else { return attributes };
    for (field, value) in &fields {
        attributes.extend(of_field(field, value));
    }
    attributes
}

fn of_field(field: &str, value: &Json) -> Vec<KeyValue> {
    let name = match field {
        // These are elsewhere in the record.
        "src" | "dst" | "protocol" | "text" | "host" => return Vec::new(),
        "labels" => return labels(value),
        "interface" => "network.interface.name".to_owned(),
        "sport" => "source.port".to_owned(),
        "dport" => "destination.port".to_owned(),
        owner if owner.contains('.') => owner.to_owned(),
        other => match (other.strip_prefix("src_"), other.strip_prefix("dst_")) {
            (Some(of_source), _) => format!("wherefore.source.{of_source}"),
            (_, Some(of_destination)) => format!("wherefore.destination.{of_destination}"),
            (None, None) => format!("wherefore.alert.{other}"),
        },
    };
    of_json(value).map(|value| attribute(&name, value)).into_iter().collect()
}

fn labels(value: &Json) -> Vec<KeyValue> {
    let labels = value.as_object().into_iter().flatten();
    let named = labels.filter_map(|(name, value)| {
        Some(attribute(&format!("wherefore.label.{name}"), of_json(value)?))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sinks::sample;

    #[test]
    fn every_field_is_in_the_record_and_names_are_unique() {
        let mut alert = sample(Status::Firing);
        alert.labels = [("team".to_owned(), "core".to_owned())].into();
        let record = record(&alert);
        let names: Vec<_> = record.attributes.iter().map(|one| one.key.as_str()).collect();
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len(), "{names:?}");
        for name in [
            "source.address",
            "destination.port",
            "network.transport",
            "network.interface.name",
            "wherefore.alert.key",
            "wherefore.alert.kind",
            "wherefore.alert.headline",
            "wherefore.label.team",
        ] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        assert_eq!(Some(record.time_unix_nano as i64), crate::text::nanoseconds(&alert.time));
        alert.severity = Severity::Critical;
        assert_eq!(severity(&alert), SeverityNumber::Error2);
        alert.status = Status::Resolved;
        assert_eq!(severity(&alert), SeverityNumber::Info);
    }
}
