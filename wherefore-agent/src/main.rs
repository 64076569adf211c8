//! The program `wherefore`: parse the arguments, do it, say why not.

use std::process::ExitCode;

use anyhow::{Error, Result};
use clap::Parser;
use tracing_subscriber::EnvFilter;
use wherefore_agent::cli::{AlertCommand, Cli, Command, LogLevel, missing_seed_options, normalise};
use wherefore_agent::config::UsageError;
use wherefore_agent::{run, score, sink};

/// Exit code for wrong options, as clap's own.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let missing = missing_seed_options(&arguments);
    if !missing.is_empty() {
        let names = missing.join(", ");
        eprintln!(
            "wherefore: options of the Go tool that are not there yet: {names}; leave them out"
        );
        return ExitCode::from(USAGE);
    }
    let cli = Cli::parse_from(normalise(arguments));
    match execute(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wherefore: {error:#}");
            let is_usage = error.downcast_ref::<UsageError>().is_some();
            if is_usage { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}

fn execute(cli: &Cli) -> Result<()> {
    match &cli.command {
        Some(Command::Score(args)) => {
            start_log(LogLevel::Info);
            score::score(args)
        }
        Some(Command::Alert(args)) => {
            let AlertCommand::Test(args) = &args.command;
            start_log(args.common.loglevel);
            sink::test(&sink::specs(&args.common)?, args.name.as_deref())
        }
        Some(Command::Replay(args)) => {
            start_log(args.common.loglevel);
            run::replay(args)
        }
        Some(Command::Run(args)) => {
            start_log(args.common.loglevel);
            run::run(args)
        }
        None => {
            start_log(cli.run.common.loglevel);
            run::run(&cli.run)
        }
    }
}

/// Logs go to standard error: standard output is for data.
fn start_log(level: LogLevel) {
    let directive = match level {
        LogLevel::Trace => "trace,hyper_util=info,reqwest=info",
        LogLevel::Debug => "debug,aya=info,aya_obj=info,hyper_util=info,reqwest=info",
        LogLevel::Info => "info,aya=warn,aya_obj=warn",
        LogLevel::Warn => "warn",
        LogLevel::Error | LogLevel::Fatal | LogLevel::Panic => "error",
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(directive))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .init();
}

/// A reader such as `head` that has enough is no error.
fn is_broken_pipe(error: &Error) -> bool {
    let is_it = |io: &std::io::Error| io.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(is_it))
}
