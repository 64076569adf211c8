//! An answer as one JSON object, for `wherefore history --json` and the API.

use serde::Serialize;

use super::fold::Volume;
use super::query::{Answer, Dimension, Line, Question, Uncounted};
use crate::text::rfc3339;

/// The object.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Document<'a> {
    from: String,
    to: String,
    by: Dimension,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<&'a str>,
    /// The length of the longest period that one of its rows covers.
    coarsest_seconds: i64,
    lines: Vec<Row<'a>>,
    others: Others<'a>,
    folded: &'a Volume,
    total: &'a Volume,
    /// Bytes of the whole answer over time, in periods of equal length.
    columns: &'a [f32],
    uncounted: &'a [Uncounted],
}

#[derive(Serialize, utoipa::ToSchema)]
struct Row<'a> {
    #[serde(flatten)]
    line: &'a Line,
    /// Bytes over time.
    columns: &'a [f32],
}

#[derive(Serialize, utoipa::ToSchema)]
struct Others<'a> {
    lines: usize,
    #[serde(flatten)]
    volume: &'a Volume,
}

impl<'a> Document<'a> {
    /// Makes the object for this answer.
    pub fn new(
        by: Dimension,
        interface: Option<&'a str>,
        question: &Question,
        answer: &'a Answer,
    ) -> Self {
        let time = |seconds: i64| rfc3339(seconds.saturating_mul(1_000_000_000));
        Self {
            from: time(question.from),
            to: time(question.to),
            by,
            interface,
            coarsest_seconds: answer.coarsest,
            lines: answer.lines.iter().map(|line| Row { line, columns: &line.columns }).collect(),
            others: Others { lines: answer.left_out, volume: &answer.rest },
            folded: &answer.folded,
            total: &answer.total,
            columns: &answer.columns,
            uncounted: &answer.uncounted,
        }
    }
}
