//! The shape of the agent's sources: which file imports which, and how long things are. Owns the
//! rules of the house (layers, no cycles) and its figures; refuses to know what the code does.

mod cycles;
mod figures;
mod imports;
mod layers;
mod source;

use anyhow::Result;

use crate::workspace;
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
    let sources = Source::read_all(&root.join(AGENT))?;
    println!("{AGENT}: {} import cycles", cycles::findings(&Graph::of(&sources)).len());
    match layers::Table::read(&root.join(TABLE)) {
        Ok(table) => {
            println!("{AGENT}: {} upward imports", layers::findings(&table, &sources).len())
        }
        Err(error) => println!("{AGENT}: {error:#}"),
    }
    Ok(())
}
