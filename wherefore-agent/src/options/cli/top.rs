//! Options of `top` and `doctor`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::{ArgAction, DEFAULT_REORDER, RunArgs};

/// Options of `top`.
#[derive(Debug, Args)]
pub struct TopArgs {
    /// Replay these capture files instead of live traffic.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub replay: Vec<PathBuf>,
    /// Speed of a replay, as a multiple of the recorded speed.
    #[arg(long, value_name = "FACTOR", default_value = "1x", value_parser = speed)]
    pub speed: f64,
    /// Number of intervals of a replay that stay open for packets out of order; see `replay`.
    #[arg(long, value_name = "INTERVALS", default_value_t = DEFAULT_REORDER,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub reorder: u32,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub run: RunArgs,
}

/// Options of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print the results as JSON.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub run: RunArgs,
}

/// `10x`, `10` or `0.5x`.
fn speed(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches(['x', 'X', '×']);
    let factor = number.parse().ok().filter(|factor| (0.01..=10_000.0).contains(factor));
    factor.ok_or_else(|| "must be a factor from 0.01 to 10,000, such as 10x".to_owned())
}
