//! Outputs of lines, and their write errors. Owns the contract of outputs and the log of lost lines.

use std::fs::File;
use std::io::{self, Write};

/// A destination of lines.
pub(crate) trait Output: Write + Send {
    /// Writes all lines that still wait.
    ///
    /// # Errors
    /// If they cannot be written.
    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }
}

impl Output for File {}
impl Output for io::Stdout {}

/// Lines that could not be written since this was last logged.
#[derive(Debug, Default)]
pub(crate) struct Losses(pub(super) u64);

impl Losses {
    /// Records whether lines were written. Logs when writing starts to fail, and when it works again.
    pub(crate) fn note(&mut self, name: &str, lines: &[u8], written: &io::Result<()>) {
        match written {
            Ok(()) => self.report(name),
            Err(error) => {
                if self.0 == 0 {
                    tracing::warn!(
                        output = name,
                        %error,
                        "cannot write to an output: its lines are lost until this works again"
                    );
                }
                self.0 += lines.iter().filter(|byte| **byte == b'\n').count() as u64;
            }
        }
    }

    /// Logs how many lines were lost since the last report, if any.
    pub(crate) fn report(&mut self, name: &str) {
        let lines = std::mem::take(&mut self.0);
        if lines > 0 {
            tracing::warn!(output = name, lines, "lines of an output were lost");
        }
    }
}
