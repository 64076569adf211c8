//! Errors in what the user requested, as opposed to failures in doing it: exit code 2. Owns this type; any
//! layer may return it.

use std::fmt::Write;

use anyhow::{Result, bail};

/// An error in what the user requested.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Returns all problems as one error.
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
