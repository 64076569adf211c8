//! `wherefore config show`: the options in force, as a configuration file. Owns the form of this output;
//! never shows a secret.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory};

use super::in_force::defaults;
use super::load::{Loaded, innermost};
use super::origin::Origin;
use super::reference::{key, quoted};
use super::sinks;
use crate::options::cli::Cli;
use crate::secret::HIDDEN;

/// The header, which explains the output.
const HEAD: &str = "\
# The options in force, each followed by its origin. This is a configuration file with the same
# settings. Lines that begin with # are options that nobody has set: they show the default, if it is
# one value. Replace \"(hidden)\" by the secret, file:PATH or env:NAME.
";

/// Every option with its value and its origin, as a configuration file.
pub fn show(loaded: &Loaded) -> String {
    let mut command = Cli::command();
    command.build();
    let (_, leaf, given) = innermost(&command, &loaded.matches);
    let named = leaf.get_arguments().filter(|arg| arg.get_long().is_some());
    let is_shown = |arg: &&Arg| !["help", "version", "sinks"].contains(&arg.get_id().as_str());
    let lines = named.filter(is_shown).map(|arg| line(arg, given, loaded));
    let sinks = given.get_raw("sinks").into_iter().flatten().enumerate();
    let sinks = sinks.map(|(number, text)| sink(&text.to_string_lossy(), loaded.sinks.get(number)));
    std::iter::once(HEAD.to_owned()).chain(lines).chain(sinks).collect()
}

fn line(arg: &Arg, given: &ArgMatches, loaded: &Loaded) -> String {
    let id = arg.get_id().as_str();
    let origin = loaded.origins.get(id).cloned().unwrap_or_else(|| origin(arg, given));
    let values: Vec<_> = given.get_raw(id).into_iter().flatten().collect();
    let values: Vec<_> = values.iter().map(|value| value.to_string_lossy().into_owned()).collect();
    let (key, value) = (key(arg), value(arg, &values, is_secret(arg, &values)));
    match value {
        // A configuration file cannot name another one.
        Some(value) if id == "config" => format!("# {key} = {value}  # {origin}\n"),
        Some(value) => format!("{key} = {value}  # {origin}\n"),
        None => {
            let (value, origin) = by_default(arg, loaded);
            let space = if value.is_empty() { "" } else { " " };
            format!("# {key} ={space}{value}  # {origin}\n")
        }
    }
}

fn origin(arg: &Arg, given: &ArgMatches) -> Origin {
    match given.value_source(arg.get_id().as_str()) {
        Some(ValueSource::CommandLine) => Origin::Flag,
        Some(ValueSource::EnvVariable) => {
            let name = arg.get_env().unwrap_or_default();
            Origin::Environment(name.to_string_lossy().into_owned())
        }
        _ => Origin::Default,
    }
}

/// Values in TOML syntax; `None` if there are none.
fn value(arg: &Arg, values: &[String], is_secret: bool) -> Option<String> {
    let one = |value: &String| if is_secret { hidden(arg, value) } else { quoted(arg, value) };
    match values {
        [] => None,
        [value] if !matches!(arg.get_action(), clap::ArgAction::Append) => Some(one(value)),
        many => Some(format!("[{}]", many.iter().map(one).collect::<Vec<_>>().join(", "))),
    }
}

/// The value that applies because nobody set the option.
fn by_default(arg: &Arg, loaded: &Loaded) -> (String, Origin) {
    let Some(common) = loaded.cli.common() else { return (String::new(), Origin::Default) };
    let origin = if common.detector.compat { Origin::Compat } else { Origin::Default };
    let key = key(arg);
    let known = defaults(common).into_iter().find(|(name, _)| *name == key);
    match known.and_then(|(_, values)| value(arg, &values, false)) {
        Some(value) => (value, origin),
        None => (String::new(), Origin::Default),
    }
}

/// Whether a value must be hidden. A value that only says where a secret is stored may be shown.
fn is_secret(arg: &Arg, values: &[String]) -> bool {
    arg.is_hide_env_values_set() && !values.iter().all(|value| is_elsewhere(value))
}

fn is_elsewhere(value: &str) -> bool {
    value.starts_with("file:") || value.starts_with("env:")
}

/// A secret, masked. For a pair, its name is shown.
fn hidden(arg: &Arg, value: &str) -> String {
    let text = match value.split_once('=') {
        _ if is_elsewhere(value) => value.to_owned(),
        Some((name, secret)) if sinks::is_pair(arg) => {
            let is_shown = is_elsewhere(secret);
            format!("{name}={}", if is_shown { secret } else { HIDDEN })
        }
        _ => HIDDEN.to_owned(),
    };
    toml::Value::String(text).to_string()
}

/// A sink as a TOML table.
fn sink(text: &str, origin: Option<&Origin>) -> String {
    let (kind, settings) = sinks::settings(text);
    let origin = origin.unwrap_or(&Origin::Flag);
    let mut table =
        format!("\n[[sink]]  # {origin}\ntype = {}\n", toml::Value::String(kind.clone()));
    for arg in sinks::arguments(&kind) {
        let own = settings.iter().find(|(name, _)| Some(&**name) == arg.get_long());
        let default = |value: &clap::builder::OsStr| value.to_string_lossy().into_owned();
        let line = match own {
            Some((_, values)) => value(&arg, values, sinks::is_secret(&arg)),
            None => {
                let values: Vec<_> = arg.get_default_values().iter().map(default).collect();
                value(&arg, &values, false).map(|value| format!("{value}  # {}", Origin::Default))
            }
        };
        match line {
            Some(line) => table.push_str(&format!("{} = {line}\n", key(&arg))),
            None => table.push_str(&format!("# {} =  # {}\n", key(&arg), Origin::Default)),
        }
    }
    table
}
