//! A flow as JSON, as files and Kafka get it. Owns its fields, which are stable; refuses to write it anywhere.

use serde::Serialize;
use wherefore_common::{Counters, FlowKey};

use crate::attribute::{Directory, Ends};
use crate::output::owners::Fields;
use crate::text::rfc3339;

/// A flow in one interval; in a replay, in all intervals.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Flow)]
pub(super) struct FlowRecord<'a> {
    /// IP protocol number; for IPv6 the one after the extension headers.
    proto: u8,
    /// Source address.
    #[schema(value_type = String)]
    src: std::net::IpAddr,
    /// Source port; 0 if there is none.
    sport: u16,
    /// Destination address.
    #[schema(value_type = String)]
    dst: std::net::IpAddr,
    /// Destination port; 0 if there is none.
    dport: u16,
    /// Packets on the wire.
    packets: u64,
    /// IP-layer bytes.
    bytes: u64,
    /// Link-layer bytes on the wire, without FCS.
    frame_bytes: u64,
    /// Time of the first packet, RFC 3339.
    #[schema(format = DateTime)]
    first: String,
    /// Time of the last packet, RFC 3339.
    #[schema(format = DateTime)]
    last: String,
    /// All TCP flags seen, or-ed.
    tcp_flags: u64,
    #[serde(flatten)]
    ends: Ends<'a>,
    #[serde(flatten)]
    #[schema(value_type = LiveFields)]
    live: Option<LiveFields<'a>>,
    /// The fields of the owners, with the prefix `source.` or `destination.`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    owners: Option<&'a Fields>,
}

/// Fields that only flows of a live run have.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct LiveFields<'a> {
    /// Name of the interface.
    #[schema(required = false)]
    pub(super) interface: &'a str,
    /// `ingress`, `egress` or `unknown`.
    #[schema(required = false)]
    pub(super) direction: &'static str,
    /// Start of the interval, RFC 3339.
    #[schema(format = DateTime, required = false)]
    pub(super) interval_start: &'a str,
    /// End of the interval, RFC 3339.
    #[schema(format = DateTime, required = false)]
    pub(super) interval_end: &'a str,
}

impl<'a> FlowRecord<'a> {
    pub(super) fn new(
        key: &FlowKey,
        counters: &Counters,
        directory: &'a Directory,
        live: Option<LiveFields<'a>>,
        owners: Option<&'a Fields>,
    ) -> Self {
        Self {
            proto: key.protocol,
            src: key.src_ip(),
            sport: key.sport,
            dst: key.dst_ip(),
            dport: key.dport,
            packets: counters.packets,
            bytes: counters.bytes,
            frame_bytes: counters.frame_bytes,
            first: rfc3339(counters.first_ns as i64),
            last: rfc3339(counters.last_ns as i64),
            tcp_flags: counters.tcp_flags,
            ends: Ends::of(directory, [Some(key.src_ip()), Some(key.dst_ip())]),
            live,
            owners,
        }
    }
}
