//! The data behind every answer, and what all answers have in common. Owns the form of lists and errors, and
//! runs slow queries in other threads, a few at a time.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Json;
use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::IntoParams;

use crate::output::board::Board;
use crate::output::latest::Latest;
use crate::text::rfc3339;
use crate::usage::UsageError;

/// The usual number of items on a page.
pub(super) const USUAL: usize = 100;
pub(super) const MOST: usize = 1000;

/// The data behind every answer.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) board: Arc<Board>,
    pub(super) history: Option<PathBuf>,
    pub(super) readers: Arc<Semaphore>,
}

/// Parameters; an error in them is reported in the same form as all other errors.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let parameters = Query::<T>::try_from_uri(&parts.uri);
        let refused = |why: axum::extract::rejection::QueryRejection| wrong(&why.body_text());
        parameters.map(|Query(parameters)| Self(parameters)).map_err(refused)
    }
}

/// The part of a list that is requested.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// How many items to skip at the beginning.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 4294967295_i64)]
    pub(super) offset: Option<u32>,
    /// How many items to return: 100 by default, at most 1,000.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 4294967295_i64)]
    pub(super) limit: Option<u32>,
}

impl Page {
    pub(super) fn bounds(&self) -> (usize, usize) {
        bounds(self.offset, self.limit)
    }
}

/// The start and the length of the requested part.
pub(super) fn bounds(offset: Option<u32>, limit: Option<u32>) -> (usize, usize) {
    let offset = offset.map_or(0, |offset| offset as usize);
    (offset, limit.map_or(USUAL, |limit| (limit as usize).min(MOST)))
}

/// The interval that an answer is about.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Span {
    /// Start, RFC 3339.
    start: String,
    /// End, RFC 3339.
    end: String,
    /// Length.
    seconds: f64,
}

impl Span {
    pub(super) fn of(latest: &Latest) -> Self {
        let interval = &latest.interval;
        let (start, end) = (rfc3339(interval.start_ns), rfc3339(interval.end_ns));
        Self { start, end, seconds: interval.seconds() }
    }
}

/// A part of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct List<T> {
    /// The interval of the data; null if there is none yet, or if the data is not about one interval.
    pub(super) interval: Option<Span>,
    /// The number of items in the whole list.
    pub(super) total: usize,
    /// The number of items that were skipped at the beginning.
    pub(super) offset: usize,
    /// The offset of the next part; null in the last one.
    pub(super) next: Option<usize>,
    pub(super) items: Vec<T>,
}

impl<T> List<T> {
    pub(super) fn new(total: usize, offset: usize, items: Vec<T>, latest: Option<&Latest>) -> Self {
        let next = offset.saturating_add(items.len());
        let next = (next < total && !items.is_empty()).then_some(next);
        Self { interval: latest.map(Span::of), total, offset, next, items }
    }
}

/// The error message.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Problem {
    error: String,
}

/// A name about which nothing is known.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unknown(pub(super) String);

/// Runs a slow query in another thread, unless too many are running.
pub(super) async fn blocking<T: Serialize + Send + 'static>(
    source: &Source,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Response {
    let Ok(permit) = source.readers.clone().try_acquire_owned() else {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "too many queries are running: try again");
    };
    let done = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work()
    });
    match done.await.context("it failed").flatten() {
        Ok(value) => Json(value).into_response(),
        Err(error) if error.is::<Unknown>() => {
            problem(StatusCode::NOT_FOUND, &format!("{error:#}"))
        }
        Err(error) if error.is::<UsageError>() => wrong(&format!("{error:#}")),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error:#}")),
    }
}

pub(super) fn wrong(what: &str) -> Response {
    problem(StatusCode::BAD_REQUEST, what)
}

pub(super) fn problem(status: StatusCode, what: &str) -> Response {
    (status, Json(Problem { error: what.to_owned() })).into_response()
}
