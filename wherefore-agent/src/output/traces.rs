//! The rates of the largest rows of each kind in the last intervals, for later queries. Owns which rows are
//! followed: the largest of each interval, until they had no traffic for as long as rates are kept.

use std::cmp::Reverse;
use std::net::IpAddr;

use rustc_hash::FxHashMap;

use super::latest::{IntervalBytes, Latest};
use super::terminal::model::{Counts, Dimension, HISTORY, NAMED, Rates, Row, Subject};

/// The most rows of one kind that are newly followed in one interval.
const MOST_NEW: usize = 100;
/// The most rows that are followed. Each takes 1 kB.
const MOST: usize = 4000;

/// The rates of a row, the oldest first, for the page.
#[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
pub(crate) struct Recent {
    /// The end of the last interval, RFC 3339.
    pub(crate) end: String,
    /// The length of the last interval.
    pub(crate) seconds: f64,
    /// Bytes a second that were received in each interval.
    pub(crate) r#in: Vec<f32>,
    /// Bytes a second that were sent in each interval.
    pub(crate) out: Vec<f32>,
}

impl Recent {
    /// The rates of all traffic in the last intervals, the newest at the end.
    pub(crate) fn of_all(past: &[IntervalBytes]) -> Option<Self> {
        let last = past.last()?;
        let rates = |side: usize| past.iter().map(move |one| one.rate(side) as f32).collect();
        let (end, seconds) = (crate::text::rfc3339(last.end_ns), last.seconds);
        Some(Self { end, seconds, r#in: rates(0), out: rates(1) })
    }
}

/// The rows that are followed.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    tick: u64,
    /// The end of the last interval, nanoseconds since 1970.
    end_ns: i64,
    rows: FxHashMap<(Dimension, Subject), Rates>,
    interfaces: FxHashMap<u32, String>,
}

impl Traces {
    /// Adds an interval.
    pub(crate) fn add(&mut self, latest: &Latest) {
        let counts = latest.counts();
        self.tick += 1;
        self.end_ns = latest.interval.end_ns;
        self.interfaces.clone_from(&latest.names);
        let room = MOST.saturating_sub(self.rows.len());
        let mut fresh = Vec::new();
        for by in Dimension::ALL.into_iter().filter(|by| counts.has(*by)) {
            fresh.extend(self.follow(by, counts));
        }
        fresh.sort_unstable_by_key(|(_, _, bytes)| Reverse(*bytes));
        for (row, rates, _) in fresh.into_iter().take(room) {
            *self.rows.entry(row).or_default().at(self.tick) = rates;
        }
        self.rows.retain(|_, rates| rates.quiet(self.tick) < HISTORY);
    }

    /// Adds to the rows that are followed. Returns the largest of the other rows.
    fn follow(&mut self, by: Dimension, counts: &Counts) -> Vec<Fresh> {
        let mut fresh = Vec::new();
        for (subject, row) in counts.table(by).iter() {
            let key = (by, subject.clone());
            match self.rows.get_mut(&key) {
                Some(rates) => *rates.at(self.tick) = row.rates.now(counts.tick),
                None => fresh.push((key, row.rates.now(counts.tick), row.bytes())),
            }
        }
        if fresh.len() > MOST_NEW {
            fresh.select_nth_unstable_by_key(MOST_NEW, |(_, _, bytes)| Reverse(*bytes));
            fresh.truncate(MOST_NEW);
        }
        fresh
    }

    /// The rates of a row up to the newest interval, the oldest first: at most `count`, and as many as it was
    /// followed for. The newest interval may not have been added yet.
    pub(crate) fn of_row(
        &self,
        by: Dimension,
        subject: &Subject,
        (row, latest): (&Row, &Latest),
        count: usize,
    ) -> Vec<[f32; 2]> {
        let known = self.rows.get(&(by, subject.clone()));
        let mut rates = known.map_or_else(Vec::new, |rates| self.rates(rates));
        if self.end_ns != latest.interval.end_ns {
            rates.push(row.rates.now(latest.counts().tick));
        }
        rates.drain(..rates.len().saturating_sub(count));
        rates
    }

    fn rates(&self, rates: &Rates) -> Vec<[f32; 2]> {
        rates.last(self.tick, rates.age(self.tick))
    }

    /// The rates of the row with this name, if it is followed.
    pub(crate) fn of_target(&self, target: &str, seconds: f64) -> Option<Recent> {
        let rates = self.rates(self.find(target.trim())?);
        Some(Recent {
            end: crate::text::rfc3339(self.end_ns),
            seconds,
            r#in: rates.iter().map(|[received, _]| *received).collect(),
            out: rates.iter().map(|[_, sent]| *sent).collect(),
        })
    }

    fn find(&self, target: &str) -> Option<&Rates> {
        if let Ok(address) = target.parse::<IpAddr>() {
            return self.rows.get(&(Dimension::Peer, Subject::Peer(address)));
        }
        let interface = |number: u32| self.interfaces.get(&number).cloned().unwrap_or_default();
        let called = |by: Dimension| {
            let is_it = |((of, subject), _): &(&(Dimension, Subject), &Rates)| {
                *of == by && subject.is_called(by, target, &interface)
            };
            // If several processes have this name, the one with the most traffic is meant.
            let now = |rates: &Rates| rates.now(self.tick).iter().sum::<f32>();
            let found = self.rows.iter().filter(is_it).map(|(_, rates)| rates);
            found.max_by(|one, other| now(one).total_cmp(&now(other)))
        };
        NAMED.into_iter().find_map(called)
    }
}

/// A row to follow, its rates, and its bytes.
type Fresh = ((Dimension, Subject), [f32; 2], u64);
