//! `dist`: the packages that people install. Owns the tools' versions and what is made on the way: the
//! service with the package's paths, the changelog in Debian's format. The list of files is in
//! wherefore-agent/Cargo.toml.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::{run, shell, workspace};

const CARGO_DEB: &str = "3.8.0";

#[derive(Args)]
pub(crate) struct Options {
    /// Package the program that is there, as it was last built for release.
    #[arg(long)]
    pub(crate) no_build: bool,
    /// Version of the packages. Default: that of the program, with the revision 1.
    #[arg(long)]
    pub(crate) version: Option<String>,
}

/// Makes the Debian package; where it is.
pub(crate) fn dist(options: &Options) -> Result<PathBuf> {
    if !options.no_build {
        run::build_agent()?;
    }
    let program = workspace::agent();
    ensure!(program.is_file(), "{} is not built", program.display());
    let own = format!("{}-1", env!("CARGO_PKG_VERSION"));
    let version = options.version.as_deref().unwrap_or(&own);
    stage(version)?;
    let package = debian(version)?;
    check(&package)?;
    shell::say(format!("made {}", package.display()));
    Ok(package)
}

/// Where packages are made.
fn folder() -> PathBuf {
    workspace::target().join("dist")
}

/// Writes what is not in the tree as it goes into packages.
fn stage(version: &str) -> Result<()> {
    let (root, stage) = (workspace::root(), folder().join("stage"));
    fs::create_dir_all(&stage).with_context(|| format!("making {}", stage.display()))?;
    let unit = root.join("deploy/wherefore.service");
    let unit = fs::read_to_string(&unit).with_context(|| format!("reading {}", unit.display()))?;
    write(&stage.join("wherefore.service"), &packaged(&unit)?)?;
    let mut git = shell::command("git");
    git.current_dir(&root).args(["log", "-1", "--format=%cD"]);
    write(&stage.join("changelog"), &changelog(version, shell::output(&mut git)?.trim()))
}

/// The service with the paths of a package.
fn packaged(unit: &str) -> Result<String> {
    const OWN: &str = "ExecStart=/usr/local/bin/";
    ensure!(unit.contains(OWN), "the service does not start {OWN}...");
    Ok(unit
        .replace(OWN, "ExecStart=/usr/bin/")
        .replace("DynamicUser=yes", "DynamicUser=yes\nUser=wherefore\nGroup=wherefore")
        .replace(" Install: see README.md beside this file.", ""))
}

/// In Debian's format, which names the version of the package.
fn changelog(version: &str, date: &str) -> String {
    format!(
        "wherefore ({version}) unstable; urgency=medium\n\n  * What has changed is in CHANGELOG.md at \
         https://github.com/lytics/wherefore\n\n -- Wherefore contributors \
         <packages@wherefore.invalid>  {date}\n"
    )
}

fn debian(version: &str) -> Result<PathBuf> {
    install("cargo-deb", CARGO_DEB)?;
    let package = folder().join(format!("wherefore_{version}_{}.deb", architecture()?));
    let mut cargo = shell::cargo(&["deb", "--no-build", "--package", "wherefore-agent"]);
    cargo.args(["--deb-version", version, "--output"]).arg(&package);
    shell::run(&mut cargo)?;
    Ok(package)
}

fn architecture() -> Result<String> {
    let mut dpkg = shell::command(shell::require("dpkg", "to make a Debian package")?);
    Ok(shell::output(dpkg.arg("--print-architecture"))?.trim().to_owned())
}

/// Debian's own reviewer, where it is installed.
fn check(package: &Path) -> Result<()> {
    let Some(lintian) = shell::find("lintian") else {
        shell::say("lintian is not installed: the package is not checked");
        return Ok(());
    };
    let mut lintian = shell::command(lintian);
    lintian.args(["--fail-on", "error,warning", "--tag-display-limit", "0", "--allow-root"]);
    shell::run(lintian.arg(package))
}

/// Installs a tool of cargo's among our own, unless it is there. Unoptimised: it runs for seconds.
fn install(tool: &str, version: &str) -> Result<()> {
    if shell::find(tool).is_some() {
        return Ok(());
    }
    let root = workspace::tools();
    shell::say(format!("installing {tool} {version} into {} (minutes)", root.display()));
    let mut cargo = shell::cargo(&["install", "--version", version, "--locked"]);
    cargo.args(["--no-default-features", "--profile=dev", "--config=profile.dev.debug=false"]);
    shell::run(cargo.arg("--root").arg(root).arg(tool))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packaged_service_has_the_packages_paths_and_user() {
        let unit = include_str!("../../deploy/wherefore.service");
        let packaged = packaged(unit).unwrap();
        assert!(!packaged.contains("/usr/local"), "{packaged}");
        assert!(packaged.contains("ExecStart=/usr/bin/wherefore run "), "{packaged}");
        assert!(packaged.contains("\nUser=wherefore\nGroup=wherefore\n"), "{packaged}");
    }

    #[test]
    fn the_changelog_is_in_debians_format() {
        let text = changelog("1.2.3-1", "Mon, 30 Nov 2026 04:00:00 +0000");
        assert!(text.starts_with("wherefore (1.2.3-1) unstable; urgency=medium\n\n  * "));
        assert!(text.ends_with(">  Mon, 30 Nov 2026 04:00:00 +0000\n"), "{text}");
    }
}
