//! The layers of the agent. Owns reading their table, which is only in ARCHITECTURE.md, and the rule that
//! imports only go down in it.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::imports::imports;
use super::source::Source;

/// The lines that enclose the table.
const BEGIN: &str = "<!-- layers -->";
const END: &str = "<!-- end of layers -->";
/// The files that combine the layers, and so are above all of them.
const ROOTS: [&str; 2] = ["lib", "main"];

/// The layers, from the top. Those in one row are neighbours.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// # Errors
    /// If the file has no such table.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("reading the layers of {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let table = text.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END));
        let (table, _) = table.with_context(|| format!("no table between {BEGIN} and {END}"))?;
        let rows: Vec<Vec<String>> = table.lines().filter_map(row).collect();
        ensure!(!rows.is_empty(), "the table of layers is empty");
        Ok(Self { rows })
    }

    fn row_of(&self, layer: &str) -> Option<usize> {
        self.rows.iter().position(|row| row.iter().any(|name| name == layer))
    }

    /// Why a layer must not import another one; `None` if it may.
    fn refusal(&self, from: &str, to: &str) -> Option<String> {
        if from == to || ROOTS.contains(&from) {
            return None;
        }
        let why = match (self.row_of(from), self.row_of(to)) {
            (Some(from), Some(to)) if from < to => return None,
            (Some(from), Some(to)) if from == to => "which stands beside it",
            (Some(_), Some(_)) => "which is above it",
            (None, _) => return Some(format!("`{from}` is in no row of the table of layers")),
            (_, None) => return Some(format!("`{to}` is in no row of the table of layers")),
        };
        Some(format!("`{from}` imports `{to}`, {why}: imports only go down the layers"))
    }
}

/// The names in the first column, such as `| `traffic/` | … |`.
fn row(line: &str) -> Option<Vec<String>> {
    let first = line.trim().strip_prefix('|')?.split('|').next()?;
    let names = first.split('`').skip(1).step_by(2);
    let names: Vec<_> = names.map(|name| name.trim_end_matches('/').to_owned()).collect();
    (!names.is_empty()).then_some(names)
}

/// A line for each import that does not go down.
pub(super) fn findings(table: &Table, sources: &[Source]) -> Vec<String> {
    let modules: BTreeSet<_> = sources.iter().map(|source| source.module.clone()).collect();
    let layers: BTreeSet<_> = sources.iter().map(|source| source.layer().to_owned()).collect();
    let mut findings = Vec::new();
    for source in sources {
        let mut refused = BTreeSet::new();
        for import in imports(source, &modules) {
            let Some(to) = import.path.first().filter(|to| layers.contains(*to)) else { continue };
            let refusal = table.refusal(source.layer(), to).filter(|_| refused.insert(to.clone()));
            findings.extend(refusal.map(|why| {
                let (file, line) = (source.path.display(), import.line);
                format!("{file}:{line}: {why} (see the table in {})", super::TABLE)
            }));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::imports::tests::sources;
    use super::*;

    const TEXT: &str = "# A\n<!-- layers -->\n| layer | owns |\n|---|---|\n| `top/` | a |\n| `low/` | \
        b |\n| `leaf`, `text` | c |\n<!-- end of layers -->\n| `other` | no |\n";

    fn of(files: &[(&str, &str)]) -> Vec<String> {
        findings(&Table::parse(TEXT).expect("a table"), &sources(files))
    }

    #[test]
    fn a_planted_upward_import_is_refused_and_the_rule_named() {
        let files = [("top/mod.rs", ""), ("low/mod.rs", ""), ("low/x.rs", "use crate::top::X;")];
        let found = of(&files);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(
            "low/x.rs:1: `low` imports `top`, which is above it: imports only go down"
        ));
    }

    #[test]
    fn an_import_from_the_same_row_and_a_missing_row_are_refused() {
        let files = [
            ("leaf.rs", "use crate::text::X;"),
            ("text.rs", ""),
            ("new.rs", "use crate::text::X;"),
        ];
        let found = of(&files);
        assert!(found[0].contains("which stands beside it"), "{found:?}");
        assert!(found[1].contains("`new` is in no row"), "{found:?}");
    }

    #[test]
    fn downward_imports_and_the_root_are_free() {
        let files = [
            ("lib.rs", "pub mod top; pub use top::X;"),
            ("top/mod.rs", "use crate::low::X; use crate::text;"),
            ("low/mod.rs", ""),
            ("text.rs", ""),
        ];
        assert_eq!(of(&files), [""; 0]);
    }
}
