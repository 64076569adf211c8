//! What only libpcap can do. Owns the reason, in words.

/// What the kernel cannot be told of an expression, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Untold(pub(super) String);
