//! The program `wherefore`: parses the options, runs the command, and reports errors.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Error, Result};
use wherefore_agent::command::{backtest, doctor, geo, history, live, run, score, top, why};
use wherefore_agent::log;
use wherefore_agent::options::cli::{AlertCommand, Command, ConfigCommand};
use wherefore_agent::options::{self, LoadError, Loaded, Reload, Request, UsageError};
use wherefore_agent::output::{schema, sinks};

/// The exit code for wrong options; clap uses the same one.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    log::panics_are_logged();
    let _flush = log::Flush;
    let request = Request::of_process();
    let done = match options::load(&request) {
        Ok(loaded) => execute(loaded, request),
        Err(LoadError::Usage(error)) => Err(error.into()),
        Err(LoadError::Said(said)) => {
            // The reader of the help may not read all of it.
            let _ = said.print();
            return ExitCode::from(u8::try_from(said.exit_code()).unwrap_or(USAGE));
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            log::line(&format!("wherefore: {}", log::explained(&error)));
            let is_usage = error.downcast_ref::<UsageError>().is_some();
            if is_usage { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}

fn execute(loaded: Loaded, request: Request) -> Result<()> {
    log::start(loaded.cli.loglevel());
    loaded.remarks.iter().for_each(|remark| tracing::warn!("{remark}"));
    match &loaded.cli.command {
        None | Some(Command::Run(_)) => {
            loaded.cli.problems_here().refuse()?;
            let reload = Reload::new(request, &loaded);
            live::run(
                &loaded
                    .cli
                    .into_run()
                    .context("internal error: the command line has no options of run")?,
                reload,
            )
        }
        Some(Command::Top(_)) => {
            loaded.cli.problems_here().refuse()?;
            let reload = Reload::new(request, &loaded);
            top::top(
                loaded
                    .cli
                    .into_top()
                    .context("internal error: the command line has no options of top")?,
                reload,
            )
        }
        Some(Command::Doctor(args)) => doctor::doctor(args),
        Some(Command::Replay(args)) => {
            loaded.cli.problems_here().refuse()?;
            run::replay(args)
        }
        Some(Command::Backtest(args)) => backtest::backtest(args),
        Some(Command::Score(args)) => score::score(args),
        Some(Command::Geo(args)) => geo::geo(args),
        Some(Command::History(args)) => history::history(args),
        Some(Command::Why(args)) => why::why(args),
        Some(Command::Alert(AlertCommand::Test(args))) => {
            let (common, name) = (&args.common, args.name.as_deref());
            let specs = options::sinks::specs(common)?;
            sinks::test(&specs, &options::message_settings(common), &common.host(), name)
        }
        Some(Command::Config(ConfigCommand::Check(args))) => {
            let here = loaded.cli.problems_here().all();
            options::refuse(
                &here
                    .chain(sinks::check(&options::sinks::specs(&args.common)?))
                    .collect::<Vec<_>>(),
            )?;
            print("the options are valid\n")
        }
        Some(Command::Config(ConfigCommand::Show(_))) => print(options::command::show(&loaded)),
        Some(Command::Config(ConfigCommand::Default)) => print(options::reference::default_file()),
        Some(Command::Generate { what }) => {
            print(options::generate::generate(*what, schema::document))
        }
    }
}

fn print(text: impl AsRef<[u8]>) -> Result<()> {
    std::io::stdout().lock().write_all(text.as_ref()).context("cannot write to standard output")
}

/// Whether a reader such as `head` closed the output, which is not an error.
fn is_broken_pipe(error: &Error) -> bool {
    let is_it = |io: &std::io::Error| io.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(is_it))
}
