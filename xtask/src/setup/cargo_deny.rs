//! cargo-deny, which checks licenses and sources of dependencies. Owns its version here; any that
//! is installed already serves.

use anyhow::Result;

use crate::{shell, workspace};

const VERSION: &str = "0.20.2";

/// Unoptimised and without its optional features: it runs for a second, and builds twice as fast.
pub(super) fn install() -> Result<()> {
    if shell::find("cargo-deny").is_some() {
        return Ok(());
    }
    let root = workspace::tools();
    shell::say(format!("installing cargo-deny {VERSION} into {} (a minute)", root.display()));
    let mut cargo = shell::cargo(&["install", "--version", VERSION, "--locked"]);
    cargo.args(["--no-default-features", "--profile=dev", "--config=profile.dev.debug=false"]);
    shell::run(cargo.arg("--root").arg(root).arg("cargo-deny"))
}
