//! A detector's verdict about a point. Owns the names of the tests; refuses to judge and to compose text.

/// The test for which a point was rarest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Test {
    /// None: the point is ordinary.
    #[default]
    Ordinary,
    /// The volume of the last `intervals` intervals.
    Volume {
        /// 1, 4, 16, 64 or 256.
        intervals: u32,
    },
    /// Above the baseline for `intervals` in a row.
    Sustained {
        /// The number of intervals.
        intervals: u32,
    },
    /// Above the baseline in this many of the last 64 intervals.
    Frequent,
    /// Above the baseline repeatedly, always `period` intervals after the last time: a beacon.
    Regular {
        /// The number of intervals from one time to the next.
        period: u32,
    },
    /// No traffic for this long: a flow that stopped.
    Gap,
    /// A quantity outside its known range.
    Range {
        /// The quantity.
        quantity: Quantity,
    },
    /// The last `intervals` values are distributed like none before.
    Distribution {
        /// The number of values.
        intervals: u32,
    },
}

/// The watched quantities of an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// The value itself.
    Value,
    /// The mean of the last 26 values.
    Mean,
    /// Their standard deviation.
    Spread,
    /// The difference from the value 13 points earlier.
    Change,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Value, Self::Mean, Self::Spread, Self::Change];
}

/// Points with at least this score are not ordinary.
const RARE: f32 = 1.0;

/// How rare a point is, and by which test.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Verdict {
    /// -log10 of the share of intervals that are expected to be as unusual, at least 1; 0 is ordinary.
    pub score: f32,
    /// The test.
    pub test: Test,
    /// The baseline: for `Volume`, `Sustained` and `Regular` the most bytes, for `Gap` intervals, for
    /// `Frequent` a count, for `Range` the limit that was exceeded, for `Distribution` the lowest value,
    /// otherwise 0.
    pub usual: f32,
    /// The observation: bytes in these intervals, for `Sustained` in the last one; for `Gap` intervals; for
    /// `Frequent` a count; for `Regular` how often the period was repeated; for `Distribution` the highest
    /// value.
    pub seen: f32,
}

impl Verdict {
    /// The rarer of two verdicts.
    pub(super) fn or(self, other: Self) -> Self {
        if other.score > self.score { other } else { self }
    }

    /// The verdict; ordinary if it is less rare than one in ten.
    pub(super) fn if_rare(self) -> Self {
        if self.score >= RARE { self } else { Self::default() }
    }
}
