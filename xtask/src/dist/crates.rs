//! The crates that are part of the program: those that the agent needs on Linux, without those for tests and
//! builds. Owns the walk through the output of `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::build::Libc;
use super::read;
use super::tree::Tree;
use crate::shell;

const OWN: &str = "wherefore-agent";

/// One of them.
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) version: String,
    /// The licence in its manifest.
    pub(super) license: String,
    /// The folder of its source.
    pub(super) folder: PathBuf,
    /// Whether it is of this workspace.
    pub(super) is_own: bool,
    /// The SHA-256 of its archive, if it is from a registry.
    pub(super) sum: Option<String>,
    /// Its dependencies, as [`Crate::reference`].
    pub(super) needs: Vec<String>,
}

impl Crate {
    /// A package URL.
    pub(super) fn reference(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }
}

/// The agent and all crates that it needs, by name and version.
pub(super) fn linked(tree: &Tree) -> Result<Vec<Crate>> {
    let mut cargo =
        tree.cargo(&["metadata", "--format-version=1", "--locked", "--filter-platform"]);
    let said: Value = serde_json::from_str(&shell::output(cargo.arg(Libc::Gnu.target()))?)
        .context("reading the output of cargo metadata")?;
    let sums = sums(&read(&tree.root.join("Cargo.lock"))?)?;
    let packages: BTreeMap<&str, &Value> =
        list(&said["packages"]).map(|p| (text(&p["id"]), p)).collect();
    let nodes: BTreeMap<&str, &Value> =
        list(&said["resolve"]["nodes"]).map(|node| (text(&node["id"]), node)).collect();
    let own = packages.iter().find(|(_, package)| text(&package["name"]) == OWN);
    let mut due = vec![*own.context("the agent is no package")?.0];
    let mut seen = BTreeSet::new();
    while let Some(id) = due.pop() {
        if seen.insert(id) {
            due.extend(nodes.get(id).into_iter().flat_map(|node| needs(node)));
        }
    }
    let reference =
        |id: &str| packages.get(id).map(|package| of(package, &sums, vec![]).reference());
    let mut crates: Vec<Crate> = seen
        .iter()
        .filter_map(|id| {
            let needs =
                nodes.get(id).into_iter().flat_map(|node| needs(node)).filter_map(reference);
            Some(of(packages.get(id)?, &sums, needs.collect()))
        })
        .collect();
    crates.sort_by_key(Crate::reference);
    Ok(crates)
}

/// The crates that it needs to run, as opposed to building or testing it.
fn needs(node: &Value) -> impl Iterator<Item = &str> {
    let is_linked = |need: &&Value| list(&need["dep_kinds"]).any(|kind| kind["kind"].is_null());
    list(&node["deps"]).filter(is_linked).map(|need| text(&need["pkg"]))
}

fn of(package: &Value, sums: &BTreeMap<(String, String), String>, needs: Vec<String>) -> Crate {
    let (name, version) = (text(&package["name"]).to_owned(), text(&package["version"]).to_owned());
    let folder = Path::new(text(&package["manifest_path"])).parent().unwrap_or(Path::new(""));
    Crate {
        license: text(&package["license"]).replace('/', " OR "),
        folder: folder.to_owned(),
        is_own: package["source"].is_null(),
        sum: sums.get(&(name.clone(), version.clone())).cloned(),
        name,
        version,
        needs,
    }
}

/// The checksums in Cargo.lock, by name and version.
fn sums(lock: &str) -> Result<BTreeMap<(String, String), String>> {
    let lock: toml::Table = lock.parse().context("parsing Cargo.lock")?;
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    let sums = packages.filter_map(|package| {
        let field = |name: &str| Some(package.get(name)?.as_str()?.to_owned());
        Some(((field("name")?, field("version")?), field("checksum")?))
    });
    Ok(sums.collect())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
