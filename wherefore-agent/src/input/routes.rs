//! The interface of the default route. Owns how the kernel's routes are read.
//!
//! The default route is the one that `ip route` shows as `default`: in the main table, for all addresses, to
//! a next hop. Routes for only some addresses, routes that refuse or drop packets, and those of other tables
//! (VRFs, policy routing) do not count.

use anyhow::{Context, Result};

use super::netlink::{self, Question, u32_at};

/// `struct rtmsg` (linux/rtnetlink.h).
const HEADER: usize = 12;

/// A default route.
#[derive(Debug, PartialEq, Eq)]
struct Route {
    /// The route with the smallest metric is used.
    metric: u32,
    /// The interface of its first working next hop.
    interface: u32,
}

/// The number of the interface of the default route of IPv4, else that of IPv6; `None`
/// if there is neither.
///
/// # Errors
/// If the kernel refuses to list its routes.
pub(super) fn default_interface() -> Result<Option<u32>> {
    for family in [libc::AF_INET, libc::AF_INET6] {
        let best = defaults_of(family as u8)?.into_iter().min_by_key(|route| route.metric);
        if let Some(route) = best {
            return Ok(Some(route.interface));
        }
    }
    Ok(None)
}

fn defaults_of(family: u8) -> Result<Vec<Route>> {
    const RTM_GETROUTE: u16 = 26;
    let mut body = [0; HEADER];
    body[0] = family;
    let question = Question { kind: RTM_GETROUTE, body: &body };
    netlink::list(question, read_route).context("cannot list the routes")
}

/// Reads a message about a route; `None` if it is not a default route.
fn read_route(message: &[u8]) -> Option<Route> {
    const RTA_OIF: u16 = 4;
    const RTA_PRIORITY: u16 = 6;
    const RTA_MULTIPATH: u16 = 9;
    const RTA_TABLE: u16 = 15;
    let &[_, dst_len, src_len, tos, table, _, _, kind] = message.first_chunk()?;
    let is_for_all = [dst_len, src_len, tos] == [0; 3];
    if !is_for_all || kind != libc::RTN_UNICAST {
        return None;
    }
    let (mut table, mut metric, mut interface) = (u32::from(table), 0, None);
    let is_dead = is_dead(u32_at(message, 8)?);
    for (attribute, value) in netlink::attributes(message.get(HEADER..)?) {
        match attribute {
            RTA_OIF if !is_dead => interface = u32_at(value, 0),
            RTA_PRIORITY => metric = u32_at(value, 0)?,
            RTA_MULTIPATH => interface = first_next_hop(value),
            RTA_TABLE => table = u32_at(value, 0)?,
            _ => {}
        }
    }
    let route = Route { metric, interface: interface? };
    (table == u32::from(libc::RT_TABLE_MAIN)).then_some(route)
}

/// The interface of the first working next hop; each is a `struct rtnexthop`.
fn first_next_hop(mut hops: &[u8]) -> Option<u32> {
    while let &[low, high, flags, _, ..] = hops {
        if !is_dead(flags.into()) {
            return u32_at(hops, 4);
        }
        let len = usize::from(u16::from_ne_bytes([low, high])).max(1);
        hops = hops.get(len.next_multiple_of(4)..)?;
    }
    None
}

/// Whether a next hop is not used because its interface is down (RTNH_F_DEAD).
fn is_dead(flags: u32) -> bool {
    flags & 1 != 0
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

    fn message(header: [u8; 8], attributes: &[Vec<u8>]) -> Vec<u8> {
        [header.to_vec(), vec![0; 4], attributes.concat()].concat()
    }

    const DEFAULT: [u8; 8] = [2, 0, 0, 0, 254, 3, 0, 1];

    #[test]
    fn only_the_main_tables_route_for_all_addresses_is_read() {
        let to = |index: u32| attribute(4, &index.to_ne_bytes());
        let metric = attribute(6, &7_u32.to_ne_bytes());
        let default = message(DEFAULT, &[to(3), metric]);
        assert_eq!(read_route(&default), Some(Route { metric: 7, interface: 3 }));
        for (at, value) in [(1, 8), (2, 8), (3, 16), (4, 10), (7, 6), (7, 7)] {
            let mut header = DEFAULT;
            header[at] = value;
            assert_eq!(read_route(&message(header, &[to(3)])), None, "{header:?}");
        }
        let other_table = attribute(15, &1000_u32.to_ne_bytes());
        assert_eq!(read_route(&message(DEFAULT, &[to(3), other_table])), None);
    }

    #[test]
    fn the_first_next_hop_that_works_counts() {
        let hop = |flags: u8, index: u32| [vec![8, 0, flags, 0], index.to_ne_bytes().to_vec()];
        let hops = [hop(1, 3), hop(0, 4), hop(0, 5)].concat().concat();
        let route = message(DEFAULT, &[attribute(9, &hops)]);
        assert_eq!(read_route(&route), Some(Route { metric: 0, interface: 4 }));
        for len in 0..route.len() {
            let _ = read_route(&route[..len]);
        }
        assert_eq!(first_next_hop(&[0; 64]), Some(0));
        assert_eq!(first_next_hop(&[0, 0, 1, 0]), None);
    }
}
