//! What is known of one end of a flow.

use std::sync::Arc;

use crate::traffic::who::{Process, Unattributed};

/// What is known of one end.
#[derive(Debug, Clone)]
pub(super) enum Found {
    /// Whose it is.
    Process(Arc<Process>),
    /// Why it is nobody's.
    Unattributed(Unattributed),
    /// No socket.
    Nothing,
}
