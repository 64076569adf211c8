//! Names that stand for numbers: words of the language, from a table; and protocols and services, from this
//! host's lists. Owns their look-up; refuses to use the network.

use wherefore_common::protocol::{TCP, UDP};

use super::unsupported::Unsupported;

/// A port by number or name, and the only protocol for which the name stands, if there is only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Port {
    pub(super) number: u16,
    pub(super) protocol: Option<u8>,
}

/// The number of a protocol whose name is a word of the language.
pub(super) fn keyword(word: &str) -> Option<u8> {
    Some(match word {
        "icmp" => 1,
        "igmp" => 2,
        "tcp" => TCP,
        "igrp" => 9,
        "udp" => UDP,
        "esp" => 50,
        "ah" => 51,
        "icmp6" => 58,
        "pim" => 103,
        "vrrp" | "carp" => 112,
        "sctp" => 132,
        _ => return None,
    })
}

/// Words of the language that are not names of services, hosts or protocol numbers: all words that libpcap's
/// scanner knows, except those for numbers.
const RESERVED: &str = " aarp action addr1 addr2 addr3 addr4 address1 address2 address3 address4 ah \
    and arp atalk bcc broadcast byte carp clnp connectmsg csnp decnet dir direction dpc dst es-is \
    esis esp ether fddi fisu gateway geneve greater hdpc hfisu hlssu hmsu hopc host hsio hsls icmp \
    icmp6 ifindex ifname igmp igrp iih ilmic inbound ip ip6 ipx is-is isis iso l1 l2 lane lat len \
    length less link llc lsp lssu lsu mask metac metaconnect mopdl moprc mpls msu multicast net \
    netbeui not oam oamf4 oamf4ec oamf4sc on opc or outbound pim port portrange ppp pppoed pppoes \
    proto protochain psnp ra radio rarp reason rnr rset rulenum ruleset sc sca sctp sio slip sls \
    snp src srnr stp subrulenum subtype ta tcp tr type udp vci vlan vpi vrrp wlan ";

/// Whether a word belongs to the language.
fn is_reserved(word: &str) -> bool {
    RESERVED.split_ascii_whitespace().any(|reserved| reserved == word)
}

/// The number of a protocol whose name follows `proto`, from this host's list.
pub(super) fn protocol(name: &str) -> Option<u8> {
    find_protocol(&std::fs::read_to_string("/etc/protocols").unwrap_or_default(), name)
}

/// Reads lines of the form `name number aliases # comment`.
fn find_protocol(protocols: &str, name: &str) -> Option<u8> {
    protocols.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let (first, number) = (words.next()?, words.next()?);
        let is_it = first == name || words.any(|alias| alias == name);
        if is_it { number.parse().ok() } else { None }
    })
}

/// A number in libpcap's syntax: octal after a 0, hexadecimal after 0x. Also `None` for 12 hexadecimal
/// digits, which are an Ethernet address.
pub(super) fn number(word: &str) -> Option<u32> {
    const ETHERNET_ADDRESS: usize = 12;
    let is_digits = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if word.len() == ETHERNET_ADDRESS && is_digits(word) {
        return None;
    }
    let (digits, radix) = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if word.len() > 1 && word.starts_with('0') => (word, 8),
        None => (word, 10),
    };
    u32::from_str_radix(digits, radix).ok().filter(|_| is_digits(digits))
}

/// The port of a service in this host's list, as libpcap uses it: for both protocols if both have the same
/// port, otherwise for TCP.
pub(super) fn service(name: &str) -> Result<Port, Unsupported> {
    if is_reserved(name) {
        return Err(Unsupported(format!("{name:?}")));
    }
    let services = std::fs::read_to_string("/etc/services").unwrap_or_default();
    find_service(&services, name)
        .ok_or_else(|| Unsupported(format!("the port {name:?}, which /etc/services does not name")))
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

/// The port in a line of the form `name port/protocol aliases # comment`.
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
    fn numbers_are_octal_hexadecimal_or_decimal() {
        for (word, expected) in [
            ("0", Some(0)),
            ("10", Some(10)),
            ("010", Some(8)),
            ("0x10", Some(16)),
            ("0XfF", Some(255)),
            ("00", Some(0)),
            ("080", None),
            ("0x", None),
            ("0x1g", None),
            ("-1", None),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("001122334455", None),
        ] {
            assert_eq!(number(word), expected, "{word}");
        }
    }

    #[test]
    fn protocols_have_aliases() {
        let protocols = "# a list\nicmp\t1\tICMP # control\nipv6-icmp 58 IPv6-ICMP";
        for (name, number) in [("icmp", Some(1)), ("IPv6-ICMP", Some(58)), ("control", None)] {
            assert_eq!(find_protocol(protocols, name), number, "{name}");
        }
    }

    #[test]
    fn a_service_has_one_protocol_or_both() {
        let services = "# a list\nhttp 80/tcp www # web\ndomain 53/tcp\ndomain 53/udp\nntp 123/udp";
        let port = |number, protocol| Some(Port { number, protocol });
        assert_eq!(find_service(services, "www"), port(80, Some(TCP)));
        assert_eq!(find_service(services, "domain"), port(53, None));
        assert_eq!(find_service(services, "ntp"), port(123, Some(UDP)));
        assert_eq!(find_service(services, "web"), None);
    }
}
