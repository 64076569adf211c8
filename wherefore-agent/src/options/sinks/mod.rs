//! The sinks that options define: `-l`, `--slack-url`, `--sink` and the tables of the configuration file.
//! Owns the messages about errors in them; refuses to open anything.

mod command;
mod words;

use std::path::PathBuf;

use anyhow::Result;
use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::origin::Origin;
use crate::options::cli::{Cli, CommonArgs, SlackArgs};
use crate::output::sinks::{SinkSpec, file, names, slack};
use crate::secret::{HIDDEN, Secret};
use crate::usage::refuse;
pub(crate) use command::arguments;
pub use command::{command, parse_spec};
use command::{keys, kinds};
pub(crate) use words::{is_pair, is_secret, settings};
use words::{option, words, words_of};

/// The file of alerts in the directory of `-l`.
const LOG_NAME: &str = "wherefore_anomalies.log";

/// The sinks that options define: the Go tool's options, and `--sink`.
///
/// # Errors
/// All errors at once.
pub fn specs(args: &CommonArgs) -> Result<Vec<SinkSpec>> {
    let (specs, problems) = collect(args, &|_, _| None);
    refuse(&problems)?;
    Ok(specs)
}

/// Returns the origin of the `--sink` with this index, or of one of its keys.
type OriginOf<'a> = &'a dyn Fn(usize, &str) -> Option<Origin>;

/// All errors in these options.
pub fn problems(args: &CommonArgs, origin: OriginOf<'_>) -> Vec<String> {
    collect(args, origin).1
}

/// The files of `--sink file`.
pub(crate) fn files(args: &CommonArgs) -> Vec<PathBuf> {
    let specs = args.sinks.iter().filter_map(|text| read(text).ok());
    let file = |spec| match spec {
        SinkSpec::File(settings) => Some(settings.path),
        _ => None,
    };
    specs.filter_map(file).collect()
}

fn collect(args: &CommonArgs, origin: OriginOf<'_>) -> (Vec<SinkSpec>, Vec<String>) {
    let (mut specs, mut problems) = (Vec::new(), Vec::new());
    if let Some(directory) = &args.log_dir {
        specs.push(SinkSpec::File(file::Settings::to(directory.join(LOG_NAME))));
    }
    if let Some(slack) = slack_of_seed(&args.slack) {
        match slack {
            Ok(settings) => specs.push(SinkSpec::Slack(settings)),
            Err(error) => problems.push(format!("--slack-url: {error:#}")),
        }
    }
    for (number, text) in args.sinks.iter().enumerate() {
        let place = |problem: &str| {
            let key = problem.split(':').next().unwrap_or_default();
            origin(number, key).map_or_else(String::new, |origin| format!(" (in {origin})"))
        };
        let named =
            |problem: String| format!("--sink {}{}: {problem}", kind(text), place(&problem));
        match read(text) {
            Ok(spec) => specs.push(spec),
            Err(all) => problems.extend(all.into_iter().map(named)),
        }
    }
    problems.extend(names(&specs).1);
    (specs, problems)
}

/// The Slack sink of `--slack-url`, if there is one.
fn slack_of_seed(args: &SlackArgs) -> Option<Result<slack::Settings>> {
    let SlackArgs { slack_url, slack_channel, slack_emoji, slack_icon } = args;
    // The default in the Go tool is `nil`.
    let url = slack_url.as_deref().filter(|url| !matches!(*url, "" | "nil"))?;
    let url = url.parse::<Secret>().ok()?;
    Some(slack::Settings::of_seed(url, slack_channel, slack_emoji, slack_icon))
}

/// The sink that the text describes, or all errors in it. If clap refuses a word, records the error and
/// removes the word, until the rest parses.
fn read(text: &str) -> Result<SinkSpec, Vec<String>> {
    let (mut words, mut problems) = match serde_json::from_str(text) {
        Ok(table) => words_of(table),
        Err(_) => (words(text), Vec::new()),
    };
    let is_hidden = |word: &String| word.ends_with(&format!("={HIDDEN}"));
    for word in words.extract_if(1.., |word| is_hidden(word)) {
        let key = word.split('=').next().unwrap_or_default().trim_start_matches('-');
        let key = key.replace('-', "_");
        problems.push(format!("{key}: this is only the placeholder of a secret; write the secret, file:PATH or env:NAME"));
    }
    let mut left_out: Vec<String> = problems
        .iter()
        .map(|problem| option(problem.split(':').next().unwrap_or_default()))
        .collect();
    loop {
        let error = match parse_spec(&words) {
            Ok(spec) if problems.is_empty() => return Ok(spec),
            Ok(_) => return Err(problems),
            Err(error) => error,
        };
        if !is_about(&error, &left_out) {
            problems.push(brief(&words, &error));
        }
        let Some(at) = place(&words, &error) else { return Err(problems) };
        left_out.push(words.remove(at));
    }
}

/// Whether a key is missing only because its invalid value was removed.
fn is_about(error: &clap::Error, left_out: &[String]) -> bool {
    let missing = named(error, ContextKind::InvalidArg).unwrap_or_default();
    let missing = missing.split([' ', '=']).next().unwrap_or_default();
    let is_it = |word: &String| word.split('=').next() == Some(missing);
    error.kind() == ErrorKind::MissingRequiredArgument && left_out.iter().any(is_it)
}

/// The position of the word that was refused, if there is one.
fn place(words: &[String], error: &clap::Error) -> Option<usize> {
    let option = named(error, ContextKind::InvalidArg)?;
    let option = option.split([' ', '=']).next()?;
    let value = named(error, ContextKind::InvalidValue);
    words.iter().position(|word| match (word.split_once('='), &value) {
        (Some((key, given)), Some(value)) => key == option && given == value,
        (Some((key, _)), None) => key == option,
        (None, _) => word == option,
    })
}

/// The first word, if it can be the name of a kind. Otherwise nothing is shown, because it may be a secret.
fn kind(text: &str) -> String {
    let (first, _) = settings(text);
    let is_word = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_lowercase());
    if is_word { first } else { "(no kind)".to_owned() }
}

/// The error without values, because a value may be a secret in the wrong place.
fn brief(words: &[String], error: &clap::Error) -> String {
    let option = named(error, ContextKind::InvalidArg);
    let key = option.as_deref().and_then(|option| option.strip_prefix("--"));
    let key = key.map(|key| key.chars().take_while(|c| is_key(*c)).collect::<String>());
    let key = key.unwrap_or_default().replace('-', "_");
    match error.kind() {
        ErrorKind::MissingRequiredArgument => format!("{} is missing", option.unwrap_or_default()),
        ErrorKind::UnknownArgument => unknown_key(words, &key, error),
        ErrorKind::InvalidSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let near = named(error, ContextKind::SuggestedSubcommand);
            let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
            format!("there is no such kind of sink, must be one of {}{near}", kinds().join(", "))
        }
        ErrorKind::ArgumentConflict => format!("{key}: the key is set twice"),
        _ => {
            let value = named(error, ContextKind::InvalidValue);
            let is_missing = value.is_some_and(|value| value.is_empty());
            let reason = std::error::Error::source(error).map(ToString::to_string);
            let reason = reason.or_else(|| is_missing.then(|| "needs a value".to_owned()));
            let allowed = named(error, ContextKind::ValidValue).filter(|valid| !valid.is_empty());
            let allowed = allowed.map(|valid| format!("must be one of {valid}"));
            format!("{key}: {}", reason.or(allowed).unwrap_or_else(|| "cannot be used".to_owned()))
        }
    }
}

fn unknown_key(words: &[String], key: &str, error: &clap::Error) -> String {
    // A part of a value after a comma looks like a key.
    let start = format!("--{}=", key.replace('_', "-"));
    if key.is_empty() || !words.iter().any(|word| word.starts_with(&start)) {
        return "there is a part without KEY=VALUE (a comma in a value is \\,)".to_owned();
    }
    if is_option(key) {
        return format!(
            "{key}: sinks have no such key; if it is an option, write it before the first [[sink]]"
        );
    }
    let hint = match named(error, ContextKind::SuggestedArg) {
        Some(near) => format!("; did you mean {}?", near.trim_start_matches('-').replace('-', "_")),
        None => format!(", must be one of {}", keys(&words[0]).join(", ")),
    };
    format!("{key}: there is no such key{hint}")
}

/// Whether the program has an option of this name. Below the table of a sink, it would be read as a key of
/// the sink.
fn is_option(key: &str) -> bool {
    let long = key.replace('_', "-");
    let options = Cli::command();
    options.get_arguments().any(|arg| arg.get_long() == Some(&long))
}

fn named(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        _ => None,
    }
}

fn is_key(c: char) -> bool {
    c.is_ascii_lowercase() || c == '-'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sinks::alike;

    fn spec(text: &str) -> Result<SinkSpec, String> {
        read(text).map_err(|problems| problems.join("\n"))
    }

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn sinks_are_written_in_one_word() {
        let slack = spec("slack,url=https://h/a\\,b,min_probability=0.9,send_updates=false");
        let Ok(SinkSpec::Slack(slack)) = slack else { panic!("{slack:?}") };
        assert_eq!(slack.url.reveal().unwrap(), "https://h/a,b");
        assert_eq!(slack.routing.min_probability, Some(0.9));
        assert!(slack.routing.send_resolved && !slack.routing.send_updates);
        let several = spec("alertmanager,url=http://a,url=http://b,match=src!=10.0.0.0/8");
        let Ok(SinkSpec::Alertmanager(several)) = several else { panic!("{several:?}") };
        assert_eq!((several.url.len(), several.routing.matches.len()), (2, 1));
        assert!(spec("journald").is_ok());
        let table =
            r#"{"type":"alertmanager","url":["http://a","http://b,c"],"send_updates":false}"#;
        let Ok(SinkSpec::Alertmanager(table)) = spec(table) else { panic!("{table}") };
        assert!(table.url.len() == 2 && !table.routing.send_updates);
    }

    #[test]
    fn errors_are_reported_without_secrets() {
        for (text, problem) in [
            ("slick,url=xyzzy", "no such kind"),
            ("https://h/xyzzy", "no such kind"),
            ("slack,https://h/xyzzy", "without KEY=VALUE"),
            ("slack,url https://h/xyzzy", "without KEY=VALUE"),
            ("email,server=h,from=a@b.c,to=a@b.c,password=abc,xyzzy", "without KEY=VALUE"),
            ("webhook,url=http://h,header=Authorization: xyzzy", "header"),
            ("slack", "--url"),
            ("slack,url=xyzzy,colour=red", "colour"),
            ("slack,url=xyzzy,min_probability=2", "from 0 to 1"),
            ("slack,url=xyzzy,name=../x", "letters"),
            ("slack,url=xyzzy,match=src", "match"),
        ] {
            let error = spec(text).unwrap_err();
            assert!(error.contains(problem) && !error.contains("xyzzy"), "{text}: {error}");
        }
    }

    #[test]
    fn all_errors_are_reported_with_the_allowed_values() {
        for (text, problems) in [
            ("slak,url=u", "slack, pagerduty, opsgenie|did you mean slack?"),
            ("opsgenie,key=k", "key: |must be one of api_key, url, team|--api-key"),
            ("slack,urll=u,timeout=0s", "did you mean url?|timeout: must be longer|--url"),
            (
                "email,server=smtp://h:25,from=a@b,to=c@d",
                "server: must be only a host name or an address",
            ),
            ("syslog,facility=x,match=src,match=kind=volume,name=.", "facility: |match: |name: "),
        ] {
            let error = spec(text).unwrap_err();
            assert!(problems.split('|').all(|problem| error.contains(problem)), "{text}: {error}");
        }
        let error = spec("email,server=h,from=nobody,to=a@b.c").unwrap_err();
        assert!(error.starts_with("from: ") && error.lines().count() == 1, "{error}");
    }

    #[test]
    fn a_name_depends_only_on_the_destination() {
        let name = |text: &str| spec(text).unwrap().own_name();
        let alike = [
            (
                "webhook,url=http://h/xyzzy",
                "webhook,url=http://u:p@h/abc,timeout=3s,match=kind=scan",
            ),
            ("slack,url=file:/a", "slack,url=file:/a,emoji=:x:,min_probability=0.9"),
            ("pagerduty,routing_key=abc", "pagerduty,routing_key=xyzzy"),
        ];
        alike.into_iter().for_each(|(one, other)| assert_eq!(name(one), name(other)));
        let different = [
            ("webhook,url=http://h:1/", "webhook,url=http://h:2/"),
            ("slack,url=file:/a", "slack,url=file:/b"),
            ("slack,url=https://h/", "slack,url=https://h/,channel=c"),
            ("pagerduty,routing_key=env:A", "pagerduty,routing_key=env:B"),
            ("opsgenie,api_key=k,team=a", "opsgenie,api_key=k,team=b"),
            ("alertmanager,url=http://a", "alertmanager,url=http://a,url=http://b"),
            ("email,server=h,from=a@b,to=c@d", "email,server=h,from=a@b,to=e@d"),
            ("syslog", "syslog,address=udp:h:514"),
            ("command,program=/a", "command,program=/a,arg=b"),
            ("file,path=/a", "file,path=/b"),
        ];
        different.into_iter().for_each(|(one, other)| assert_ne!(name(one), name(other)));
    }

    #[test]
    fn names_are_unique() {
        let spec = |text| spec(text).unwrap();
        let mut specs = vec![spec("journald"), spec("journald,name=own"), spec("journald")];
        let (given, problems) = names(&specs);
        let first = &given[0];
        assert_eq!(given[1..], ["own".to_owned(), format!("{first}-2")]);
        assert!(first.starts_with("journald-") && first.len() == 17, "{first}");
        assert_eq!(problems, [""; 0]);
        assert_eq!(alike(&specs), [first.clone()].into());
        specs.push(spec("journald,name=own"));
        assert_eq!(names(&specs).1.len(), 1);
    }
}
