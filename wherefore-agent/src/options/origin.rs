//! Where the value of an option comes from. Owns the words for it.

use std::path::PathBuf;

/// Where the value of an option comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag,
    /// A variable.
    Environment(String),
    /// The file, with the line number.
    File(PathBuf, usize),
    /// `--compat`.
    Compat,
    /// The built-in default.
    Default,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag => f.write_str("command line"),
            Self::Environment(name) => f.write_str(name),
            Self::File(path, line) => write!(f, "{}, line {line}", path.display()),
            Self::Compat => f.write_str("--compat"),
            Self::Default => f.write_str("default"),
        }
    }
}
