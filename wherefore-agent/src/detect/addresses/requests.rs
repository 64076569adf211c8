//! Who sends requests and who replies, from one direction of a flow. Owns the table of services
//! that answer anybody; refuses to look at more than one flow.
//!
//! The replies of a busy server go to many high ports of many addresses, as a scan does. Therefore only
//! the requesting side is counted:
//! - TCP: a SYN and never an ACK (a probe, a port that doesn't answer, a half-open scan); both, where
//!   the port aimed at is the lower one and below the ephemeral ones (a connection that came about);
//!   neither, nor RST, in few packets (NULL, FIN and Xmas scans). Scans with bare ACKs look like
//!   connections that began earlier, and are not seen.
//! - Others with ports: the port aimed at is the lower one and below the ephemeral ones.
//! - ICMP: all of it; [`super::active`] takes out what looks like answers.
//! - Without ports (fragments, tunnels): none.

use wherefore_common::protocol::{self, TCP, UDP};
use wherefore_common::{Counters, FlowKey};

use crate::traffic::service::EPHEMERAL;

const ICMP: [u8; 2] = [protocol::ICMP, protocol::ICMP_V6];
const FIN_PSH_URG: u64 = 0x29;
const SYN: u64 = 0x02;
const ACK: u64 = 0x10;
/// The six flags of RFC 793; congestion bits do not matter here.
const FLAGS: u64 = 0x3f;

/// The most packets of a probe: the first and its repetitions.
const PROBE_PACKETS: u64 = 3;

/// UDP services that answer anybody with more than was asked, and so are abused to
/// flood others (CISA TA14-017A, Shadowserver): QOTD, CHARGEN, DNS, TFTP, portmap, NTP, NetBIOS,
/// SNMP, XDMCP, CLDAP, ISAKMP (500, 4500), RIP, IPMI, MS-SQL, SSDP, Apple Remote Desktop, RDP, WS-Discovery,
/// Sentinel, mDNS, CoAP, Ubiquiti, memcached, Steam and DVRs.
const REFLECTORS: [u16; 26] = [
    17, 19, 53, 69, 111, 123, 137, 161, 177, 389, 500, 520, 623, 1434, 1900, 3283, 3389, 3702,
    4500, 5093, 5353, 5683, 10_001, 11_211, 27_015, 37_810,
];

/// The role of a flow for its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// It asks a TCP port.
    Connection,
    /// It contacts a port of a service that answers anybody.
    Reflector,
    /// It asks another port.
    Port,
    /// It contacts an address, or answers one: ICMP.
    Address,
    /// It asks nothing.
    None,
}

/// The role of a flow for its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// From the port of a service that answers anybody.
    Reflector,
    /// The possible beginning of a connection.
    Connection,
    /// Part of a larger UDP packet.
    Fragment,
    /// Nothing of these.
    None,
}

/// Whether the sender of a flow requests something from the receiver.
pub fn is_request(flow: &FlowKey, counters: &Counters) -> bool {
    request_of(flow, counters) != Request::None
}

/// The request of a flow.
pub(super) fn request_of(flow: &FlowKey, counters: &Counters) -> Request {
    if ICMP.contains(&flow.protocol) {
        return Request::Address;
    }
    if flow.sport == 0 && flow.dport == 0 {
        return Request::None;
    }
    if flow.protocol == TCP {
        return if is_tcp_request(flow, counters) { Request::Connection } else { Request::None };
    }
    match targets_lower_port(flow) {
        _ if flow.protocol == UDP && is_reflector(flow.dport) => Request::Reflector,
        true => Request::Port,
        false => Request::None,
    }
}

fn is_tcp_request(flow: &FlowKey, counters: &Counters) -> bool {
    let flags = counters.tcp_flags & FLAGS;
    match (flags & SYN != 0, flags & ACK != 0) {
        (true, false) => true,
        // A lone SYN/ACK is a reply, whatever the ports.
        (true, true) => flags != SYN | ACK && targets_lower_port(flow),
        (false, false) => flags & !FIN_PSH_URG == 0 && counters.packets <= PROBE_PACKETS,
        (false, true) => false,
    }
}

fn targets_lower_port(flow: &FlowKey) -> bool {
    flow.dport < flow.sport && flow.dport < EPHEMERAL
}

/// The reply of a flow.
pub(super) fn reply_of(flow: &FlowKey, counters: &Counters) -> Reply {
    match flow.protocol {
        UDP if flow.sport == 0 && flow.dport == 0 => Reply::Fragment,
        UDP if is_reflector(flow.sport) => Reply::Reflector,
        TCP if counters.tcp_flags & FLAGS == SYN | ACK => Reply::Connection,
        _ => Reply::None,
    }
}

/// Whether a flow may be answered by ICMP: all except TCP, which answers in its own way.
pub(super) fn is_datagram(flow: &FlowKey) -> bool {
    flow.protocol != TCP
}

fn is_reflector(port: u16) -> bool {
    REFLECTORS.binary_search(&port).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RST: u64 = 0x04;

    fn asked(protocol: u8, sport: u16, dport: u16, tcp_flags: u64, packets: u64) -> Request {
        let flow = FlowKey { protocol, sport, dport, ..FlowKey::default() };
        request_of(&flow, &Counters { tcp_flags, packets, ..Counters::default() })
    }

    #[test]
    fn probes_and_connections_ask() {
        for (flags, packets) in [(SYN, 1), (SYN | RST, 2), (SYN | 0xc0, 1), (0, 1), (0x29, 1)] {
            assert_eq!(
                asked(TCP, 40_000, 50_000, flags, packets),
                Request::Connection,
                "{flags:#x}"
            );
        }
        assert_eq!(asked(TCP, 50_000, 443, SYN | ACK | 0x8, 12), Request::Connection);
        assert_eq!(asked(UDP, 50_000, 53, 0, 1), Request::Reflector);
        assert_eq!(asked(UDP, 50_000, 4000, 0, 1), Request::Port);
        assert_eq!(asked(1, 0, 0, 0, 1), Request::Address);
    }

    #[test]
    fn answers_do_not_ask() {
        let answers = [SYN | ACK, SYN | ACK | 0x9, RST, RST | ACK, ACK, ACK | 0x8];
        for flags in answers {
            assert_eq!(asked(TCP, 80, 50_000, flags, 1), Request::None, "{flags:#x}");
        }
        assert_eq!(asked(TCP, 50_000, 80, SYN | ACK, 1), Request::None);
        assert_eq!(asked(TCP, 50_000, 80, 0, 100), Request::None);
        assert_eq!(asked(UDP, 53, 50_000, 0, 1), Request::None);
        assert_eq!(asked(UDP, 0, 0, 0, 1), Request::None);
        assert_eq!(asked(47, 0, 0, 0, 1), Request::None);
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(REFLECTORS.is_sorted());
        let ntp = FlowKey { protocol: UDP, sport: 123, dport: 123, ..FlowKey::default() };
        assert_eq!(reply_of(&ntp, &Counters::default()), Reply::Reflector);
    }
}
