//! The circumstances of a judgement, besides the history of its subject.

/// The circumstances of a judgement, besides the history of its subject.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    /// Number of the interval.
    pub index: i64,
    /// Whether anything may be reported yet.
    pub is_judged: bool,
    /// See [`Interval::times_as_long`].
    pub times_as_long: f64,
}
