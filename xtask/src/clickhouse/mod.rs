//! `test clickhouse`: runs every statement of docs/clickhouse.md, in its order, by chdb, on lines that the agent has
//! just written. Owns the comparison of rows and sums with these lines; refuses to know a statement of its own that
//! the document has.

mod document;
mod lines;
mod server;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::setup::{Need, setup};
use crate::shell;
use document::{Language, Statement};
use lines::Lines;
use server::Server;

pub(crate) fn test() -> Result<()> {
    setup(Need::Run)?;
    let server = Server::new()?;
    let lines = Lines::write(server.folder())?;
    let statements = document::statements()?;
    let loaded = statements.iter().rposition(|statement| statement.language == Language::Shell);
    let loaded = loaded.context("the document loads no file")?;
    for (at, statement) in statements.iter().enumerate() {
        run(&server, statement).with_context(|| statement.place())?;
        if at == loaded {
            compare(&server, &lines)?;
        }
    }
    refuses_wrong_statements(&server)?;
    shell::say(format!("clickhouse: all {} statements of the document work", statements.len()));
    Ok(())
}

/// A query must find something: otherwise nobody knows whether it is right.
fn run(server: &Server, statement: &Statement) -> Result<()> {
    match statement.language {
        Language::Shell => server.shell(&statement.text),
        Language::Sql => {
            let rows = server.query(&statement.text)?;
            ensure!(!statement.is_query() || !rows.is_empty(), "finds no row");
            let difference = rows.first().map_or(&Value::Null, |row| &row["difference"]);
            ensure!(matches!(difference.as_i64(), None | Some(0)), "not all is there: {rows:?}");
            Ok(())
        }
    }
}

/// Every field of every line is in its table, and the sums are those of the agent's totals.
fn compare(server: &Server, lines: &Lines) -> Result<()> {
    let flows = "SELECT * REPLACE (src_text AS src, dst_text AS dst) FROM wherefore.flows";
    for (name, query, expected) in [
        ("flows", flows, &lines.flows),
        ("alerts", "SELECT * FROM wherefore.alerts", &lines.alerts),
    ] {
        ensure!(!expected.is_empty(), "the agent wrote no {name}");
        let count = |rows: &[Value]| {
            let mut counted = BTreeMap::<String, i64>::new();
            rows.iter().for_each(|row| *counted.entry(plain(row).to_string()).or_default() += 1);
            counted
        };
        let (ours, theirs) = (count(expected), count(&server.query(query)?));
        let wrong = ours.iter().find(|(row, number)| theirs.get(*row) != Some(*number));
        ensure!(wrong.is_none(), "not in {name}, or not as often: {wrong:?}");
        let more = theirs.keys().find(|row| !ours.contains_key(*row));
        ensure!(more.is_none(), "in {name}, but never written: {more:?}");
        shell::say(format!("clickhouse: all {} {name} are there, field by field", expected.len()));
    }
    let sums =
        server.query("SELECT sum(bytes) AS bytes, sum(packets) AS ip FROM wherefore.flows")?;
    let sums = sums.first().context("no sums")?;
    for name in ["bytes", "ip"] {
        let total: u64 = lines.totals.iter().filter_map(|totals| totals[name].as_u64()).sum();
        ensure!(sums[name].as_u64() == Some(total), "{name}: {} of {total}", sums[name]);
    }
    shell::say(format!("clickhouse: {sums} as in the totals of {} runs", lines.totals.len()));
    Ok(())
}

/// A row without fields that have their type's default, with numbers and times in one spelling.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), plain(value)));
            fields.filter(|(_, value)| !is_default(value)).collect()
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => (float as i64).into(),
            _ => value.clone(),
        },
        Value::String(text) => of_time(text).into(),
        Value::Null | Value::Bool(_) => value.clone(),
    }
}

fn is_default(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is_true) => !is_true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || text.starts_with("1970-01-01 00:00:00.0"),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// RFC 3339 as ClickHouse writes it: `2026-01-01T00:00:00.000000000Z` without `T` and `Z`.
fn of_time(text: &str) -> String {
    let is_time = text.len() == 30 && text.as_bytes()[10] == b'T' && text.ends_with('Z');
    if is_time { text[..29].replacen('T', " ", 1) } else { text.to_owned() }
}

/// Without this, a check that accepts everything would pass.
fn refuses_wrong_statements(server: &Server) -> Result<()> {
    for wrong in ["SELECT octets FROM wherefore.flows", "SELECT sum(bytes FROM wherefore.flows"] {
        ensure!(server.is_refused(wrong)?, "a wrong statement passes: {wrong}");
    }
    let nothing = Statement::new(Language::Sql, "SELECT 1 FROM wherefore.flows WHERE packets = 0");
    ensure!(run(server, &nothing).is_err(), "a query that finds nothing passes");
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_and_lines_are_compared_in_one_spelling() {
        let line = json!({"first": "2026-01-01T00:00:05.000000001Z", "ratio": 2.0, "methods": {}});
        let row = json!({"first": "2026-01-01 00:00:05.000000001", "ratio": 2, "asn": 0,
            "interval_end": "1970-01-01 00:00:00.000000000", "methods": {}, "name": ""});
        assert_eq!(plain(&line), plain(&row));
        assert_ne!(plain(&line), plain(&json!({"first": "2026-01-01 00:00:05.000000001"})));
    }
}
