//! Flows, groups, rows and alerts of the last interval, in pages.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use wherefore_common::{Counters, FlowKey};

use super::source::{List, Page, Parameters, Problem, Source, Span, blocking, bounds};
use crate::attribute::grouping::Grouping;
use crate::message::alert::Alert;
use crate::message::held::{HeldRecord, summary};
use crate::output::board::Board;
use crate::output::latest::{IntervalBytes, Latest};
use crate::output::terminal::model::{Dimension, Row, Subject};
use crate::text::{protocol, rfc3339};
use crate::traffic::group::GroupBy;

/// A flow of the last interval.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Flow {
    interface: Option<String>,
    direction: &'static str,
    protocol: String,
    src: String,
    sport: u16,
    dst: String,
    dport: u16,
    /// IP-layer bytes.
    bytes: u64,
    /// Packets on the wire.
    packets: u64,
}

impl Flow {
    fn new(key: &FlowKey, counters: &Counters, latest: &Latest) -> Self {
        Self {
            interface: latest.names.get(&key.ifindex).cloned(),
            direction: key.direction().as_str(),
            protocol: protocol(key.protocol),
            src: key.src_ip().to_string(),
            sport: key.sport,
            dst: key.dst_ip().to_string(),
            dport: key.dport,
            bytes: counters.bytes,
            packets: counters.packets,
        }
    }
}

/// The flows of the last interval.
#[utoipa::path(get, path = "/api/v1/flows", params(Page), responses((status = 200, body = List<Flow>), (status = 400, body = Problem, description = "A parameter is wrong")))]
pub(super) async fn flows(
    State(source): State<Source>,
    Parameters(wanted): Parameters<Page>,
) -> Response {
    let (offset, limit) = wanted.bounds();
    let Some(latest) = source.board.latest() else {
        return Json(List::<Flow>::new(0, offset, Vec::new(), None)).into_response();
    };
    let all = latest.interval.flows.len();
    let items = (offset.min(all)..offset.saturating_add(limit).min(all)).map(|at| {
        let (key, counters) = latest.interval.flows.get(at);
        Flow::new(&key, &counters, &latest)
    });
    Json(List::new(all, offset, items.collect(), Some(&latest))).into_response()
}

/// The groups that are requested.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WantedGroups {
    /// How flows are grouped, in the form of `--group-by`.
    #[serde(default)]
    by: GroupBy,
    /// How many items to skip at the beginning.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 4294967295_i64)]
    offset: Option<u32>,
    /// How many items to return: 100 by default, at most 1,000.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 4294967295_i64)]
    limit: Option<u32>,
}

/// A group of the last interval.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Group {
    src: String,
    dst: String,
    interface: Option<String>,
    /// IP-layer bytes.
    bytes: u64,
    /// Packets on the wire.
    packets: u64,
}

/// The groups of the last interval, the largest first.
#[utoipa::path(get, path = "/api/v1/groups", params(WantedGroups), responses((status = 200, body = List<Group>), (status = 400, body = Problem, description = "A parameter is wrong"), (status = 503, body = Problem, description = "Others are asking")))]
pub(super) async fn groups(
    State(source): State<Source>,
    Parameters(wanted): Parameters<WantedGroups>,
) -> Response {
    let (offset, limit) = bounds(wanted.offset, wanted.limit);
    let by = wanted.by;
    let latest = source.board.latest();
    blocking(&source, move || {
        let Some(latest) = latest else { return Ok(List::new(0, offset, Vec::new(), None)) };
        let groups = summed(&latest, by);
        let items = groups.iter().skip(offset).take(limit).map(|(key, counters)| Group {
            src: by.source(key),
            dst: by.destination(key),
            interface: latest.names.get(&key.ifindex).cloned(),
            bytes: counters.bytes,
            packets: counters.packets,
        });
        Ok(List::new(groups.len(), offset, items.collect(), Some(&latest)))
    })
    .await
}

/// The groups of the newest interval, the largest first.
fn summed(latest: &Latest, by: GroupBy) -> Vec<(FlowKey, Counters)> {
    let mut groups: FxHashMap<FlowKey, Counters> = FxHashMap::default();
    let (interval, directory) = (&latest.interval, latest.directory());
    let mut grouping = Grouping::new(by, &directory);
    for at in 0..interval.flows.len() {
        let sums = groups.entry(grouping.group(interval, at)).or_default();
        sums.merge(&interval.flows.counters(at));
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_unstable_by_key(|(key, counters)| (std::cmp::Reverse(counters.bytes), *key));
    groups
}

/// The rows that are requested.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WantedRows {
    /// The kind of rows: by default processes if they are known, otherwise pairs.
    by: Option<Dimension>,
    /// How many items to skip at the beginning.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 4294967295_i64)]
    offset: Option<u32>,
    /// How many items to return: 100 by default, at most 1,000.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 4294967295_i64)]
    limit: Option<u32>,
    /// For how many of the last intervals to return each row's rates: 0 by default, at most 120.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 4294967295_i64)]
    recent: Option<u32>,
}

/// The traffic of one interval.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Point {
    /// Its end, RFC 3339.
    end: String,
    seconds: f64,
    /// IP-layer bytes that were received.
    in_bytes: u64,
    /// IP-layer bytes that were sent.
    out_bytes: u64,
}

impl Point {
    fn of(moved: IntervalBytes) -> Self {
        let IntervalBytes { end_ns, seconds, bytes: [in_bytes, out_bytes] } = moved;
        Self { end: rfc3339(end_ns), seconds, in_bytes, out_bytes }
    }
}

/// A row of the last interval.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct TopRow {
    name: String,
    /// The process with the most traffic in it.
    owner: Option<String>,
    /// Country and AS of the peer.
    place: Option<String>,
    /// IP-layer bytes that were received.
    in_bytes: u64,
    /// IP-layer bytes that were sent.
    out_bytes: u64,
    /// Packets on the wire.
    packets: u64,
    /// Bytes a second in the last intervals, the oldest first: as many as requested, but no more than since
    /// it became one of the largest rows.
    recent: Vec<f32>,
}

impl TopRow {
    fn new(subject: &Subject, row: &Row, latest: &Latest, recent: &[[f32; 2]]) -> Self {
        let interface = |number: u32| latest.names.get(&number).cloned().unwrap_or_default();
        let [received, sent] = row.total;
        let has_peer = matches!(subject, Subject::Pair(..) | Subject::Peer(_));
        let text = |words: &std::sync::Arc<str>| words.to_string();
        Self {
            name: subject.label(&interface),
            owner: row.owner.as_ref().map(text),
            place: row.place.as_ref().filter(|_| has_peer).map(text),
            in_bytes: received.bytes,
            out_bytes: sent.bytes,
            packets: received.packets + sent.packets,
            recent: recent.iter().map(|[received, sent]| received + sent).collect(),
        }
    }
}

/// Rows of the last interval, the largest first.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(super) struct Top {
    /// The name of this host.
    host: String,
    interval: Option<Span>,
    /// The kind of the rows.
    by: Dimension,
    /// The possible kinds of rows.
    ways: Vec<Dimension>,
    /// The traffic of the last intervals, the oldest first.
    past: Vec<Point>,
    /// The number of findings that were held back since the start, by reason.
    held_back: BTreeMap<String, u64>,
    /// The same as text; null if nothing was held back.
    held_back_text: Option<String>,
    /// The number of rows.
    total: usize,
    offset: usize,
    /// The offset of the next page; null on the last one.
    next: Option<usize>,
    items: Vec<TopRow>,
}

/// Rows of the live view with their traffic in the last interval, and all traffic of the intervals before.
#[utoipa::path(get, path = "/api/v1/top", params(WantedRows), responses((status = 200, body = Top), (status = 400, body = Problem, description = "A parameter is wrong"), (status = 503, body = Problem, description = "Others are asking")))]
pub(super) async fn top(
    State(source): State<Source>,
    Parameters(wanted): Parameters<WantedRows>,
) -> Response {
    let board = source.board.clone();
    blocking(&source, move || {
        let latest = board.latest().unwrap_or_default();
        let past = board.past().into_iter().map(Point::of).collect();
        let is_there = latest.interval.end_ns > 0;
        let held_back = latest.totals.held_back.clone();
        let (host, held_back_text) = (board.host().to_owned(), summary(&held_back));
        Ok(Top {
            host,
            past,
            held_back,
            held_back_text,
            ..rows(&board, &latest, is_there, &wanted)
        })
    })
    .await
}

fn rows(board: &Board, latest: &Latest, is_there: bool, wanted: &WantedRows) -> Top {
    let (offset, limit) = bounds(wanted.offset, wanted.limit);
    let counts = latest.counts();
    let ways: Vec<_> = Dimension::ALL.into_iter().filter(|by| counts.has(*by)).collect();
    let usual = if counts.has(Dimension::Process) { Dimension::Process } else { Dimension::Pair };
    let by = wanted.by.unwrap_or(usual);
    let mut rows: Vec<_> = counts.table(by).iter().collect();
    rows.sort_unstable_by(|(one, row), (other, next)| {
        next.bytes().cmp(&row.bytes()).then_with(|| one.cmp(other))
    });
    let (traces, asked) = (board.traces(), wanted.recent.unwrap_or(0) as usize);
    let items = rows.iter().skip(offset).take(limit).map(|(subject, row)| {
        let recent = traces.of_row(by, subject, (row, latest), asked);
        TopRow::new(subject, row, latest, &recent)
    });
    let items = items.collect();
    drop(traces);
    let List { interval, total, next, items, .. } =
        List::new(rows.len(), offset, items, is_there.then_some(latest));
    Top { interval, by, ways, total, offset, next, items, ..Top::default() }
}

/// Messages about incidents, the newest first.
#[utoipa::path(get, path = "/api/v1/alerts", params(Page), responses((status = 200, body = List<Alert>), (status = 400, body = Problem, description = "A parameter is wrong")))]
pub(super) async fn alerts(
    State(source): State<Source>,
    Parameters(wanted): Parameters<Page>,
) -> Response {
    let (offset, limit) = wanted.bounds();
    let alerts = source.board.alerts();
    let items: Vec<&Alert> = alerts.iter().skip(offset).take(limit).map(|alert| &**alert).collect();
    Json(List::new(alerts.len(), offset, items, None)).into_response()
}

/// A finding that was held back, and a line of text about it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Held {
    #[serde(flatten)]
    record: HeldRecord,
    /// The same as one line of text.
    text: String,
}

/// The findings that were held back.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct HeldBack {
    /// Their number since the start, by reason.
    held_back: BTreeMap<String, u64>,
    /// The same as text; null if nothing was held back.
    held_back_text: Option<String>,
    #[serde(flatten)]
    list: List<Held>,
}

/// The last findings that were held back, the newest first.
#[utoipa::path(get, path = "/api/v1/held-back", params(Page), responses((status = 200, body = HeldBack), (status = 400, body = Problem, description = "A parameter is wrong")))]
pub(super) async fn held_back(
    State(source): State<Source>,
    Parameters(wanted): Parameters<Page>,
) -> Response {
    let (offset, limit) = wanted.bounds();
    let held = source.board.held();
    let items = held.iter().skip(offset).take(limit);
    let items = items.map(|held| Held { record: HeldRecord::clone(held), text: held.line() });
    let list = List::new(held.len(), offset, items.collect(), None);
    let latest = source.board.latest();
    let held_back = latest.map_or_else(BTreeMap::new, |latest| latest.totals.held_back.clone());
    let held_back_text = summary(&held_back);
    Json(HeldBack { held_back, held_back_text, list }).into_response()
}
