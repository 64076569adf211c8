//! The archive for systems without a package: the static program and its files, in one folder. Owns
//! its content.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::build::{Libc, program};
use super::tree::Tree;
use crate::shell;

/// From the tree, by their names in the archive.
const FILES: [(&str, &str); 12] = [
    ("docs/wherefore.1", "wherefore.1"),
    ("docs/wherefore.toml.5", "wherefore.toml.5"),
    ("deploy/wherefore.service", "wherefore.service"),
    ("deploy/wherefore.toml", "wherefore.toml"),
    ("deploy/completions/wherefore.bash", "completions/wherefore.bash"),
    ("deploy/completions/_wherefore", "completions/_wherefore"),
    ("deploy/completions/wherefore.fish", "completions/wherefore.fish"),
    ("deploy/prometheus-rules.yaml", "examples/prometheus-rules.yaml"),
    ("deploy/grafana-dashboard.json", "examples/grafana-dashboard.json"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
    ("LICENSE-MIT", "LICENSE-MIT"),
    ("CHANGELOG.md", "CHANGELOG.md"),
];

/// Makes the archive; returns its path.
pub(super) fn archive(tree: &Tree) -> Result<PathBuf> {
    let name = format!("wherefore-{}-{}-linux", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let folder = tree.stage().join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    let program = program(tree, Libc::Musl)?;
    let is_static = shell::output(shell::command("file").arg("-b").arg(&program))?;
    ensure!(is_static.contains("static"), "the program is not static: {is_static}");
    let files = FILES.into_iter().map(|(from, to)| (tree.root.join(from), to));
    let third = tree.stage().join("third-party.txt");
    for (from, to) in files.chain([(program, "wherefore"), (third, "third-party.txt")]) {
        let to = folder.join(to);
        let parent = to.parent().context("a file lies in a folder")?;
        fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        fs::copy(&from, &to).with_context(|| format!("copying {}", from.display()))?;
    }
    pack(tree, &name)
}

/// With nothing in it of who packs it, and when.
fn pack(tree: &Tree, name: &str) -> Result<PathBuf> {
    let archive = tree.dist().join(format!("{name}.tar.gz"));
    let mut tar = shell::command("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"]);
    tar.args(["--mode=u=rwX,go=rX", "--use-compress-program=gzip -9n"]);
    tar.arg(format!("--mtime=@{}", tree.epoch)).arg("-cf").arg(&archive);
    shell::run(tar.arg("-C").arg(tree.stage()).arg(name))?;
    Ok(archive)
}
