//! What attribution to processes can be set to. Owns the values alone.

pub use crate::input::owners::Mode;

/// What the user wants.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How.
    pub mode: Mode,
    /// Whether command lines are shown.
    pub shows_arguments: bool,
    /// Whether names and numbers of processes are not shown.
    pub hides_processes: bool,
}
