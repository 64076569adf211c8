//! Builds the kernel programs: the cargo command, and the processing of its output. Owns every flag that
//! affects the bytes of the object; refuses flags from the environment, with which the object would differ
//! between machines.

mod btf;
mod object;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{shell, workspace};

const TARGET: &str = "bpfel-unknown-none";

/// aya-ebpf needs a kernel architecture for registers that no program here reads; using the same value
/// everywhere gives the same object. Types are described completely, because maps are declared by their BTF.
const FLAGS: [&str; 6] =
    ["--cfg", "bpf_target_arch=\"x86_64\"", "-C", "debuginfo=2", "-C", "link-arg=--btf"];

/// A cargo command for the kernel programs below `root`, for the BPF target.
pub(crate) fn cargo(subcommand: &str, root: &Path) -> Command {
    let mut cargo = shell::cargo(&[subcommand, "--package=wherefore-ebpf", "--profile=ebpf"]);
    cargo.args(["--target", TARGET, "-Zbuild-std=core", "-Ztrim-paths"]).current_dir(root);
    // The BPF target has no prebuilt `core`. Building one is unstable; this variable permits it.
    cargo.env("RUSTC_BOOTSTRAP", "1");
    cargo.env("CARGO_PROFILE_EBPF_TRIM_PATHS", "all");
    cargo.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"));
    // Separate from builds for the host, which RUSTC_BOOTSTRAP would otherwise rebuild.
    cargo.env("CARGO_TARGET_DIR", workspace::target().join("ebpf"));
    for wrapper in ["RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        cargo.env_remove(wrapper);
    }
    cargo
}

/// Builds the programs and returns the object without debug information.
pub(crate) fn build() -> Result<Vec<u8>> {
    shell::run(&mut cargo("build", &workspace::root()))?;
    let path = linked();
    let elf = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    object::reduce(&elf).with_context(|| format!("reducing {}", path.display()))
}

/// The linker's output.
fn linked() -> PathBuf {
    workspace::target().join("ebpf").join(TARGET).join("ebpf/wherefore-ebpf")
}
