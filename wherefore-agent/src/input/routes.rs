//! The interface of the default route. Owns the question to the kernel, and refuses to read its tables of routes.
//!
//! The kernel is asked which route it takes to a few public addresses. So whatever decides about packets counts,
//! as for `ip route get fibmatch`: metrics, next hops that work, two routes of half the addresses each as VPNs add them,
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
/// if there is neither. If a route has several next hops, it is `before`, the interface until now, as long as that
/// is one of them and works; otherwise the first of those with the largest share.
///
/// # Errors
/// If the kernel cannot be asked.
pub(super) fn default_interface(before: Option<u32>) -> Result<Option<u32>> {
    for addresses in PUBLIC {
        let mut found = Vec::new();
        for address in addresses {
            let address = address.parse()?;
            found.extend(interface_to(address, before).context("cannot look up a route")?);
        }
        let votes = |one: &u32| found.iter().filter(|other| *other == one).count();
        // Of several with equally many, the first.
        if let Some(interface) = found.iter().rev().max_by_key(|one| votes(one)) {
            return Ok(Some(*interface));
        }
    }
    Ok(None)
}

/// The interface through which packets to an address are sent.
fn interface_to(address: IpAddr, before: Option<u32>) -> Result<Option<u32>> {
    /// Asks for the route itself. For one address, the kernel would choose one of the next hops, and choose
    /// again when any of them changes.
    const RTM_F_FIB_MATCH: u32 = 0x2000;
    let hops = ask(address, RTM_F_FIB_MATCH)?.unwrap_or_default();
    if let Some(chosen) = choose(&hops, before) {
        return Ok(Some(chosen));
    }
    // The answer may have the number of a group of next hops only.
    let taken = ask(address, 0)?.unwrap_or_default();
    Ok(taken.first().map(|hop| hop.interface))
}

/// A next hop of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hop {
    interface: u32,
    /// Its share of the packets.
    weight: u32,
    /// Its `RTNH_F_` flags.
    flags: u8,
}

impl Hop {
    /// The interface is down, or what it is connected to.
    fn is_dead(&self) -> bool {
        const RTNH_F_DEAD: u8 = 1;
        const RTNH_F_LINKDOWN: u8 = 16;
        self.flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN) != 0
    }
}

/// One of several next hops: the one until now if it works, otherwise the first with the largest share.
fn choose(hops: &[Hop], before: Option<u32>) -> Option<u32> {
    let working: Vec<_> = hops.iter().filter(|hop| !hop.is_dead()).collect();
    // If none works, the route still leads there.
    let hops = if working.is_empty() { hops.iter().collect() } else { working };
    if let Some(stays) = hops.iter().find(|hop| Some(hop.interface) == before) {
        return Some(stays.interface);
    }
    hops.iter().rev().max_by_key(|hop| hop.weight).map(|hop| hop.interface)
}

/// Asks the kernel for the route to an address; `None` if there is none.
fn ask(address: IpAddr, flags: u32) -> Result<Option<Vec<Hop>>> {
    const RTM_GETROUTE: u16 = 26;
    const RTA_DST: u16 = 1;
    let bytes = match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let mut body = vec![0; HEADER];
    body[0] = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 } as u8;
    body[1] = 8 * bytes.len() as u8;
    body[8..].copy_from_slice(&flags.to_ne_bytes());
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

/// Reads the next hops in a message about a route; `None` if it does not lead to another host.
fn read_route(message: &[u8]) -> Option<Vec<Hop>> {
    const RTA_OIF: u16 = 4;
    const RTA_MULTIPATH: u16 = 9;
    const KIND: usize = 7;
    if *message.get(KIND)? != libc::RTN_UNICAST {
        return None;
    }
    let mut hops = Vec::new();
    for (kind, value) in netlink::attributes(message.get(HEADER..)?) {
        match kind {
            RTA_OIF => {
                let hop = |interface| Hop { interface, weight: 1, flags: 0 };
                hops.extend(u32_at(value, 0).map(hop));
            }
            RTA_MULTIPATH => read_hops(value, &mut hops),
            _ => {}
        }
    }
    Some(hops)
}

/// Reads a list of `struct rtnexthop`, each with attributes behind it.
fn read_hops(mut list: &[u8], hops: &mut Vec<Hop>) {
    const SHORTEST: usize = 8;
    while let (Some([low, high, flags, more, ..]), Some(interface)) =
        (list.get(..4), u32_at(list, 4))
    {
        hops.push(Hop { interface, weight: u32::from(*more) + 1, flags: *flags });
        let length = usize::from(u16::from_ne_bytes([*low, *high])).max(SHORTEST);
        list = list.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
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
        let hop = |interface, weight, flags| Hop { interface, weight, flags };
        assert_eq!(read_route(&route(libc::RTN_UNICAST)), Some(vec![hop(3, 1, 0)]));
        for kind in [libc::RTN_LOCAL, libc::RTN_BLACKHOLE, libc::RTN_UNREACHABLE] {
            assert_eq!(read_route(&route(kind)), None, "{kind}");
        }
        let whole = route(libc::RTN_UNICAST);
        for len in 0..whole.len() {
            assert_eq!(read_route(&whole[..len]).unwrap_or_default(), []);
        }
    }

    #[test]
    fn the_next_hop_until_now_stays_while_it_works() {
        let next = |interface: u8, flags, weight: u8| {
            let gateway = attribute(5, &[10, 0, 0, 1]);
            [&[16, 0, flags, weight - 1, interface, 0, 0, 0][..], &gateway].concat()
        };
        let read = |flags: u8| {
            let list = [next(3, 0, 1), next(4, flags, 2), next(5, 0, 2)].concat();
            read_route(
                &[&[2, 32, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0][..], &attribute(9, &list)].concat(),
            )
        };
        let hops = read(0).unwrap();
        assert_eq!(hops.len(), 3, "{hops:?}");
        for (before, chosen) in [(None, 4), (Some(3), 3), (Some(5), 5), (Some(9), 4)] {
            assert_eq!(choose(&hops, before), Some(chosen), "{before:?}");
        }
        for dead in [1, 16] {
            let hops = read(dead).unwrap();
            assert_eq!([None, Some(4), Some(3)].map(|one| choose(&hops, one)), [5, 5, 3].map(Some));
            assert_eq!(choose(&hops[1..2], None), Some(4));
        }
        assert_eq!(choose(&[], Some(3)), None);
    }

    #[test]
    fn the_kernel_answers_for_both_families() {
        for addresses in PUBLIC {
            for address in addresses {
                interface_to(address.parse().unwrap(), None).unwrap();
            }
        }
        // The own address is no other host's.
        assert_eq!(interface_to("127.0.0.1".parse().unwrap(), None).unwrap(), None);
    }
}
