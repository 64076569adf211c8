//! Checks whether options can be used on this machine: whether files can be written, and interfaces exist.
//! Owns this check, before anything is opened or created; refuses to change anything.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::{UsageError, usage_error};
use crate::files;
use crate::input::chosen;
use crate::options::cli::{Cli, Command, CommonArgs, ConfigCommand, RunArgs};

/// The reasons why the options cannot be used here, although they may work elsewhere.
#[derive(Debug, Default)]
pub struct ProblemsHere {
    files: Vec<String>,
    interfaces: Vec<String>,
}

impl ProblemsHere {
    /// All of them.
    pub fn all(self) -> impl Iterator<Item = String> {
        self.files.into_iter().chain(self.interfaces)
    }

    /// Returns all errors at once. If only files are concerned, this is a failure rather than wrong options,
    /// because the files may exist at the next attempt.
    ///
    /// # Errors
    /// If there is any error.
    pub fn refuse(self) -> Result<()> {
        let is_usage = !self.interfaces.is_empty();
        let mut all: Vec<_> = self.all().collect();
        match (is_usage, all.len()) {
            (_, 0) => Ok(()),
            (true, 1) => bail!(UsageError(all.remove(0))),
            (true, _) => bail!(usage_error(&all)),
            (false, _) => bail!("{}", all.join("\n  ")),
        }
    }
}

impl Cli {
    /// The errors of these options on this machine.
    pub fn problems_here(&self) -> ProblemsHere {
        let common =
            |common: &CommonArgs| ProblemsHere { files: of_files(common), interfaces: Vec::new() };
        match &self.command {
            None => of_run(&self.run),
            Some(Command::Run(args) | Command::Config(ConfigCommand::Check(args))) => of_run(args),
            Some(Command::Replay(args)) => common(&args.common),
            Some(_) => ProblemsHere::default(),
        }
    }
}

fn of_run(args: &RunArgs) -> ProblemsHere {
    let mut problems = ProblemsHere { files: of_files(&args.common), ..ProblemsHere::default() };
    let read = [("--bpf-object", &args.bpf_object), ("--pcapfile", &args.pcapfile)];
    for (option, path) in
        read.into_iter().filter_map(|(option, path)| Some((option, path.as_ref()?)))
    {
        let is_stdin = path.as_os_str() == "-";
        let why_not = files::why_not_read(path).filter(|_| !is_stdin);
        problems
            .files
            .extend(why_not.map(|why| format!("{option}: cannot read {}: {why}", path.display())));
    }
    if args.pcapfile.is_none() && !args.interfaces.is_empty() {
        let unknown = chosen::select(&args.interfaces).err();
        problems.interfaces.extend(unknown.map(|error| format!("{error:#}")));
    }
    problems
}

fn of_files(common: &CommonArgs) -> Vec<String> {
    let history = common.keep.named().map(Path::to_owned);
    let outputs = [
        ("--flows", &common.flows),
        ("--alerts", &common.alerts),
        ("--series", &common.series),
        ("--history", &history),
    ];
    let outputs = given(&outputs).filter(|(_, path)| path.as_os_str() != "-");
    let outputs = outputs.filter_map(|(option, path)| {
        let why = files::why_not_append(path)?;
        Some(format!("{option}: cannot create {}: {why}", path.display()))
    });
    let evidence = Some(&common.evidence).filter(|evidence| evidence.is_on());
    let archive = evidence.and_then(|evidence| evidence.archive_dir.clone());
    let directories = [
        ("--log-dir", &common.log_dir),
        ("--archive-dir", &archive),
        ("--state-dir", &common.state_dir),
    ];
    let directories = given(&directories).filter_map(|(option, path)| {
        let why = files::why_not_directory(path)?;
        Some(format!("{option}: cannot use the directory {}: {why}", path.display()))
    });
    let sinks = super::sinks::files(common);
    let sinks = sinks.iter().filter_map(|path| {
        let why = files::why_not_log(path)?;
        Some(format!("--sink file: cannot open {}: {why}", path.display()))
    });
    outputs.chain(directories).chain(sinks).collect()
}

fn given<'a>(
    options: &'a [(&'static str, &'a Option<PathBuf>)],
) -> impl Iterator<Item = (&'static str, &'a Path)> {
    options.iter().filter_map(|(option, path)| Some((*option, path.as_deref()?)))
}
