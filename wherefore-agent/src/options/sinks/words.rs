//! A sink as the words of a command line, from `--sink` or a table of the configuration file. Owns how both
//! are read, and which values fit which keys; refuses to know the meaning of a key.

use std::any::TypeId;
use std::collections::HashSet;

use clap::ArgAction;
use serde_json::{Map, Value};

use super::command::{arguments, kinds};
use crate::options::file::is_text;
use crate::output::sinks::settings::Pair;
use crate::secret::Secret;

/// Splits `slack,url=https://…,min_probability=0.9` into words. A comma in a value is written `\,`.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, parts.last_mut()) {
            (',', _) => parts.push(String::new()),
            ('\\', Some(part)) => match characters.next_if_eq(&',') {
                Some(comma) => part.push(comma),
                None => part.push('\\'),
            },
            (other, Some(part)) => part.push(other),
            (_, None) => {}
        }
    }
    let option = |(at, part): (usize, String)| if at == 0 { part } else { option(&part) };
    parts.into_iter().enumerate().map(option).collect()
}

/// The words of a JSON object, which stands for a table of the configuration file and has the kind as `type`;
/// and the errors in the types of its values.
pub(super) fn words_of(table: Map<String, Value>) -> (Vec<String>, Vec<String>) {
    let kind = table.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (mut words, mut problems) = (vec![kind.clone()], Vec::new());
    if table.get("type").is_none_or(|kind| !kind.is_string()) {
        problems.push(format!("type: must be one of {}, in quotes", kinds().join(", ")));
        return (words, problems);
    }
    let known = arguments(&kind);
    let mut keys = HashSet::new();
    for (key, value) in table.iter().filter(|(key, _)| *key != "type") {
        let arg = known.iter().find(|arg| arg.get_long() == Some(&key.replace('_', "-")));
        match arg.and_then(|arg| misfit(arg, value)) {
            Some(reason) => problems.push(format!("{key}: {reason}")),
            None if !keys.insert(key.replace('_', "-")) => {
                problems.push(format!("{key}: the key is set twice, with _ and with -"));
            }
            None => {
                words.extend(list(value).iter().map(|one| option(&format!("{key}={}", plain(one)))))
            }
        }
    }
    (words, problems)
}

/// The reason why a value of this type does not fit the key.
fn misfit(arg: &clap::Arg, value: &Value) -> Option<&'static str> {
    let is_many = matches!(arg.get_action(), ArgAction::Append);
    let values = list(value);
    if value.is_array() && !is_many {
        return Some("takes one value, not a list");
    }
    if values.iter().any(|one| one.is_object() || one.is_array()) {
        return Some("takes a value, not a table or a list in a list");
    }
    let is_text = is_text(arg) || is_secret(arg);
    (is_text && !values.iter().all(Value::is_string)).then_some("must be text, in quotes")
}

/// Whether the values of a key must be hidden.
pub(crate) fn is_secret(arg: &clap::Arg) -> bool {
    let kind = arg.get_value_parser().type_id();
    // The arguments of a program may contain secrets.
    let is_argument = arg.get_id() == "arg";
    kind == TypeId::of::<Secret>() || is_pair(arg) || is_argument
}

/// Whether the values of a key are names with secrets.
pub(crate) fn is_pair(arg: &clap::Arg) -> bool {
    arg.get_value_parser().type_id() == TypeId::of::<Pair<Secret>>()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The kind of a sink, and its settings with their values, as far as the text can be read.
pub(crate) fn settings(text: &str) -> (String, Vec<(String, Vec<String>)>) {
    let words = match serde_json::from_str(text) {
        Ok(table) => words_of(table).0,
        Err(_) => words(text),
    };
    let mut settings: Vec<(String, Vec<String>)> = Vec::new();
    for word in words.iter().skip(1) {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let key = key.trim_start_matches('-').to_owned();
        match settings.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value.to_owned()),
            None => settings.push((key, vec![value.to_owned()])),
        }
    }
    (words.into_iter().next().unwrap_or_default(), settings)
}

pub(super) fn option(part: &str) -> String {
    let (key, value) = part.split_once('=').map_or((part, None), |(k, v)| (k, Some(v)));
    let key = key.trim().replace('_', "-");
    value.map_or_else(|| format!("--{key}"), |value| format!("--{key}={value}"))
}
