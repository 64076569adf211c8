//! Checks the structure of the agent's sources: which file imports which, and the lengths of files and
//! functions. Owns the rules (layers, no cycles) and their figures; refuses to know what the code does.

mod cycles;
mod figures;
mod imports;
mod layers;
mod source;

use std::path::Path;

use anyhow::{Result, ensure};

use crate::{shell, workspace};
use imports::Graph;
use source::Source;

/// The folder of the layered sources, relative to the root of the workspace.
const AGENT: &str = "wherefore-agent/src";
/// The document that has the table of layers.
const TABLE: &str = "ARCHITECTURE.md";

/// Prints figures about the sources: lengths of functions and files, share of comments, number of cycles.
///
/// # Errors
/// If a source can't be read.
pub(crate) fn print_figures() -> Result<()> {
    let root = workspace::root();
    for part in ["wherefore-common/src", "wherefore-ebpf/src", AGENT, "xtask/src", "tests"] {
        let sources = Source::read_all(&root.join(part))?;
        println!("{part}: {}", figures::Figures::of(&sources));
    }
    let findings = findings(&root)?;
    println!("{AGENT}: {} imports break the rules", findings.len());
    findings.iter().for_each(|finding| println!("  {finding}"));
    Ok(())
}

/// Checks that imports go down the layers and form no cycles.
///
/// # Errors
/// If any does not; the error has the number of findings, which are printed before.
pub(crate) fn check() -> Result<()> {
    let findings = findings(&workspace::root())?;
    findings.iter().for_each(|finding| shell::say(format!("{AGENT}/{finding}")));
    ensure!(findings.is_empty(), "{} findings", findings.len());
    Ok(())
}

/// Every import that does not go down the layers, and every cycle of imports.
fn findings(root: &Path) -> Result<Vec<String>> {
    let table = layers::Table::read(&root.join(TABLE))?;
    let sources = Source::read_all(&root.join(AGENT))?;
    let mut findings = layers::findings(&table, &sources);
    findings.extend(cycles::findings(&Graph::of(&sources)));
    Ok(findings)
}
