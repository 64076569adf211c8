//! Collects facts about a target: how much, by whom, to whom, since when, the baseline, the incidents. Owns
//! the facts; [`super::explain`] puts them into words.

use anyhow::Result;
use rusqlite::Connection;
use serde::Serialize;

use super::alerts::{self, KeptAlert};
use super::find::{Kind, Target};
use super::fold::Volume;
use super::query::{self, Answer, Dimension, Line, Of, Question, Uncounted};

/// The most names in each list.
const TOP: usize = 3;
/// The most incidents that are described in full.
const MOST_ALERTS: usize = 5;
/// The most incidents that are examined.
const MOST_LOOKED_AT: usize = 1000;
/// The most peers of the target that are compared with an incident's addresses.
const PEERS: usize = 20;
const HOUR: i64 = 3600;
const MINUTE: i64 = 60;
/// How far the baseline looks back, in hours.
const BASELINE_HOURS: i64 = 7 * 24;
/// The fewest hours that make a baseline.
const FEWEST_HOURS: usize = 6;
/// The quantiles at which the range of the baseline begins and ends.
const RANGE: [f64; 2] = [0.05, 0.95];

/// The facts about a target.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Why {
    /// The kind of target.
    #[schema(value_type = String)]
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Start of the period, in seconds since 1970.
    pub from: i64,
    /// The end of the period (exclusive).
    pub to: i64,
    /// Its traffic.
    pub total: Volume,
    /// The traffic of the whole host.
    pub all: Volume,
    /// The start and the end of the target's data in this period.
    #[schema(value_type = Option<Vec<i64>>)]
    pub covered: Option<(i64, i64)>,
    /// When the history first saw it, in the week before or in this period.
    pub first_seen: Option<i64>,
    /// The most bytes a second, and the time of this peak.
    #[schema(value_type = Option<Vec<f64>>)]
    pub peak: Option<(f64, i64)>,
    /// The number of seconds over which the peak is an average.
    pub peak_seconds: f64,
    /// The median of its hourly bytes in the week before, if there are enough hours.
    pub baseline_bytes_per_hour: Option<f64>,
    /// The range that contains nine out of ten of these hours.
    pub baseline_range_bytes_per_hour: Option<[f64; 2]>,
    /// Its bytes an hour in this period, on average.
    pub bytes_per_hour: f64,
    /// The processes with the most of its traffic.
    pub processes: Vec<Line>,
    /// The pairs of addresses with the most of its traffic.
    pub pairs: Vec<Line>,
    /// The services with the most of its traffic.
    pub services: Vec<Line>,
    /// The countries of the other ends.
    pub countries: Vec<Line>,
    /// Incidents about it, the newest first.
    pub alerts: Vec<KeptAlert>,
    /// The number of further incidents.
    pub more_alerts: usize,
    /// The host's traffic that is not kept in detail.
    pub folded: Volume,
    /// Frames in no flow, by reason.
    pub uncounted: Vec<Uncounted>,
    /// Bytes over time.
    pub columns: Vec<f32>,
}

/// Queries the history about a target. The time before the history begins does not count, because its traffic
/// is unknown.
///
/// # Errors
/// If the file cannot be read.
pub fn why(
    connection: &mut Connection,
    target: &Target,
    from: i64,
    to: i64,
    columns: usize,
) -> Result<Why> {
    let begin = query::begin(connection)?.unwrap_or(from);
    let from = from.max(begin.min(to - MINUTE));
    // A column shorter than a minute would be a part of a row.
    let columns = columns.min(usize::try_from((to - from) / MINUTE).unwrap_or(1)).max(1);
    const BY: [Dimension; 5] =
        [Dimension::Process, Dimension::Pair, Dimension::Port, Dimension::Country, Dimension::Peer];
    let question = Question { from, to, top: PEERS, columns, only: target.only.clone() };
    let mut answers = query::ask(connection, &question, &BY)?.into_iter();
    let [processes, pairs, services, countries, peers] =
        std::array::from_fn(|_| answers.next().unwrap_or_default());
    let host = Question { only: Vec::new(), ..question.clone() };
    let all = query::ask(connection, &host, &[Dimension::Peer])?.remove(0);
    let past = past(connection, target, from)?;
    let known = alerts::between(connection, from, to, MOST_LOOKED_AT)?;
    let mut about: Vec<_> =
        known.into_iter().filter(|alert| is_about(alert, target, &peers)).collect();
    let more_alerts = about.len().saturating_sub(MOST_ALERTS);
    about.truncate(MOST_ALERTS);
    let peak_seconds = (to - from) as f64 / columns.max(1) as f64;
    let seen = past.covered.or(pairs.covered);
    let hours = hours(&past);
    Ok(Why {
        kind: target.kind,
        name: target.name.clone(),
        from,
        to,
        total: pairs.total,
        all: all.total,
        covered: pairs.covered,
        first_seen: seen.map(|(first, _)| first),
        peak: peak(&pairs, from, peak_seconds),
        peak_seconds,
        baseline_bytes_per_hour: hours.as_deref().map(|hours| part(hours, 0.5)),
        baseline_range_bytes_per_hour: hours
            .as_deref()
            .map(|hours| RANGE.map(|at| part(hours, at))),
        bytes_per_hour: pairs.total.bytes() as f64 / ((to - from) as f64 / HOUR as f64),
        processes: named(processes),
        services: named(services),
        countries: named(countries),
        columns: pairs.columns.clone(),
        pairs: named(pairs),
        alerts: about,
        more_alerts,
        folded: all.folded,
        uncounted: all.uncounted,
    })
}

/// The target's traffic in the week before, by hour.
fn past(connection: &mut Connection, target: &Target, from: i64) -> Result<Answer> {
    let to = from.div_euclid(HOUR) * HOUR;
    let columns = usize::try_from(BASELINE_HOURS).unwrap_or_default();
    let from = to - BASELINE_HOURS * HOUR;
    let question = Question { from, to, top: 1, columns, only: target.only.clone() };
    Ok(query::ask(connection, &question, &[Dimension::Interface])?.remove(0))
}

/// The bytes of each hour since its first one, in ascending order.
fn hours(past: &Answer) -> Option<Vec<f32>> {
    let begun = past.columns.iter().position(|bytes| *bytes > 0.0)?;
    let mut hours = past.columns[begun..].to_vec();
    hours.sort_by(f32::total_cmp);
    (hours.len() >= FEWEST_HOURS).then_some(hours)
}

/// The value at this quantile.
fn part(hours: &[f32], part: f64) -> f64 {
    f64::from(hours[(hours.len() as f64 * part) as usize])
}

fn peak(answer: &Answer, from: i64, seconds: f64) -> Option<(f64, i64)> {
    let columns = answer.columns.iter().enumerate();
    let (at, bytes) = columns.max_by(|one, other| one.1.total_cmp(other.1))?;
    (*bytes > 0.0).then(|| (f64::from(*bytes) / seconds, from + (at as f64 * seconds) as i64))
}

fn named(answer: Answer) -> Vec<Line> {
    let named = answer.lines.into_iter().filter(|line| line.of == Of::Named);
    named.take(TOP).collect()
}

/// Whether an incident is about the target: it names the target, or an address that the target exchanged
/// traffic with.
fn is_about(kept: &KeptAlert, target: &Target, peers: &Answer) -> bool {
    let alert = &kept.alert;
    let names = [alert.src.as_str(), alert.dst.as_str()];
    let has = |name: &str| {
        let is_it = |side: &str| {
            side == name || side.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'))
        };
        names.into_iter().any(is_it)
    };
    match target.kind {
        Kind::Host => true,
        Kind::By(Dimension::Interface) => alert.interface == target.name,
        Kind::Address => has(&target.name),
        Kind::Prefix | Kind::By(_) => {
            let is_named = kept.first_text.contains(&target.name);
            is_named || peers.lines.iter().any(|line| line.of == Of::Named && has(&line.name))
        }
    }
}
