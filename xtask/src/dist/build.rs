//! The programs in packages. Owns the targets and the libraries that each is linked with.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::libpcap;
use super::tree::Tree;
use crate::setup::rustup;
use crate::shell;

/// The C library.
#[derive(Clone, Copy)]
pub(super) enum Libc {
    /// The system's, and the system's libpcap.
    Gnu,
    /// musl and libpcap, both inside the program: it needs no library of the system.
    Musl,
}

impl Libc {
    /// The compiler's name for this processor with it.
    pub(super) fn target(self) -> String {
        let libc = match self {
            Self::Gnu => "gnu",
            Self::Musl => "musl",
        };
        format!("{}-unknown-linux-{libc}", std::env::consts::ARCH)
    }
}

/// Builds the agent.
pub(super) fn agent(tree: &Tree, libc: Libc) -> Result<()> {
    let target = libc.target();
    shell::say(format!("building the agent for {target} (some minutes)"));
    let mut cargo = tree.cargo(&["build", "--release", "--locked", "--package", "wherefore-agent"]);
    cargo.args(["--target", &target]);
    if let Libc::Musl = libc {
        rustup::target(&target)?;
        cargo.env("LIBPCAP_LIBDIR", libpcap::built(tree)?).env("LIBPCAP_VER", libpcap::VERSION);
        cargo.env(format!("CC_{}", target.replace('-', "_")), libpcap::COMPILER);
    }
    shell::run(&mut cargo)
}

/// The program, once built.
pub(super) fn program(tree: &Tree, libc: Libc) -> Result<PathBuf> {
    let program = tree.build().join(libc.target()).join("release/wherefore");
    ensure!(program.is_file(), "{} is not built", program.display());
    Ok(program)
}
