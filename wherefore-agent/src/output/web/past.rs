//! What the history and its explanation answer.

use anyhow::Result;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::source::{MOST, Parameters, Source, USUAL, Unknown, blocking, problem};
use crate::history::document::Document;
use crate::history::query::{self, Dimension, Only, Question};
use crate::history::time::Clock;
use crate::history::{explain, find, schema, why};
use crate::usage::UsageError;

/// Parts into which a time is cut.
const COLUMNS: usize = 120;

/// What is asked of the history.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedHistory {
    /// From when on: `2h`, `yesterday`, `monday`, `2026-11-28`, `2026-11-28T14:00:00Z`; 24h where it
    /// is not set.
    since: Option<String>,
    /// Until when, likewise; now where it is not set.
    to: Option<String>,
    /// What traffic is summed up by.
    #[serde(default)]
    by: Dimension,
    /// How many lines: 100 where it is not set, 1,000 at the most.
    top: Option<u32>,
    /// Only what passed this interface.
    interface: Option<String>,
}

/// What is to be explained.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedWhy {
    /// An address, prefix, process, unit, container, pod, user, name, country, AS, interface or port;
    /// this host where it is not set.
    target: Option<String>,
    /// From when on: `2h`, `yesterday`, `monday`, `2026-11-28`, `2026-11-28T14:00:00Z`; 24h where it
    /// is not set.
    since: Option<String>,
    /// Until when, likewise; now where it is not set.
    to: Option<String>,
}

fn span(clock: &Clock, since: Option<&str>, to: Option<&str>) -> Result<(i64, i64)> {
    clock.span(since.unwrap_or("24h"), to.unwrap_or("now"))
}

/// What was moved by whom, as `wherefore history --json`.
pub(super) async fn history(
    State(source): State<Source>,
    Parameters(wanted): Parameters<WantedHistory>,
) -> Response {
    let Some(file) = source.history.clone() else { return absent() };
    blocking(&source, move || {
        let (from, to) = span(&Clock::now(), wanted.since.as_deref(), wanted.to.as_deref())?;
        let mut connection = schema::open_to_read(&file)?;
        let interface = wanted.interface.as_deref();
        let number = interface.map(|name| query::interface(&connection, name)).transpose();
        let number = number.map_err(|error| Unknown(format!("{error:#}")))?;
        let only = number.map(Only::Interface).into_iter().collect();
        let top = wanted.top.map_or(USUAL, |top| (top as usize).min(MOST));
        let question = Question { from, to, top, columns: COLUMNS, only };
        let answer = query::ask(&mut connection, &question, &[wanted.by])?.remove(0);
        Ok(serde_json::to_value(Document::new(wanted.by, interface, &question, &answer))?)
    })
    .await
}

/// Facts about a target, and what they mean.
#[derive(Debug, Serialize)]
pub(super) struct Explained {
    /// As `wherefore why --json`.
    facts: why::Why,
    /// The facts, for people.
    sentences: Vec<String>,
}

/// What there is to say about a target.
pub(super) async fn why(
    State(source): State<Source>,
    Parameters(wanted): Parameters<WantedWhy>,
) -> Response {
    let Some(file) = source.history.clone() else { return absent() };
    blocking(&source, move || {
        let clock = Clock::now();
        let (from, to) = span(&clock, wanted.since.as_deref(), wanted.to.as_deref())?;
        let mut connection = schema::open_to_read(&file)?;
        let target = find::find(&connection, wanted.target.as_deref()).map_err(unknown)?;
        let facts = why::why(&mut connection, &target, from, to, COLUMNS)?;
        let sentences = explain::sentences(&facts, &clock);
        Ok(Explained { facts, sentences })
    })
    .await
}

/// A target that nothing is known of.
fn unknown(error: anyhow::Error) -> anyhow::Error {
    if error.is::<UsageError>() { Unknown(format!("{error:#}")).into() } else { error }
}

fn absent() -> Response {
    problem(StatusCode::NOT_FOUND, "no history is kept: set --state-dir or --history")
}
