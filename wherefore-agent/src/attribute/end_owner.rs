//! The owner of one end of a flow, while it is looked up.

use std::sync::Arc;

use crate::traffic::who::{Process, Unattributed};

/// The owner of one end.
#[derive(Debug, Clone)]
pub(super) enum EndOwner {
    /// The owning process.
    Process(Arc<Process>),
    /// The reason why it has no owner.
    Unattributed(Unattributed),
    /// No socket.
    Nothing,
}
