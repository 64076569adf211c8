//! A frame as sources pass it on. Owns only its fields.

use wherefore_common::LinkType;

/// A captured frame.
#[derive(Debug, Clone, Copy)]
pub struct CapturedFrame<'a> {
    /// Nanoseconds since 1970.
    pub time_ns: i64,
    /// The link type, which defines the first header.
    pub link: LinkType,
    /// Whether it comes from a file whose byte order differs from this host's.
    pub is_swapped: bool,
    /// Bytes on the wire.
    pub wire_len: u32,
    /// The captured bytes.
    pub bytes: &'a [u8],
    /// Interface number; 0 if unknown.
    pub ifindex: u32,
}
