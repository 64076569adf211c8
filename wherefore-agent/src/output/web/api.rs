//! The JSON interface, metrics and health. Owns the paths, their parameters and the size of a page;
//! what takes long is done beside the listener, by few at a time.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::extract::{Query, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use clap::ValueEnum;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use wherefore_common::{Counters, FlowKey};

use crate::attribute::Directory;
use crate::attribute::grouping::Grouping;
use crate::history::document::Document;
use crate::history::query::{self, Dimension, Only, Question};
use crate::history::time::Clock;
use crate::history::{explain, find, schema, why};
use crate::output::board::{Board, Latest};
use crate::output::metrics;
use crate::text::{protocol, rfc3339};
use crate::traffic::group::GroupBy;
use crate::traffic::interval::Interval;
use crate::usage::UsageError;

/// Objects on a page.
const USUAL: usize = 100;
const MOST: usize = 1000;
/// Parts into which a time is cut.
const COLUMNS: usize = 120;

/// What every answer comes from.
#[derive(Clone)]
pub(super) struct Source {
    board: Arc<Board>,
    history: Option<PathBuf>,
    readers: Arc<Semaphore>,
}

/// The paths.
pub(super) fn routes(board: Arc<Board>, history: Option<PathBuf>, readers: usize) -> Router {
    let source = Source { board, history, readers: Arc::new(Semaphore::new(readers)) };
    Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/api/v1/flows", get(flows))
        .route("/api/v1/groups", get(groups))
        .route("/api/v1/alerts", get(alerts))
        .route("/api/v1/history", get(history_of))
        .route("/api/v1/why", get(why_of))
        .with_state(source)
}

async fn health(State(source): State<Source>) -> Response {
    match source.board.is_healthy() {
        true => "ok\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "no interval came in time\n").into_response(),
    }
}

async fn ready(State(source): State<Source>) -> Response {
    match source.board.latest() {
        Some(_) => "ready\n".into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "no interval is over yet\n").into_response(),
    }
}

async fn metrics(State(source): State<Source>, headers: HeaderMap) -> Response {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_open = accepted.contains("application/openmetrics-text");
    let kind = if is_open { metrics::OPEN_METRICS } else { metrics::PLAIN };
    match metrics::text(&source.board, is_open) {
        Ok(text) => ([(CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Which part of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    offset: Option<usize>,
    limit: Option<usize>,
    by: Option<String>,
}

impl Page {
    fn bounds(&self) -> (usize, usize) {
        (self.offset.unwrap_or(0), self.limit.unwrap_or(USUAL).min(MOST))
    }
}

/// A part of a list.
fn page<T: Serialize>(all: usize, offset: usize, items: Vec<T>, latest: Option<&Latest>) -> Value {
    let next = offset.saturating_add(items.len());
    let interval = latest.map(|latest| {
        let interval = &latest.interval;
        json!({"start": rfc3339(interval.start_ns), "end": rfc3339(interval.end_ns),
               "seconds": interval.seconds()})
    });
    json!({"interval": interval, "total": all, "offset": offset,
           "next": (next < all && !items.is_empty()).then_some(next), "items": items})
}

async fn flows(State(source): State<Source>, Query(wanted): Query<Page>) -> Response {
    let (offset, limit) = wanted.bounds();
    let Some(latest) = source.board.latest() else {
        return Json(page(0, offset, Vec::<Value>::new(), None)).into_response();
    };
    let all = latest.interval.flows.len();
    let items = (offset.min(all)..offset.saturating_add(limit).min(all)).map(|at| {
        let (key, counters) = latest.interval.flows.get(at);
        flow(&key, &counters, &latest)
    });
    Json(page(all, offset, items.collect(), Some(&latest))).into_response()
}

fn flow(key: &FlowKey, counters: &Counters, latest: &Latest) -> Value {
    json!({
        "interface": latest.names.get(&key.ifindex), "direction": key.direction().as_str(),
        "protocol": protocol(key.protocol), "src": key.src_ip(), "sport": key.sport,
        "dst": key.dst_ip(), "dport": key.dport, "bytes": counters.bytes,
        "packets": counters.packets,
    })
}

async fn groups(State(source): State<Source>, Query(wanted): Query<Page>) -> Response {
    let (offset, limit) = wanted.bounds();
    let by = wanted.by.as_deref().map_or(Ok(GroupBy::default()), |by| GroupBy::from_str(by, true));
    let Ok(by) = by else { return wrong("by: as --group-by") };
    let latest = source.board.latest();
    if latest.as_ref().is_some_and(|latest| !knows(latest, by)) {
        return wrong("by: country, asn and name only where --group-by says the same");
    }
    blocking(&source, move || {
        let Some(latest) = latest else { return Ok(page(0, offset, Vec::<Value>::new(), None)) };
        let groups = summed(&latest, by);
        let items = groups.iter().skip(offset).take(limit).map(|(key, counters)| {
            json!({"src": by.source(key), "dst": by.destination(key),
                   "interface": latest.names.get(&key.ifindex), "bytes": counters.bytes,
                   "packets": counters.packets})
        });
        Ok(page(groups.len(), offset, items.collect(), Some(&latest)))
    })
    .await
}

/// Whether it is known which groups the flows of the newest interval belong to.
fn knows(latest: &Latest, by: GroupBy) -> bool {
    let Interval { flows, groups, .. } = &*latest.interval;
    by.is_of_flows() || by.is_of_owners() || flows.is_empty() || groups.group_by == by
}

/// Groups of the newest interval, the largest first.
fn summed(latest: &Latest, by: GroupBy) -> Vec<(FlowKey, Counters)> {
    let mut groups: FxHashMap<FlowKey, Counters> = FxHashMap::default();
    let (interval, directory) = (&latest.interval, Directory::default());
    let mut grouping = Grouping::new(by, &directory);
    for at in 0..interval.flows.len() {
        let sums = groups.entry(grouping.group(interval, at)).or_default();
        sums.merge(&interval.flows.counters(at));
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_unstable_by_key(|(key, counters)| (std::cmp::Reverse(counters.bytes), *key));
    groups
}

async fn alerts(State(source): State<Source>, Query(wanted): Query<Page>) -> Response {
    let (offset, limit) = wanted.bounds();
    let alerts = source.board.alerts();
    let items: Vec<_> = alerts.iter().skip(offset).take(limit).map(|alert| &**alert).collect();
    Json(page(alerts.len(), offset, items, None)).into_response()
}

/// What is asked of the history.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    since: Option<String>,
    to: Option<String>,
    by: Option<String>,
    top: Option<usize>,
    interface: Option<String>,
    target: Option<String>,
}

impl Asked {
    fn span(&self, clock: &Clock) -> Result<(i64, i64)> {
        clock.span(self.since.as_deref().unwrap_or("24h"), self.to.as_deref().unwrap_or("now"))
    }
}

async fn history_of(State(source): State<Source>, Query(asked): Query<Asked>) -> Response {
    let Some(file) = source.history.clone() else { return absent() };
    blocking(&source, move || {
        let (from, to) = asked.span(&Clock::now())?;
        let by = asked
            .by
            .as_deref()
            .map_or(Ok(Dimension::default()), |by| Dimension::from_str(by, true));
        let by = by.map_err(|_| UsageError("by: no such dimension".to_owned()))?;
        let mut connection = schema::open_to_read(&file)?;
        let interface = asked.interface.as_deref();
        let number = interface.map(|name| query::interface(&connection, name)).transpose()?;
        let only = number.map(Only::Interface).into_iter().collect();
        let top = asked.top.unwrap_or(USUAL).min(MOST);
        let question = Question { from, to, top, columns: COLUMNS, only };
        let answer = query::ask(&mut connection, &question, &[by])?.remove(0);
        Ok(serde_json::to_value(Document::new(by, interface, &question, &answer))?)
    })
    .await
}

async fn why_of(State(source): State<Source>, Query(asked): Query<Asked>) -> Response {
    let Some(file) = source.history.clone() else { return absent() };
    blocking(&source, move || {
        let clock = Clock::now();
        let (from, to) = asked.span(&clock)?;
        let mut connection = schema::open_to_read(&file)?;
        let target = find::find(&connection, asked.target.as_deref())?;
        let facts = why::why(&mut connection, &target, from, to, COLUMNS)?;
        let sentences = explain::sentences(&facts, &clock);
        Ok(json!({"facts": facts, "sentences": sentences}))
    })
    .await
}

/// Does what takes long beside the listener, if not too many do so already.
async fn blocking(
    source: &Source,
    work: impl FnOnce() -> Result<Value> + Send + 'static,
) -> Response {
    let Ok(permit) = source.readers.clone().try_acquire_owned() else {
        let busy = json!({"error": "others are asking: try again"});
        return (StatusCode::SERVICE_UNAVAILABLE, Json(busy)).into_response();
    };
    let done = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work()
    });
    match done.await.context("it failed").flatten() {
        Ok(value) => Json(value).into_response(),
        Err(error) if error.is::<UsageError>() => wrong(&format!("{error:#}")),
        Err(error) => {
            let error = json!({"error": format!("{error:#}")});
            (StatusCode::INTERNAL_SERVER_ERROR, Json(error)).into_response()
        }
    }
}

fn wrong(what: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": what}))).into_response()
}

fn absent() -> Response {
    let error = json!({"error": "no history is kept: set --state-dir or --history"});
    (StatusCode::NOT_FOUND, Json(error)).into_response()
}
