//! The settings of the export to Kafka. Owns the type.

use super::target::{Target, Topic};
use crate::output::sinks::settings::Pair;
use crate::secret::Secret;

/// Settings of the export to Kafka.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The brokers and the topic of flows.
    pub target: Target,
    /// The topic of alerts; by default that of flows with `-alerts`.
    pub alert_topic: Option<Topic>,
    /// Flow records a second, at most.
    pub rate: u32,
    /// Properties of librdkafka.
    pub properties: Vec<Pair<Secret>>,
    /// The name of this host.
    pub host: String,
}
