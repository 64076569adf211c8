//! Paths and recorded versions. Owns the paths of the workspace and the
//! reading of its Cargo.toml; refuses defaults for versions: if one is not recorded, it fails.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The tools that built the committed eBPF object.
pub(crate) struct Recorded {
    pub(crate) rustc: String,
    pub(crate) bpf_linker: String,
    pub(crate) llvm: String,
}

/// The root of the workspace: that of the sources cargo runs, wherever they were moved since.
pub(crate) fn root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or(package.clone(), Path::to_owned)
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    root().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// The folder of tools that setup installs.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}

/// The agent's program, once built for release.
pub(crate) fn agent() -> PathBuf {
    target().join("release/wherefore")
}

/// Reads `[workspace.metadata.ebpf]`.
pub(crate) fn recorded() -> Result<Recorded> {
    let path = root().join("Cargo.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let manifest: toml::Table =
        text.parse().with_context(|| format!("parsing {}", path.display()))?;
    let field = |name: &str| {
        let value = manifest.get("workspace")?.get("metadata")?.get("ebpf")?.get(name)?;
        value.as_str().map(str::to_owned)
    };
    let required = |name: &str| {
        field(name).with_context(|| {
            format!("{} has no `{name}` in [workspace.metadata.ebpf]", path.display())
        })
    };
    Ok(Recorded {
        rustc: required("rustc")?,
        bpf_linker: required("bpf-linker")?,
        llvm: required("llvm")?,
    })
}
