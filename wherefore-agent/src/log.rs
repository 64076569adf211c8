//! The log, for people, on standard error: standard output is for data. Owns what each level means
//! for this program and for its libraries, and that the level can change while it runs.

use std::io::IsTerminal;
use std::sync::OnceLock;

use tracing_subscriber::EnvFilter;

use crate::cli::LogLevel;

/// Changes the level of this process's only log.
static CHANGE: OnceLock<Box<dyn Fn(LogLevel) + Send + Sync>> = OnceLock::new();

/// Begins to log.
pub fn start(level: LogLevel) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(level))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        // A log that can't be written is no reason to stop watching.
        .log_internal_errors(false)
        .with_filter_reloading();
    let handle = log.reload_handle();
    log.init();
    let change = move |level| {
        // Fails only where the log is gone.
        let _ = handle.reload(filter(level));
    };
    let _ = CHANGE.set(Box::new(change));
}

/// Goes on at another level.
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
