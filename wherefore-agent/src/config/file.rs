//! The configuration file: TOML, one key for each option, as `--help` names them with underscores.
//! Owns how its values become the words of a command line; refuses to know which options there are.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, Result};
use clap::Arg;
use toml::{Table, Value};

/// A key and its value.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: Given,
}

/// A value as the file has it.
pub(super) struct Given(Value);

/// The entries of a file.
///
/// # Errors
/// Where it can't be read or is no TOML, with the line.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration file {shown}"))?;
    let table: Table = text.parse().map_err(|error| not_toml(&text, &error, &shown.to_string()))?;
    Ok(table.into_iter().map(|(key, value)| Entry { key, value: Given(value) }).collect())
}

/// Where the file breaks and why, without the line itself, which may hold a secret.
fn not_toml(text: &str, error: &toml::de::Error, shown: &str) -> anyhow::Error {
    let at = error.span().map_or(0, |span| span.start).min(text.len());
    let before = String::from_utf8_lossy(&text.as_bytes()[..at]);
    let line = before.matches('\n').count() + 1;
    let reason = error.message().lines().next().unwrap_or_default();
    anyhow::anyhow!("{shown} is no TOML: line {line}: {reason}")
}

impl Given {
    /// What the command line would say; the reason if it could not.
    pub(super) fn words(&self, arg: &Arg) -> Result<Vec<OsString>, String> {
        let is_many = matches!(arg.get_action(), clap::ArgAction::Append);
        let values = match &self.0 {
            Value::Array(_) if !is_many => return Err("takes one value, not a list".to_owned()),
            Value::Array(values) => values.iter().collect(),
            one => vec![one],
        };
        let texts = values.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
        Ok(texts.iter().flat_map(|text| words(arg, text)).collect())
    }
}

/// The words that give an option a value.
pub(super) fn words(arg: &Arg, value: &str) -> Vec<OsString> {
    let long = arg.get_long().unwrap_or_default();
    if arg.get_action().takes_values() {
        return vec![format!("--{long}={value}").into()];
    }
    let is_on = value.eq_ignore_ascii_case("true") || value == "1";
    if is_on { vec![format!("--{long}").into()] } else { Vec::new() }
}

/// Tables, such as those of sinks, become JSON.
fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Table(table) => serde_json::to_string(table).map_err(|error| error.to_string()),
        Value::Array(_) => Err("a list in a list has no meaning here".to_owned()),
        other => Ok(other.to_string()),
    }
}
