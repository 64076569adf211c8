//! The shape of the agent's sources: which file imports which, and how long things are. Owns the
//! rules of the house (layers, no cycles) and its figures; refuses to know what the code does.

mod cycles;
mod figures;
mod imports;
mod layers;
mod source;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::{shell, workspace};
use imports::Graph;
use source::Source;

/// Where the layered sources are, from the root of the workspace.
const AGENT: &str = "wherefore-agent/src";
/// The document that has the table of layers.
const TABLE: &str = "ARCHITECTURE.md";

/// Prints the figures of the shape: lengths of functions and files, share of comments, cycles.
///
/// # Errors
/// Where a source can't be read.
pub(crate) fn print_figures() -> Result<()> {
    let root = workspace::root();
    for part in ["wherefore-common/src", "wherefore-ebpf/src", AGENT, "xtask/src", "tests"] {
        let sources = Source::read_all(&root.join(part))?;
        println!("{part}: {}", figures::Figures::of(&sources));
    }
    let findings = findings(&root)?;
    println!("{AGENT}: {} imports against the rules", findings.len());
    findings.iter().for_each(|finding| println!("  {finding}"));
    Ok(())
}

/// Checks that imports go down the layers and never in a circle, but for the known debts.
///
/// # Errors
/// With the number of findings, which are printed before.
pub(crate) fn check() -> Result<()> {
    let root = workspace::root();
    let text = fs::read_to_string(root.join(TABLE)).with_context(|| format!("reading {TABLE}"))?;
    let findings = without_debts(findings(&root)?, &debts(&text));
    findings.iter().for_each(|finding| shell::say(format!("{AGENT}/{finding}")));
    ensure!(findings.is_empty(), "{} findings", findings.len());
    Ok(())
}

/// Every import that does not go down the layers, and every circle of imports.
fn findings(root: &Path) -> Result<Vec<String>> {
    let table = layers::Table::read(&root.join(TABLE))?;
    let sources = Source::read_all(&root.join(AGENT))?;
    let mut findings = layers::findings(&table, &sources);
    findings.extend(cycles::findings(&Graph::of(&sources)));
    Ok(findings)
}

/// The findings that are known and wait to be mended: the list between the two marks.
fn debts(text: &str) -> Vec<&str> {
    let list = text.split_once("<!-- debts -->").and_then(|(_, rest)| rest.split_once("<!--"));
    let lines = list.map_or("", |(list, _)| list).lines();
    lines.filter_map(|line| line.strip_prefix("- ")).map(str::trim).collect()
}

/// The findings that no debt names, and the debts that are paid: the list only gets shorter.
fn without_debts(findings: Vec<String>, debts: &[&str]) -> Vec<String> {
    let is_paid = |debt: &&&str| !findings.iter().any(|finding| finding.contains(**debt));
    let paid = debts.iter().filter(is_paid);
    let paid: Vec<_> = paid.map(|debt| format!("{debt}: mended, remove it from {TABLE}")).collect();
    let is_new = |finding: &String| !debts.iter().any(|debt| finding.contains(debt));
    findings.iter().filter(|finding| is_new(finding)).cloned().chain(paid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debts_excuse_what_they_name_and_are_refused_once_paid() {
        let text =
            "x\n<!-- debts -->\n- `a` imports `b`\n- c.rs: these\n<!-- end of debts -->\n- no";
        let debts = debts(text);
        assert_eq!(debts, ["`a` imports `b`", "c.rs: these"]);
        let findings = vec!["a/x.rs:1: `a` imports `b`, which".to_owned(), "d.rs: new".to_owned()];
        let left = without_debts(findings, &debts);
        assert_eq!(left, ["d.rs: new", "c.rs: these: mended, remove it from ARCHITECTURE.md"]);
    }
}
