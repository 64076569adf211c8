//! Options of the export of flow records to collectors. Owns their spelling.

use std::convert::Infallible;
use std::path::PathBuf;

use clap::Args;

use crate::output::export::kafka::{self, Target, Topic};
use crate::output::export::otlp::{self, Receiver};
use crate::output::export::{self, Collector};
use crate::output::sinks::settings::Pair;
use crate::secret::Secret;

/// Options of the export of flow records.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Export")]
pub struct ExportArgs {
    /// Send the traffic of each flow in each interval to this collector, as IPFIX: `udp://HOST:PORT` or
    /// `tcp://HOST:PORT`; the default port is 4739. May be repeated. Contents: docs/export.md.
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    pub ipfix: Vec<Collector>,
    /// The most flow records a second for each collector, on average over an interval. The largest
    /// flows have records of their own; the others are summed up by interface and direction, in
    /// records marked as sums.
    #[arg(long, value_name = "RECORDS", default_value_t = 10_000,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub ipfix_rate: u32,
    /// Send flows and alerts as logs, and counters as metrics, to this receiver of OpenTelemetry's protocol:
    /// `http://HOST:PORT` (default port 4318), `grpc://HOST:PORT` (4317), or with TLS `https://` or
    /// `grpcs://` (443). A path may follow HOST:PORT over HTTP. Contents: docs/export.md.
    #[arg(long, value_name = "URL")]
    pub otlp: Option<Receiver>,
    /// The most flow records a second for the receiver, on average over an interval; the rest is summed up as
    /// with `--ipfix-rate`.
    #[arg(long, value_name = "RECORDS", default_value_t = 1_000,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub otlp_rate: u32,
    /// Header of each request to the receiver, for example for authorisation; may be repeated. The value may
    /// be `file:PATH` or `env:NAME`, read at the start.
    #[arg(long, value_name = "NAME=VALUE", hide_env_values = true, value_parser = secret_pair)]
    pub otlp_header: Vec<Pair<Secret>>,
    /// Certificates (PEM) to trust for the receiver in addition to the system's.
    #[arg(long, value_name = "FILE")]
    pub otlp_ca_file: Option<PathBuf>,
    /// Send flows and alerts to Kafka, as JSON: `HOST:PORT,HOST:PORT/TOPIC`, with some of the brokers and the
    /// topic of flows; the default port is 9092. Only in a program that was built with `--features kafka`.
    /// Contents: docs/export.md.
    #[arg(long, value_name = "BROKERS/TOPIC")]
    pub kafka: Option<Target>,
    /// The topic of alerts; by default that of flows with `-alerts` behind it.
    #[arg(long, value_name = "TOPIC")]
    pub kafka_alert_topic: Option<Topic>,
    /// The most flow records a second for Kafka, on average over an interval; the rest is summed up as with
    /// `--ipfix-rate`.
    #[arg(long, value_name = "RECORDS", default_value_t = 1_000,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub kafka_rate: u32,
    /// A property of librdkafka, for example for TLS or SASL; may be repeated. The value may be `file:PATH` or
    /// `env:NAME`, read at the start.
    #[arg(long, value_name = "NAME=VALUE", hide_env_values = true, value_parser = secret_pair)]
    pub kafka_option: Vec<Pair<Secret>>,
}

impl ExportArgs {
    /// The settings of the exporters on this host.
    pub fn settings(&self, host: String) -> export::Settings {
        let otlp = self.otlp.as_ref().map(|receiver| otlp::Settings {
            receiver: receiver.clone(),
            rate: self.otlp_rate,
            headers: self.otlp_header.clone(),
            ca_file: self.otlp_ca_file.clone(),
            host: host.clone(),
        });
        let kafka = self.kafka.as_ref().map(|target| kafka::Settings {
            target: target.clone(),
            alert_topic: self.kafka_alert_topic.clone(),
            rate: self.kafka_rate,
            properties: self.kafka_option.clone(),
            host,
        });
        export::Settings { collectors: self.ipfix.clone(), rate: self.ipfix_rate, otlp, kafka }
    }
}

/// Never fails: a message about a wrong value would repeat it, and it may be a secret. Without a name it is
/// refused later.
fn secret_pair(text: &str) -> Result<Pair<Secret>, Infallible> {
    let (name, value) = text.split_once('=').unwrap_or(("", text));
    let value = value.parse()?;
    Ok(Pair { name: name.trim().to_owned(), value })
}
