//! Expressions that only libpcap can evaluate. Owns the reason, in words.

/// The part of an expression that the kernel cannot evaluate, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Untold(pub(super) String);
