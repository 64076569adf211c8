//! bpf-linker in the recorded version. Owns finding LLVM's library, and building the linker with it; refuses
//! other versions, whose object would differ from the committed one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{shell, workspace};

const LINKER: &str = "bpf-linker";

/// The version of the bpf-linker that would be used.
pub(crate) fn version() -> Option<String> {
    let path = shell::find(LINKER)?;
    let text = shell::output(shell::command(path).arg("--version")).ok()?;
    text.split_whitespace().nth(1).map(str::to_owned)
}

/// The major version of the LLVM that the linker loads.
pub(crate) fn llvm_in_use() -> Option<String> {
    let loaded = shell::output(shell::command("ldd").arg(shell::find(LINKER)?)).ok()?;
    let (_, rest) = loaded.split_once("libLLVM.so.")?;
    rest.split(['.', ' ']).next().map(str::to_owned)
}

/// Whether the recorded version is installed and works.
pub(super) fn is_installed() -> bool {
    workspace::recorded().is_ok_and(|recorded| version() == Some(recorded.bpf_linker))
}

/// LLVM's shared library, of the recorded major version.
pub(super) fn llvm() -> Option<PathBuf> {
    let prefix = format!("libLLVM.so.{}", workspace::recorded().ok()?.llvm);
    let folders = fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    let folders = folders.chain(["/usr/lib64".into(), "/usr/local/lib".into(), "/usr/lib".into()]);
    let machine = std::env::consts::ARCH;
    let is_native = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("lib") || name.starts_with(machine)
    };
    folders.filter(is_native).find_map(|folder| library_in(&folder, &prefix))
}

fn library_in(folder: &Path, prefix: &str) -> Option<PathBuf> {
    let mut entries = fs::read_dir(folder).ok()?.flatten();
    entries.find(|entry| entry.file_name().to_string_lossy().starts_with(prefix)).map(|e| e.path())
}

pub(super) fn install() -> Result<()> {
    if is_installed() {
        return Ok(());
    }
    let recorded = workspace::recorded()?;
    let (version, root) = (&recorded.bpf_linker, workspace::tools());
    shell::say(format!("installing {LINKER} {version} into {} (2 minutes)", root.display()));
    let prefix = llvm_prefix(&recorded.llvm)?;
    let mut cargo = shell::cargo(&["install", "--version", version, "--locked", "--force"]);
    cargo.args(["--no-default-features", "--features", &format!("llvm-{}", recorded.llvm)]);
    cargo.env("LLVM_PREFIX", prefix);
    shell::run(cargo.arg("--root").arg(root).arg(LINKER))
}

/// A folder with the layout that the linker's build expects of LLVM, with only the library: the runtime
/// package contains it, and the development package is 14 times as large.
fn llvm_prefix(major: &str) -> Result<PathBuf> {
    let library =
        llvm().with_context(|| format!("no libLLVM.so.{major}* in /usr/lib or its folders"))?;
    let prefix = workspace::tools().join("llvm");
    let (folder, link) = (prefix.join("lib"), prefix.join("lib/libLLVM.so"));
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    if link.is_symlink() {
        fs::remove_file(&link).with_context(|| format!("replacing {}", link.display()))?;
    }
    symlink(&library, &link).with_context(|| format!("linking {}", link.display()))?;
    Ok(prefix)
}
