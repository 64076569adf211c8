//! The settings of attribution. Owns only the values.

pub use crate::input::owners::Mode;

/// The settings.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The method.
    pub mode: Mode,
    /// Whether command lines are shown.
    pub shows_arguments: bool,
    /// Whether names and numbers of processes are hidden.
    pub hides_processes: bool,
}
