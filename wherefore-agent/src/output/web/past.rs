//! Answers from the history, and explanations.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::source::{MOST, Parameters, Problem, Source, USUAL, Unknown, blocking, problem};
use crate::history::document::Document;
use crate::history::query::{self, Dimension, Question, RowFilter};
use crate::history::time::Clock;
use crate::history::{explain, find, schema, why};
use crate::message::alert::Alert;
use crate::message::held::HeldRecord;
use crate::output::board::Board;
use crate::output::standing::{Judgement, Standing};
use crate::output::traces::Recent;
use crate::usage::UsageError;

/// The number of parts into which a period is divided.
const COLUMNS: usize = 120;

/// A query to the history.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WantedHistory {
    /// Start: `2h`, `yesterday`, `monday`, `2026-11-28`, `2026-11-28T14:00:00Z`; 24h by default.
    since: Option<String>,
    /// End, in the same formats; now by default.
    to: Option<String>,
    /// The dimension of the rows.
    #[serde(default)]
    by: Dimension,
    /// The number of rows: 100 by default, at most 1,000.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 4294967295_i64)]
    top: Option<u32>,
    /// Only traffic of this interface.
    interface: Option<String>,
}

/// A query for an explanation.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WantedWhy {
    /// An address, prefix, process, unit, container, pod, user, name, country, AS, interface or port; this
    /// host by default.
    target: Option<String>,
    /// Start: `2h`, `yesterday`, `monday`, `2026-11-28`, `2026-11-28T14:00:00Z`; 24h by default.
    since: Option<String>,
    /// End, in the same formats; now by default.
    to: Option<String>,
}

/// Treats an empty value like a missing one.
fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn span(clock: &Clock, since: &Option<String>, to: &Option<String>) -> Result<(i64, i64)> {
    clock.span(["since", "to"], given(since).unwrap_or("24h"), given(to).unwrap_or("now"))
}

/// Who transferred what; the same object as from `wherefore history --json`.
#[utoipa::path(get, path = "/api/v1/history", params(WantedHistory), responses((status = 200, body = Document), (status = 400, body = Problem, description = "A parameter is wrong"), (status = 404, body = Problem, description = "Nothing is known of it, or no history is kept"), (status = 503, body = Problem, description = "Others are asking")))]
pub(super) async fn history(
    State(source): State<Source>,
    Parameters(wanted): Parameters<WantedHistory>,
) -> Response {
    let Some(file) = source.history.clone() else { return absent() };
    blocking(&source, move || {
        let (from, to) = span(&Clock::now(), &wanted.since, &wanted.to)?;
        let mut connection = schema::open_to_read(&file)?;
        let interface = given(&wanted.interface);
        let number = interface.map(|name| query::interface(&connection, name)).transpose();
        let number = number.map_err(|error| Unknown(format!("{error:#}")))?;
        let only = number.map(RowFilter::Interface).into_iter().collect();
        let top = wanted.top.map_or(USUAL, |top| (top as usize).min(MOST));
        let question = Question { from, to, top, columns: COLUMNS, only };
        let answer = query::ask(&mut connection, &question, &[wanted.by])?.remove(0);
        Ok(serde_json::to_value(Document::new(wanted.by, interface, &question, &answer))?)
    })
    .await
}

/// Facts about a target, and sentences about them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Explained {
    /// Facts from the history; null if there is no history, or the target is not in it yet.
    facts: Option<why::Why>,
    /// The current state; null before the first interval is over.
    live: Option<Standing>,
    /// Its rates in the last intervals; null if its row is not followed.
    recent: Option<Recent>,
    /// All facts as sentences.
    sentences: Vec<String>,
}

/// Explains a target.
#[utoipa::path(get, path = "/api/v1/why", params(WantedWhy), responses((status = 200, body = Explained), (status = 400, body = Problem, description = "A parameter is wrong"), (status = 404, body = Problem, description = "Nothing is known of it, or no history is kept"), (status = 503, body = Problem, description = "Others are asking")))]
pub(super) async fn why(
    State(source): State<Source>,
    Parameters(wanted): Parameters<WantedWhy>,
) -> Response {
    let (file, board) = (source.history.clone(), source.board.clone());
    blocking(&source, move || {
        let clock = Clock::now();
        let live = standing(&board, wanted.target.as_deref());
        let moves = live.as_ref().is_some_and(|live| live.in_bytes + live.out_bytes > 0);
        let facts = match file.map(|file| facts(&file, &clock, &wanted)).transpose() {
            // A target that has just appeared is not in the history yet.
            Err(error) if moves && error.is::<Unknown>() => None,
            facts => facts?,
        };
        if facts.is_none() && !moves && wanted.target.is_some() {
            let target = wanted.target.as_deref().unwrap_or_default();
            return Err(Unknown(format!("nothing is known about {target}")).into());
        }
        let mut sentences: Vec<_> = live.iter().flat_map(Standing::sentences).collect();
        sentences.extend(facts.iter().flat_map(|facts| explain::sentences(facts, &clock)));
        let recent = recent(&board, wanted.target.as_deref());
        Ok(Explained { facts, live, recent, sentences })
    })
    .await
}

fn facts(file: &Path, clock: &Clock, wanted: &WantedWhy) -> Result<why::Why> {
    let (from, to) = span(clock, &wanted.since, &wanted.to)?;
    let mut connection = schema::open_to_read(file)?;
    let target = find::find(&connection, wanted.target.as_deref()).map_err(unknown)?;
    why::why(&mut connection, &target, from, to, COLUMNS)
}

/// The rates of a target in the last intervals; without a target, of all traffic.
fn recent(board: &Board, target: Option<&str>) -> Option<Recent> {
    let target = target.map(str::trim).filter(|text| !text.is_empty() && *text != "now");
    let seconds = board.latest()?.interval.seconds();
    target.map_or_else(
        || Recent::of_all(&board.past()),
        |target| board.traces().of_target(target, seconds),
    )
}

/// The current state of a target.
fn standing(board: &Board, target: Option<&str>) -> Option<Standing> {
    let latest = board.latest()?;
    let (alerts, held) = (board.alerts(), board.held());
    let alerts = newest(&alerts);
    let held: Vec<&HeldRecord> = held.iter().map(|held| &**held).collect();
    let judged = Judgement { alerts: &alerts, held: &held, held_back: &latest.totals.held_back };
    Standing::of(latest.counts(), judged, target)
}

/// The last message about each incident.
fn newest(alerts: &[Arc<Alert>]) -> Vec<&Alert> {
    let mut known = FxHashSet::default();
    alerts.iter().map(|alert| &**alert).filter(|alert| known.insert(&alert.key)).collect()
}

/// Marks the error about a target that is unknown.
fn unknown(error: anyhow::Error) -> anyhow::Error {
    if error.is::<UsageError>() { Unknown(format!("{error:#}")).into() } else { error }
}

fn absent() -> Response {
    problem(StatusCode::NOT_FOUND, "no history is kept: set --state-dir or --history")
}
