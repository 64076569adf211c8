//! The program `wherefore`: put the options together, do it, say why not.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Error, Result};
use tracing_subscriber::EnvFilter;
use wherefore_agent::cli::{AlertCommand, Command, ConfigCommand, LogLevel};
use wherefore_agent::config::{self, LoadError, Loaded, Reload, Request, UsageError};
use wherefore_agent::{backtest, run, score, sink};

/// Exit code for wrong options, as clap's own.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let request = Request::of_process();
    let done = match config::load(&request) {
        Ok(loaded) => execute(loaded, request),
        Err(LoadError::Usage(error)) => Err(error.into()),
        Err(LoadError::Said(said)) => {
            // Whoever asked for help may not wait for all of it.
            let _ = said.print();
            return ExitCode::from(u8::try_from(said.exit_code()).unwrap_or(USAGE));
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be gone: the exit code still says it.
            let _ = writeln!(std::io::stderr().lock(), "wherefore: {error:#}");
            let is_usage = error.downcast_ref::<UsageError>().is_some();
            if is_usage { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}

fn execute(loaded: Loaded, request: Request) -> Result<()> {
    start_log(loaded.cli.loglevel());
    loaded.remarks.iter().for_each(|remark| tracing::warn!("{remark}"));
    match &loaded.cli.command {
        None | Some(Command::Run(_)) => {
            let reload = Reload::new(request, &loaded);
            run::run(&loaded.cli.into_run().context("no options to run with")?, reload)
        }
        Some(Command::Replay(args)) => run::replay(args),
        Some(Command::Backtest(args)) => backtest::backtest(args),
        Some(Command::Score(args)) => score::score(args),
        Some(Command::Alert(AlertCommand::Test(args))) => {
            sink::test(&sink::specs(&args.common)?, args.name.as_deref())
        }
        Some(Command::Config(ConfigCommand::Check(args))) => {
            sink::check(&sink::specs(&args.common)?)?;
            say("the options are sound\n")
        }
        Some(Command::Config(ConfigCommand::Show(_))) => say(config::command::show(&loaded)),
        Some(Command::Config(ConfigCommand::Default)) => say(config::reference::default_file()),
        Some(Command::Generate { what }) => say(config::reference::generate(*what)),
    }
}

fn say(text: impl AsRef<[u8]>) -> Result<()> {
    std::io::stdout().lock().write_all(text.as_ref()).context("cannot write to standard output")
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
        // A log that can't be written is no reason to stop watching.
        .log_internal_errors(false)
        .init();
}

/// A reader such as `head` that has enough is no error.
fn is_broken_pipe(error: &Error) -> bool {
    let is_it = |io: &std::io::Error| io.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(is_it))
}
