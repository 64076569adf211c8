//! Which errors may pass by themselves. Owns telling them from slips in the options.

use std::fmt;
use std::io::ErrorKind;

use anyhow::Error;

/// Marks an error that something outside caused and that may pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct MayPass(pub(super) &'static str);

impl fmt::Display for MayPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Whether an error is one of the options: a file that is not there is named wrongly, one that
/// can't be read may be readable later.
pub(super) fn may_pass(error: &Error) -> bool {
    use ErrorKind::{InvalidData, InvalidInput, IsADirectory, NotADirectory, NotFound};
    let is_option =
        |kind| matches!(kind, NotFound | InvalidData | InvalidInput | NotADirectory | IsADirectory);
    let mut io = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    error.is::<MayPass>() || io.any(|io| !is_option(io.kind()))
}
