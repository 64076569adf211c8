//! Options of what is sent to collectors of flow records. Owns their spelling.

use clap::Args;

use crate::output::export::{self, Collector};

/// Where flow records go.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Export")]
pub struct ExportArgs {
    /// Send what each flow moved in each interval to this collector, as IPFIX: `udp://HOST:PORT` or
    /// `tcp://HOST:PORT`, port 4739 where none is named. May be repeated. What is sent: docs/export.md.
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    pub ipfix: Vec<Collector>,
    /// Flow records a second for each collector at the most, on average over an interval. The largest
    /// flows have records of their own; the others are summed up, for each interface and direction, in
    /// records that say so.
    #[arg(long, value_name = "RECORDS", default_value_t = 10_000,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub ipfix_rate: u32,
}

impl ExportArgs {
    /// As the exporters take it.
    pub fn settings(&self) -> export::Settings {
        export::Settings { collectors: self.ipfix.clone(), rate: self.ipfix_rate }
    }
}
