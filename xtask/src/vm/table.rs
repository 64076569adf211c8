//! The results of all machines as a table, for the terminal and docs/kernels.md.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};

use super::kernel::Kernel;
use super::machine::Run;
use super::{CHECKS, Check};
use crate::{shell, workspace};

const FILE: &str = "docs/kernels.md";
/// `record` writes between these lines of the file.
const BEGIN: &str = "<!-- written by `cargo xtask test vm` -->\n";
const END: &str = "<!-- end of what is written -->\n";

/// A row for each check, a column for each kernel.
pub(super) fn text(checks: &[&Check], runs: &[(Kernel, Run)]) -> String {
    let mut table = String::new();
    let releases = runs.iter().map(|(kernel, _)| shown(kernel)).collect();
    row(&mut table, "", releases);
    row(&mut table, "---", runs.iter().map(|_| "---".to_owned()).collect());
    row(&mut table, "default hook", runs.iter().map(|(_, run)| hook(run)).collect());
    row(&mut table, "owners", runs.iter().map(|(_, run)| owners(run)).collect());
    for check in checks {
        let of = |(kernel, run): &(Kernel, Run)| cell(check, kernel, run);
        row(&mut table, check.what, runs.iter().map(of).collect());
    }
    let took = |(_, run): &(Kernel, Run)| format!("{} s", run.took.as_secs());
    row(&mut table, "all of it", runs.iter().map(took).collect());
    table
}

fn row(table: &mut String, name: &str, cells: Vec<String>) {
    // Writing to a string cannot fail.
    let _ = writeln!(table, "| {name} | {} |", cells.join(" | "));
}

/// The release without the part that all have in common.
fn shown(kernel: &Kernel) -> String {
    kernel.release.replace("-cloud-amd64", "")
}

fn cell(check: &Check, kernel: &Kernel, run: &Run) -> String {
    match run.outcomes.get(check.test) {
        Some(outcome) if outcome.is_passed() => format!("yes, {} s", outcome.seconds),
        Some(_) => "**no**".to_owned(),
        None if check.is_for(kernel) => "**not run**".to_owned(),
        None => {
            let [major, minor] = check.since;
            format!("since {major}.{minor}")
        }
    }
}

/// The hook that the agent chooses by default: `source="eBPF (tcx) on lo, ..."`.
fn hook(run: &Run) -> String {
    let named = |line: &String| Some(line.split_once("eBPF (")?.1.split_once(')')?.0.to_owned());
    run.log.iter().find_map(named).unwrap_or_else(|| "none".to_owned())
}

/// How the agent finds owners, according to `doctor`.
fn owners(run: &Run) -> String {
    let named = |line: &String| Some(line.split_once("attribution")?.1.trim().to_owned());
    run.log.iter().find_map(named).unwrap_or_else(|| "unknown".to_owned())
}

/// Writes the table and the date to the document.
pub(super) fn record(runs: &[(Kernel, Run)]) -> Result<()> {
    let path = workspace::root().join(FILE);
    let before = fs::read_to_string(&path).with_context(|| format!("reading {FILE}"))?;
    let (head, rest) =
        before.split_once(BEGIN).with_context(|| format!("{FILE} has no {BEGIN}"))?;
    let (_, tail) = rest.split_once(END).with_context(|| format!("{FILE} has no {END}"))?;
    let day = shell::output(shell::command("date").args(["-u", "+%F"]))?;
    let day = day.trim();
    let table = text(&CHECKS.each_ref(), runs);
    let after = format!("{head}{BEGIN}\nRun on {day}:\n\n{table}\n{END}{tail}");
    fs::write(&path, after).with_context(|| format!("writing {FILE}"))?;
    shell::say(format!("wrote {FILE}"));
    Ok(())
}
