//! What the history and its explanation answer.

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
use crate::history::query::{self, Dimension, Only, Question};
use crate::history::time::Clock;
use crate::history::{explain, find, schema, why};
use crate::message::alert::Alert;
use crate::message::held::HeldRecord;
use crate::output::board::Board;
use crate::output::standing::{Judgement, Standing};
use crate::output::traces::Recent;
use crate::usage::UsageError;

/// Parts into which a time is cut.
const COLUMNS: usize = 120;

/// What is asked of the history.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WantedHistory {
    /// From when on: `2h`, `yesterday`, `monday`, `2026-11-28`, `2026-11-28T14:00:00Z`; 24h where it
    /// is not set.
    since: Option<String>,
    /// Until when, likewise; now where it is not set.
    to: Option<String>,
    /// What traffic is summed up by.
    #[serde(default)]
    by: Dimension,
    /// How many lines: 100 where it is not set, 1,000 at most.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 4294967295_i64)]
    top: Option<u32>,
    /// Only what passed this interface.
    interface: Option<String>,
}

/// What is to be explained.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
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

/// What is empty is not set.
fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn span(clock: &Clock, since: &Option<String>, to: &Option<String>) -> Result<(i64, i64)> {
    clock.span(["since", "to"], given(since).unwrap_or("24h"), given(to).unwrap_or("now"))
}

/// What was moved by whom, as `wherefore history --json`.
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
        let only = number.map(Only::Interface).into_iter().collect();
        let top = wanted.top.map_or(USUAL, |top| (top as usize).min(MOST));
        let question = Question { from, to, top, columns: COLUMNS, only };
        let answer = query::ask(&mut connection, &question, &[wanted.by])?.remove(0);
        Ok(serde_json::to_value(Document::new(wanted.by, interface, &question, &answer))?)
    })
    .await
}

/// Facts about a target, and what they mean.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Explained {
    /// What the history knows; null if none is kept, or where it does not know the target yet.
    facts: Option<why::Why>,
    /// How things stand now; null before the first interval is over.
    live: Option<Standing>,
    /// What it moved in the last intervals; null where it is not among the rows that are followed.
    recent: Option<Recent>,
    /// All of it, for people.
    sentences: Vec<String>,
}

/// What there is to say about a target.
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
            // What began just now is in no history yet.
            Err(error) if moves && error.is::<Unknown>() => None,
            facts => facts?,
        };
        if facts.is_none() && !moves && wanted.target.is_some() {
            let target = wanted.target.as_deref().unwrap_or_default();
            return Err(Unknown(format!("nothing is known of {target}")).into());
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

/// What a target moved in the last intervals; no target is everything.
fn recent(board: &Board, target: Option<&str>) -> Option<Recent> {
    let target = target.map(str::trim).filter(|text| !text.is_empty() && *text != "now");
    let seconds = board.latest()?.interval.seconds();
    target.map_or_else(
        || Recent::of_all(&board.past()),
        |target| board.traces().of_target(target, seconds),
    )
}

/// How things stand with a target now.
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

/// A target that nothing is known of.
fn unknown(error: anyhow::Error) -> anyhow::Error {
    if error.is::<UsageError>() { Unknown(format!("{error:#}")).into() } else { error }
}

fn absent() -> Response {
    problem(StatusCode::NOT_FOUND, "no history is kept: set --state-dir or --history")
}
