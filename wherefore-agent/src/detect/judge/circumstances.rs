//! What a judgement depends on besides the history of its subject.

/// What a judgement depends on besides the past of what is judged.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    /// Number of the interval.
    pub index: i64,
    /// Whether anything is to be told yet.
    pub is_judged: bool,
    /// See [`Interval::times_as_long`].
    pub times_as_long: f64,
}
