//! `lint`: checks that reviewers should not have to do. Owns the list and its order, the fastest first;
//! refuses to fix anything.

use anyhow::{Context, Result};
use clap::Args;

use crate::setup::{Need, setup};
use crate::{ebpf, house, shell, tidy};

#[derive(Args)]
pub(crate) struct Options {
    /// Also check dependencies for published vulnerabilities; needs the network.
    #[arg(long)]
    advisories: bool,
    /// Only print figures about the sources.
    #[arg(long)]
    figures: bool,
}

pub(crate) fn lint(options: &Options) -> Result<()> {
    if options.figures {
        return house::print_figures();
    }
    setup(Need::Lint)?;
    step("layers and circles", house::check)?;
    step("tidy", tidy::tidy)?;
    step("formatting", format)?;
    step("dependencies", || dependencies(options.advisories))?;
    step("clippy", clippy)?;
    step("clippy of the kernel programs", clippy_ebpf)?;
    shell::say("lint found no problems");
    Ok(())
}

fn step(name: &str, check: impl FnOnce() -> Result<()>) -> Result<()> {
    shell::say(format!("lint: {name}"));
    check().with_context(|| format!("lint: {name}"))
}

fn format() -> Result<()> {
    let checked = shell::run(&mut shell::cargo(&["fmt", "--all", "--check"]));
    checked.context("run `cargo fmt --all`")
}

fn dependencies(advisories: bool) -> Result<()> {
    let mut checks = vec!["check", "licenses", "bans", "sources"];
    checks.extend(advisories.then_some("advisories"));
    let mut deny = shell::command(shell::require("cargo-deny", "to check dependencies")?);
    deny.arg("--log-level=error").args(checks).current_dir(crate::workspace::root());
    shell::run(&mut deny)
}

fn clippy() -> Result<()> {
    shell::run(&mut shell::cargo(&["clippy", "--all-targets", "--", "-D", "warnings"]))
}

fn clippy_ebpf() -> Result<()> {
    let mut clippy = ebpf::cargo("clippy", &crate::workspace::root());
    shell::run(clippy.args(["--", "-D", "warnings"]))
}
