//! The service of a flow. Owns which of its two ports names the service; refuses to name it.

use serde::{Deserialize, Serialize};
use wherefore_common::FlowKey;

/// Ports from here on belong to clients, as a rule: Linux takes them from 32768 to 60999.
pub const EPHEMERAL: u16 = 32_768;

/// A protocol and the port that names the service.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
pub struct Service {
    /// Number of the protocol (IANA).
    pub protocol: u8,
    /// 0 if the protocol has no ports, or if neither port names a service.
    pub port: u16,
}

impl Service {
    /// The service of a flow: the lower port names it, unless both belong to clients.
    pub fn of(flow: &FlowKey) -> Self {
        let (low, high) = (flow.sport.min(flow.dport), flow.sport.max(flow.dport));
        let named = if low == 0 { high } else { low };
        let port = if named < EPHEMERAL { named } else { 0 };
        Self { protocol: flow.protocol, port }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_port_names_the_service_unless_both_are_clients() {
        let port = |sport, dport| {
            Service::of(&FlowKey { protocol: 6, sport, dport, ..FlowKey::default() }).port
        };
        assert_eq!([port(443, 50_000), port(50_000, 443), port(8080, 9090)], [443, 443, 8080]);
        assert_eq!([port(50_000, 60_000), port(0, 0), port(0, 53)], [0, 0, 53]);
    }
}
