//! What can be said of sinks: each kind is a command of clap's, its options the keys of a table in
//! the configuration file. Owns the list of kinds, what is common to all, and `--sink`; refuses to
//! open anything.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};
use sha2::{Digest, Sha256};

use super::routing::Matcher;
pub(crate) use super::words::{arguments, is_pair, is_secret, settings};
use super::words::{option, words, words_of};
use super::{
    Sink, alertmanager, command, email, file, http, journald, opsgenie, pagerduty, slack, syslog,
    webhook,
};
use crate::options::cli::CommonArgs;
use crate::options::{Origin, refuse};
use crate::secret::{HIDDEN, Secret};

/// The log of alerts in the directory of `-l`.
const LOG_NAME: &str = "wherefore_anomalies.log";

/// A sink with its settings.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum SinkSpec {
    /// Slack, by an incoming webhook.
    Slack(slack::Settings),
    /// PagerDuty, by its Events API v2.
    Pagerduty(pagerduty::Settings),
    /// Opsgenie, or Jira Service Management by its URL.
    Opsgenie(opsgenie::Settings),
    /// Any HTTP server: the body of an Alertmanager's webhook, or one of your own making.
    Webhook(webhook::Settings),
    /// Prometheus' Alertmanager, all members of a cluster.
    Alertmanager(alertmanager::Settings),
    /// Mail, by SMTP.
    Email(email::Settings),
    /// Syslog as of RFC 5424, on this host or another.
    Syslog(syslog::Settings),
    /// systemd's journal, with a field for each fact.
    Journald(journald::Settings),
    /// A program of yours, which gets the alert as JSON.
    Command(command::Settings),
    /// A file, to which each alert is appended as a line of JSON.
    File(file::Settings),
}

/// What every sink can be told.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(next_help_heading = "All sinks")]
pub struct Routing {
    /// Name of the sink, in the log, the metrics and as the name of its spool. Default: its kind and
    /// a digest of where it sends to.
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub name: Option<String>,
    /// Only incidents that are at least as probable.
    #[arg(long, value_name = "PROBABILITY", value_parser = probability)]
    pub min_probability: Option<f64>,
    /// Only incidents whose label matches; `!=` for those whose label doesn't. Labels are src, dst
    /// (an address, a prefix or a pattern), interface, host, kind, severity, group_by, and yours
    /// (`--alert-label`). In patterns `*` is any text and `?` any character. Of several all must
    /// hold.
    #[arg(long = "match", value_name = "LABEL=PATTERN")]
    pub matches: Vec<Matcher>,
    /// Also tell that an incident is over.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = true, num_args = 0..=1,
          default_missing_value = "true", action = ArgAction::Set)]
    pub send_resolved: bool,
    /// Also tell that an incident lasts.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = true, num_args = 0..=1,
          default_missing_value = "true", action = ArgAction::Set)]
    pub send_updates: bool,
}

/// What every sink by HTTP can be told.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpArgs {
    /// How long an attempt may take.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub timeout: Duration,
    /// Certificates (PEM) to trust besides the system's.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            name: None,
            min_probability: None,
            matches: Vec::new(),
            send_resolved: true,
            send_updates: true,
        }
    }
}

impl Default for HttpArgs {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), ca_file: None }
    }
}

/// A sink in words, as of a command line.
#[derive(Debug, Parser)]
#[command(name = "sink", no_binary_name = true, disable_help_subcommand = true)]
struct SinkCommand {
    #[command(subcommand)]
    spec: SinkSpec,
}

/// Understands `["slack", "--url=https://…", …]`.
///
/// # Errors
/// Where the words are no sink.
pub fn parse_spec(words: &[String]) -> Result<SinkSpec, clap::Error> {
    SinkCommand::try_parse_from(words).map(|command| command.spec)
}

/// All kinds of sinks with their options, to make documentation of.
pub fn command() -> clap::Command {
    SinkCommand::command()
}

impl SinkSpec {
    /// What the sink has in common with others.
    pub fn routing(&self) -> &Routing {
        match self {
            Self::Slack(settings) => &settings.routing,
            Self::Pagerduty(settings) => &settings.routing,
            Self::Opsgenie(settings) => &settings.routing,
            Self::Webhook(settings) => &settings.routing,
            Self::Alertmanager(settings) => &settings.routing,
            Self::Email(settings) => &settings.routing,
            Self::Syslog(settings) => &settings.routing,
            Self::Journald(settings) => &settings.routing,
            Self::Command(settings) => &settings.routing,
            Self::File(settings) => &settings.routing,
        }
    }

    /// The kind, as written in the configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Pagerduty(_) => "pagerduty",
            Self::Opsgenie(_) => "opsgenie",
            Self::Webhook(_) => "webhook",
            Self::Alertmanager(_) => "alertmanager",
            Self::Email(_) => "email",
            Self::Syslog(_) => "syslog",
            Self::Journald(_) => "journald",
            Self::Command(_) => "command",
            Self::File(_) => "file",
        }
    }

    /// What makes it another sink if it changes, without secrets.
    fn identity(&self) -> Vec<String> {
        match self {
            Self::Command(to) => [&self.destination()[..], &to.arg[..]].concat(),
            _ => self.destination(),
        }
    }

    /// Hosts with ports that it connects to, as far as its settings say so in plain text.
    pub fn hosts(&self) -> Vec<String> {
        let urls = self.destination().into_iter().filter_map(|to| reqwest::Url::parse(&to).ok());
        let host = |url: reqwest::Url| {
            Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
        };
        urls.filter_map(host).collect()
    }

    /// Where it sends to, for people: without secrets, which a command's arguments may hold.
    pub(super) fn destination(&self) -> Vec<String> {
        match self {
            Self::Slack(to) => vec![to.url.place(), to.channel.clone()],
            Self::Pagerduty(to) => vec![to.url.place(), to.routing_key.place()],
            Self::Opsgenie(to) => [&[to.url.place(), to.api_key.place()], &to.team[..]].concat(),
            Self::Webhook(to) => vec![to.url.place()],
            Self::Alertmanager(to) => to.url.iter().map(Secret::place).collect(),
            Self::Email(to) => {
                let port = to.port.as_ref().map(ToString::to_string);
                let receivers = to.to.iter().map(ToString::to_string);
                std::iter::once(to.server.clone()).chain(port).chain(receivers).collect()
            }
            Self::Syslog(to) => vec![to.address.to_string()],
            Self::Journald(to) => vec![to.socket.display().to_string()],
            Self::Command(to) => vec![to.program.display().to_string()],
            Self::File(to) => vec![to.path.display().to_string()],
        }
    }

    /// Reads secrets and templates, and opens what is local; nothing is sent.
    pub(super) fn open(&self) -> Result<Box<dyn Sink>> {
        Ok(match self {
            Self::Slack(settings) => Box::new(slack::Slack::open(settings)?),
            Self::Pagerduty(settings) => Box::new(pagerduty::PagerDuty::open(settings)?),
            Self::Opsgenie(settings) => Box::new(opsgenie::Opsgenie::open(settings)?),
            Self::Webhook(settings) => Box::new(webhook::Webhook::open(settings)?),
            Self::Alertmanager(settings) => Box::new(alertmanager::Alertmanager::open(settings)?),
            Self::Email(settings) => Box::new(email::Email::open(settings)?),
            Self::Syslog(settings) => Box::new(syslog::Syslog::open(settings)),
            Self::Journald(settings) => Box::new(journald::Journald::open(settings)?),
            Self::Command(settings) => Box::new(command::Program::open(settings)),
            Self::File(settings) => Box::new(file::LogFile::open(settings)?),
        })
    }
}

/// The sinks that the options ask for: the Go tool's and `--sink`.
///
/// # Errors
/// All problems at once.
pub fn specs(args: &CommonArgs) -> Result<Vec<SinkSpec>> {
    let (specs, problems) = collect(args, &|_, _| None);
    refuse(&problems)?;
    Ok(specs)
}

/// Where a sink of `--sink`, by its number, or a key of it is from.
type OriginOf<'a> = &'a dyn Fn(usize, &str) -> Option<Origin>;

/// Everything that is wrong with them.
pub fn problems(args: &CommonArgs, origin: OriginOf<'_>) -> Vec<String> {
    collect(args, origin).1
}

/// The files that `--sink` names to append alerts to.
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
    // The Go tool's default is `nil`.
    let slack_url = args.slack.slack_url.as_deref().filter(|url| !matches!(*url, "" | "nil"));
    if let Some(Ok(url)) = slack_url.map(str::parse::<Secret>) {
        match http::url(&url) {
            Ok(_) => specs.push(SinkSpec::Slack(slack::Settings::seed(url, &args.slack))),
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

/// What the text says, or everything that is wrong with it: what clap refuses is noted and left
/// out, until the rest parses.
fn read(text: &str) -> Result<SinkSpec, Vec<String>> {
    let (mut words, mut problems) = match serde_json::from_str(text) {
        Ok(table) => words_of(table),
        Err(_) => (words(text), Vec::new()),
    };
    let is_hidden = |word: &String| word.ends_with(&format!("={HIDDEN}"));
    for word in words.extract_if(1.., |word| is_hidden(word)) {
        let key = word.split('=').next().unwrap_or_default().trim_start_matches('-');
        let key = key.replace('-', "_");
        problems.push(format!("{key}: was hidden where this is from; write file:PATH or env:NAME"));
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

/// Whether a key is missing only because its flawed value was left out.
fn is_about(error: &clap::Error, left_out: &[String]) -> bool {
    let missing = named(error, ContextKind::InvalidArg).unwrap_or_default();
    let missing = missing.split([' ', '=']).next().unwrap_or_default();
    let is_it = |word: &String| word.split('=').next() == Some(missing);
    error.kind() == ErrorKind::MissingRequiredArgument && left_out.iter().any(is_it)
}

/// Which word is refused, if it is one.
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

/// The first word, if it can be one; else, and after it, there may be a secret.
fn kind(text: &str) -> String {
    let (first, _) = settings(text);
    let is_word = !first.is_empty() && first.bytes().all(|octet| octet.is_ascii_lowercase());
    if is_word { first } else { "(no kind)".to_owned() }
}

/// What is wrong, of what is known: what was given may be a secret in the wrong place.
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
        ErrorKind::ArgumentConflict => format!("{key}: the key is there twice"),
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
    // A part of a value behind a comma looks like a key, but has none of its own.
    let start = format!("--{}=", key.replace('_', "-"));
    if key.is_empty() || !words.iter().any(|word| word.starts_with(&start)) {
        return "there is a part without KEY=VALUE (a comma in a value is \\,)".to_owned();
    }
    if is_option(key) {
        return format!("{key}: there is no such key; options go before all [[sink]]");
    }
    let hint = match named(error, ContextKind::SuggestedArg) {
        Some(near) => format!("; did you mean {}?", near.trim_start_matches('-').replace('-', "_")),
        None => format!(", must be one of {}", keys(&words[0]).join(", ")),
    };
    format!("{key}: there is no such key{hint}")
}

/// Whether the program has an option of this name: one below the table of a sink is taken for a key.
fn is_option(key: &str) -> bool {
    let long = key.replace('_', "-");
    let options = crate::options::cli::Cli::command();
    options.get_arguments().any(|arg| arg.get_long() == Some(&long))
}

fn named(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        _ => None,
    }
}

pub(super) fn kinds() -> Vec<String> {
    command().get_subcommands().map(|kind| kind.get_name().to_owned()).collect()
}

/// The keys of a kind of sink, as the file has them.
fn keys(kind: &str) -> Vec<String> {
    let arguments = arguments(kind);
    arguments.iter().filter_map(clap::Arg::get_long).map(|long| long.replace('-', "_")).collect()
}

fn is_key(c: char) -> bool {
    c.is_ascii_lowercase() || c == '-'
}

/// The names of sinks, in order, and what is wrong with them.
pub(super) fn names(specs: &[SinkSpec]) -> (Vec<String>, Vec<String>) {
    let (mut problems, mut taken) = (Vec::new(), HashSet::new());
    for given in specs.iter().filter_map(|spec| spec.routing().name.as_ref()) {
        if !taken.insert(given.clone()) {
            problems.push(format!("two sinks have the name {given}"));
        }
    }
    let mut name = |spec: &SinkSpec| {
        let free = || {
            let own = own_name(spec);
            let numbered = (2..).map(|number| format!("{own}-{number}"));
            let mut names = std::iter::once(own.clone()).chain(numbered);
            names.find(|name| taken.insert(name.clone())).unwrap_or_default()
        };
        spec.routing().name.clone().unwrap_or_else(free)
    };
    (specs.iter().map(&mut name).collect(), problems)
}

/// Names that several sinks would have, were they not numbered.
pub(super) fn alike(specs: &[SinkSpec]) -> BTreeSet<String> {
    let mut seen = HashSet::new();
    let unnamed = specs.iter().filter(|spec| spec.routing().name.is_none());
    unnamed.map(own_name).filter(|name| !seen.insert(name.clone())).collect()
}

/// The name of a sink that was given none: the same wherever it stands among others.
fn own_name(spec: &SinkSpec) -> String {
    let digest = Sha256::digest(spec.identity().join("\0"));
    let short = digest.iter().take(4).fold(0, |all, octet| all << 8 | u32::from(*octet));
    format!("{}-{short:08x}", spec.kind())
}

/// Names become names of files.
fn name(text: &str) -> Result<String, String> {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    let is_good = (1..=64).contains(&text.len()) && text.bytes().all(is_plain);
    if is_good && !text.starts_with('.') {
        return Ok(text.to_owned());
    }
    Err("1 to 64 letters, digits, -, _ and ., but no . at the start".to_owned())
}

fn probability(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "must be a number from 0 to 1".to_owned())
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write a number with a unit: 500ms, 5s, 1m30s"))?;
    if duration.is_zero() { Err("must be longer than nothing".to_owned()) } else { Ok(duration) }
}

/// `NAME=VALUE`, the value of which may be secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair<V> {
    /// Before the first `=`.
    pub name: String,
    /// After it.
    pub value: V,
}

impl<V: std::str::FromStr> std::str::FromStr for Pair<V> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("not of the form NAME=VALUE")?;
        let value = value.parse().map_err(|_| "the value cannot be used".to_owned())?;
        Ok(Self { name: name.trim().to_owned(), value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_is_wrong_is_said_without_secrets() {
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
    fn everything_that_is_wrong_is_said_with_what_is_allowed() {
        for (text, problems) in [
            ("slak,url=u", "slack, pagerduty, opsgenie|did you mean slack?"),
            ("opsgenie,key=k", "key: |must be one of api_key, url, team|--api-key"),
            ("slack,urll=u,timeout=0s", "did you mean url?|timeout: must be longer|--url"),
            (
                "email,server=smtp://h:25,from=a@b,to=c@d",
                "server: must be a host's name or address",
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
    fn a_name_follows_from_the_destination_alone() {
        let name = |text: &str| own_name(&spec(text).unwrap());
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
