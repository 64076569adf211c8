//! The context of a judgement: all inputs except the history of its subject.

/// The context of a judgement: all inputs except the history of its subject.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    /// Number of the interval.
    pub index: i64,
    /// Whether the warm-up is over, so that findings may be reported.
    pub is_judged: bool,
    /// See [`Interval::times_as_long`].
    pub times_as_long: f64,
}
