//! Components of the current Rust toolchain. Owns how their presence is detected; refuses to change the
//! version of the toolchain.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::shell;

/// The standard library for another target.
pub(crate) fn target(target: &str) -> Result<()> {
    let folder = shell::output(shell::command("rustc").args([
        "--print",
        "target-libdir",
        "--target",
        target,
    ]))?;
    if PathBuf::from(folder.trim()).is_dir() {
        return Ok(());
    }
    shell::say(format!("installing Rust's library for {target}"));
    let added = shell::run(shell::command("rustup").args(["target", "add", target]));
    added.with_context(|| format!("this toolchain lacks {target}; add it as it was installed"))
}

/// The source of `core`, which is built for the BPF target.
pub(super) fn rust_src() -> Result<()> {
    let sysroot =
        PathBuf::from(shell::output(shell::command("rustc").args(["--print", "sysroot"]))?.trim());
    if sysroot.join("lib/rustlib/src/rust/library/core/Cargo.toml").exists() {
        return Ok(());
    }
    add(&["rust-src"])
}

pub(super) fn rustfmt_and_clippy() -> Result<()> {
    let is_missing = |name: &&str| !shell::succeeds(&mut shell::cargo(&[name, "--version"]));
    let commands = [("fmt", "rustfmt"), ("clippy", "clippy")];
    let missing: Vec<&str> = commands
        .iter()
        .filter(|(name, _)| is_missing(name))
        .map(|(_, component)| *component)
        .collect();
    if missing.is_empty() { Ok(()) } else { add(&missing) }
}

fn add(components: &[&str]) -> Result<()> {
    let names = components.join(" ");
    shell::say(format!("installing Rust components: {names}"));
    let added = shell::run(shell::command("rustup").args(["component", "add"]).args(components));
    added.with_context(|| format!("this toolchain lacks {names}; add it as it was installed"))
}
