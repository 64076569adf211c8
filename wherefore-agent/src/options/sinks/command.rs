//! Sinks as commands of clap: each kind is a command, and its options are the keys of a table in the
//! configuration file. Owns the list of all settings of sinks.

use clap::{CommandFactory, Parser};

use crate::output::sinks::SinkSpec;

/// A sink as the words of a command line.
#[derive(Debug, Parser)]
#[command(name = "sink", no_binary_name = true, disable_help_subcommand = true)]
struct SinkCommand {
    #[command(subcommand)]
    spec: SinkSpec,
}

/// Parses `["slack", "--url=https://…", …]`.
///
/// # Errors
/// If the words do not describe a valid sink.
pub fn parse_spec(words: &[String]) -> Result<SinkSpec, clap::Error> {
    SinkCommand::try_parse_from(words).map(|command| command.spec)
}

/// All kinds of sinks with their options, for the documentation.
pub fn command() -> clap::Command {
    SinkCommand::command()
}

/// The settings of a kind of sink; empty if there is no such kind.
pub(crate) fn arguments(kind: &str) -> Vec<clap::Arg> {
    let mut command = command();
    command.build();
    let of_kind = command.find_subcommand(kind).into_iter().flat_map(clap::Command::get_arguments);
    of_kind.filter(|arg| arg.get_id() != "help").cloned().collect()
}

/// The kinds of sinks.
pub(super) fn kinds() -> Vec<String> {
    command().get_subcommands().map(|kind| kind.get_name().to_owned()).collect()
}

/// The keys of a kind of sink, as written in the file.
pub(super) fn keys(kind: &str) -> Vec<String> {
    let arguments = arguments(kind);
    arguments.iter().filter_map(clap::Arg::get_long).map(|long| long.replace('-', "_")).collect()
}
