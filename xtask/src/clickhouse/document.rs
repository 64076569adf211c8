//! The statements of docs/clickhouse.md. Owns finding them; refuses to leave one out.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::workspace;

const PATH: &str = "docs/clickhouse.md";

/// The language of a block of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Sql,
    /// A whole block.
    Shell,
}

/// A statement of the document.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) language: Language,
    pub(super) text: String,
    line: usize,
}

impl Statement {
    pub(super) fn new(language: Language, text: &str) -> Self {
        Self { language, text: text.to_owned(), line: 0 }
    }

    /// Where it stands.
    pub(super) fn place(&self) -> String {
        format!("{PATH}:{}", self.line)
    }

    /// Whether it is a query, which returns rows.
    pub(super) fn is_query(&self) -> bool {
        self.text.starts_with("SELECT") || self.text.starts_with("WITH")
    }
}

/// All of them, in their order.
pub(super) fn statements() -> Result<Vec<Statement>> {
    let path = workspace::root().join(PATH);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {PATH}"))?;
    let statements = read(&text);
    let count = |language| statements.iter().filter(|one| one.language == language).count();
    ensure!(count(Language::Sql) > 0 && count(Language::Shell) > 0, "{PATH} has no statements");
    Ok(statements)
}

fn read(text: &str) -> Vec<Statement> {
    let (mut statements, mut language) = (Vec::new(), None);
    let mut current = Statement { language: Language::Sql, text: String::new(), line: 0 };
    for (at, line) in text.lines().enumerate() {
        if let Some(opened) = line.strip_prefix("```") {
            // A block may end without a semicolon.
            statements.push(std::mem::replace(&mut current, empty(at + 2)));
            language = match opened {
                "sql" => Some(Language::Sql),
                "sh" => Some(Language::Shell),
                _ => None,
            };
            current.language = language.unwrap_or(Language::Sql);
            continue;
        }
        let Some(language) = language else { continue };
        let is_last = language == Language::Sql && line.ends_with(';');
        current.text.push_str(if is_last { line.trim_end_matches(';') } else { line });
        current.text.push('\n');
        if is_last || current.text == "\n" {
            let next = Statement { language, ..empty(at + 2) };
            statements.push(std::mem::replace(&mut current, next));
        }
    }
    statements.retain(|statement| !statement.text.trim().is_empty());
    statements
}

fn empty(line: usize) -> Statement {
    Statement { language: Language::Sql, text: String::new(), line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_is_found_at_its_line() {
        let text = "Text;\n```sql\nSELECT 1;\n\nSELECT\n 2;\n```\n```toml\na = 1\n```\n```sh\na |\n  b\nc\n```\n```sql\nDROP x\n```\n";
        let found = read(text);
        let found: Vec<_> =
            found.iter().map(|one| (one.line, one.language, one.text.as_str())).collect();
        assert_eq!(
            found,
            [
                (3, Language::Sql, "SELECT 1\n"),
                (5, Language::Sql, "SELECT\n 2\n"),
                (12, Language::Shell, "a |\n  b\nc\n"),
                (17, Language::Sql, "DROP x\n"),
            ]
        );
    }
}
