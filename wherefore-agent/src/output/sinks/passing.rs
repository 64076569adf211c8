//! Distinguishes temporary errors from errors in the options. Owns this distinction.

use std::fmt;
use std::io::ErrorKind;

use anyhow::Error;

/// Marks an error whose outside cause may go away.
#[derive(Debug, Clone, Copy)]
pub(super) struct MayPass(pub(super) &'static str);

impl fmt::Display for MayPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Whether an error may go away. A missing file is an error in the options; a file that cannot be read now
/// may be readable later.
pub(super) fn may_pass(error: &Error) -> bool {
    use ErrorKind::{InvalidData, InvalidInput, IsADirectory, NotADirectory, NotFound};
    let is_option =
        |kind| matches!(kind, NotFound | InvalidData | InvalidInput | NotADirectory | IsADirectory);
    let mut io = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    error.is::<MayPass>() || io.any(|io| !is_option(io.kind()))
}
