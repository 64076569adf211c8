//! The Debian package. Owns its name, its changelog and the reviewer that it must pass.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::build::{Libc, program};
use super::tree::Tree;
use super::write;
use crate::setup::cargo;
use crate::shell;

/// Makes the package of this revision; returns its path.
pub(super) fn package(tree: &Tree, revision: u32) -> Result<PathBuf> {
    program(tree, Libc::Gnu)?;
    let version = format!("{}-{revision}", env!("CARGO_PKG_VERSION"));
    write(&tree.stage().join("changelog"), &changelog(&version, &tree.date))?;
    cargo::install("cargo-deb", cargo::DEB)?;
    let package = tree.dist().join(format!("wherefore_{version}_{}.deb", architecture()?));
    let mut cargo = tree.cargo(&["deb", "--no-build", "--package", "wherefore-agent"]);
    cargo.args(["--target", &Libc::Gnu.target(), "--deb-version", &version]);
    shell::run(cargo.arg("--output").arg(&package))?;
    check(&package)?;
    Ok(package)
}

/// In Debian's format, which names the version of the package.
fn changelog(version: &str, date: &str) -> String {
    format!(
        "wherefore ({version}) unstable; urgency=medium\n\n  * What has changed is in CHANGELOG.md at \
         https://github.com/lytics/wherefore\n\n -- Wherefore contributors \
         <packages@wherefore.invalid>  {date}\n"
    )
}

fn architecture() -> Result<String> {
    let mut dpkg = shell::command(shell::require("dpkg", "to make a Debian package")?);
    Ok(shell::output(dpkg.arg("--print-architecture"))?.trim().to_owned())
}

/// By Debian's own reviewer.
fn check(package: &Path) -> Result<()> {
    let mut lintian = shell::command(shell::require("lintian", "to check the package")?);
    lintian.args(["--fail-on", "error,warning", "--tag-display-limit", "0", "--allow-root"]);
    shell::run(lintian.arg(package))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changelog_is_in_debians_format() {
        let text = changelog("1.2.3-1", "Mon, 30 Nov 2026 04:00:00 +0000");
        assert!(text.starts_with("wherefore (1.2.3-1) unstable; urgency=medium\n\n  * "));
        assert!(text.ends_with(">  Mon, 30 Nov 2026 04:00:00 +0000\n"), "{text}");
    }
}
