//! The interface of the default route. Owns the question to the kernel, and refuses to read its tables of routes.
//!
//! The kernel is asked which route it takes to a few public addresses. So whatever decides about packets counts,
//! as for `ip route get`: metrics, next hops that work, two routes of half the addresses each as VPNs add them,
//! further tables and rules. Nothing is sent.

use std::net::IpAddr;

use anyhow::{Context, Result};
use nix::errno::Errno;

use super::netlink::{self, Question, u32_at};

/// `struct rtmsg` (linux/rtnetlink.h).
const HEADER: usize = 12;

/// Public addresses of both halves of the address space. If one of them has a route of its own, the other two
/// decide.
const PUBLIC: [[&str; 3]; 2] =
    [["11.0.0.1", "100.0.0.1", "200.0.0.1"], ["2600::1", "2800::1", "2a00::1"]];

/// The number of the interface of the default route of IPv4, else that of IPv6; `None`
/// if there is neither.
///
/// # Errors
/// If the kernel cannot be asked.
pub(super) fn default_interface() -> Result<Option<u32>> {
    for addresses in PUBLIC {
        let mut found = Vec::new();
        for address in addresses {
            found.extend(interface_to(address.parse()?).context("cannot look up a route")?);
        }
        let votes = |one: &u32| found.iter().filter(|other| *other == one).count();
        // Of several with equally many, the first.
        if let Some(interface) = found.iter().rev().max_by_key(|one| votes(one)) {
            return Ok(Some(*interface));
        }
    }
    Ok(None)
}

/// The interface through which the kernel sends packets to an address.
fn interface_to(address: IpAddr) -> Result<Option<u32>> {
    const RTM_GETROUTE: u16 = 26;
    const RTA_DST: u16 = 1;
    let bytes = match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let mut body = vec![0; HEADER];
    body[0] = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 } as u8;
    body[1] = 8 * bytes.len() as u8;
    body.extend((4 + bytes.len() as u16).to_ne_bytes());
    body.extend(RTA_DST.to_ne_bytes());
    body.extend(bytes);
    match netlink::one(Question { kind: RTM_GETROUTE, body: &body }, read_route) {
        Err(error) if error.downcast_ref().is_some_and(is_no_route) => Ok(None),
        found => found,
    }
}

/// Whether the kernel says so that there is no route, or one that refuses or drops packets.
fn is_no_route(error: &Errno) -> bool {
    use Errno::{EACCES, EAFNOSUPPORT, EHOSTUNREACH, EINVAL, ENETUNREACH, EOPNOTSUPP};
    [ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, EAFNOSUPPORT, EOPNOTSUPP].contains(error)
}

/// Reads a message about a route; `None` if it does not lead to another host.
fn read_route(message: &[u8]) -> Option<u32> {
    const RTA_OIF: u16 = 4;
    const KIND: usize = 7;
    if *message.get(KIND)? != libc::RTN_UNICAST {
        return None;
    }
    let mut attributes = netlink::attributes(message.get(HEADER..)?);
    attributes.find(|(kind, _)| *kind == RTA_OIF).and_then(|(_, value)| u32_at(value, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = (4 + value.len() as u16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes
    }

    #[test]
    fn only_routes_to_other_hosts_are_read() {
        let interface = [attribute(1, &[11, 0, 0, 1]), attribute(4, &3_u32.to_ne_bytes())].concat();
        let route =
            |kind: u8| [&[2, 32, 0, 0, 254, 3, 0, kind, 0, 0, 0, 0], &interface[..]].concat();
        assert_eq!(read_route(&route(libc::RTN_UNICAST)), Some(3));
        for kind in [libc::RTN_LOCAL, libc::RTN_BLACKHOLE, libc::RTN_UNREACHABLE] {
            assert_eq!(read_route(&route(kind)), None, "{kind}");
        }
        let whole = route(libc::RTN_UNICAST);
        for len in 0..whole.len() {
            assert_eq!(read_route(&whole[..len]), None);
        }
    }

    #[test]
    fn the_kernel_answers_for_both_families() {
        for addresses in PUBLIC {
            for address in addresses {
                interface_to(address.parse().unwrap()).unwrap();
            }
        }
        // The own address is no other host's.
        assert_eq!(interface_to("127.0.0.1".parse().unwrap()).unwrap(), None);
    }
}
