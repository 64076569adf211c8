//! Numbers, CSV or series for `score`, by each of its detectors.
//!
//! Nothing panics.

use std::sync::LazyLock;

use wherefore_agent::command::score::score;
use wherefore_agent::options::cli::{Command, ScoreArgs};

use crate::{scratch, seeds};

static ARGUMENTS: LazyLock<Vec<ScoreArgs>> = LazyLock::new(|| {
    let each = ["flow", "aggregate", "lytics"].into_iter();
    let kinds = each.flat_map(|detector| [false, true].map(|is_long| (detector, is_long)));
    kinds.map(|(detector, is_long)| arguments(detector, is_long)).collect()
});

fn arguments(detector: &str, is_long: bool) -> ScoreArgs {
    let file = scratch::path("numbers");
    let mut words = vec!["score".as_ref(), "--detector".as_ref(), detector.as_ref()];
    if is_long {
        words.push("--series-per-line".as_ref());
    }
    words.push(file.as_os_str());
    match seeds::command(&words) {
        Some(Command::Score(args)) => args,
        _ => panic!("no score"),
    }
}

/// See the module.
pub fn run(data: &[u8]) {
    let Some((which, content)) = data.split_first() else { return };
    scratch::file("numbers", content);
    // Most inputs are invalid and give errors.
    let _ = score(&ARGUMENTS[usize::from(*which) % ARGUMENTS.len()]);
}
