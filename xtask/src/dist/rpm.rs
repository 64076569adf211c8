//! The RPM. Owns its differences from the Debian package, whose list of files it uses: the program is the static
//! one, because other distributions name libpcap differently, and scripts are those of RPM.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use toml::{Table, Value};

use super::build::{Libc, program};
use super::tree::Tree;
use super::{read, write};
use crate::setup::cargo;
use crate::shell;

/// Those that are Debian's own.
const LEFT_OUT: [&str; 2] = ["lintian", "doc/wherefore/copyright"];
/// Paths that differ on other distributions.
const MOVED: [(&str, &str); 1] = [("zsh/vendor-completions", "zsh/site-functions")];
const CONFIGURATION: &str = "/etc/wherefore/wherefore.toml";

const BEFORE: &str = "getent group wherefore >/dev/null || groupadd --system wherefore
getent passwd wherefore >/dev/null || useradd --system --gid wherefore --no-create-home \\
    --home-dir /nonexistent --shell /sbin/nologin --comment Wherefore wherefore
";
const AFTER: &str = "[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
[ \"$1\" -gt 1 ] || systemctl preset wherefore.service
";
const BEFORE_REMOVAL: &str = "[ -d /run/systemd/system ] || exit 0
[ \"$1\" -gt 0 ] || systemctl disable --now wherefore.service
";
const AFTER_REMOVAL: &str = "[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
[ \"$1\" -eq 0 ] || systemctl try-restart wherefore.service
";

/// Makes the package; returns its path.
pub(super) fn package(tree: &Tree) -> Result<PathBuf> {
    program(tree, Libc::Musl)?;
    cargo::install("cargo-generate-rpm", cargo::RPM)?;
    let manifest = read(&tree.root.join("wherefore-agent/Cargo.toml"))?;
    let metadata = tree.stage().join("rpm.toml");
    write(&metadata, &described(tree, &manifest)?.to_string())?;
    let (version, processor) = (env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let package = tree.dist().join(format!("wherefore-{version}-1.{processor}.rpm"));
    let mut cargo = tree.cargo(&["generate-rpm", "--package", "wherefore-agent"]);
    cargo.args(["--target", &Libc::Musl.target(), "--auto-req", "disabled"]);
    cargo.arg("--metadata-overwrite").arg(&metadata).arg("--output").arg(&package);
    shell::run(&mut cargo)?;
    check(&package)?;
    Ok(package)
}

/// The input of cargo-generate-rpm, from that of cargo-deb.
fn described(tree: &Tree, manifest: &str) -> Result<Table> {
    let manifest: Table = manifest.parse().context("parsing the agent's Cargo.toml")?;
    let debian = &manifest["package"]["metadata"]["deb"];
    let listed = debian["assets"].as_array().into_iter().flatten();
    let mut assets: Vec<Value> = listed
        .map(|asset| asset_of(tree, asset))
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect();
    let unit = tree.stage().join("wherefore.service");
    let to = "/usr/lib/systemd/system/wherefore.service";
    assets.push(Value::Table(asset(tree, &unit, to, "644")?));
    let mut table = Table::new();
    for (key, text) in [
        ("pre_install_script", BEFORE),
        ("post_install_script", AFTER),
        ("pre_uninstall_script", BEFORE_REMOVAL),
        ("post_uninstall_script", AFTER_REMOVAL),
    ] {
        table.insert(key.to_owned(), Value::from(text));
    }
    table.insert("assets".to_owned(), Value::Array(assets));
    Ok(table)
}

/// One file, if it belongs there.
fn asset_of(tree: &Tree, listed: &Value) -> Result<Option<Value>> {
    let part = |at: usize| listed.get(at).and_then(Value::as_str).context("a file has three parts");
    let (source, to, mode) = (part(0)?, part(1)?, part(2)?);
    if LEFT_OUT.iter().any(|left| to.contains(left)) {
        return Ok(None);
    }
    let name = source.rsplit('/').next().unwrap_or_default();
    let mut to = if to.ends_with('/') { format!("/{to}{name}") } else { format!("/{to}") };
    for (from, other) in MOVED {
        to = to.replace(from, other);
    }
    let source = match source.strip_prefix("../") {
        Some(source) => tree.root.join(source),
        None => program(tree, Libc::Musl)?,
    };
    let mut asset = asset(tree, &source, &to, mode)?;
    if to.starts_with("/etc/") {
        asset.insert("config".to_owned(), "noreplace".into());
    }
    if to == CONFIGURATION {
        // It may hold secrets.
        asset.extend(
            [("mode", "640"), ("group", "wherefore")]
                .map(|(key, text)| (key.to_owned(), text.into())),
        );
    }
    if to.contains("/doc/") || to.contains("/man/") {
        asset.insert("doc".to_owned(), true.into());
    }
    Ok(Some(Value::Table(asset)))
}

/// A copy of a file: newer files get the date of the commit, older files would keep theirs.
fn asset(tree: &Tree, source: &Path, to: &str, mode: &str) -> Result<Table> {
    let folder = tree.stage().join("rpm");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let copy = folder.join(source.file_name().context("a file has a name")?);
    fs::copy(source, &copy).with_context(|| format!("copying {}", source.display()))?;
    let copy = copy.display().to_string();
    let fields = [("source", copy.as_str()), ("dest", to), ("mode", mode)];
    Ok(fields.map(|(key, text)| (key.to_owned(), Value::from(text))).into_iter().collect())
}

/// Checks it with rpm itself: sums, digests and metadata.
fn check(package: &Path) -> Result<()> {
    let rpm = shell::require("rpm", "to check the package")?;
    shell::run(shell::command(&rpm).args(["-K", "--nosignature"]).arg(package))?;
    let listed =
        shell::output(shell::command(&rpm).args(["-qp", "--nosignature", "-l"]).arg(package))?;
    for due in ["/usr/bin/wherefore", CONFIGURATION, "/usr/share/man/man1/wherefore.1"] {
        ensure!(listed.lines().any(|line| line == due), "{due} is not in the package:\n{listed}");
    }
    Ok(())
}
