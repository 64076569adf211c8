//! The options of packet evidence and their errors. Owns names, defaults and units.

use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};

use crate::evidence::{LogSettings, Settings};
use crate::traffic::group::GroupBy;

/// The smallest ring; a smaller one would hold only a few packets.
const SMALLEST_RING: u64 = 65_536;
/// The largest ring; a larger one is probably a typing error.
const LARGEST_RING: u64 = 64 << 30;

/// Which packets are kept as evidence, and where.
#[derive(Debug, Args, Clone)]
#[command(next_help_heading = "Evidence")]
pub struct EvidenceArgs {
    /// Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each
    /// packet. They move to `--archive-dir` when the group causes an alert. They are removed when the group
    /// is forgotten without an alert, or when the agent ends.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub log_packets: bool,
    /// Directory for the packets of alerts. It may be the `-l` directory, which is the default.
    #[arg(long, value_name = "DIRECTORY")]
    pub archive_dir: Option<PathBuf>,
    /// Size of one file of logged packets, in megabytes (1,000,000 bytes).
    #[arg(long, value_name = "MB", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_pcap_log_size: u32,
    /// Number of files of logged packets for one group. Before an alert, the oldest file is replaced; after
    /// an alert, logging stops when all are full.
    #[arg(long, value_name = "FILES", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_pcap_rotations: u32,
    /// Keep the first bytes of the latest packets of all watched traffic in this much memory, such as 64MB.
    /// When a group causes an alert, its packets are written to a file, as pcapng. Default: off.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub evidence_ring: Option<u64>,
    /// Bytes of each packet that `--evidence-ring` keeps.
    #[arg(long, value_name = "BYTES", default_value_t = 256,
          value_parser = clap::value_parser!(u32).range(64..=65_536))]
    pub evidence_snaplen: u32,
    /// The most bytes of evidence on disk, in both directories together. Packets of groups without an alert
    /// are removed to make space; those of alerts never are. Packets for which no space is left are not
    /// written, but counted and logged.
    #[arg(long, value_name = "SIZE", default_value = "1GB", value_parser = size)]
    pub evidence_max_size: u64,
}

impl EvidenceArgs {
    /// The settings of the recorder; `snaplen` bytes of each logged packet are kept.
    pub fn settings(&self, group_by: GroupBy, log_dir: Option<&Path>, snaplen: u32) -> Settings {
        let log = LogSettings {
            snaplen,
            file_size: u64::from(self.max_pcap_log_size) * 1_000_000,
            rotations: self.max_pcap_rotations,
        };
        Settings {
            group_by,
            log: self.log_packets.then_some(log),
            log_dir: log_dir.map(Path::to_owned),
            archive_dir: self.archive_dir.clone(),
            ring: self.evidence_ring,
            ring_snaplen: self.evidence_snaplen,
            max_size: self.evidence_max_size,
        }
    }

    /// The settings that keep no packet.
    pub(crate) fn none() -> Self {
        Self {
            log_packets: false,
            archive_dir: None,
            max_pcap_log_size: 1,
            max_pcap_rotations: 1,
            evidence_ring: None,
            evidence_snaplen: 64,
            evidence_max_size: 0,
        }
    }

    /// Whether any packet is kept.
    pub fn is_on(&self) -> bool {
        self.log_packets || self.evidence_ring.is_some()
    }

    /// All errors in these options, as sentences for the user.
    pub fn problems(&self, log_dir: Option<&Path>) -> Vec<String> {
        let mut problems = Vec::new();
        if self.log_packets && log_dir.is_none() {
            problems.push("--log-packets: name the directory for the packets with -l".to_owned());
        }
        let has_place = log_dir.is_some() || self.archive_dir.is_some();
        if self.evidence_ring.is_some() && !has_place {
            problems.push(
                "--evidence-ring: name the directory for the packets with --archive-dir or -l"
                    .to_owned(),
            );
        }
        if let Some(ring) = self.evidence_ring
            && !(SMALLEST_RING..=LARGEST_RING).contains(&ring)
        {
            problems.push(format!("--evidence-ring {ring}: must be from 64KiB to 64GiB"));
        }
        problems
    }
}

/// Reads a size with a decimal unit (kB, MB, GB, TB) or a binary one (KiB, MiB, GiB, TiB); without a unit, it
/// is in bytes.
fn size(text: &str) -> Result<u64, String> {
    let trimmed = text.trim();
    let digits = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return Err("write a number with a unit: 64MB, 1.5GB, 512MiB".to_owned()),
    };
    let number: f64 =
        number.parse().map_err(|_| "must be a number with a unit, such as 64MB".to_owned())?;
    let bytes = number * factor as f64;
    if bytes < 1.0 || bytes > u64::MAX as f64 / 2.0 {
        return Err("must be more than 0 and less than 9 exabytes".to_owned());
    }
    Ok(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("64MB"), Ok(64_000_000));
        assert_eq!(size("1.5 GB"), Ok(1_500_000_000));
        assert_eq!(size("512MiB"), Ok(512 << 20));
        assert_eq!(size("70000"), Ok(70_000));
        for wrong in ["", "MB", "-1", "1XB", "0", "1e3", "99999999TB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
