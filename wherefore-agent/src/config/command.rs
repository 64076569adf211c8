//! `wherefore config`: what the options come to. Owns how they are shown; never shows a secret.

use clap::{Arg, ArgMatches, CommandFactory};

use super::load::{Loaded, Origin, innermost};
use super::reference::{key, quoted};
use crate::cli::Cli;

/// What stands in the place of a secret.
const HIDDEN: &str = "\"(hidden)\"";

/// Every option with its value and where it is from, as a configuration file.
pub fn show(loaded: &Loaded) -> String {
    let mut command = Cli::command();
    command.build();
    let (_, leaf, given) = innermost(&command, &loaded.matches);
    let named = leaf.get_arguments().filter(|arg| arg.get_long().is_some());
    let shown = named.filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()));
    shown.map(|arg| line(arg, given, loaded)).collect()
}

fn line(arg: &Arg, given: &ArgMatches, loaded: &Loaded) -> String {
    let id = arg.get_id().as_str();
    let origin = loaded.origins.get(id).cloned().unwrap_or(match given.value_source(id) {
        Some(clap::parser::ValueSource::CommandLine) => Origin::Flag,
        _ => Origin::Default,
    });
    let values: Vec<_> = given.get_raw(id).into_iter().flatten().collect();
    let values: Vec<_> = values.iter().map(|value| value.to_string_lossy().into_owned()).collect();
    let value = match &values[..] {
        [] => return format!("# {} =  # {origin}\n", key(arg)),
        _ if is_secret(arg, &values) => HIDDEN.to_owned(),
        [one] if !matches!(arg.get_action(), clap::ArgAction::Append) => quoted(one),
        many => format!("[{}]", many.iter().map(|one| quoted(one)).collect::<Vec<_>>().join(", ")),
    };
    format!("{} = {value}  # {origin}\n", key(arg))
}

/// A value that says where the secret is, is none itself.
fn is_secret(arg: &Arg, values: &[String]) -> bool {
    let is_elsewhere = |value: &String| value.starts_with("file:") || value.starts_with("env:");
    arg.is_hide_env_values_set() && !values.iter().all(is_elsewhere)
}
