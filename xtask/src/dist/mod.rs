//! `dist`: builds the packages. Owns the order of steps, and what all packages share: the packaged tree, its
//! date, and the generated files. The list of the packages' files is only in wherefore-agent/Cargo.toml.
//!
//! The result depends only on the commit and the tools: paths are replaced, and times are those of the
//! commit. `--check` builds a clone in another folder and compares the bytes.

mod archive;
mod build;
mod crates;
mod debian;
mod libpcap;
mod licenses;
mod rpm;
mod sbom;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::setup::{Need, setup};
use crate::shell;
use build::Libc;
use tree::Tree;

#[derive(Args)]
pub(crate) struct Options {
    /// Package the programs that this command built last.
    #[arg(long)]
    no_build: bool,
    /// Build everything a second time, from a clone of the commit in another folder, and compare the bytes.
    #[arg(long)]
    check: bool,
}

/// Makes all packages; with `check`, makes them twice.
pub(crate) fn dist(options: &Options) -> Result<()> {
    setup(Need::Dist)?;
    let tree = Tree::here()?;
    let made = make(&tree, options.no_build)?;
    made.iter().for_each(|file| shell::say(format!("made {}", file.display())));
    if options.check {
        let again = make(&tree.cloned()?, false)?;
        compare(&made, &again)?;
        shell::say("built a second time in another folder: the bytes are the same");
    }
    Ok(())
}

/// Makes only the Debian package, of this revision; returns its path.
pub(crate) fn debian(no_build: bool, revision: u32) -> Result<PathBuf> {
    setup(Need::Dist)?;
    let tree = Tree::here()?;
    if !no_build {
        build::agent(&tree, Libc::Gnu)?;
    }
    stage(&tree)?;
    debian::package(&tree, revision)
}

/// Makes the content of the container's image; returns its path.
pub(crate) fn image(no_build: bool) -> Result<PathBuf> {
    setup(Need::Dist)?;
    let tree = Tree::here()?;
    if !no_build {
        build::agent(&tree, Libc::Musl)?;
    }
    stage(&tree)?;
    stage_image(&tree)
}

/// The folder that `deploy/Containerfile` copies from.
fn stage_image(tree: &Tree) -> Result<PathBuf> {
    let folder = tree.stage().join("image");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    for from in [
        build::program(tree, Libc::Musl)?,
        tree.stage().join("third-party.txt"),
        tree.root.join("LICENSE-APACHE"),
        tree.root.join("LICENSE-MIT"),
        "/etc/ssl/certs/ca-certificates.crt".into(),
    ] {
        let name = from.file_name().context("a file has a name")?;
        fs::copy(&from, folder.join(name))
            .with_context(|| format!("copying {}", from.display()))?;
    }
    Ok(folder)
}

fn make(tree: &Tree, no_build: bool) -> Result<Vec<PathBuf>> {
    if !no_build {
        build::agent(tree, Libc::Gnu)?;
        build::agent(tree, Libc::Musl)?;
    }
    stage(tree)?;
    let mut made = vec![
        debian::package(tree, 1)?,
        rpm::package(tree)?,
        archive::archive(tree)?,
        sbom::write(tree)?,
    ];
    stage_image(tree)?;
    made.push(sums(tree, &made)?);
    Ok(made)
}

/// Writes the generated files of the packages.
fn stage(tree: &Tree) -> Result<()> {
    let stage = tree.stage();
    fs::create_dir_all(&stage).with_context(|| format!("making {}", stage.display()))?;
    let unit = read(&tree.root.join("deploy/wherefore.service"))?;
    write(&stage.join("wherefore.service"), &packaged(&unit)?)?;
    write(&stage.join("third-party.txt"), &licenses::text(tree)?)
}

/// The service file with the paths of a package.
fn packaged(unit: &str) -> Result<String> {
    const OWN: &str = "ExecStart=/usr/local/bin/";
    ensure!(unit.contains(OWN), "the service does not start {OWN}...");
    Ok(unit
        .replace(OWN, "ExecStart=/usr/bin/")
        .replace("DynamicUser=yes", "DynamicUser=yes\nUser=wherefore\nGroup=wherefore")
        .replace(" Install: see README.md beside this file.", ""))
}

/// The sums of all files, in the format of sha256sum.
fn sums(tree: &Tree, files: &[PathBuf]) -> Result<PathBuf> {
    let mut sha256sum = shell::command("sha256sum");
    sha256sum.current_dir(tree.dist()).args(files.iter().filter_map(|file| file.file_name()));
    let path = tree.dist().join("SHA256SUMS");
    write(&path, &shell::output(&mut sha256sum)?)?;
    Ok(path)
}

fn compare(made: &[PathBuf], again: &[PathBuf]) -> Result<()> {
    ensure!(made.len() == again.len(), "not as many files");
    for (one, other) in made.iter().zip(again) {
        let is_same = bytes(one)? == bytes(other)?;
        ensure!(is_same, "{} and {} differ", one.display(), other.display());
    }
    Ok(())
}

fn bytes(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("reading {}", path.display()))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packaged_service_has_the_packages_paths_and_user() {
        let unit = include_str!("../../../deploy/wherefore.service");
        let packaged = packaged(unit).unwrap();
        assert!(!packaged.contains("/usr/local"), "{packaged}");
        assert!(packaged.contains("ExecStart=/usr/bin/wherefore run "), "{packaged}");
        assert!(packaged.contains("\nUser=wherefore\nGroup=wherefore\n"), "{packaged}");
    }
}
