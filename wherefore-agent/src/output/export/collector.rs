//! The address of a collector. Owns its spelling.

use std::fmt;
use std::str::FromStr;

/// The port of IPFIX (RFC 7011, section 10.3.4).
const PORT: u16 = 4739;

/// A collector of flow records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collector {
    /// The transport protocol.
    pub protocol: Protocol,
    /// A host name, or an address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// The transport protocol of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// One datagram for each message; the agent does not notice losses on the way.
    Udp,
    /// One TCP connection.
    Tcp,
}

impl Collector {
    /// The TCP port to connect to.
    pub fn tcp_port(&self) -> Option<u16> {
        (self.protocol == Protocol::Tcp).then_some(self.port)
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Udp => "udp",
            Protocol::Tcp => "tcp",
        };
        let Self { host, port, .. } = self;
        if host.contains(':') {
            write!(f, "{protocol}://[{host}]:{port}")
        } else {
            write!(f, "{protocol}://{host}:{port}")
        }
    }
}

impl FromStr for Collector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "not udp://HOST:PORT or tcp://HOST:PORT".to_owned();
        let (protocol, address) = text.split_once(':').ok_or_else(wrong)?;
        let protocol = match protocol {
            "udp" => Protocol::Udp,
            "tcp" => Protocol::Tcp,
            _ => return Err(wrong()),
        };
        let address = address.strip_prefix("//").unwrap_or(address);
        let (host, port) = parts(address).ok_or_else(wrong)?;
        let is_named = !host.is_empty() && !host.contains(['/', '@', '[', ']', ' ']);
        if is_named { Ok(Self { protocol, host, port }) } else { Err(wrong()) }
    }
}

/// The host and the port of `HOST`, `HOST:PORT`, `[V6]` and `[V6]:PORT`.
fn parts(address: &str) -> Option<(String, u16)> {
    let (host, rest) = match address.strip_prefix('[') {
        Some(inner) => {
            let (host, rest) = inner.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, rest)
        }
        None => address.split_at(address.find(':').unwrap_or(address.len())),
    };
    let port = match rest.strip_prefix(':') {
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
        None if rest.is_empty() => PORT,
        None => return None,
    };
    Some((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown() {
        for (text, shown) in [
            ("udp://collector:2055", "udp://collector:2055"),
            ("tcp:192.0.2.1:99", "tcp://192.0.2.1:99"),
            ("udp://[2001:db8::1]:4739", "udp://[2001:db8::1]:4739"),
            ("tcp://collector", "tcp://collector:4739"),
        ] {
            assert_eq!(text.parse::<Collector>().unwrap().to_string(), shown);
        }
        for wrong in
            ["collector:1", "http://x:1", "udp://", "udp://x:0", "udp://x:y", "udp://::1:4"]
        {
            assert!(wrong.parse::<Collector>().is_err(), "{wrong}");
        }
        assert_eq!("tcp://x:7".parse::<Collector>().unwrap().tcp_port(), Some(7));
        assert_eq!("udp://x:7".parse::<Collector>().unwrap().tcp_port(), None);
    }
}
