//! `setup`: what this machine lacks for a purpose, named and installed. Owns the list; refuses to
//! install anything that is there already, from whatever source, and says nothing then.

mod apt;
mod cargo_deny;
pub(crate) mod linker;
mod rustup;

use anyhow::Result;
use clap::{Args, ValueEnum};

#[derive(Args)]
pub(crate) struct Options {
    /// What the machine should be able to do.
    #[arg(long = "for", value_enum, default_value_t = Need::All)]
    pub(crate) need: Need,
}

/// A purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Need {
    /// Build and run the agent.
    Run,
    /// Run the tests, with their network namespaces.
    Test,
    /// Build the kernel programs.
    Ebpf,
    /// Check the sources.
    Lint,
    /// All of these.
    All,
}

impl Need {
    /// Whether this purpose includes the other.
    fn includes(self, other: Self) -> bool {
        self == Self::All || self == other || (self == Self::Test && other == Self::Run)
    }
}

pub(crate) fn setup(need: Need) -> Result<()> {
    apt::install(need)?;
    if need.includes(Need::Ebpf) || need.includes(Need::Lint) {
        rustup::rust_src()?;
    }
    if need.includes(Need::Ebpf) {
        linker::install()?;
    }
    if need.includes(Need::Lint) {
        rustup::rustfmt_and_clippy()?;
        cargo_deny::install()?;
    }
    Ok(())
}
