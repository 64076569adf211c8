//! The axes of both plots: round steps of time and of bytes a second, linear or logarithmic, and lanes for
//! incidents. Owns the choice of scales; refuses to draw.

use super::history::Incident;
use super::traffic::{Column, Traffic};
use crate::text::{self, Bytes};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Possible distances between two marks on the time axis, in seconds.
const STEPS: [i64; 22] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200,
    86_400, 172_800, 604_800, 2_592_000, 31_536_000,
];
/// The axis is logarithmic if the largest rate is this many times the median: on a linear one, small rates
/// would be a flat line.
const LOG_FROM: f64 = 40.0;
/// The most decades that a logarithmic axis shows.
const DECADES: i32 = 6;

/// The axis of rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub(super) is_log: bool,
    low: f64,
    high: f64,
}

impl Scale {
    /// The axis for these rates.
    pub(super) fn of(columns: &[Column], value: fn(&Column) -> f64) -> Self {
        let mut rates: Vec<_> = columns.iter().map(value).filter(|rate| *rate > 0.0).collect();
        rates.sort_by(f64::total_cmp);
        let (Some(least), Some(most)) = (rates.first(), rates.last()) else {
            return Self { is_log: false, low: 0.0, high: 1.0 };
        };
        if *most < rates[rates.len() / 2] * LOG_FROM {
            return Self { is_log: false, low: 0.0, high: round_up(*most) };
        }
        let high = most.log10().ceil() as i32;
        let low = (least.log10().floor() as i32).clamp(high - DECADES, high - 1);
        Self { is_log: true, low: 10_f64.powi(low), high: 10_f64.powi(high) }
    }

    /// The height of a rate, from 0 to 1.
    pub(super) fn height(&self, rate: f64) -> f64 {
        let height = match self.is_log {
            true => (rate / self.low).log10() / (self.high / self.low).log10(),
            false => rate / self.high,
        };
        // The logarithm of zero is not a number.
        if height.is_finite() { height.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Round rates with their labels, the lowest first.
    pub(super) fn marks(&self) -> Vec<(f64, String)> {
        let label = |rate: f64| (rate, format!("{}/s", Bytes(rate)));
        if !self.is_log {
            return (0..=4).map(|part| label(self.high * f64::from(part) / 4.0)).collect();
        }
        let decades = (self.high / self.low).log10().round() as i32;
        (0..=decades).map(|decade| label(self.low * 10_f64.powi(decade))).collect()
    }
}

/// 1, 2, 4, 6 or 8 with zeros: four even steps of it have short labels.
fn round_up(rate: f64) -> f64 {
    let decade = 10_f64.powf(rate.log10().floor());
    let steps = [1.0, 2.0, 4.0, 6.0, 8.0, 10.0].map(|step| step * decade);
    steps.into_iter().find(|step| *step >= rate * 0.999_999).unwrap_or(rate)
}

/// Round times between start and end, at most `most`, with their labels.
pub(super) fn times(traffic: &Traffic, most: usize) -> Vec<(i64, String)> {
    let (start, end) = (traffic.start_ns(), traffic.end_ns());
    let span = end.saturating_sub(start);
    let fits = |step: &i64| span / (step * SECOND) <= most.max(1) as i64;
    let step = STEPS.into_iter().find(fits).unwrap_or(span / SECOND + 1) * SECOND;
    let first = start.div_euclid(step).saturating_mul(step);
    let times = (0..=most as i64 + 1).map(|n| first.saturating_add(n.saturating_mul(step)));
    times
        .filter(|time| (start..=end).contains(time))
        .map(|time| (time, label(time, step)))
        .collect()
}

/// A date if the steps are days, otherwise the time of day.
fn label(time_ns: i64, step: i64) -> String {
    let clock = text::clock(time_ns);
    let (date, time) = clock.split_once('T').unwrap_or((&clock, ""));
    let time = time.trim_end_matches('Z');
    match step {
        _ if time_ns.rem_euclid(DAY) == 0 || step >= DAY => date.to_owned(),
        ..60_000_000_000 => time.to_owned(),
        _ => time.get(..5).unwrap_or(time).to_owned(),
    }
}

/// Assigns spans, sorted by their start, to lanes so that none overlap; `None` if all lanes are taken. Start
/// and end are indexes of columns.
pub(super) fn lanes(spans: &[(usize, usize)], most: usize) -> Vec<Option<usize>> {
    let mut free_from: Vec<usize> = Vec::new();
    let mut place = |(start, end): &(usize, usize)| {
        let lane = free_from.iter().position(|free| free <= start);
        let lane = lane.or_else(|| {
            let is_room = free_from.len() < most;
            is_room.then(|| {
                free_from.push(0);
                free_from.len() - 1
            })
        })?;
        free_from[lane] = end + 1;
        Some(lane)
    };
    spans.iter().map(&mut place).collect()
}

/// The start and the end of an incident among `columns`, at least one column long.
pub(super) fn span(incident: &Incident, traffic: &Traffic, columns: usize) -> (usize, usize) {
    let at = |time_ns| ((traffic.place(time_ns) * columns as f64) as usize).min(columns.max(1) - 1);
    let start = at(incident.began_ns);
    (start, at(incident.end_ns().saturating_sub(1)).max(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_is_logarithmic_where_small_rates_would_vanish() {
        let columns = |rates: &[f64]| -> Vec<_> {
            rates.iter().map(|rate| Column { rate: *rate, peak: *rate }).collect()
        };
        let even = Scale::of(&columns(&[100.0, 200.0, 350.0]), |one| one.rate);
        assert_eq!((even.is_log, even.height(400.0), even.height(0.0)), (false, 1.0, 0.0));
        let burst = Scale::of(&columns(&[0.0, 100.0, 100.0, 1e6]), |one| one.rate);
        assert_eq!((burst.is_log, burst.height(1e6), burst.height(0.0)), (true, 1.0, 0.0));
        assert_eq!(burst.marks().len(), 5);
        let nothing = Scale::of(&columns(&[0.0]), |one| one.rate);
        assert_eq!(nothing.height(0.0), 0.0);
    }

    #[test]
    fn lanes_keep_what_overlaps_apart() {
        assert_eq!(lanes(&[(0, 5), (2, 3), (4, 9), (5, 6)], 2), [Some(0), Some(1), Some(1), None]);
    }
}
