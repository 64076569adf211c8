//! `bench`: runs the benchmark program of the tests package, and that of another revision if one is named.
//! Owns that revision's checkout and build, under target/bench; refuses to measure anything itself.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;

use crate::setup::{Need, setup};
use crate::{shell, workspace};

/// The source file that exists if a revision's benchmark program has topics and rounds.
const BENCH: &str = "tests/src/bin/bench/main.rs";

#[derive(Args)]
pub(crate) struct Options {
    /// What to measure: kernel, drain, judge, anomalyzer, detectors, replay, overhead, start, idle,
    /// view, history.
    /// Default: all. `detection LAB -- OPTION...` judges a detection lab instead.
    topics: Vec<String>,
    /// Measure this revision as well; its rounds alternate with those of the working tree.
    #[arg(long, value_name = "REV")]
    against: Option<String>,
    /// Number of rounds of each topic; the medians are reported.
    #[arg(long, value_name = "NUMBER")]
    rounds: Option<usize>,
    /// Print JSON instead of tables; target/bench has it in any case.
    #[arg(long)]
    json: bool,
}

/// The programs built from another revision.
struct Other {
    agent: PathBuf,
    /// Its benchmark program, if that has topics.
    bench: Option<PathBuf>,
}

pub(crate) fn bench(options: &Options) -> Result<()> {
    setup(Need::Test)?;
    let other = options.against.as_deref().map(build_other).transpose()?;
    build(&workspace::root(), &workspace::target())?;
    let release = workspace::target().join("release");
    let mut bench = shell::command(release.join("bench"));
    bench.env("WHEREFORE_BINARY", release.join("wherefore"));
    bench.env("CARGO_TARGET_DIR", workspace::target());
    bench.args(&options.topics).args(options.json.then_some("--json"));
    if let Some(rounds) = options.rounds {
        bench.args(["--rounds", &rounds.to_string()]);
    }
    if let Some(Other { agent, bench: other }) = other {
        bench.arg("--against-agent").arg(agent);
        if let Some(other) = other {
            bench.arg("--against-bench").arg(other);
        }
    }
    bail!(shell::exec(&mut bench))
}

/// Builds the agent and the benchmark program of the workspace in this folder.
fn build(root: &Path, target: &Path) -> Result<()> {
    let mut cargo = shell::cargo(&["build", "--release", "--bin", "wherefore", "--bin", "bench"]);
    shell::run(cargo.current_dir(root).env("CARGO_TARGET_DIR", target))
}

fn build_other(revision: &str) -> Result<Other> {
    let tree = check_out(revision)?;
    shell::say(format!("building {revision}"));
    // Not our own target folder: cargo distinguishes the crates of two workspaces only by the age of their
    // files, and could confuse them.
    let target = workspace::target().join("bench/against/target");
    build(&tree, &target)?;
    let agent = target.join("release/wherefore");
    let bench = tree.join(BENCH).exists().then(|| target.join("release/bench"));
    if bench.is_none() {
        shell::say(format!(
            "{revision} has no bench with topics: only its agent is measured, from outside"
        ));
    }
    Ok(Other { agent, bench })
}

/// A worktree of this revision, the same folder each time.
fn check_out(revision: &str) -> Result<PathBuf> {
    // Resolved here, because that worktree has a HEAD of its own.
    let commit = commit(revision)?;
    let tree = workspace::target().join("bench/against/tree");
    if tree.join(".git").exists() {
        git(&tree, ["checkout", "--quiet", "--force", "--detach", &commit])?;
    } else {
        std::fs::create_dir_all(tree.parent().unwrap_or(&tree))?;
        git(&workspace::root(), ["worktree", "prune"])?;
        let add = ["worktree", "add", "--force", "--detach"].map(OsStr::new);
        git(&workspace::root(), add.into_iter().chain([tree.as_os_str(), commit.as_ref()]))?;
    }
    Ok(tree)
}

fn commit(revision: &str) -> Result<String> {
    let mut git = shell::command("git");
    git.args(["rev-parse", "--verify", "--end-of-options"]).arg(format!("{revision}^{{commit}}"));
    Ok(shell::output(git.current_dir(workspace::root()))?.trim().to_owned())
}

fn git(root: &Path, words: impl IntoIterator<Item: AsRef<OsStr>>) -> Result<()> {
    let mut git = shell::command("git");
    shell::run(git.args(words).current_dir(root))
}
