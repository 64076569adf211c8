//! Messages about invalid options: the option, its value, its origin, what is allowed, and the nearest valid
//! spelling. Owns the translation of clap's errors; never repeats the value of a secret.

use std::ffi::{OsStr, OsString};
use std::ops::Range;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};

use super::file::Entry;
use super::nearest::{nearest, nearest_of};
use super::origin::Origin;
use crate::secret::HIDDEN;

/// Words that are probably the value of a switch.
const BOOLEANS: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "1", "0"];

/// An error on the command line, and the arguments it is about.
pub(super) struct Problem {
    pub(super) text: String,
    pub(super) place: Range<usize>,
}

/// Translates clap's error, if it is about arguments that can be identified.
pub(super) fn in_arguments(
    command: &Command,
    arguments: &[OsString],
    error: &Error,
) -> Option<Problem> {
    if let Some(word) = context(error, ContextKind::InvalidSubcommand) {
        return stray(command, arguments, &word, error);
    }
    let named = context(error, ContextKind::InvalidArg)?;
    let name = named.split([' ', '=', '[']).next()?;
    let place = match error.kind() {
        ErrorKind::UnknownArgument => {
            let at = arguments.iter().position(|argument| is_named(argument, name))?;
            let takes_next = arguments[at] == name && is_like_one_with_value(command, error);
            let end = if takes_next { at + 2 } else { at + 1 };
            at..end.min(arguments.len())
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::NoEquals => {
            place_of(find(command, name)?, arguments)?
        }
        _ => return None,
    };
    let text = match find(command, name) {
        Some(_) if error.kind() == ErrorKind::UnknownArgument => {
            format!("{name}: this command has no such option, but others have")
        }
        Some(arg) => wrong_value(arg, "", error),
        None => unknown(name, error),
    };
    Some(Problem { text, place })
}

/// Translates clap's error about an option in the environment or the file.
pub(super) fn in_setting(arg: &Arg, origin: &Origin, error: &Error) -> String {
    wrong_value(arg, &format!(" (in {origin})"), error)
}

/// The error for a key that is not an option.
pub(super) fn unknown_key(command: &Command, key: &str, origin: &Origin) -> String {
    if key.eq_ignore_ascii_case("config") {
        return format!(
            "{key} (in {origin}): a configuration file cannot name another one; use --config"
        );
    }
    let hint = hint(nearest(command, key));
    format!("{key} (in {origin}): there is no such option{hint}")
}

/// The errors for a table where none is allowed, one for each key.
pub(super) fn tables(
    command: &Command,
    name: &str,
    entries: &[&Entry],
    origin: &Origin,
) -> Vec<String> {
    const ONLY: &str = "the only tables are [[sink]]";
    let is_sink = nearest(command, name).is_some_and(|near| near == "sink");
    if entries.is_empty() || is_sink {
        let hint = if is_sink { "; did you mean [[sink]]?" } else { "" };
        return vec![format!("[{name}] (in {origin}): {ONLY}{hint}")];
    }
    let mut problems = Vec::new();
    for entry in entries {
        let origin = match origin {
            Origin::File(path, _) => Origin::File(path.clone(), entry.line),
            other => other.clone(),
        };
        let joined = format!("{name}_{}", entry.key);
        if let Some(inner) = entry.value.tables() {
            problems.extend(tables(command, &joined, &inner, &origin));
            continue;
        }
        let near = nearest_of(command, &[&joined, &entry.key]);
        let hint = near.map_or_else(String::new, |near| {
            format!("; did you mean {} outside of all tables?", near.replace('-', "_"))
        });
        problems.push(format!("{} in [{name}] (in {origin}): {ONLY}{hint}", entry.key));
    }
    problems
}

/// The error for an option that is set twice in one place.
pub(super) fn twice(name: &str, origin: &Origin, other: &str, before: &Origin) -> String {
    match before {
        Origin::File(_, line) => {
            format!("{name} (in {origin}): line {line} sets it as {other}; keep one of them")
        }
        _ => format!("{name}: {other} sets the same option; keep one of them"),
    }
}

/// The warning about a variable that is not an option.
pub(super) fn unknown_variable(command: &Command, key: &str, name: &str) -> Option<String> {
    if is_of_kubernetes(key) {
        return None;
    }
    let near = nearest(command, key).map(|near| near.replace('-', "_").to_ascii_uppercase());
    let rest = near.map_or_else(
        || ", so it is ignored".to_owned(),
        |near| format!("; did you mean WHEREFORE_{near}?"),
    );
    Some(format!("the variable {name} is not an option{rest}"))
}

/// Whether Kubernetes sets this variable for a service with the name of this program: WHEREFORE_SERVICE_HOST,
/// WHEREFORE_PORT, WHEREFORE_PORT_80_TCP_ADDR and so on.
fn is_of_kubernetes(key: &str) -> bool {
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<_> = key.split('_').collect();
    match words[..] {
        ["service", "host" | "port", ..] | ["port"] => true,
        ["port", number, "tcp" | "udp" | "sctp", ..] => is_number(number),
        _ => false,
    }
}

fn hint(near: Option<String>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean {}?", near.replace('-', "_")))
}

/// The first line of clap's message.
pub(super) fn first_line(error: &Error) -> String {
    let text = error.to_string();
    let mut lines = text.lines().take_while(|line| !line.starts_with("Usage:"));
    let first = lines.next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first).to_owned();
    let rest: Vec<_> = lines.map(str::trim).filter(|line| !line.is_empty()).collect();
    if rest.is_empty() { first } else { format!("{first} {}", rest.join(", ")) }
}

/// The error for a word that is neither a command nor the value of an option.
fn stray(command: &Command, arguments: &[OsString], word: &str, error: &Error) -> Option<Problem> {
    if command.find_subcommand(word).is_some() {
        return None;
    }
    let at = arguments.iter().rposition(|argument| argument == word)?;
    Some(Problem { text: unknown(word, error), place: at..at + 1 })
}

fn unknown(name: &str, error: &Error) -> String {
    let what = if name.starts_with('-') { "option" } else { "command or option" };
    let near = context(error, ContextKind::SuggestedArg)
        .or_else(|| context(error, ContextKind::SuggestedSubcommand));
    let hint = match near {
        Some(near) => format!("; did you mean {near}?"),
        None if BOOLEANS.contains(&name) => "; put = before the value of a switch".to_owned(),
        None => String::new(),
    };
    format!("{name}: there is no such {what}{hint}")
}

fn wrong_value(arg: &Arg, origin: &str, error: &Error) -> String {
    let name = arg.get_long().unwrap_or_default();
    let value = context(error, ContextKind::InvalidValue).filter(|_| !arg.is_hide_env_values_set());
    let value =
        value.map_or_else(String::new, |value| format!(" {:?}", without_credentials(&value)));
    let reason = match std::error::Error::source(error) {
        Some(source) => in_plain_words(&source.to_string()),
        None => allowed(error),
    };
    format!("--{name}{value}{origin}: {reason}")
}

/// A value, without the user and password of a URL.
fn without_credentials(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    match authority.rfind('@') {
        Some(at) => format!("{scheme}://{HIDDEN}{}", &rest[at..]),
        None => value.to_owned(),
    }
}

/// Plain words for errors of the standard library's parsers, which are written for programmers.
fn in_plain_words(reason: &str) -> String {
    match reason {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "must be a whole number".to_owned()
        }
        "invalid float literal" => "must be a number".to_owned(),
        "number too large to fit in target type" => "is too large".to_owned(),
        "number too small to fit in target type" => "is too small".to_owned(),
        "value was not a boolean" => "must be true or false".to_owned(),
        other => other.to_owned(),
    }
}

/// The allowed values, and the one nearest to the given value.
fn allowed(error: &Error) -> String {
    let valid = context(error, ContextKind::ValidValue).filter(|valid| !valid.is_empty());
    let near = context(error, ContextKind::SuggestedValue);
    match (valid, near) {
        (Some(valid), Some(near)) => format!("must be one of {valid}; did you mean {near}?"),
        (Some(valid), None) => format!("must be one of {valid}"),
        _ if error.kind() == ErrorKind::NoEquals => "put = before the value".to_owned(),
        _ => "needs a value".to_owned(),
    }
}

fn context(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        _ => None,
    }
}

/// The option of this name, in the command or its subcommands.
fn find<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    let bare = name.trim_start_matches('-');
    let is_it = |arg: &&Arg| {
        arg.get_long() == Some(bare)
            || arg.get_short().is_some_and(|letter| letter.to_string() == bare)
    };
    let here = command.get_arguments().find(is_it);
    here.or_else(|| command.get_subcommands().find_map(|inner| find(inner, name)))
}

/// Whether a word with a value is similar to the name of an option.
fn is_like_one_with_value(command: &Command, error: &Error) -> bool {
    let near = context(error, ContextKind::SuggestedArg);
    let meant = near.and_then(|near| find(command, &near));
    meant.is_some_and(|arg| arg.get_action().takes_values() && !arg.is_require_equals_set())
}

/// The positions of an option and its value among the arguments. If it occurs several times, the last one
/// counts.
fn place_of(arg: &Arg, arguments: &[OsString]) -> Option<Range<usize>> {
    let long = arg.get_long().map(|long| format!("--{long}"));
    let short = arg.get_short().map(|letter| format!("-{letter}"));
    for (at, argument) in arguments.iter().enumerate().skip(1).rev() {
        let text = argument.to_string_lossy();
        let is_alone = Some(&*text) == long.as_deref() || Some(&*text) == short.as_deref();
        let takes_next = is_alone && !arg.is_require_equals_set();
        let is_attached = long.as_ref().is_some_and(|long| text.starts_with(&format!("{long}=")))
            || short.as_ref().is_some_and(|short| {
                !text.starts_with("--") && text.len() > 2 && text.starts_with(short.as_str())
            });
        if is_alone || is_attached {
            let end = if takes_next { at + 2 } else { at + 1 };
            return Some(at..end.min(arguments.len()));
        }
    }
    None
}

fn is_named(argument: &OsStr, name: &str) -> bool {
    let text = argument.to_string_lossy();
    text == name
        || text.split('=').next() == Some(name)
        || (name.len() == 2 && text.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_a_url_are_never_repeated() {
        let shown = |value| without_credentials(value);
        assert_eq!(shown("https://user:p@ss@h:1/a@b"), "https://(hidden)@h:1/a@b");
        assert_eq!(shown("grpc://h/x?y=a@b"), "grpc://h/x?y=a@b");
        assert_eq!(shown("user@example.org"), "user@example.org");
    }
}
