//! How different kinds of devices count. Owns this knowledge about the kernel's drivers; refuses to guess: a
//! kind that is not listed counts the frames that its hook sees.

use wherefore_common::Direction;

use super::netlink::attributes;
use crate::traffic::flows::ETHERNET_HEADER;

/// How a device counts in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Counting {
    /// It counts the frames that the hook sees, with GSO/GRO packets whole or as their segments.
    #[default]
    Alike,
    /// The same, but without a header of this many bytes in each frame.
    Without(u32),
    /// In a way that cannot be compared, for this reason.
    Apart(&'static str),
    /// It also counts the other direction's frames.
    Mirrored,
    /// It counts the Ethernet header of some multicast and broadcast frames twice.
    Repeating,
}

/// The ways in which a device counts received and sent frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Habits {
    ingress: Counting,
    egress: Counting,
}

impl Habits {
    /// The ways for a virtual device, by its kind and its data from the kernel
    /// (IFLA_INFO_KIND and IFLA_INFO_DATA of linux/if_link.h).
    pub(super) fn of_kind(kind: &str, data: &[u8]) -> Self {
        const HEADLESS: Counting = Counting::Without(ETHERNET_HEADER as u32);
        let received = |ingress| Self { ingress, ..Self::default() };
        match kind {
            "vxlan" if is_external(data) => Self {
                ingress: HEADLESS,
                egress: Counting::Apart(
                    "a VXLAN device in external mode drops packets that name no tunnel, and counts them nowhere",
                ),
            },
            // The frames that another one of the same parent sends: its driver adds the header to a length
            // that has it already (macvlan_broadcast).
            "macvlan" | "macvtap" => received(Counting::Repeating),
            "hsr" => Self {
                ingress: HEADLESS,
                egress: Counting::Apart(
                    "an HSR device also counts the supervision frames that it makes",
                ),
            },
            "bridge" | "vlan" | "macsec" | "openvswitch" | "veth" | "team" => received(HEADLESS),
            "vxlan" | "geneve" | "bareudp" | "ip6gretap" | "ip6erspan" => {
                Self { ingress: HEADLESS, egress: HEADLESS }
            }
            // Over IPv4, what is received counts before the header is taken off.
            "gretap" | "erspan" => Self { egress: HEADLESS, ..Self::default() },
            "gre" => gre(data, 20),
            "ip6gre" => gre(data, 40),
            "ifb" => received(Counting::Mirrored),
            "ipvlan" | "ipvtap" if is_l3s(data) => received(Counting::Apart(
                "packets received by an ipvlan of mode l3s do not pass the hook; watch its parent",
            )),
            "vrf" => {
                let why =
                    "packets enter and leave a VRF without passing its hooks; watch its members";
                Self { ingress: Counting::Apart(why), egress: Counting::Apart(why) }
            }
            "wireguard" => {
                let why = "WireGuard counts packets as encrypted, with padding, and its handshakes";
                Self { ingress: Counting::Apart(why), egress: Counting::Apart(why) }
            }
            _ => Self::default(),
        }
    }

    /// The ways for a device without a kind, by its type.
    pub(super) fn of_type(name: &str) -> Self {
        match name {
            "l2tpeth" => {
                let why = "an L2TP device counts received frames with the header of their session";
                Self { ingress: Counting::Apart(why), ..Self::default() }
            }
            _ => Self::default(),
        }
    }

    /// How it counts in this direction.
    pub fn of(&self, direction: Direction) -> Counting {
        if direction == Direction::Egress { self.egress } else { self.ingress }
    }
}

/// A tunnel to several ends (without a remote address) adds its header to each frame, and does not count it.
fn gre(data: &[u8], ip_header: u32) -> Habits {
    const IFLA_GRE_IFLAGS: u16 = 2;
    const IFLA_GRE_OFLAGS: u16 = 3;
    const IFLA_GRE_REMOTE: u16 = 7;
    const IFLA_GRE_COLLECT_METADATA: u16 = 18;
    let find = |wanted| attributes(data).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let is_to_one = find(IFLA_GRE_REMOTE).is_some_and(|to| to.iter().any(|byte| *byte != 0));
    if is_to_one || find(IFLA_GRE_COLLECT_METADATA).is_some() {
        return Habits::default();
    }
    // Checksum, key and sequence number (linux/if_tunnel.h) take four bytes each.
    let options = |flags: Option<&[u8]>| match flags {
        Some([high, ..]) => 4 * (high & 0b1011_0000).count_ones(),
        _ => 0,
    };
    let header = |flags| Counting::Without(ip_header + 4 + options(find(flags)));
    Habits { ingress: header(IFLA_GRE_IFLAGS), egress: header(IFLA_GRE_OFLAGS) }
}

/// Whether each packet of a VXLAN device brings the address of its tunnel.
fn is_external(data: &[u8]) -> bool {
    const IFLA_VXLAN_COLLECT_METADATA: u16 = 25;
    let mode = attributes(data).find(|(kind, _)| *kind == IFLA_VXLAN_COLLECT_METADATA);
    mode.is_some_and(|(_, value)| value.first().is_some_and(|is_so| *is_so != 0))
}

fn is_l3s(data: &[u8]) -> bool {
    const IFLA_IPVLAN_MODE: u16 = 1;
    const L3S: u8 = 2;
    let mode = attributes(data).find(|(kind, _)| *kind == IFLA_IPVLAN_MODE);
    mode.is_some_and(|(_, value)| value.contains(&L3S))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = (4 + value.len() as u16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn gre_to_several_ends_leaves_its_header_out() {
        let key = attribute(2, &[0x20, 0]);
        let to_one = attribute(7, &[10, 9, 0, 2]);
        let habits = Habits::of_kind("gre", &[key.clone(), attribute(7, &[0; 4])].concat());
        assert_eq!(habits.of(Direction::Ingress), Counting::Without(28));
        assert_eq!(habits.of(Direction::Egress), Counting::Without(24));
        for data in [[key.clone(), to_one].concat(), [key, attribute(18, &[])].concat()] {
            assert_eq!(Habits::of_kind("gre", &data), Habits::default());
        }
    }

    #[test]
    fn packets_that_name_no_tunnel_are_counted_nowhere() {
        let sent = |is_so| Habits::of_kind("vxlan", &attribute(25, &[is_so])).of(Direction::Egress);
        assert_eq!(sent(0), Counting::Without(14));
        assert!(matches!(sent(1), Counting::Apart(_)));
    }

    #[test]
    fn the_mode_of_an_ipvlan_decides() {
        let habits = |mode| Habits::of_kind("ipvlan", &attribute(1, &[mode, 0]));
        assert_eq!(habits(1), Habits::default());
        assert!(matches!(habits(2).of(Direction::Ingress), Counting::Apart(_)));
        assert_eq!(habits(2).of(Direction::Egress), Counting::Alike);
    }
}
