//! Errors in what was asked for, not in doing it: exit code 2. Any layer may find one.

use std::fmt::Write;

use anyhow::{Result, bail};

/// An error in what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Refuses all problems at once.
///
/// # Errors
/// If there is any.
pub fn refuse(problems: &[String]) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    bail!(usage_error(problems))
}

/// All problems as one error.
pub(crate) fn usage_error(problems: &[String]) -> UsageError {
    let mut text = String::from("the options cannot be used:");
    for problem in problems {
        // Writing to a string never fails.
        let _ = write!(text, "\n  {problem}");
    }
    UsageError(text)
}
