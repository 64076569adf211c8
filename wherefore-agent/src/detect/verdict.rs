//! What a detector says of a point, and how a person reads it. Owns the tests' names and the
//! sentence; refuses to judge.

use std::time::Duration;

use crate::text::Bytes;

/// The test that found a point rarest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Test {
    /// None: the point is ordinary.
    #[default]
    Ordinary,
    /// So much in the last `intervals`.
    Volume {
        /// 1, 4, 16, 64 or 256.
        intervals: u32,
    },
    /// More than usual for `intervals` on end.
    Sustained {
        /// How many.
        intervals: u32,
    },
    /// More than usual in so many of the last 64 intervals.
    Frequent,
    /// More than usual once in `period` intervals, exactly, again and again: a beacon.
    Regular {
        /// Intervals from one to the next.
        period: u32,
    },
    /// Nothing for so long: a flow that stopped.
    Gap,
    /// A quantity where it never was.
    Range {
        /// Which.
        quantity: Quantity,
    },
    /// The last `intervals` values are distributed as none before.
    Distribution {
        /// How many.
        intervals: u32,
    },
}

/// What is watched of an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// The value itself.
    Value,
    /// The mean of the last 26.
    Mean,
    /// Their standard deviation.
    Spread,
    /// The value less the one 13 before it.
    Change,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Value, Self::Mean, Self::Spread, Self::Change];
}

/// The score from which a point is not ordinary.
const RARE: f32 = 1.0;

/// How rare a point is, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Verdict {
    /// -log10 of the part of intervals that are due to be as strange, from 1; 0 is ordinary.
    pub score: f32,
    /// By which test.
    pub test: Test,
    /// What is usual: octets at the most for `Volume` and `Sustained`, intervals for `Gap`, a
    /// count for `Frequent`, the limit that was passed for `Range`, else 0.
    pub usual: f32,
    /// What was seen: octets in those intervals, or in the last one for `Sustained`; intervals for
    /// `Gap`; a count for `Frequent`; how often the period came again for `Regular`.
    pub seen: f32,
}

impl Verdict {
    /// The rarer of two.
    pub(super) fn or(self, other: Self) -> Self {
        if other.score > self.score { other } else { self }
    }

    /// Itself, or ordinary where it is not even the rarest of ten.
    pub(super) fn if_rare(self) -> Self {
        if self.score >= RARE { self } else { Self::default() }
    }

    /// What happened, what is usual and how rare it is, for a person; `interval` is the time
    /// between two points.
    pub fn sentence(&self, interval: Duration) -> String {
        if self.test == Test::Ordinary {
            return "nothing unusual".to_owned();
        }
        format!("{}; {}", self.what(interval), how_rare(self.score, interval))
    }

    /// What happened and what is usual, for a person.
    pub fn what(&self, interval: Duration) -> String {
        let times = |intervals: f32| time(f64::from(intervals) * interval.as_secs_f64());
        let (usual, seen) = (octets(self.usual), octets(self.seen));
        match self.test {
            Test::Ordinary => "nothing unusual".to_owned(),
            Test::Volume { intervals } => {
                format!("{seen} in {}, usually {usual} at the most", times(intervals as f32))
            }
            Test::Sustained { intervals } => format!(
                "more than the usual {usual} an interval for {} on end, {seen} in the last",
                times(intervals as f32)
            ),
            Test::Frequent => format!(
                "more than usual in {:.0} of the last 64 intervals, usually in {:.0} at the most",
                self.seen, self.usual
            ),
            Test::Regular { period } => format!(
                "more than usual every {}, {:.0} times in a row",
                times(period as f32),
                // The first two make the period, which then came again.
                self.seen + 2.0
            ),
            Test::Gap if self.usual > 0.0 => format!(
                "nothing for {}, silences usually last {} at the most",
                times(self.seen),
                times(self.usual)
            ),
            Test::Gap => format!("nothing for {}, never silent before", times(self.seen)),
            Test::Range { quantity } => self.departure(quantity),
            Test::Distribution { intervals } => {
                format!("the last {intervals} intervals are distributed as none before")
            }
        }
    }

    fn departure(&self, quantity: Quantity) -> String {
        let what = match quantity {
            Quantity::Value => "the interval's volume",
            Quantity::Mean => "the mean of 26 intervals",
            Quantity::Spread => "the standard deviation of 26 intervals",
            Quantity::Change => "the change over 13 intervals",
        };
        let side = if self.seen > self.usual { "above the highest" } else { "below the lowest" };
        format!("{what} is {}, {side} so far, {}", octets(self.seen), octets(self.usual))
    }
}

/// Octets that may be negative, as a change is.
fn octets(value: f32) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", Bytes(f64::from(value.abs())))
}

/// A time in the largest unit of which it has two.
pub(crate) fn time(seconds: f64) -> String {
    const UNITS: [(f64, &str); 4] =
        [(365.25 * 86_400.0, "years"), (86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes")];
    let unit = UNITS.iter().find(|(length, _)| seconds >= 2.0 * length);
    unit.map_or_else(
        || if seconds.round() == 1.0 { "1 second".into() } else { format!("{seconds:.0} seconds") },
        |(length, unit)| format!("{:.0} {unit}", seconds / length),
    )
}

/// The score up to which rarities were found to be about right; farther out, traffic that is only
/// busy is stranger than a past of days can tell.
const BELIEVED: f32 = 6.0;

/// How often something of this score, or surprise, is due, for a person.
pub(crate) fn how_rare(score: f32, interval: Duration) -> String {
    let seconds = 10f64.powf(f64::from(score.min(BELIEVED))) * interval.as_secs_f64();
    let seldom = if score > BELIEVED { "less than once" } else { "once" };
    format!("due {seldom} in {}", time(seconds))
}
