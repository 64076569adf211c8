//! `setup`: installs what this machine lacks for a purpose, and prints what it installs. Owns the list;
//! installs nothing that already exists, from any source, and then prints nothing.

mod apt;
pub(crate) mod cargo;
pub(crate) mod linker;
pub(crate) mod rustup;

use anyhow::Result;
use clap::{Args, ValueEnum};

#[derive(Args)]
pub(crate) struct Options {
    /// The purpose.
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
    /// Make the packages.
    Dist,
    /// Boot a small Debian to test the package on.
    Machine,
    /// Build the container's image and run it.
    Image,
    /// Boot Debian's kernels in virtual machines.
    Vm,
    /// Run the fuzz targets.
    Fuzz,
    /// Render the Helm chart.
    Helm,
    /// Build and test with Kafka.
    Kafka,
    /// All of these, except packages, machines, images, fuzz targets, the Helm chart and Kafka.
    All,
}

impl Need {
    /// Whether this purpose includes the other.
    fn includes(self, other: Self) -> bool {
        self == other
            || match self {
                Self::All => matches!(other, Self::Run | Self::Test | Self::Ebpf | Self::Lint),
                Self::Test | Self::Dist | Self::Vm | Self::Fuzz | Self::Kafka => other == Self::Run,
                _ => false,
            }
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
        cargo::install("cargo-deny", cargo::DENY)?;
    }
    Ok(())
}
