//! The configuration file: TOML, with a key for each option, spelled as in `--help` but with underscores.
//! Owns how its values become words of a command line, and the line of each; refuses to know which options
//! exist.

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::Arg;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

/// A key and its value.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) value: FileValue,
}

/// A value as written in the file.
pub(super) struct FileValue {
    line: usize,
    content: Content,
}

enum Content {
    /// Text in quotes.
    Text(String),
    /// A number, a date, true or false.
    Bare(String),
    List(Vec<FileValue>),
    Table(Vec<Entry>),
}

/// The word of a command line that an entry of the file becomes, and its origin.
pub(super) struct Word {
    pub(super) text: OsString,
    pub(super) line: usize,
    /// The lines of a table's keys.
    pub(super) keys: BTreeMap<String, usize>,
}

impl Word {
    /// A word that does not come from a file.
    pub(super) fn new(arg: &Arg, value: &str) -> Self {
        Self { text: word(arg, value), line: 0, keys: BTreeMap::new() }
    }
}

/// The entries of a file in their order, and all its syntax errors with their lines. Entries that are
/// readable despite the errors are included.
pub(super) fn read(path: &Path) -> (Vec<Entry>, Vec<String>) {
    let shown = path.display();
    let text = match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(error)) => {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            return (Vec::new(), vec![format!("{shown} is not TOML: line {line}: not UTF-8")]);
        }
        Err(error) => {
            let problem = format!("cannot read the configuration file {shown}: {error}");
            return (Vec::new(), vec![problem]);
        }
    };
    let lines = Lines(&text);
    let (table, errors) = DeTable::parse_recoverable(&text);
    let mut problems: Vec<_> = errors.iter().map(|error| lines.not_toml(error, path)).collect();
    problems.dedup();
    // At a syntax error, a secret may look like a key.
    let broken: Vec<_> = errors
        .iter()
        .filter(|error| error.message() != "duplicate key")
        .filter_map(|error| error.span().map(|span| lines.number(span.start)))
        .collect();
    let mut entries = lines.entries(table.get_ref());
    entries.retain(|entry| !broken.contains(&entry.line));
    (entries, problems)
}

/// The text of a file, used to find line numbers.
struct Lines<'a>(&'a str);

impl Lines<'_> {
    fn number(&self, at: usize) -> usize {
        let before = &self.0.as_bytes()[..at.min(self.0.len())];
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    /// The position and reason of a syntax error, without the line itself, which may contain a secret.
    fn not_toml(&self, error: &toml::de::Error, path: &Path) -> String {
        let span = error.span().unwrap_or_default();
        let line = self.number(span.start);
        let reason = error.message().lines().next().unwrap_or_default();
        let key = self.key(span).filter(|_| reason == "duplicate key");
        let key = key.map_or_else(String::new, |key| format!(" {key}"));
        format!("{} is not TOML: line {line}: {reason}{key}", path.display())
    }

    /// The text at this position, if it can be a key.
    fn key(&self, span: Range<usize>) -> Option<&str> {
        let text = self.0.get(span)?.trim();
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        (!text.is_empty() && text.bytes().all(is_word)).then_some(text)
    }

    fn entries(&self, table: &DeTable<'_>) -> Vec<Entry> {
        let entry = |(key, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| Entry {
            key: key.get_ref().to_string(),
            line: self.number(key.span().start),
            value: self.value(value),
        };
        let mut entries: Vec<_> = table.iter().map(entry).collect();
        entries.sort_by_key(|entry| entry.line);
        entries
    }

    fn value(&self, value: &Spanned<DeValue<'_>>) -> FileValue {
        let content = match value.get_ref() {
            DeValue::String(text) => Content::Text(text.to_string()),
            DeValue::Integer(number) => Content::Bare(decimal(number)),
            DeValue::Float(number) => Content::Bare(number.as_str().to_owned()),
            DeValue::Boolean(is_so) => Content::Bare(is_so.to_string()),
            DeValue::Datetime(time) => Content::Bare(time.to_string()),
            DeValue::Array(values) => {
                Content::List(values.iter().map(|value| self.value(value)).collect())
            }
            DeValue::Table(table) => Content::Table(self.entries(table)),
        };
        FileValue { line: self.number(value.span().start), content }
    }
}

fn decimal(number: &DeInteger<'_>) -> String {
    let value = i128::from_str_radix(number.as_str(), number.radix());
    value.map_or_else(|_| number.to_string(), |value| value.to_string())
}

impl FileValue {
    /// The entries of a table, or of all tables of a list of tables.
    pub(super) fn tables(&self) -> Option<Vec<&Entry>> {
        match &self.content {
            Content::Table(entries) => Some(entries.iter().collect()),
            Content::List(values) => {
                let tables: Vec<_> = values.iter().filter_map(Self::tables).collect();
                (!tables.is_empty()).then(|| tables.concat())
            }
            Content::Text(_) | Content::Bare(_) => None,
        }
    }

    /// The words of a command line for this entry, or the reasons why there are none, with their lines.
    pub(super) fn words(&self, arg: &Arg) -> Vec<Result<Word, (usize, String)>> {
        let is_many = matches!(arg.get_action(), clap::ArgAction::Append);
        match &self.content {
            Content::List(_) if !is_many => {
                vec![Err((self.line, "takes one value, not a list".to_owned()))]
            }
            Content::List(values) => values.iter().map(|value| value.word(arg)).collect(),
            _ => vec![self.word(arg)],
        }
    }

    fn word(&self, arg: &Arg) -> Result<Word, (usize, String)> {
        let (text, keys) = match &self.content {
            Content::Text(text) => (text.clone(), BTreeMap::new()),
            Content::Bare(_) if is_text(arg) => {
                return Err((self.line, "must be text, in quotes".to_owned()));
            }
            Content::Bare(text) => (text.clone(), BTreeMap::new()),
            // Tables are sinks here: tables for other options were refused earlier.
            Content::Table(entries) => {
                let keys = entries.iter().map(|entry| (entry.key.clone(), entry.line)).collect();
                (self.json().to_string(), keys)
            }
            Content::List(_) => {
                return Err((self.line, "must not be a list in a list".to_owned()));
            }
        };
        Ok(Word { text: word(arg, &text), line: self.line, keys })
    }

    fn json(&self) -> Value {
        match &self.content {
            Content::Text(text) => Value::from(text.as_str()),
            Content::Bare(text) => {
                serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()))
            }
            Content::List(values) => values.iter().map(Self::json).collect(),
            Content::Table(entries) => {
                entries.iter().map(|entry| (entry.key.clone(), entry.value.json())).collect()
            }
        }
    }
}

/// Whether an option accepts any text, so that a number is read as text.
pub(crate) fn is_text(arg: &Arg) -> bool {
    let kind = arg.get_value_parser().type_id();
    kind == TypeId::of::<String>() || kind == TypeId::of::<PathBuf>()
}

/// The word that sets an option to a value.
fn word(arg: &Arg, value: &str) -> OsString {
    format!("--{}={value}", arg.get_long().unwrap_or_default()).into()
}
