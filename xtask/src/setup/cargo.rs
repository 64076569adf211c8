//! Tools that cargo installs. Owns their versions; a tool that is already installed is used in any version.

use anyhow::Result;

use crate::{shell, workspace};

/// Checks licences and sources of dependencies.
pub(crate) const DENY: &str = "0.20.2";
/// Makes Debian packages.
pub(crate) const DEB: &str = "3.8.0";
/// Makes RPMs.
pub(crate) const RPM: &str = "0.21.1";

/// Installs a tool in our own folder, unless it exists. Without optimisation and optional features, because
/// it runs for seconds and so builds twice as fast.
pub(crate) fn install(tool: &str, version: &str) -> Result<()> {
    if shell::find(tool).is_some() {
        return Ok(());
    }
    let root = workspace::tools();
    shell::say(format!("installing {tool} {version} into {} (minutes)", root.display()));
    let mut cargo = shell::cargo(&["install", "--version", version, "--locked"]);
    cargo.args(["--no-default-features", "--profile=dev", "--config=profile.dev.debug=false"]);
    shell::run(cargo.arg("--root").arg(root).arg(tool))
}
