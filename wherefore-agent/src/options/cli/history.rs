//! Options of the history and of queries to it. Owns their spelling.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::duration;
use crate::history::FILE_NAME;
use crate::history::query::Dimension;

/// The state directory of the agent that systemd runs; used if none is named.
const USUAL_DIRECTORY: &str = "/var/lib/wherefore";
/// The word that means no file.
const NONE: &str = "none";
/// The smallest bound. With less, a minute of a busy host would hardly fit.
const SMALLEST: u64 = 8_000_000;

/// Options of the file.
#[derive(Debug, Args, Clone)]
#[command(next_help_heading = "History")]
pub struct KeepArgs {
    /// Record who transferred what in this file, for `wherefore history`; `none` for no record. Default:
    /// `history.db` in the state directory; none in a replay.
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
    /// How long the history is kept: the last day by minutes, the last week by hours, the rest by days.
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = duration)]
    pub history_keep: Duration,
    /// The largest size of the history file, at least 8MB. When the file approaches it, older parts are
    /// coarsened and removed earlier.
    #[arg(long, value_name = "SIZE", default_value = "200MB", value_parser = size)]
    pub history_size: u64,
}

impl KeepArgs {
    /// The settings of an agent without a history.
    pub(crate) fn none() -> Self {
        let (history_keep, history_size) = (Duration::from_secs(86_400), SMALLEST);
        Self { history: Some(NONE.into()), history_keep, history_size }
    }

    /// The named file; `None` if none is named, or `none` is.
    pub(crate) fn named(&self) -> Option<&Path> {
        self.history.as_deref().filter(|path| *path != Path::new(NONE))
    }

    /// The file: the named one, or the one in the state directory.
    pub(crate) fn file(&self, state_dir: Option<&Path>) -> Option<PathBuf> {
        match &self.history {
            Some(_) => self.named().map(Path::to_owned),
            None => state_dir.map(|directory| directory.join(FILE_NAME)),
        }
    }
}

/// The file to read.
#[derive(Debug, Args, Clone)]
pub struct FileArgs {
    /// The file of the history. Default: `history.db` in the state directory.
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
    /// The state directory of the agent. Default: `/var/lib/wherefore`.
    #[arg(long, value_name = "DIRECTORY", env = "STATE_DIRECTORY")]
    pub state_dir: Option<PathBuf>,
}

impl FileArgs {
    /// The file.
    pub fn file(&self) -> PathBuf {
        let directory = self.state_dir.as_deref().unwrap_or(Path::new(USUAL_DIRECTORY));
        self.history.clone().unwrap_or_else(|| directory.join(FILE_NAME))
    }
}

/// Options of `history`.
#[derive(Debug, Args, Clone)]
pub struct HistoryArgs {
    /// Start of the period: `yesterday`, `today`, `monday`, `2h` or `3 days` (ago), `14:00`, `2026-11-28`,
    /// `2026-11-28 14:00`, or RFC 3339. Times are in this host's time zone. Default: 24h ago.
    #[arg(long, visible_alias = "from", value_name = "TIME", default_value = "24h")]
    pub since: String,
    /// End of the period, in the same formats. Default: now.
    #[arg(long, visible_alias = "until", value_name = "TIME", default_value = "now")]
    pub to: String,
    /// What each row is about.
    #[arg(long, value_enum, default_value_t)]
    pub by: Dimension,
    /// The most rows; the others are summed up in one row.
    #[arg(long, value_name = "LINES", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub top: u32,
    /// Show only traffic of this interface. A packet that passes several interfaces is counted at each.
    #[arg(short, long, value_name = "NAME")]
    pub interface: Option<String>,
    /// Also plot all traffic over time.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub plot: bool,
    /// Write one JSON object.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub json: bool,
    /// Write CSV.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set,
          conflicts_with = "json")]
    pub csv: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub file: FileArgs,
}

/// Options of `why`.
#[derive(Debug, Args, Clone)]
pub struct WhyArgs {
    /// An address, prefix, process, unit, container, pod, user, name, country (`CN`), AS (`AS15169`),
    /// interface or port. Default: this host.
    pub target: Option<String>,
    /// Start of the period, in the formats of `history`. Default: 24h ago.
    #[arg(long, visible_alias = "from", value_name = "TIME", default_value = "24h")]
    pub since: String,
    /// End of the period. Default: now.
    #[arg(long, visible_alias = "until", value_name = "TIME", default_value = "now")]
    pub to: String,
    /// Ask the agent with this socket for the current state. Default: `/run/wherefore/view.sock`, if an agent
    /// uses it.
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Write the facts as one JSON object.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub file: FileArgs,
}

/// A number of bytes with a decimal or binary unit: `200MB`, `1GiB`.
fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 7] = [
        ("kb", 1000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
        ("b", 1),
    ];
    let lower = text.trim().to_ascii_lowercase();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| Some((lower.strip_suffix(name)?, *unit)))
        .unwrap_or((&lower, 1));
    let number = number.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    match number {
        Some(size) if size >= SMALLEST => Ok(size),
        Some(_) => Err("must be at least 8MB".to_owned()),
        None => Err("must be a size such as 200MB or 1GiB".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("200MB"), Ok(200_000_000));
        assert_eq!(size("1 GiB"), Ok(1 << 30));
        assert_eq!(size("8000000"), Ok(8_000_000));
        assert!(size("1MB").is_err() && size("-8MB").is_err() && size("many").is_err());
    }
}
