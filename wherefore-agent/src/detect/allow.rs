//! Traffic that is not judged, because the user knows it and wants no alerts about it. It is counted and
//! shown like any other. Owns the syntax of the list; refuses to judge.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use wherefore_common::FlowKey;

/// One entry of the list: `192.0.2.0/24`, `2001:db8::1`, `873`, `udp/53`, `192.0.2.7:tcp/22`,
/// `[2001:db8::/32]:443`.
///
/// # Example
/// ```
/// use wherefore_agent::detect::allow::Allowed;
/// use wherefore_common::FlowKey;
///
/// let rsync: Allowed = "873".parse()?;
/// assert!(rsync.covers(&FlowKey { family: 4, dport: 873, ..FlowKey::default() }));
/// assert!("no-port".parse::<Allowed>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    net: Option<IpNet>,
    protocol: Option<u8>,
    port: Option<u16>,
}

impl Allowed {
    /// Whether the flow is exempt: one of its ends has this address and port.
    pub fn covers(&self, flow: &FlowKey) -> bool {
        let end = |address: IpAddr, port: u16| {
            self.net.is_none_or(|net| net.contains(&address))
                && self.port.is_none_or(|allowed| allowed == port)
        };
        self.protocol.is_none_or(|protocol| protocol == flow.protocol)
            && (end(flow.src_ip(), flow.sport) || end(flow.dst_ip(), flow.dport))
    }
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "must be a prefix, a port or both: 192.0.2.0/24, 873, udp/53, 192.0.2.7:22, [2001:db8::1]:22";
        if let Some(net) = net(text) {
            return Ok(Self { net: Some(net), protocol: None, port: None });
        }
        let (address, service) = match text.rsplit_once(':') {
            Some((address, service)) => (Some(address), service),
            None => (None, text),
        };
        let bare = |text: &str| {
            let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
            net(inside.unwrap_or(text))
        };
        let net = address.map(|text| bare(text).ok_or(WANTED)).transpose()?;
        let (protocol, port) = service_of(service).ok_or(WANTED)?;
        Ok(Self { net, protocol, port: Some(port) })
    }
}

fn net(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()
}

/// `[PROTO/]PORT`.
fn service_of(text: &str) -> Option<(Option<u8>, u16)> {
    let Some((protocol, port)) = text.split_once('/') else {
        return Some((None, text.parse().ok()?));
    };
    let protocol = match protocol.to_ascii_lowercase().as_str() {
        "tcp" => 6,
        "udp" => 17,
        "sctp" => 132,
        _ => return None,
    };
    Some((Some(protocol), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wherefore_common::flow::address_words;

    fn flow(src: &str, sport: u16, dst: &str, dport: u16, protocol: u8) -> FlowKey {
        let (family, src) = address_words(src.parse().unwrap());
        let (_, dst) = address_words(dst.parse().unwrap());
        FlowKey { src, dst, sport, dport, protocol, family, ..FlowKey::default() }
    }

    fn covers(entry: &str, flow: &FlowKey) -> bool {
        entry.parse::<Allowed>().unwrap().covers(flow)
    }

    #[test]
    fn either_end_may_be_the_one() {
        let flow = flow("10.0.0.1", 40000, "192.0.2.7", 22, 6);
        for entry in
            ["10.0.0.0/8", "192.0.2.7", "22", "tcp/22", "192.0.2.7:22", "192.0.2.0/24:tcp/22"]
        {
            assert!(covers(entry, &flow), "{entry}");
        }
        for entry in ["10.0.0.1:22", "udp/22", "23", "192.0.2.8", "2001:db8::/32"] {
            assert!(!covers(entry, &flow), "{entry}");
        }
    }

    #[test]
    fn ipv6_wants_brackets_before_a_port() {
        let flow = flow("2001:db8::1", 40000, "2001:db8::2", 443, 17);
        assert!(covers("[2001:db8::2]:443", &flow) && covers("[2001:db8::/32]:udp/443", &flow));
        assert!(!covers("[2001:db8::1]:443", &flow));
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "example.org", "tcp", "70000", "icmp/1", "10.0.0.1:x", "[::1"] {
            assert!(text.parse::<Allowed>().is_err(), "{text}");
        }
    }
}
