//! `run`: from a clone to a running agent. Owns the choice between watching and replaying, and whether sudo
//! is needed; refuses to interpret other arguments.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::setup::{Need, setup};
use crate::{privilege, shell, workspace};

pub(crate) fn run(arguments: &[OsString]) -> Result<()> {
    build_agent()?;
    let (mode, mut command) = if is_capture(arguments.first()) {
        ("replay", Command::new(workspace::agent()))
    } else {
        ("run", watcher()?)
    };
    command.arg(mode).args(arguments);
    bail!(shell::exec(&mut command))
}

/// Builds the agent in release mode, after installing what this needs.
pub(crate) fn build_agent() -> Result<()> {
    setup(Need::Run)?;
    shell::say("building the agent (the first time takes a few minutes)");
    shell::run(&mut shell::cargo(&["build", "--release", "--package", "wherefore-agent"]))
}

/// Whether the first argument is a file or standard input, to be replayed.
fn is_capture(first: Option<&OsString>) -> bool {
    first.is_some_and(|first| first == OsStr::new("-") || Path::new(first).is_file())
}

/// The agent with the privileges for watching.
fn watcher() -> Result<Command> {
    let missing = privilege::missing()?;
    if privilege::is_root() || missing.is_empty() {
        return Ok(Command::new(workspace::agent()));
    }
    privilege::sudo(&workspace::agent(), &missing.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_and_standard_input_are_replayed() {
        let is = |text: &str| is_capture(Some(&OsString::from(text)));
        assert!(is("-") && is("Cargo.toml"));
        assert!(!is("-i") && !is("eth0") && !is("src"));
        assert!(!is_capture(None));
    }
}
