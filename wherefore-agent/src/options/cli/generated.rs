//! The documents that `generate` can print. Owns the list.

use clap::ValueEnum;

/// Documents that are generated: from the definition of the options, and from the types of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Generated {
    /// The man page of the program.
    Man,
    /// The man page of the configuration file.
    ManOfFile,
    /// The reference of all options, as Markdown.
    Reference,
    /// The JSON Schema of all records.
    Schema,
    /// Completions for bash.
    Bash,
    /// Completions for zsh.
    Zsh,
    /// Completions for fish.
    Fish,
}
