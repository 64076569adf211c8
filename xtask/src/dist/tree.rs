//! The packaged tree. Owns its paths, and its date: that of the commit.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, ensure};

use crate::{shell, workspace};

/// A tree of sources with the folder that it is built in.
pub(super) struct Tree {
    pub(super) root: PathBuf,
    target: PathBuf,
    /// When it was committed, in seconds since 1970.
    pub(super) epoch: String,
    /// The same as RFC 2822 writes it.
    pub(super) date: String,
}

impl Tree {
    /// The tree of this workspace.
    pub(super) fn here() -> Result<Self> {
        Self::of(workspace::root(), workspace::target())
    }

    /// A clone of the commit, in a folder of its own.
    pub(super) fn cloned(&self) -> Result<Self> {
        let mut status = self.git(&["status", "--porcelain"]);
        let changes = shell::output(&mut status)?;
        ensure!(changes.is_empty(), "what is not committed is in no clone:\n{changes}");
        let root = self.dist().join("again/elsewhere");
        if root.exists() {
            fs::remove_dir_all(&root).with_context(|| format!("removing {}", root.display()))?;
        }
        shell::run(self.git(&["clone", "--quiet", "."]).arg(&root))?;
        let target = root.join("target");
        Self::of(root, target)
    }

    fn of(root: PathBuf, target: PathBuf) -> Result<Self> {
        let tree = Self { root, target, epoch: String::new(), date: String::new() };
        let dates = shell::output(&mut tree.git(&["log", "-1", "--format=%ct%n%cD"]))?;
        let (epoch, date) = dates.trim().split_once('\n').context("the commit has no date")?;
        Ok(Self { epoch: epoch.to_owned(), date: date.to_owned(), ..tree })
    }

    fn git(&self, arguments: &[&str]) -> Command {
        let mut git = shell::command("git");
        git.current_dir(&self.root).args(arguments);
        git
    }

    /// Cargo in this tree, with the paths of this machine mapped away and the date of the commit.
    pub(super) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = shell::cargo(arguments);
        cargo.current_dir(&self.root).env("CARGO_TARGET_DIR", self.build());
        cargo.env("SOURCE_DATE_EPOCH", &self.epoch);
        let maps: Vec<(PathBuf, &str)> = self.maps();
        let each = |option: &str| {
            let maps = maps.iter().map(|(from, to)| format!("{option}={}={to}", from.display()));
            maps.collect::<Vec<_>>().join(" ")
        };
        cargo.env("RUSTFLAGS", each("--remap-path-prefix"));
        cargo.env("CFLAGS", each("-ffile-prefix-map"));
        cargo
    }

    /// The text that compilers write instead of paths of this machine.
    pub(super) fn maps(&self) -> Vec<(PathBuf, &'static str)> {
        let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let cargo = env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
        vec![(cargo, "/cargo"), (self.root.clone(), "/wherefore")]
    }

    /// The folder of the packages.
    pub(super) fn dist(&self) -> PathBuf {
        self.target.join("dist")
    }

    /// The folder of programs built for them.
    pub(super) fn build(&self) -> PathBuf {
        self.dist().join("build")
    }

    /// The folder of intermediate files.
    pub(super) fn stage(&self) -> PathBuf {
        self.dist().join("stage")
    }
}
