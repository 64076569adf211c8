//! Why only libpcap can evaluate an expression. Owns this reason, as text.

/// The part of an expression that the kernel cannot evaluate, as text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsupported(pub(super) String);
