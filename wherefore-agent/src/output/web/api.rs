//! The JSON interface, metrics and health. Owns their paths.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::Semaphore;

use super::source::Source;
use super::{lists, openapi, past};
use crate::output::board::Board;
use crate::output::metrics;

/// The routes.
pub(super) fn routes(board: Arc<Board>, history: Option<PathBuf>, readers: usize) -> Router {
    let source = Source { board, history, readers: Arc::new(Semaphore::new(readers)) };
    Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/api/v1/flows", get(lists::flows))
        .route("/api/v1/groups", get(lists::groups))
        .route("/api/v1/top", get(lists::top))
        .route("/api/v1/alerts", get(lists::alerts))
        .route("/api/v1/held-back", get(lists::held_back))
        .route("/api/v1/history", get(past::history))
        .route("/api/v1/why", get(past::why))
        .route("/api/v1/openapi.json", get(openapi::document))
        .with_state(source)
}

async fn health(State(source): State<Source>) -> Response {
    match source.board.is_healthy() {
        true => "ok\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "no interval arrived in time\n").into_response(),
    }
}

async fn ready(State(source): State<Source>) -> Response {
    match source.board.latest() {
        Some(_) => "ready\n".into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "the first interval is not over yet\n")
            .into_response(),
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
