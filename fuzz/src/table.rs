//! Flows as JSON Lines, series, or CSV, for `backtest`.
//!
//! Nothing panics or takes long, even with wrong times.

use std::sync::LazyLock;

use wherefore_agent::command::backtest::backtest_as_json;
use wherefore_agent::options::cli::{BacktestArgs, Command};

use crate::{scratch, seeds};

static ARGUMENTS: LazyLock<BacktestArgs> = LazyLock::new(|| {
    let file = scratch::path("table");
    let words = ["backtest".as_ref(), file.as_os_str()];
    match seeds::command(&words) {
        Some(Command::Backtest(args)) => *args,
        _ => panic!("no backtest"),
    }
});

/// See the module.
pub fn run(data: &[u8]) {
    scratch::file("table", data);
    let mut report = Vec::new();
    // Most inputs are invalid and give errors.
    let _ = backtest_as_json(&ARGUMENTS, &mut report);
}
