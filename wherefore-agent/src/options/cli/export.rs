//! Options of the export of flow records to collectors. Owns their spelling.

use clap::Args;

use crate::output::export::{self, Collector};

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
}

impl ExportArgs {
    /// The settings of the exporters.
    pub fn settings(&self) -> export::Settings {
        export::Settings { collectors: self.ipfix.clone(), rate: self.ipfix_rate }
    }
}
