//! Outputs of lines, and what they could not write. Owns the contract of outputs and the log
//! of their losses.

use std::fs::File;
use std::io::{self, Write};

/// Somewhere to write lines to.
pub(crate) trait Output: Write + Send {
    /// Writes everything that still waits.
    ///
    /// # Errors
    /// If it cannot be written.
    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }
}

impl Output for File {}
impl Output for io::Stdout {}

/// Lines that could not be written, and when that is logged.
#[derive(Debug, Default)]
pub(crate) struct Losses(pub(super) u64);

impl Losses {
    /// Records whether lines were written; logs when that begins to fail, and when it works again.
    pub(crate) fn note(&mut self, name: &str, lines: &[u8], written: &io::Result<()>) {
        match written {
            Ok(()) => self.report(name),
            Err(error) => {
                if self.0 == 0 {
                    tracing::warn!(
                        output = name,
                        %error,
                        "an output cannot be written: its lines are lost until it can"
                    );
                }
                self.0 += lines.iter().filter(|byte| **byte == b'\n').count() as u64;
            }
        }
    }

    /// Logs how many were lost since the last report, if any.
    pub(crate) fn report(&mut self, name: &str) {
        let lines = std::mem::take(&mut self.0);
        if lines > 0 {
            tracing::warn!(output = name, lines, "lines of an output were lost");
        }
    }
}
