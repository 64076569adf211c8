//! Temporary errors. Owns how to tell them from errors in the options.

use std::fmt;
use std::io::ErrorKind;

use anyhow::Error;

/// Marks an error with an outside cause that may go away.
#[derive(Debug, Clone, Copy)]
pub(super) struct MayPass(pub(super) &'static str);

impl fmt::Display for MayPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Whether an error is one of the options: a missing file is named wrongly, one that
/// cannot be read may be readable later.
pub(super) fn may_pass(error: &Error) -> bool {
    use ErrorKind::{InvalidData, InvalidInput, IsADirectory, NotADirectory, NotFound};
    let is_option =
        |kind| matches!(kind, NotFound | InvalidData | InvalidInput | NotADirectory | IsADirectory);
    let mut io = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    error.is::<MayPass>() || io.any(|io| !is_option(io.kind()))
}
