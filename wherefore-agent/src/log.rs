//! The log, for people, on standard error; standard output is for data. Owns what each level means for this
//! program and for its libraries, and that the level can change while it runs. Never waits for a reader; see
//! [`crate::console`].

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;

use tracing_subscriber::EnvFilter;

use crate::console::{self, LogWriter};

/// The lowest severity that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
#[allow(missing_docs)]
pub enum LogLevel {
    Trace,
    Debug,
    #[default]
    Info,
    Warn,
    Error,
    Fatal,
    Panic,
}

/// Changes the level of the log.
static CHANGE: OnceLock<Box<dyn Fn(LogLevel) + Send + Sync>> = OnceLock::new();

/// Writes waiting lines, for a limited time, when `main` drops it.
#[derive(Debug)]
pub struct Flush;

impl Drop for Flush {
    fn drop(&mut self) {
        console::finish();
    }
}

/// Starts to log.
pub fn start(level: LogLevel) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(level))
        .with_writer(|| LogWriter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        // An error in writing the log is no reason to stop watching.
        .log_internal_errors(false)
        .with_filter_reloading();
    let handle = log.reload_handle();
    log.init();
    let change = move |level| {
        // Fails only after the log was dropped.
        let _ = handle.reload(filter(level));
    };
    let _ = CHANGE.set(Box::new(change));
}

/// Writes a line to standard error, in order with the lines of the log.
pub fn line(text: &str) {
    // This writer accepts everything.
    let _ = LogWriter.write_all(format!("{text}\n").as_bytes());
}

/// The error as text, with advice if a limit of the system is the cause.
pub fn explained(error: &anyhow::Error) -> String {
    crate::descriptors::explained(error)
}

/// Logs panics like everything else, without waiting for a reader.
pub fn panics_are_logged() {
    std::panic::set_hook(Box::new(|panic| line(&format!("wherefore: {panic}"))));
}

/// Changes the level.
pub fn set_level(level: LogLevel) {
    if let Some(change) = CHANGE.get() {
        change(level);
    }
}

fn filter(level: LogLevel) -> EnvFilter {
    EnvFilter::new(match level {
        LogLevel::Trace => "trace,hyper_util=info,reqwest=info",
        LogLevel::Debug => "debug,aya=info,aya_obj=info,hyper_util=info,reqwest=info",
        LogLevel::Info => "info,aya=warn,aya_obj=warn",
        LogLevel::Warn => "warn",
        LogLevel::Error | LogLevel::Fatal | LogLevel::Panic => "error",
    })
}
