//! Combines command line, environment and configuration file into one set of options, checked as a whole.
//! Owns precedence (flag, environment, file, default) and the collection of all errors; refuses to know
//! single options: their names, documentation and parsers are in [`crate::options::cli`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};

use super::file::{self, Entry, Word};
use super::origin::Origin;
use super::problem::{self, Problem};
use super::{UsageError, usage_error};
use crate::options::cli::{self, Cli, CommonArgs, normalise};

/// The configuration file that is read by default.
pub(super) const DEFAULT_FILE: &str = "/etc/wherefore/wherefore.toml";
/// The prefix of every variable.
pub(super) const PREFIX: &str = "WHEREFORE_";
/// Commands for recorded traffic. They read a configuration file only if it is named.
const BY_HAND: [&str; 2] = ["replay", "backtest"];
/// The value of `--config` that means no file.
const NO_FILE: &str = "none";

/// The input of a process: its arguments and its environment. Kept for reloads.
#[derive(Debug, Clone)]
pub struct Request {
    /// The arguments, the program's name first.
    pub arguments: Vec<OsString>,
    /// Variables that begin with [`PREFIX`], without it.
    pub environment: BTreeMap<String, String>,
}

impl Request {
    /// The input of this process.
    pub fn of_process() -> Self {
        let ours = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.to_str()?.strip_prefix(PREFIX)?.to_ascii_lowercase();
            // Unit files and manifests unset a variable by setting it to an empty value.
            Some((name, value.into_string().ok()?)).filter(|(_, value)| !value.is_empty())
        });
        Self { arguments: std::env::args_os().collect(), environment: ours.collect() }
    }
}

/// Options with their origins.
pub struct Loaded {
    /// The options.
    pub cli: Cli,
    /// clap's matches.
    pub matches: ArgMatches,
    /// The origin of each option, by clap's id.
    pub origins: BTreeMap<String, Origin>,
    /// The origin of each sink that is not from the command line.
    pub sinks: Vec<Origin>,
    /// Warnings about unusual, but valid options.
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

/// The reason why there are no options to use.
#[derive(Debug)]
pub enum LoadError {
    /// Help or the version was requested, or no command was given.
    Said(Box<clap::Error>),
    /// Something is wrong.
    Usage(UsageError),
}

/// An option that the environment or the file sets.
struct Setting {
    id: String,
    /// The name in the file or the environment.
    name: String,
    words: Vec<Word>,
    origin: Origin,
}

impl Setting {
    fn origins(&self) -> Vec<Origin> {
        (0..self.words.len()).map(|number| self.origin_of(number, "")).collect()
    }

    /// The origin of a part of it: of the value with this index, or of the key of a table in it.
    fn origin_of(&self, number: usize, key: &str) -> Origin {
        match (&self.origin, self.words.get(number)) {
            (Origin::File(path, _), Some(word)) => {
                Origin::File(path.clone(), *word.keys.get(key).unwrap_or(&word.line))
            }
            (origin, _) => origin.clone(),
        }
    }
}

/// Combines arguments, environment and file.
///
/// # Errors
/// All errors at once, each with the option, its value, what is allowed and its origin.
pub fn load(request: &Request) -> Result<Loaded, LoadError> {
    let mut command = cli::command();
    command.build();
    let mut problems = Vec::new();
    let arguments = normalise(&command, request.arguments.iter().cloned());
    let (arguments, matches) = parse_valid_arguments(&command, arguments, &mut problems)?;
    let (path, leaf, given) = innermost(&command, &matches);
    let (mut remarks, mut file) = (Vec::new(), None);
    let settings = if takes_configuration(leaf) {
        file = file_of(&path, given, request).unwrap_or_else(|error| {
            problems.push(error);
            None
        });
        let mut reader = Reader { leaf, problems: &mut problems, remarks: &mut remarks };
        reader.settings(file.as_deref(), request)
    } else {
        Vec::new()
    };
    let is_given = |id: &str| given.value_source(id) == Some(ValueSource::CommandLine);
    let mut settings: Vec<_> = settings.into_iter().filter(|one| !is_given(&one.id)).collect();
    if is_compat(given, &settings) {
        settings.extend(compat(leaf, is_given, &settings));
    }
    let words = settings.iter().flat_map(|setting| &setting.words).map(|word| word.text.clone());
    // After the program's name and the names of commands, where options may stand.
    let at = arguments.len().min(1 + path.len());
    let mut all = arguments;
    all.splice(at..at, words);
    let matches =
        command.try_get_matches_from(all).map_err(|error| load_error(error, &problems))?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| load_error(error, &problems))?;
    problems.extend(cli.problems(&|number, key| origin_of_sink(&settings, number, key)));
    if !problems.is_empty() {
        problems.extend(cli.problems_here().all());
        problems.extend(cli.common().map_or_else(Vec::new, problems_of_sinks));
        problems.append(&mut remarks);
        return Err(LoadError::Usage(usage_error(&problems)));
    }
    let sinks = settings.iter().find(|setting| setting.id == "sinks");
    let sinks = sinks.map(Setting::origins).unwrap_or_default();
    let origins = settings.into_iter().map(|setting| (setting.id, setting.origin)).collect();
    Ok(Loaded { cli, matches, origins, sinks, remarks, file })
}

/// Errors because of which valid sinks cannot be opened.
fn problems_of_sinks(common: &CommonArgs) -> Vec<String> {
    super::sinks::specs(common)
        .map_or_else(|_| Vec::new(), |specs| crate::output::sinks::check(&specs))
}

/// The origin of a sink that is not from the command line.
fn origin_of_sink(settings: &[Setting], number: usize, key: &str) -> Option<Origin> {
    let sinks = settings.iter().find(|setting| setting.id == "sinks")?;
    Some(sinks.origin_of(number, key))
}

/// Parses the command line. If clap refuses a word, records the error and removes the word, until the rest
/// parses.
fn parse_valid_arguments(
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
            return Err(load_error(error, problems));
        };
        problems.push(text);
        arguments.drain(place);
    }
}

/// Sorts an error that is not about one argument: help, a missing file name, or a conflict.
fn load_error(error: clap::Error, problems: &[String]) -> LoadError {
    if problems.is_empty() {
        return LoadError::Said(Box::new(error));
    }
    let mut all = problems.to_vec();
    all.push(problem::first_line(&error));
    LoadError::Usage(usage_error(&all))
}

/// The names of the commands that were given, the innermost command, and its arguments.
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

/// The file to read. A user who replays a capture does not expect the daemon's sinks to send alerts: there, a
/// file is read only if it is named.
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
            // A file that may exist must not be treated as missing.
            Err(error) => Err(format!(
                "cannot look for {DEFAULT_FILE}: {error}; name a file with --config, or none"
            )),
        },
    }
}

/// Reads the file and the environment. Owns the errors about single options there.
struct Reader<'a> {
    leaf: &'a Command,
    problems: &'a mut Vec<String>,
    remarks: &'a mut Vec<String>,
}

impl Reader<'_> {
    /// The valid settings. Those of the environment override the file's.
    fn settings(&mut self, file: Option<&Path>, request: &Request) -> Vec<Setting> {
        let mut by_id = self.of_file(file);
        by_id.extend(self.of_environment(&request.environment));
        by_id.into_values().collect()
    }

    fn of_file(&mut self, file: Option<&Path>) -> BTreeMap<String, Setting> {
        let mut by_id = BTreeMap::new();
        let Some(path) = file else { return by_id };
        let (entries, problems) = file::read(path);
        self.problems.extend(problems);
        for entry in entries {
            let origin = Origin::File(path.to_owned(), entry.line);
            if let Some((arg, is_ours)) = self.option_of_file(&entry, &origin) {
                let (words, wrong): (Vec<_>, Vec<_>) =
                    entry.value.words(&arg).into_iter().partition(Result::is_ok);
                for (line, reason) in wrong.into_iter().filter_map(Result::err) {
                    let origin = Origin::File(path.to_owned(), line);
                    self.problems.push(format!("{} (in {origin}): {reason}", entry.key));
                }
                let (id, name) = (arg.get_id().to_string(), entry.key);
                let words = words.into_iter().filter_map(Result::ok).collect();
                self.keep(&mut by_id, &arg, is_ours, Setting { id, name, words, origin });
            }
        }
        by_id
    }

    /// The option that a key of the file stands for, and whether the current command has it: one file serves
    /// all commands.
    fn option_of_file(&mut self, entry: &Entry, origin: &Origin) -> Option<(Arg, bool)> {
        let found = option(self.leaf, &entry.key).map(|arg| (arg.clone(), true));
        let found = found.or_else(|| option_elsewhere(&entry.key).map(|arg| (arg, false)));
        if let Some(inner) = entry.value.tables()
            && found.as_ref().is_none_or(|(arg, _)| arg.get_id() != "sinks")
        {
            self.problems.extend(problem::tables(self.leaf, &entry.key, &inner, origin));
            return None;
        }
        if found.is_none() {
            self.problems.push(problem::unknown_key(self.leaf, &entry.key, origin));
        }
        found
    }

    fn of_environment(
        &mut self,
        environment: &BTreeMap<String, String>,
    ) -> BTreeMap<String, Setting> {
        let mut by_id = BTreeMap::new();
        for (key, value) in environment.iter().filter(|(key, _)| *key != "config") {
            let name = format!("{PREFIX}{}", key.to_ascii_uppercase());
            let found = option(self.leaf, key).map(|arg| (arg.clone(), true));
            let found = found.or_else(|| option_elsewhere(key).map(|arg| (arg, false)));
            let Some((arg, is_ours)) = found else {
                self.remarks.extend(problem::unknown_variable(self.leaf, key, &name));
                continue;
            };
            let words = vec![Word::new(&arg, value)];
            let (id, origin) = (arg.get_id().to_string(), Origin::Environment(name.clone()));
            self.keep(&mut by_id, &arg, is_ours, Setting { id, name, words, origin });
        }
        by_id
    }

    /// Checks each value separately, so that every error is found. Removes values that are invalid or belong
    /// to another command.
    fn keep(
        &mut self,
        by_id: &mut BTreeMap<String, Setting>,
        arg: &Arg,
        is_ours: bool,
        mut setting: Setting,
    ) {
        let mut number = 0;
        let (origins, before) = (setting.origins(), self.problems.len());
        setting.words.retain(|word| {
            let flaw = flaw(arg, word, &origins[number]);
            number += 1;
            let is_sound = flaw.is_none();
            self.problems.extend(flaw);
            is_sound
        });
        let is_sound = self.problems.len() == before;
        if let Some(other) = by_id.get(&setting.id) {
            self.problems.push(problem::twice(
                &setting.name,
                &setting.origin,
                &other.name,
                &other.origin,
            ));
        } else if is_ours && is_sound {
            by_id.insert(setting.id.clone(), setting);
        }
    }
}

/// The Go tool's defaults, except the detector's parameters, which [`super::Detector`] owns.
const SEED: [(&str, &str); 5] = [
    ("interface", "eth0"),
    ("daq", "libpcap"),
    ("pcap-filter", "tcp"),
    ("filter-ip-cidr", "0.0.0.0/0"),
    ("slack-icon", "https://cdn4.iconfinder.com/data/icons/proglyphs-free/512/Invader_1-128.png"),
];

/// Whether the Go tool's defaults are requested, by the command line or otherwise by the file or the
/// environment.
fn is_compat(given: &ArgMatches, settings: &[Setting]) -> bool {
    let by_setting = settings.iter().find(|one| one.id == "compat");
    let is_on = |one: &Setting| one.words.iter().any(|word| word.text == "--compat=true");
    by_setting.map_or_else(|| matches!(given.try_get_one::<bool>("compat"), Ok(Some(true))), is_on)
}

/// The Go tool's defaults of all options that nobody set.
fn compat(leaf: &Command, is_given: impl Fn(&str) -> bool, settings: &[Setting]) -> Vec<Setting> {
    let free = SEED.into_iter().filter_map(|(name, value)| {
        let arg = option(leaf, name)?;
        let id = arg.get_id().as_str();
        let is_free = !is_given(id) && settings.iter().all(|one| one.id != id);
        is_free.then(|| Setting {
            id: id.to_owned(),
            name: name.to_owned(),
            words: vec![Word::new(arg, value)],
            origin: Origin::Compat,
        })
    });
    free.collect()
}

/// The option with this name, such as `anom_methods`, or letter, such as `i`. `config` is not found: a file
/// cannot name another file.
fn option<'a>(leaf: &'a Command, key: &str) -> Option<&'a Arg> {
    let long = key.to_ascii_lowercase().replace('_', "-");
    let by_name = |arg: &&Arg| arg.get_long() == Some(&long);
    let by_letter = |arg: &&Arg| arg.get_short().is_some_and(|letter| letter.to_string() == key);
    let options = || leaf.get_arguments().filter(|arg| arg.get_long().is_some());
    let found = options().find(by_name).or_else(|| options().find(by_letter));
    found.filter(|arg| !["config", "help", "version"].contains(&arg.get_id().as_str()))
}

/// The option with this name in another command.
fn option_elsewhere(key: &str) -> Option<Arg> {
    let mut command = Cli::command();
    command.build();
    let found = command.get_subcommands().find_map(|inner| option(inner, key));
    found.or_else(|| option(&command, key)).cloned()
}

fn flaw(arg: &Arg, word: &Word, origin: &Origin) -> Option<String> {
    // A command with only this option: requirements and conflicts with others do not matter here.
    let alone = Command::new("wherefore").no_binary_name(true).arg(arg.clone());
    let error = alone.try_get_matches_from([&word.text]).err()?;
    Some(problem::in_setting(arg, origin, &error))
}
