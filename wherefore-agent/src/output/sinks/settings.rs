//! Settings that all or several sinks have. Owns these settings and the syntax of their values.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};

use super::matcher::Matcher;

/// Settings of every sink.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(next_help_heading = "All sinks")]
pub struct Routing {
    /// Name of the sink, in the log, the metrics and as the name of its spool. Default: its kind and
    /// a digest of its destination.
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub name: Option<String>,
    /// Only incidents whose `probability` (how unusual they are) is at least this.
    #[arg(long, value_name = "PROBABILITY", value_parser = probability)]
    pub min_probability: Option<f64>,
    /// Only incidents whose label matches, or with `!=` does not match. Labels are src, dst
    /// (an address, a prefix or a pattern), interface, host, kind, severity, group_by, and yours
    /// (`--alert-label`). In patterns `*` is any text and `?` any character. If repeated, all must
    /// match.
    #[arg(long = "match", value_name = "LABEL=PATTERN")]
    pub matches: Vec<Matcher>,
    /// Also send a message when an incident is over.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = true, num_args = 0..=1,
          default_missing_value = "true", action = ArgAction::Set)]
    pub send_resolved: bool,
    /// Also send messages while an incident lasts.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = true, num_args = 0..=1,
          default_missing_value = "true", action = ArgAction::Set)]
    pub send_updates: bool,
}

/// Settings of every HTTP sink.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpSettings {
    /// How long an attempt may take.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub timeout: Duration,
    /// Certificates (PEM) to trust in addition to the system's.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            name: None,
            min_probability: None,
            matches: Vec::new(),
            send_resolved: true,
            send_updates: true,
        }
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), ca_file: None }
    }
}

/// Checks a name, because it becomes the name of a file.
fn name(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_good = (1..=64).contains(&text.len()) && text.bytes().all(is_plain);
    if is_good && !text.starts_with('.') {
        return Ok(text.to_owned());
    }
    Err("must be 1 to 64 letters, digits, -, _ and ., and must not begin with .".to_owned())
}

fn probability(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "must be a number from 0 to 1".to_owned())
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write a number with a unit: 500ms, 5s, 1m30s"))?;
    if duration.is_zero() { Err("must be longer than 0".to_owned()) } else { Ok(duration) }
}

/// `NAME=VALUE`; the value may be secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair<V> {
    /// The text before the first `=`.
    pub name: String,
    /// The text after it.
    pub value: V,
}

impl<V: std::str::FromStr> std::str::FromStr for Pair<V> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("must have the form NAME=VALUE")?;
        let value = value.parse().map_err(|_| "the value cannot be used".to_owned())?;
        Ok(Self { name: name.trim().to_owned(), value })
    }
}
