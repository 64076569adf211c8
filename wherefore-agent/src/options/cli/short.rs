//! `-h` on one screen: the most used options, with one sentence each; `--help` has all. Owns the list of
//! these options.

use clap::builder::StyledStr;
use clap::{Arg, Command, CommandFactory};

use super::Cli;

/// The most used options of `run`, by their long names. Other commands share some of them.
const USED: [&str; 19] = [
    "interface",
    "config",
    "group-by",
    "transfer-interval",
    "pcap-filter",
    "filter-ip-cidr",
    "filter-exclude",
    "alert-budget",
    "alert-kinds",
    "alert-min-bytes",
    "alert-allow",
    "alert-country",
    "sink",
    "state-dir",
    "listen",
    "flows",
    "alerts",
    "duration",
    "loglevel",
];

/// The command line, with short help besides the long one.
pub fn command() -> Command {
    let long = |arg: &Arg| arg.get_long().map(str::to_owned);
    let all: Vec<String> = Cli::command().get_arguments().filter_map(long).collect();
    let is_rare = |name: &str| all.iter().any(|one| one == name) && !USED.contains(&name);
    shortened(Cli::command(), &is_rare)
}

fn shortened(command: Command, is_rare: &impl Fn(&str) -> bool) -> Command {
    let about = command.get_about().cloned();
    let command = match (about, command.get_long_about()) {
        (Some(about), None) => command.about(first_sentence(&about)).long_about(about),
        _ => command,
    };
    let command = command.mut_args(|arg| {
        let is_hidden = arg.is_hide_short_help_set() || arg.get_long().is_some_and(is_rare);
        let help = arg.get_help().cloned();
        let arg = match (help, arg.get_long_help()) {
            (Some(help), None) => arg.help(first_sentence(&help)).long_help(help),
            _ => arg,
        };
        arg.hide_short_help(is_hidden)
    });
    command.mut_subcommands(|inner| shortened(inner, is_rare))
}

fn first_sentence(text: &StyledStr) -> String {
    let text = text.to_string();
    text.split_once(". ").map_or_else(|| text.clone(), |(first, _)| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_help_fits_a_screen_and_the_long_one_has_everything() {
        let mut command = command();
        let lines = command.render_help().to_string().lines().count();
        assert!(lines <= 60, "{lines} lines");
        let long = command.render_long_help().to_string();
        let all = Cli::command();
        let names = all.get_arguments().filter_map(Arg::get_long);
        names.for_each(|name| assert!(long.contains(&format!("--{name}")), "{name}"));
        USED.iter().for_each(|name| assert!(long.contains(&format!("--{name} ")), "{name}"));
    }
}
