//! `build-ebpf`: builds the eBPF object, or checks the committed one against the sources. Owns this
//! comparison. If the tools are not the recorded versions, it cannot compare bytes, and compares the
//! behaviour of the programs instead.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::setup::{Need, linker, setup};
use crate::{ebpf, shell, workspace};

const COMMITTED: &str = "wherefore-ebpf/wherefore.bpf.o";

#[derive(Args)]
pub(crate) struct Options {
    /// Write nothing; fail if the committed object differs from one built from the sources.
    #[arg(long)]
    check: bool,
}

pub(crate) fn build_ebpf(options: &Options) -> Result<()> {
    setup(Need::Ebpf)?;
    let object = ebpf::build()?;
    let committed = workspace::root().join(COMMITTED);
    if options.check {
        return check(&object, &committed);
    }
    write(&committed, &object)?;
    shell::say(format!("{COMMITTED}: {} bytes", object.len()));
    Ok(())
}

fn write(path: &Path, object: &[u8]) -> Result<()> {
    fs::write(path, object).with_context(|| format!("writing {}", path.display()))
}

fn check(fresh: &[u8], committed: &Path) -> Result<()> {
    let old = fs::read(committed)
        .with_context(|| format!("reading {COMMITTED}: run `cargo xtask build-ebpf` and commit"))?;
    if old == fresh {
        shell::say(format!("{COMMITTED} matches the sources"));
        return Ok(());
    }
    let path = workspace::target().join("wherefore.bpf.o");
    write(&path, fresh)?;
    let differences = tool_differences()?;
    if differences.is_empty() {
        bail!(
            "{COMMITTED} is not what the sources give ({} bytes; the sources give {}, kept as {}): \
             run `cargo xtask build-ebpf` and commit",
            old.len(),
            fresh.len(),
            path.display()
        );
    }
    compare_behaviour(&path, &differences)
}

/// The tools whose versions are not the recorded ones, as text.
fn tool_differences() -> Result<Vec<String>> {
    let recorded = workspace::recorded()?;
    let verbose = shell::output(shell::command("rustc").arg("-vV"))?;
    let release = verbose.lines().find_map(|line| line.strip_prefix("release: "));
    let tools = [
        ("rustc", release.map(str::to_owned), recorded.rustc),
        ("bpf-linker", linker::version(), recorded.bpf_linker),
        ("LLVM", linker::llvm_in_use(), recorded.llvm),
    ];
    let different = tools.into_iter().filter(|(_, here, recorded)| here.as_ref() != Some(recorded));
    Ok(different.map(|(name, here, recorded)| words(name, here, &recorded)).collect())
}

fn words(name: &str, here: Option<String>, recorded: &str) -> String {
    format!("{name} is {}, recorded is {recorded}", here.as_deref().unwrap_or("unknown"))
}

fn compare_behaviour(fresh: &PathBuf, differences: &[String]) -> Result<()> {
    shell::say(format!(
        "the object's bytes differ because the tools do ({}): comparing the behaviour of the programs",
        differences.join("; ")
    ));
    let mut cargo =
        shell::cargo(&["test", "--package=wherefore-tests", "--test=parser_differential"]);
    let tested = shell::run(cargo.env("WHEREFORE_BPF_OBJECT", fresh));
    tested
        .context("the object that is built from the sources disagrees with the parser on the host")
}
