//! Runs other programs. Owns how commands are started, found and reported in errors; refuses to let a child
//! write to standard output, which is for the data of the program that runs last (see [`exec`]).

use std::env;
use std::ffi::OsStr;
use std::fmt::Display;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Error, Result, bail, ensure};

use crate::workspace;

/// A message of xtask itself.
pub(crate) fn say(message: impl Display) {
    eprintln!("xtask: {message}");
}

/// A command whose program may be one that setup installed.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    if let Ok(path) = env::join_paths(search_path()) {
        command.env("PATH", path);
    }
    command
}

/// The cargo that runs xtask, in the root of the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = command(program);
    cargo.args(arguments).current_dir(workspace::root());
    cargo
}

/// Runs a command to its end, with its output on standard error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    command.stdout(std::io::stderr());
    let status = command.status().with_context(|| format!("starting {}", line(command)))?;
    ensure!(status.success(), "{} failed: {status}; its messages are above", line(command));
    Ok(())
}

/// The standard output of a command.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    command.stderr(Stdio::inherit());
    let output = command.output().with_context(|| format!("starting {}", line(command)))?;
    ensure!(output.status.success(), "{} failed: {}", line(command), output.status);
    String::from_utf8(output.stdout)
        .with_context(|| format!("reading the output of {}", line(command)))
}

/// Whether a command succeeds; its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Replaces this process by the command, so that signals and the exit code are its own; returns only if that
/// fails.
pub(crate) fn exec(command: &mut Command) -> Error {
    let error = command.exec();
    Error::new(error).context(format!("starting {}", line(command)))
}

/// The path of a program, if it is installed.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    search_path().into_iter().map(|directory| directory.join(program)).find(|path| path.is_file())
}

/// Returns an error if a program is missing.
pub(crate) fn require(program: &str, what_for: &str) -> Result<PathBuf> {
    match find(program) {
        Some(path) => Ok(path),
        None => bail!("`{program}` is not installed; it is needed {what_for}"),
    }
}

/// PATH, then folders of tools that are not in an ordinary user's PATH, then our own.
fn search_path() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(|path| Path::new(path).to_owned());
    env::split_paths(&path).chain(system).chain([workspace::tools().join("bin")]).collect()
}

/// The command as a person would type it, without the folder of its program.
pub(crate) fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
