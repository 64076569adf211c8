//! `demo`: the first alert in under a minute, on one machine. Owns the building and the privilege;
//! the play itself is a program of wherefore-tests, so that xtask can be built before libpcap is
//! there.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{privilege, run, shell, workspace};

pub(crate) fn demo() -> Result<()> {
    run::build_agent()?;
    let build = ["build", "--release", "--package", "wherefore-tests", "--bin", "demo"];
    shell::run(&mut shell::cargo(&build))?;
    let play = workspace::target().join("release/demo");
    let mut command = match privilege::is_root() {
        true => Command::new(play),
        false => privilege::sudo(&play, "root for network namespaces")?,
    };
    bail!(shell::exec(command.arg(workspace::agent())))
}
