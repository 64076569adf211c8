//! Names that stand for numbers: protocols, by a table, and services, as this host lists them.
//! Owns their look-up; refuses to ask the network.

use super::Untold;

const TCP: u8 = 6;
const UDP: u8 = 17;

/// A port by number or name, and the one protocol that a name may be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Port {
    pub(super) number: u16,
    pub(super) protocol: Option<u8>,
}

/// The number of a protocol that is named.
pub(super) fn protocol(name: &str) -> Option<u8> {
    Some(match name {
        "icmp" => 1,
        "igmp" => 2,
        "tcp" => TCP,
        "igrp" => 9,
        "udp" => UDP,
        "gre" => 47,
        "esp" => 50,
        "ah" => 51,
        "icmp6" | "ipv6-icmp" => 58,
        "pim" => 103,
        "vrrp" | "carp" => 112,
        "sctp" => 132,
        _ => return None,
    })
}

/// The port that this host's list of services gives a name, as libpcap takes it: of both protocols
/// where both have the same, else of TCP.
pub(super) fn service(name: &str) -> Result<Port, Untold> {
    let services = std::fs::read_to_string("/etc/services").unwrap_or_default();
    find_service(&services, name)
        .ok_or_else(|| Untold(format!("the port {name:?}, which /etc/services does not name")))
}

fn find_service(services: &str, name: &str) -> Option<Port> {
    let of = |protocol| services.lines().find_map(|line| port_of(line, name, protocol));
    match (of("tcp"), of("udp")) {
        (Some(tcp), Some(udp)) if tcp == udp => Some(Port { number: tcp, protocol: None }),
        (Some(number), _) => Some(Port { number, protocol: Some(TCP) }),
        (None, Some(number)) => Some(Port { number, protocol: Some(UDP) }),
        (None, None) => None,
    }
}

/// The port of a line `name port/protocol aliases # remark`.
fn port_of(line: &str, name: &str, protocol: &str) -> Option<u16> {
    let mut words = line.split('#').next()?.split_whitespace();
    let (first, place) = (words.next()?, words.next()?);
    let (number, of) = place.split_once('/')?;
    let is_it = of == protocol && (first == name || words.any(|alias| alias == name));
    if is_it { number.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_of_one_protocol_or_of_both() {
        let services = "# a list\nhttp 80/tcp www # web\ndomain 53/tcp\ndomain 53/udp\nntp 123/udp";
        let port = |number, protocol| Some(Port { number, protocol });
        assert_eq!(find_service(services, "www"), port(80, Some(TCP)));
        assert_eq!(find_service(services, "domain"), port(53, None));
        assert_eq!(find_service(services, "ntp"), port(123, Some(UDP)));
        assert_eq!(find_service(services, "web"), None);
    }
}
