//! The settings of the export by OpenTelemetry's protocol. Owns the type.

use std::path::PathBuf;

use super::receiver::Receiver;
use crate::output::sinks::settings::Pair;
use crate::secret::Secret;

/// Settings of the export by OpenTelemetry's protocol.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The receiver.
    pub receiver: Receiver,
    /// Flow records a second, at most.
    pub rate: u32,
    /// Headers of each request.
    pub headers: Vec<Pair<Secret>>,
    /// Certificates (PEM) to trust in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// The name of this host.
    pub host: String,
}
