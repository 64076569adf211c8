//! The notices of the libraries in the programs: each text once, with its crates. Owns
//! which files of a crate are notices; refuses a crate without a licence.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::tree::Tree;
use super::{crates, libpcap, read};

const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];
/// The copyright file of musl's package.
const MUSL: &str = "/usr/share/doc/musl/copyright";

/// All of them.
pub(super) fn text(tree: &Tree) -> Result<String> {
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut out = String::from(
        "Wherefore contains these, each under the licence beside it; their notices follow.\n\n",
    );
    for each in crates::linked(tree)?.iter().filter(|each| !each.is_own) {
        let name = format!("{} {}", each.name, each.version);
        ensure!(!each.license.is_empty(), "{name} names no licence");
        writeln!(out, "{name}: {}", each.license)?;
        for text in notices(&each.folder)? {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    for (name, path) in [("libpcap", libpcap::license(tree)), ("musl", MUSL.into())] {
        // They are in the static program alone, and there once that was built.
        if path.is_file() {
            writeln!(out, "{name} (in the static program)")?;
            texts.entry(read(&path)?).or_default().push(name.to_owned());
        }
    }
    for (text, names) in texts {
        write!(out, "\n{}\n{}\n\n{}\n", "-".repeat(72), names.join(", "), text.trim())?;
    }
    Ok(out)
}

fn notices(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let is_notice = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        path.is_file() && NAMES.iter().any(|notice| name.starts_with(notice))
    };
    let mut paths: Vec<_> =
        entries.flatten().map(|entry| entry.path()).filter(|path| is_notice(path)).collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}
