//! The kinds of network devices that `ip` can make, and what is right about each. Owns the lines of `ip` for one
//! end; refuses to run them.
//!
//! In the lines, `{d}` is the device, `{u}` and `{v}` are ends of two veth pairs below it, `{n}` is the number of
//! the kind, and `{l4}`, `{r4}`, `{l6}`, `{r6}` are the local and the remote addresses of `{u}`; `{rm}` is the MAC
//! address of the remote `{u}`, `{i}` and `{o}` are the numbers of the own and the other end.
//!
//! Not in the table: team (needs teamd), ppp (needs pppd), tun and tap (need a program that reads them), bareudp,
//! gtp and amt (Debian has none of them for clouds), and an ifb, a VXLAN below a bridge and the loopback, which
//! have tests of their own.

/// What passes a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    All,
    V4,
    V6,
    Unicast,
    Unicast4,
    Nothing,
}

/// What the agent must say about the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Equal,
    /// The difference has an accepted explanation.
    Agrees,
    /// It is not comparable, for a reason with these words.
    Apart(&'static str),
    /// It cannot be counted, for a reason with these words.
    Refused(&'static str),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Makes it at each end, before it has addresses and is up.
    pub(super) lines: &'static [&'static str],
    /// The same, afterwards.
    pub(super) after: &'static [&'static str],
    pub(super) carries: Carries,
    /// Whether sent and received packets pass the hook.
    pub(super) seen: [bool; 2],
    pub(super) said: Said,
    /// Whether another device of the same parent sends to it.
    pub(super) has_sibling: bool,
    /// Whether Debian's kernels for clouds have it.
    pub(super) is_common: bool,
    /// The first kernel that has it.
    pub(super) since: [u32; 2],
}

const EQUAL: Kind = Kind {
    name: "",
    lines: &[],
    after: &[],
    carries: Carries::All,
    seen: [true, true],
    said: Said::Equal,
    has_sibling: false,
    is_common: true,
    since: [0, 0],
};

const fn equal(name: &'static str, lines: &'static [&'static str]) -> Kind {
    Kind { name, lines, ..EQUAL }
}

/// Packets of mode l3 are routed again, below the device. The neighbour is fixed: answers to the parent's questions
/// would reach the device, whose address they are for.
const ROUTES_OF_L3: &[&str] = &[
    "neigh replace {r4} lladdr {rm} nud permanent dev {u}",
    "neigh replace {r6} lladdr {rm} nud permanent dev {u}",
    "route add 10.91.{n}.{o}/32 via {r4} dev {u}",
    "route add fd91:{n}::{o}/128 via {r6} dev {u}",
];
const TUNNEL_IN_ROUTE: &[&str] =
    &["route replace 10.91.{n}.0/24 encap ip id 5 dst {r4} dev {d} src 10.91.{n}.{i}"];
const SIBLING: &[&str] = &["link set ws{n} up", "addr add 10.92.{n}.{i}/24 dev ws{n}"];
/// A state of IPsec from one address to another, with what binds it to the device.
macro_rules! state {
    ($from:literal, $to:literal, $spi:literal, $bound:literal) => {
        concat!(
            "xfrm state add src ",
            $from,
            " dst ",
            $to,
            " proto esp spi 0x1{n}",
            $spi,
            " mode tunnel ",
            "aead rfc4106(gcm(aes)) 0x00112233445566778899aabbccddeeff00112233 128 ",
            $bound
        )
    };
}

/// A policy for all packets.
macro_rules! policy {
    ($all:literal, $direction:literal, $from:literal, $to:literal, $bound:literal) => {
        concat!(
            "xfrm policy add src ",
            $all,
            " dst ",
            $all,
            " dir ",
            $direction,
            " ",
            $bound,
            " tmpl src ",
            $from,
            " dst ",
            $to,
            " proto esp mode tunnel"
        )
    };
}

pub(super) const KINDS: &[Kind] = &[
    Kind { seen: [true, false], ..equal("dummy", &["link add {d} type dummy"]) },
    equal("bridge", &["link add {d} type bridge", "link set {u} master {d}"]),
    Kind {
        after: &["link set {u} up"],
        ..equal(
            "bond",
            &[
                "link add {d} type bond mode active-backup",
                "link set {u} down",
                "link set {u} master {d}",
            ],
        )
    },
    equal("vlan", &["link add link {u} name {d} type vlan id 5"]),
    equal("802.1ad", &["link add link {u} name {d} type vlan proto 802.1ad id 5"]),
    equal("macvlan bridge", &["link add link {u} name {d} type macvlan mode bridge"]),
    equal("macvlan vepa", &["link add link {u} name {d} type macvlan mode vepa"]),
    equal("macvlan private", &["link add link {u} name {d} type macvlan mode private"]),
    equal("macvlan passthru", &["link add link {u} name {d} type macvlan mode passthru"]),
    equal("macvtap", &["link add link {u} name {d} type macvtap mode vepa"]),
    Kind {
        after: SIBLING,
        said: Said::Agrees,
        has_sibling: true,
        ..equal(
            "macvlan beside another",
            &[
                "link add link {u} name {d} type macvlan mode bridge",
                "link add link {u} name ws{n} type macvlan mode bridge",
            ],
        )
    },
    Kind {
        after: SIBLING,
        said: Said::Agrees,
        has_sibling: true,
        ..equal(
            "macvtap beside a macvlan",
            &[
                "link add link {u} name {d} type macvtap mode bridge",
                "link add link {u} name ws{n} type macvlan mode bridge",
            ],
        )
    },
    equal("ipvlan l2", &["link add link {u} name {d} type ipvlan mode l2"]),
    equal("ipvtap l2", &["link add link {u} name {d} type ipvtap mode l2"]),
    Kind {
        after: ROUTES_OF_L3,
        carries: Carries::Unicast,
        ..equal("ipvlan l3", &["link add link {u} name {d} type ipvlan mode l3"])
    },
    Kind {
        after: ROUTES_OF_L3,
        carries: Carries::Unicast,
        seen: [true, false],
        said: Said::Apart("do not pass the hook; watch its parent"),
        ..equal("ipvlan l3s", &["link add link {u} name {d} type ipvlan mode l3s"])
    },
    equal("vxlan", &["link add {d} type vxlan id {n} local {l4} remote {r4} dstport 4789"]),
    equal(
        "vxlan over IPv6",
        &["link add {d} type vxlan id {n} local {l6} remote {r6} dstport 4789"],
    ),
    Kind {
        after: TUNNEL_IN_ROUTE,
        carries: Carries::Unicast4,
        said: Said::Apart("drops packets that name no tunnel"),
        ..equal("vxlan external", &["link add {d} type vxlan external dstport 48{n}"])
    },
    Kind {
        after: TUNNEL_IN_ROUTE,
        carries: Carries::Unicast4,
        said: Said::Apart("drops packets that name no tunnel"),
        ..equal("vxlan gpe", &["link add {d} type vxlan gpe external dstport 48{n}"])
    },
    equal("geneve", &["link add {d} type geneve id {n} remote {r4}"]),
    equal("geneve over IPv6", &["link add {d} type geneve id {n} remote {r6}"]),
    equal("gre", &["link add {d} type gre local {l4} remote {r4}"]),
    equal("gre with all options", &["link add {d} type gre local {l4} remote {r4} key 7 csum seq"]),
    equal("gretap", &["link add {d} type gretap local {l4} remote {r4}"]),
    equal(
        "erspan",
        &["link add {d} type erspan seq local {l4} remote {r4} key 5 erspan_ver 1 erspan 123"],
    ),
    equal("ip6gre", &["link add {d} type ip6gre local {l6} remote {r6}"]),
    equal("ip6gretap", &["link add {d} type ip6gretap local {l6} remote {r6}"]),
    equal(
        "ip6erspan",
        &["link add {d} type ip6erspan seq local {l6} remote {r6} key 5 erspan_ver 1 erspan 123"],
    ),
    Kind {
        carries: Carries::V4,
        ..equal("ipip", &["link add {d} type ipip local {l4} remote {r4}"])
    },
    Kind {
        carries: Carries::V4,
        ..equal(
            "ipip in fou",
            &[
                "fou add port 55{n} ipproto 4",
                "link add {d} type ipip local {l4} remote {r4} encap fou encap-sport auto encap-dport 55{n}",
            ],
        )
    },
    Kind {
        carries: Carries::V4,
        ..equal(
            "ipip in gue",
            &[
                "fou add port 55{n} gue",
                "link add {d} type ipip local {l4} remote {r4} encap gue encap-sport auto encap-dport 55{n}",
            ],
        )
    },
    equal("sit", &["link add {d} type sit mode any local {l4} remote {r4}"]),
    equal("ip6tnl", &["link add {d} type ip6tnl mode any local {l6} remote {r6}"]),
    Kind {
        carries: Carries::V4,
        ..equal(
            "vti",
            &[
                "link add {d} type vti local {l4} remote {r4} key {n}",
                state!("{l4}", "{r4}", "{i}", "mark {n} mask 0xffffffff"),
                state!("{r4}", "{l4}", "{o}", "mark {n} mask 0xffffffff"),
                policy!("0.0.0.0/0", "out", "{l4}", "{r4}", "mark {n} mask 0xffffffff"),
                policy!("0.0.0.0/0", "in", "{r4}", "{l4}", "mark {n} mask 0xffffffff"),
            ],
        )
    },
    Kind {
        carries: Carries::V6,
        ..equal(
            "vti6",
            &[
                "link add {d} type vti6 local {l6} remote {r6} key {n}",
                state!("{l6}", "{r6}", "{i}", "mark {n} mask 0xffffffff"),
                state!("{r6}", "{l6}", "{o}", "mark {n} mask 0xffffffff"),
                policy!("::/0", "out", "{l6}", "{r6}", "mark {n} mask 0xffffffff"),
                policy!("::/0", "in", "{r6}", "{l6}", "mark {n} mask 0xffffffff"),
            ],
        )
    },
    Kind {
        carries: Carries::V4,
        ..equal(
            "xfrm",
            &[
                "link add {d} type xfrm dev {u} if_id {n}",
                state!("{l4}", "{r4}", "{i}", "if_id {n}"),
                state!("{r4}", "{l4}", "{o}", "if_id {n}"),
                policy!("0.0.0.0/0", "out", "{l4}", "{r4}", "if_id {n}"),
                policy!("0.0.0.0/0", "in", "{r4}", "{l4}", "if_id {n}"),
            ],
        )
    },
    Kind {
        said: Said::Apart("as encrypted, with padding, and its handshakes"),
        ..equal(super::WIREGUARD, &["link add {d} type wireguard"])
    },
    Kind {
        carries: Carries::Unicast4,
        seen: [false, false],
        said: Said::Apart("watch its members"),
        ..equal(super::VRF, &["link add {d} type vrf table {n}", "link set {u} master {d}"])
    },
    Kind {
        carries: Carries::Nothing,
        said: Said::Refused("neither Ethernet nor IP"),
        ..equal("nlmon", &["link add {d} type nlmon"])
    },
    Kind { since: [6, 7], ..equal(super::NETKIT, &[]) },
    Kind {
        said: Said::Apart("with the header of their session"),
        ..equal(
            "l2tp over UDP",
            &[
                "l2tp add tunnel tunnel_id {n} peer_tunnel_id {n} encap udp local {l4} remote {r4} \
                 udp_sport 1701 udp_dport 1701",
                "l2tp add session name {d} tunnel_id {n} session_id {n} peer_session_id {n}",
            ],
        )
    },
    Kind {
        said: Said::Apart("with the header of their session"),
        ..equal(
            "l2tp over IP",
            &[
                "l2tp add tunnel tunnel_id {n} peer_tunnel_id {n} encap ip local {l4} remote {r4}",
                "l2tp add session name {d} tunnel_id {n} session_id {n} peer_session_id {n}",
            ],
        )
    },
    equal(
        "macsec",
        &[
            "link add link {u} name {d} type macsec encrypt on",
            "macsec add {d} tx sa 0 pn 1 on key 00 00112233445566778899aabbccddeeff",
            "macsec add {d} rx port 1 address {rm}",
            "macsec add {d} rx port 1 address {rm} sa 0 pn 1 on key 00 00112233445566778899aabbccddeeff",
        ],
    ),
    Kind {
        said: Said::Apart("supervision frames"),
        is_common: false,
        ..equal("hsr", &["link add {d} type hsr slave1 {u} slave2 {v}"])
    },
];
