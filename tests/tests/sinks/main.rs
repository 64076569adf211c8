//! The sinks through the program: what each sends, when it retries, and that no endpoint harms
//! the agent, whatever it does.
//!
//! Owns the code that the tests share. Uses no outside network: everything is on 127.0.0.1.
#![allow(clippy::unwrap_used)]

mod alertmanager;
mod echoes;
mod email;
mod http;
mod local;
mod misbehaviour;
mod outage;
mod outside;
mod reload;
mod server;
mod slack;
mod spool;
mod storm;

use serde_json::Value;
use wherefore_tests::command::{Run, run};
use wherefore_tests::corpus::directory;

/// The part of URLs and the keys that would let others post.
const SECRET: &str = "T0SECRETS/B0SECRETS/xyzzyxyzzy";

/// `alert test` through these sinks, at its most talkative.
fn alert_test(sinks: &[String]) -> Run {
    let mut arguments = vec!["alert", "test", "--loglevel", "debug"];
    arguments.extend(sinks.iter().flat_map(|sink| ["--sink", sink]));
    hides_secrets(run(arguments))
}

/// Replays the capture that alerts once, with these options.
fn replay(options: &[&str]) -> Run {
    let capture = directory().join("made/quiet-then-burst.pcap.gz");
    let arguments = ["replay", capture.to_str().unwrap(), "--loglevel", "debug"];
    hides_secrets(run(arguments.iter().chain(options)))
}

fn hides_secrets(run: Run) -> Run {
    for output in [&run.stdout, &run.stderr] {
        let is_shown = ["SECRET", "xyzzy"].iter().any(|secret| output.contains(secret));
        assert!(!is_shown, "a secret is shown: {output}");
    }
    run
}

/// The objects in lines of JSON.
fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A text with at most this many characters.
#[track_caller]
fn text(value: &Value, most: usize) -> &str {
    let text = value.as_str().unwrap_or_else(|| panic!("no text: {value}"));
    assert!((1..=most).contains(&text.chars().count()), "{} characters: {text}", text.len());
    text
}

/// A time as of RFC 3339.
#[track_caller]
fn time(value: &Value) -> jiff::Timestamp {
    value.as_str().unwrap().parse().unwrap()
}
