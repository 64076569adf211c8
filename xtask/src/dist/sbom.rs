//! The bill of materials of the programs, as CycloneDX 1.5. Owns the document; refuses components that are not linked: tools, and
//! crates of tests and builds.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::crates::{self, Crate};
use super::libpcap;
use super::tree::Tree;
use crate::shell;

/// Writes it; returns its path.
pub(super) fn write(tree: &Tree) -> Result<PathBuf> {
    let crates = crates::linked(tree)?;
    let own = crates.iter().find(|each| each.name == "wherefore-agent").context("no agent")?;
    let others = crates.iter().filter(|each| each.reference() != own.reference());
    let libpcap = libpcap_component();
    let depends = |each: &Crate| {
        let mut needs = each.needs.clone();
        needs.extend(
            (each.name == "pcap").then(|| libpcap["bom-ref"].as_str().map(str::to_owned)).flatten(),
        );
        json!({"ref": each.reference(), "dependsOn": needs})
    };
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"timestamp": time(&tree.epoch)?, "component": component(own)},
        "components": others.map(component).chain([libpcap.clone()]).collect::<Vec<_>>(),
        "dependencies": crates.iter().map(depends).collect::<Vec<_>>(),
    });
    let path = tree.dist().join(format!("wherefore-{}.cdx.json", env!("CARGO_PKG_VERSION")));
    super::write(&path, &format!("{document:#}\n"))?;
    Ok(path)
}

fn component(each: &Crate) -> Value {
    let kind = if each.name == "wherefore-agent" { "application" } else { "library" };
    let mut component = json!({
        "type": kind,
        "bom-ref": each.reference(),
        "name": each.name,
        "version": each.version,
        "purl": each.reference(),
        "licenses": [{"expression": each.license}],
    });
    if let Some(sum) = &each.sum {
        component["hashes"] = json!([{"alg": "SHA-256", "content": sum}]);
    }
    component
}

/// The libpcap of the static program; the others use the system's.
fn libpcap_component() -> Value {
    let reference = format!("pkg:deb/debian/libpcap@{}?arch=source", libpcap::PACKAGE);
    json!({
        "type": "library",
        "bom-ref": reference,
        "name": "libpcap",
        "version": libpcap::VERSION,
        "purl": reference,
        "licenses": [{"expression": "BSD-3-Clause"}],
        "hashes": [{"alg": "SHA-256", "content": libpcap::SHA256}],
    })
}

/// Seconds since 1970 as RFC 3339 writes them.
fn time(epoch: &str) -> Result<String> {
    let mut date = shell::command("date");
    date.args(["-u", "+%Y-%m-%dT%H:%M:%SZ", "-d", &format!("@{epoch}")]);
    Ok(shell::output(&mut date)?.trim().to_owned())
}
