//! Where things are and which versions are recorded. Owns the paths of the workspace and the
//! reading of its Cargo.toml; refuses defaults for versions: they are stated there or it fails.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What the committed eBPF object was built with.
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

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    root().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Where setup installs what the system does not provide.
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
