//! A detector's verdict about a point. Owns the tests' names; refuses to judge and to compose text.

/// The test that found a point rarest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Test {
    /// None: the point is ordinary.
    #[default]
    Ordinary,
    /// The volume of the last `intervals`.
    Volume {
        /// 1, 4, 16, 64 or 256.
        intervals: u32,
    },
    /// Above the baseline for `intervals` in a row.
    Sustained {
        /// How many.
        intervals: u32,
    },
    /// Above the baseline in this many of the last 64 intervals.
    Frequent,
    /// Above the baseline once in exactly `period` intervals, repeatedly: a beacon.
    Regular {
        /// Intervals from one to the next.
        period: u32,
    },
    /// No traffic for this long: a flow that stopped.
    Gap,
    /// A quantity outside its known range.
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

/// The watched quantities of an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// The value itself.
    Value,
    /// The mean of the last 26.
    Mean,
    /// Their standard deviation.
    Spread,
    /// The difference to the value 13 before it.
    Change,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Value, Self::Mean, Self::Spread, Self::Change];
}

/// The score from which a point is not ordinary.
const RARE: f32 = 1.0;

/// How rare a point is, and by which test.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Verdict {
    /// -log10 of the share of intervals that are expected to be as strange, from 1; 0 is ordinary.
    pub score: f32,
    /// By which test.
    pub test: Test,
    /// The baseline: bytes at most for `Volume`, `Sustained` and `Regular`, intervals for
    /// `Gap`, a count for `Frequent`, the limit that was passed for `Range`, the lowest value for
    /// `Distribution`, else 0.
    pub usual: f32,
    /// The observation: bytes in those intervals, or in the last one for `Sustained`; intervals for
    /// `Gap`; a count for `Frequent`; how often the period came again for `Regular`; the highest value for
    /// `Distribution`.
    pub seen: f32,
}

impl Verdict {
    /// The rarer of two.
    pub(super) fn or(self, other: Self) -> Self {
        if other.score > self.score { other } else { self }
    }

    /// The verdict, or ordinary if it is not even the rarest of ten.
    pub(super) fn if_rare(self) -> Self {
        if self.score >= RARE { self } else { Self::default() }
    }
}
