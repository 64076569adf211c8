//! The rows of one table: the traffic of each subject, now and so far. Owns the bound on rows; the bytes of
//! removed rows stay in the sums.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::subject::Subject;
use crate::output::reading::{Side, Volume};

/// The number of readings for which each row's rates are kept.
pub const HISTORY: usize = 120;
/// The most rows of a table.
const MOST_ROWS: usize = 50_000;
/// The number of readings between two searches for rows to remove.
const LOOK_EVERY: u64 = 60;

/// Rates of the last readings, in and out, in bytes a second.
#[derive(Debug, Clone, Default)]
pub struct Rates {
    points: VecDeque<[f32; 2]>,
    /// The reading that the last point belongs to.
    tick: u64,
}

/// The traffic of one subject.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// Bytes and packets so far, in and out.
    pub total: [Volume; 2],
    /// Rates of the last readings.
    pub rates: Rates,
    /// The highest rate before the last reading.
    peak: f32,
    /// The owner of its largest flow in the last reading.
    pub owner: Option<Arc<str>>,
    owner_bytes: u64,
    /// The place of its last flow's peer.
    pub place: Option<Arc<str>>,
}

/// Rows by subject.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rows: FxHashMap<Subject, Row>,
    /// The number of rows that were removed.
    pub forgotten: u64,
}

impl Rates {
    /// The number of readings since the last point.
    pub(crate) fn quiet(&self, tick: u64) -> usize {
        usize::try_from(tick - self.tick.min(tick)).unwrap_or(usize::MAX)
    }

    /// The point of this reading, to which traffic is added.
    pub(crate) fn at(&mut self, tick: u64) -> &mut [f32; 2] {
        let missing = if self.points.is_empty() { 1 } else { tick - self.tick };
        for _ in 0..missing.min(HISTORY as u64) {
            if self.points.len() == HISTORY {
                self.points.pop_front();
            }
            self.points.push_back([0.0; 2]);
        }
        self.tick = tick;
        let last = self.points.len() - 1;
        &mut self.points[last]
    }

    /// The rates in this reading.
    pub fn now(&self, tick: u64) -> [f32; 2] {
        let last = self.points.back().filter(|_| self.tick == tick);
        last.copied().unwrap_or_default()
    }

    /// The last rates up to this reading, the oldest first; zero where none are kept.
    pub fn last(&self, tick: u64, count: usize) -> Vec<[f32; 2]> {
        let quiet = self.quiet(tick).min(count);
        let kept = self.points.len().min(count - quiet);
        let mut rates = vec![[0.0; 2]; count - quiet - kept];
        rates.extend(self.points.range(self.points.len() - kept..));
        rates.resize(count, [0.0; 2]);
        rates
    }

    /// The number of readings since the first point that is kept.
    pub fn age(&self, tick: u64) -> usize {
        let quiet = self.quiet(tick);
        if self.points.is_empty() {
            0
        } else {
            self.points.len().saturating_add(quiet).min(HISTORY)
        }
    }
}

impl Row {
    pub(super) fn add(&mut self, tick: u64, side: Side, volume: Volume, seconds: f64) {
        if self.rates.tick != tick {
            self.peak = self.peak.max(sum(self.rates.now(self.rates.tick)));
            self.owner_bytes = 0;
        }
        self.rates.at(tick)[side as usize] += (volume.bytes as f64 / seconds) as f32;
        self.total[side as usize].add(volume);
    }

    fn own(&mut self, label: Option<&Arc<str>>, bytes: u64) {
        if bytes >= self.owner_bytes
            && let Some(label) = label
        {
            self.owner_bytes = bytes;
            self.owner = Some(label.clone());
        }
    }

    /// The rate of both directions, in bytes a second.
    pub fn rate(&self, tick: u64) -> f32 {
        sum(self.rates.now(tick))
    }

    /// The highest rate so far.
    pub fn peak(&self) -> f32 {
        self.peak.max(sum(self.rates.now(self.rates.tick)))
    }

    /// All bytes so far.
    pub fn bytes(&self) -> u64 {
        self.total[0].bytes + self.total[1].bytes
    }

    /// The current rate as a multiple of the median of the kept earlier rates; `None` if there are too few.
    pub fn times_usual(&self, tick: u64) -> Option<f32> {
        /// Lower rates are not compared, in bytes a second.
        const LEAST: f32 = 1000.0;
        let age = self.rates.age(tick);
        let now = self.rate(tick);
        if age < 10 || now < LEAST {
            return None;
        }
        let mut before: Vec<f32> = self.rates.last(tick, age).into_iter().map(sum).collect();
        before.pop();
        let middle = before.len() / 2;
        let (_, median, _) = before.select_nth_unstable_by(middle, f32::total_cmp);
        Some(now / median.max(LEAST))
    }
}

pub(super) fn sum([received, sent]: [f32; 2]) -> f32 {
    received + sent
}

impl Table {
    pub(super) fn add(&mut self, subject: Subject, tick: u64, moved: &Moving<'_>) {
        let is_full = self.rows.len() >= MOST_ROWS && !self.rows.contains_key(&subject);
        let subject = if is_full { Subject::Other } else { subject };
        let row = self.rows.entry(subject).or_default();
        row.add(tick, moved.side, moved.volume, moved.seconds);
        row.own(moved.owner, moved.volume.bytes);
        if let Some(place) = moved.place
            && row.place.as_ref() != Some(place)
        {
            row.place = Some(place.clone());
        }
    }

    /// Removes the rows that had no traffic for longest, if there are too many.
    pub(super) fn tidy(&mut self, tick: u64) {
        if !tick.is_multiple_of(LOOK_EVERY) || self.rows.len() < MOST_ROWS / 2 {
            return;
        }
        let is_quiet = |row: &Row| tick - row.rates.tick > HISTORY as u64;
        let mut total = [Volume::default(); 2];
        let before = self.rows.len();
        self.rows.retain(|subject, row| {
            let is_kept = !is_quiet(row) || *subject == Subject::Other;
            if !is_kept {
                total.iter_mut().zip(row.total).for_each(|(sum, volume)| sum.add(volume));
            }
            is_kept
        });
        self.forgotten += (before - self.rows.len()) as u64;
        if before > self.rows.len() {
            let other = self.rows.entry(Subject::Other).or_default();
            other.total.iter_mut().zip(total).for_each(|(sum, volume)| sum.add(volume));
        }
    }

    /// All rows.
    pub fn iter(&self) -> impl Iterator<Item = (&Subject, &Row)> {
        self.rows.iter()
    }

    /// The row of a subject.
    pub fn get(&self, subject: &Subject) -> Option<&Row> {
        self.rows.get(subject)
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// What a flow adds to a row.
pub(super) struct Moving<'a> {
    pub(super) side: Side,
    pub(super) volume: Volume,
    pub(super) seconds: f64,
    pub(super) owner: Option<&'a Arc<str>>,
    pub(super) place: Option<&'a Arc<str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(bytes: u64) -> Volume {
        Volume { bytes, packets: 1 }
    }

    #[test]
    fn rates_keep_their_place_in_time() {
        let mut rates = Rates::default();
        rates.at(5)[0] += 1.0;
        rates.at(5)[0] += 1.0;
        rates.at(8)[1] += 7.0;
        assert_eq!(rates.now(8), [0.0, 7.0]);
        assert_eq!(rates.now(9), [0.0, 0.0]);
        let last = rates.last(9, 6);
        let expected = [[0.0, 0.0], [2.0, 0.0], [0.0; 2], [0.0; 2], [0.0, 7.0], [0.0, 0.0]];
        assert_eq!(last, expected);
        assert_eq!(rates.age(9), 5);
        rates.at(9 + 1000)[0] += 1.0;
        assert_eq!(rates.last(1009, HISTORY).len(), HISTORY);
        assert_eq!(rates.last(5000, 3), [[0.0; 2]; 3]);
    }

    #[test]
    fn forgotten_rows_stay_in_the_sums() {
        let mut table = Table::default();
        for number in 0..MOST_ROWS as u32 + 10 {
            let moved = Moving {
                side: Side::In,
                volume: volume(3),
                seconds: 1.0,
                owner: None,
                place: None,
            };
            table.add(Subject::Interface(number), 1, &moved);
        }
        let bytes = |table: &Table| table.iter().map(|(_, row)| row.bytes()).sum::<u64>();
        let all = 3 * (MOST_ROWS as u64 + 10);
        assert_eq!((table.len(), bytes(&table)), (MOST_ROWS + 1, all));
        table.tidy(180);
        assert_eq!((table.len(), table.forgotten, bytes(&table)), (1, MOST_ROWS as u64, all));
    }
}
