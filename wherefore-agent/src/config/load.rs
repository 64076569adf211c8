//! From the command line, the environment and the configuration file to one set of options, checked
//! as a whole. Owns precedence (flag, environment, file, default) and the collection of every
//! problem; refuses to know single options: names, documentation and parsers are clap's, from
//! [`crate::cli`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};

use super::file::{self, Entry};
use super::problem::{self, Problem};
use super::{UsageError, usage_error};
use crate::cli::{Cli, normalise};

/// Where the file is looked for when nothing is said.
pub(super) const DEFAULT_FILE: &str = "/etc/wherefore/wherefore.toml";
/// What begins the name of every variable.
pub(super) const PREFIX: &str = "WHEREFORE_";
/// Commands over what is past, which read no file that isn't named.
const BY_HAND: [&str; 2] = ["replay", "backtest"];
/// As `--config`: no file at all.
const NO_FILE: &str = "none";

/// What a process was asked for: its arguments and its environment. Kept for a reload.
#[derive(Debug, Clone)]
pub struct Request {
    /// The arguments, the program's name first.
    pub arguments: Vec<OsString>,
    /// Variables that begin with [`PREFIX`], without it.
    pub environment: BTreeMap<String, String>,
}

impl Request {
    /// That of this process.
    pub fn of_process() -> Self {
        let ours = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.to_str()?.strip_prefix(PREFIX)?.to_ascii_lowercase();
            // Unit files and manifests set variables to nothing to unset them.
            Some((name, value.into_string().ok()?)).filter(|(_, value)| !value.is_empty())
        });
        Self { arguments: std::env::args_os().collect(), environment: ours.collect() }
    }
}

/// Where an option's value is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag,
    /// A variable.
    Environment(String),
    /// The file.
    File(PathBuf),
    /// `--compat`.
    Compat,
    /// Nobody said anything.
    Default,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag => f.write_str("command line"),
            Self::Environment(name) => f.write_str(name),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Compat => f.write_str("--compat"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Options, and where they are from.
pub struct Loaded {
    /// The options.
    pub cli: Cli,
    /// What clap made of them.
    pub matches: ArgMatches,
    /// Where each is from, by clap's id.
    pub origins: BTreeMap<String, Origin>,
    /// What is odd but no problem.
    pub remarks: Vec<String>,
    /// The file that was read.
    pub file: Option<PathBuf>,
}

impl Loaded {
    /// The text of each option that has a value, by its long name.
    pub fn values(&self) -> BTreeMap<String, Vec<OsString>> {
        let mut command = Cli::command();
        command.build();
        let (_, leaf, given) = innermost(&command, &self.matches);
        let named = leaf.get_arguments().filter_map(|arg| {
            let values = given.get_raw(arg.get_id().as_str())?.map(OsString::from).collect();
            Some((arg.get_long()?.to_owned(), values))
        });
        named.collect()
    }
}

/// Why there are no options.
#[derive(Debug)]
pub enum LoadError {
    /// Help or the version was asked for, or no command at all.
    Said(Box<clap::Error>),
    /// Something is wrong.
    Usage(UsageError),
}

/// One option as the environment or the file gives it.
struct Setting {
    id: String,
    words: Vec<OsString>,
    origin: Origin,
}

/// Puts together what was asked for.
///
/// # Errors
/// All problems at once, each with the option, its value, what is allowed and where it is from.
pub fn load(request: &Request) -> Result<Loaded, LoadError> {
    let mut command = Cli::command();
    command.build();
    let mut problems = Vec::new();
    let arguments = normalise(&command, request.arguments.iter().cloned());
    let (arguments, matches) = parse_what_can_be(&command, arguments, &mut problems)?;
    let (path, leaf, given) = innermost(&command, &matches);
    let (mut remarks, mut file) = (Vec::new(), None);
    let settings = if takes_configuration(leaf) {
        file = file_of(&path, given, request).unwrap_or_else(|error| {
            problems.push(error);
            None
        });
        settings(leaf, file.as_deref(), request, &mut problems, &mut remarks)
    } else {
        Vec::new()
    };
    let is_given = |id: &str| given.value_source(id) == Some(ValueSource::CommandLine);
    let settings: Vec<_> = settings.into_iter().filter(|one| !is_given(&one.id)).collect();
    let mut settings = without_flawed(leaf, settings, &mut problems);
    if is_compat(given, &settings) {
        settings.extend(compat(leaf, is_given, &settings));
    }
    let words = settings.iter().flat_map(|setting| setting.words.iter().cloned());
    // Behind the names of program and commands, where options may stand.
    let at = arguments.len().min(1 + path.len());
    let mut all = arguments;
    all.splice(at..at, words);
    let matches =
        command.try_get_matches_from(all).map_err(|error| said_or_wrong(error, &problems))?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| said_or_wrong(error, &problems))?;
    problems.extend(cli.problems());
    if !problems.is_empty() {
        return Err(LoadError::Usage(usage_error(&problems)));
    }
    let origins = settings.into_iter().map(|setting| (setting.id, setting.origin)).collect();
    Ok(Loaded { cli, matches, origins, remarks, file })
}

/// Parses the command line; what clap refuses is noted and left out, until the rest parses.
fn parse_what_can_be(
    command: &Command,
    mut arguments: Vec<OsString>,
    problems: &mut Vec<String>,
) -> Result<(Vec<OsString>, ArgMatches), LoadError> {
    loop {
        let error = match command.clone().try_get_matches_from(&arguments) {
            Ok(matches) => return Ok((arguments, matches)),
            Err(error) => error,
        };
        let Some(Problem { text, place }) = problem::in_arguments(command, &arguments, &error)
        else {
            return Err(said_or_wrong(error, problems));
        };
        problems.push(text);
        arguments.drain(place);
    }
}

/// An error that is not about one argument: help, a missing file name, a conflict.
fn said_or_wrong(error: clap::Error, problems: &[String]) -> LoadError {
    if problems.is_empty() {
        return LoadError::Said(Box::new(error));
    }
    let mut all = problems.to_vec();
    all.push(problem::first_line(&error));
    LoadError::Usage(usage_error(&all))
}

/// The names of the commands given, the innermost command and what it was given.
pub(super) fn innermost<'a>(
    command: &'a Command,
    matches: &'a ArgMatches,
) -> (Vec<&'a str>, &'a Command, &'a ArgMatches) {
    let (mut path, mut leaf, mut given) = (Vec::new(), command, matches);
    while let Some((name, inner)) = given.subcommand() {
        let Some(next) = leaf.find_subcommand(name) else { break };
        path.push(name);
        (leaf, given) = (next, inner);
    }
    (path, leaf, given)
}

fn takes_configuration(leaf: &Command) -> bool {
    leaf.get_arguments().any(|arg| arg.get_id() == "config")
}

/// The file to read. Who replays a capture by hand does not expect the daemon's sinks to fire:
/// there it must be named.
fn file_of(
    path: &[&str],
    given: &ArgMatches,
    request: &Request,
) -> Result<Option<PathBuf>, String> {
    let named = given.get_one::<PathBuf>("config").cloned();
    let named = named.or_else(|| request.environment.get("config").map(PathBuf::from));
    match named {
        Some(path) if path == Path::new(NO_FILE) => Ok(None),
        Some(path) => Ok(Some(path)),
        None if path.first().is_some_and(|command| BY_HAND.contains(command)) => Ok(None),
        None => match Path::new(DEFAULT_FILE).try_exists() {
            Ok(is_there) => Ok(is_there.then(|| PathBuf::from(DEFAULT_FILE))),
            // One that may be there is not to be taken for none.
            Err(error) => Err(format!(
                "cannot look for {DEFAULT_FILE}: {error}; name a file with --config, or none"
            )),
        },
    }
}

/// What file and environment say, the environment over the file.
fn settings(
    leaf: &Command,
    file: Option<&Path>,
    request: &Request,
    problems: &mut Vec<String>,
    remarks: &mut Vec<String>,
) -> Vec<Setting> {
    let mut by_id = BTreeMap::new();
    let entries = file.map_or_else(Vec::new, |path| match file::read(path) {
        Ok(entries) => entries.into_iter().map(|entry| (entry, path)).collect(),
        Err(error) => {
            problems.push(format!("{error:#}"));
            Vec::new()
        }
    });
    for (Entry { key, value }, path) in entries {
        let origin = Origin::File(path.to_owned());
        match option(leaf, &key).map(|arg| (arg, value.words(arg))) {
            Some((arg, Ok(words))) => {
                let id = arg.get_id().to_string();
                by_id.insert(id.clone(), Setting { id, words, origin });
            }
            Some((_, Err(reason))) => problems.push(format!("{key} (in {origin}): {reason}")),
            None if is_known_elsewhere(&key) => {}
            None => problems.push(problem::unknown_key(leaf, &key, &origin)),
        }
    }
    for (key, value) in &request.environment {
        let name = format!("{PREFIX}{}", key.to_ascii_uppercase());
        match option(leaf, key) {
            Some(arg) => {
                let (id, words) = (arg.get_id().to_string(), file::words(arg, value));
                let origin = Origin::Environment(name);
                by_id.insert(id.clone(), Setting { id, words, origin });
            }
            // Kubernetes makes variables of service names: only what looks like a slip is said.
            None if is_known_elsewhere(key) => {}
            None => remarks.extend(problem::suspicious_variable(leaf, key, &name)),
        }
    }
    by_id.into_values().collect()
}

/// What the Go tool took where nothing was said, besides the detector's parameters, which
/// [`super::Detector`] knows.
const SEED: [(&str, &str); 5] = [
    ("interface", "eth0"),
    ("daq", "libpcap"),
    ("pcap-filter", "tcp"),
    ("filter-ip-cidr", "0.0.0.0/0"),
    ("slack-icon", "https://cdn4.iconfinder.com/data/icons/proglyphs-free/512/Invader_1-128.png"),
];

/// Whether the Go tool's defaults are asked for, after settings that the command line overrides
/// were left out.
fn is_compat(given: &ArgMatches, settings: &[Setting]) -> bool {
    let by_setting = settings.iter().find(|one| one.id == "compat");
    let is_on = |one: &Setting| one.words.iter().any(|word| word == "--compat=true");
    by_setting.map_or_else(|| matches!(given.try_get_one::<bool>("compat"), Ok(Some(true))), is_on)
}

/// The Go tool's defaults of what nobody said anything about.
fn compat(leaf: &Command, is_given: impl Fn(&str) -> bool, settings: &[Setting]) -> Vec<Setting> {
    let free = SEED.into_iter().filter_map(|(name, value)| {
        let arg = option(leaf, name)?;
        let id = arg.get_id().as_str();
        let is_free = !is_given(id) && settings.iter().all(|one| one.id != id);
        is_free.then(|| Setting {
            id: id.to_owned(),
            words: file::words(arg, value),
            origin: Origin::Compat,
        })
    });
    free.collect()
}

/// The option of this name, `anom_methods`, or letter, `i`. The file can't name itself.
fn option<'a>(leaf: &'a Command, key: &str) -> Option<&'a Arg> {
    let long = key.to_ascii_lowercase().replace('_', "-");
    let by_name = |arg: &&Arg| arg.get_long() == Some(&long);
    let by_letter = |arg: &&Arg| arg.get_short().is_some_and(|letter| letter.to_string() == key);
    let options = || leaf.get_arguments().filter(|arg| arg.get_long().is_some());
    let found = options().find(by_name).or_else(|| options().find(by_letter));
    found.filter(|arg| !["config", "help", "version"].contains(&arg.get_id().as_str()))
}

/// Whether another command has the option: one file serves all commands.
fn is_known_elsewhere(key: &str) -> bool {
    let mut command = Cli::command();
    command.build();
    key.eq_ignore_ascii_case("config")
        || option(&command, key).is_some()
        || command.get_subcommands().any(|inner| option(inner, key).is_some())
}

/// Tries each setting by itself, so that every flaw is found, and leaves out what is flawed.
fn without_flawed(
    leaf: &Command,
    settings: Vec<Setting>,
    problems: &mut Vec<String>,
) -> Vec<Setting> {
    let mut sound = Vec::new();
    for setting in settings {
        match flaw(leaf, &setting) {
            Some(problem) => problems.push(problem),
            None => sound.push(setting),
        }
    }
    sound
}

fn flaw(leaf: &Command, setting: &Setting) -> Option<String> {
    let arg = leaf.get_arguments().find(|arg| arg.get_id() == setting.id.as_str())?;
    // Only this option: what else is required or in conflict is no matter here.
    let alone = Command::new("wherefore").no_binary_name(true).arg(arg.clone());
    let error = alone.try_get_matches_from(&setting.words).err()?;
    Some(problem::in_setting(arg, &setting.origin, &error))
}
