//! The interfaces of this network namespace, and their counters. Owns how they are read from the kernel.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::kinds::Habits;
use super::netlink::{self, Question, u32_at, u64_at};

/// The 64-bit counters in an answer, and the length of the part before them (linux/if_link.h).
const IFLA_STATS_LINK_64: u16 = 1;
const STATS_HEADER: usize = 12;

/// The length of a `struct tcmsg` (linux/rtnetlink.h).
const TCMSG: usize = 20;

/// The counters of every interface, by interface number.
pub type AllCounters = BTreeMap<u32, DeviceCounters>;

/// How an interface's frames begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// With an Ethernet header.
    Ethernet,
    /// With the IP header (tun, WireGuard, PPP, tunnels).
    Layer3,
}

/// One interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its other names (`ip link property add ... altname`).
    pub altnames: Vec<String>,
    /// Its number.
    pub index: u32,
    /// How it counts its traffic.
    pub habits: Habits,
    /// How its frames begin; `None` if they are neither Ethernet nor IP.
    pub framing: Option<Framing>,
    /// Whether it is the loopback, on which each packet is both sent and received.
    pub is_loopback: bool,
    /// Whether it is up.
    pub is_up: bool,
}

impl Interface {
    /// Its name and its other names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.altnames).map(String::as_str)
    }
}

/// The counters of an interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeviceCounters {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Frames received.
    pub rx_packets: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Frames sent.
    pub tx_packets: u64,
    /// Frames that it should have sent but dropped.
    pub tx_dropped: u64,
    /// Frames that it could not send: a tunnel counts here what it cannot carry, or what is too long.
    pub tx_errors: u64,
    /// Received multicast frames, and broadcast ones if its driver counts both as one.
    pub rx_multicast: u64,
}

/// The number of the interface that has this name now.
pub fn index_of(name: &str) -> Option<u32> {
    nix::net::if_::if_nametoindex(name).ok()
}

/// Whether this interface still has its name, and is up.
pub fn is_up(interface: &Interface) -> bool {
    let is_it = |now: &Interface| now.index == interface.index && now.name == interface.name;
    list().is_ok_and(|there| there.iter().any(|now| is_it(now) && now.is_up))
}

/// All interfaces.
///
/// # Errors
/// If the kernel refuses to list them.
pub fn list() -> Result<Vec<Interface>> {
    const RTM_GETLINK: u16 = 18;
    let mut body = [0; 24];
    // The attribute IFLA_EXT_MASK with RTEXT_FILTER_SKIP_STATS (Linux 4.4), because counters are read
    // separately.
    body[16..18].copy_from_slice(&8_u16.to_ne_bytes());
    body[18..20].copy_from_slice(&29_u16.to_ne_bytes());
    body[20..].copy_from_slice(&8_u32.to_ne_bytes());
    let question = Question { kind: RTM_GETLINK, body: &body };
    netlink::list(question, read_link).context("cannot list the interfaces")
}

/// Reads a message about a link: a `struct ifinfomsg` and attributes (linux/if_link.h).
fn read_link(message: &[u8]) -> Option<Interface> {
    const HEADER: usize = 16;
    const IFLA_IFNAME: u16 = 3;
    const IFLA_LINKINFO: u16 = 18;
    const IFLA_PROP_LIST: u16 = 52;
    const IFLA_ALT_IFNAME: u16 = 53;
    let hardware_type = u16::from_ne_bytes([*message.get(2)?, *message.get(3)?]);
    let flags = u32_at(message, 8)?;
    let mut interface = Interface {
        name: String::new(),
        altnames: Vec::new(),
        index: u32_at(message, 4)?,
        habits: Habits::default(),
        framing: framing(hardware_type),
        is_loopback: flags & libc::IFF_LOOPBACK as u32 != 0,
        is_up: flags & libc::IFF_UP as u32 != 0,
    };
    let mut habits = None;
    for (attribute, value) in netlink::attributes(message.get(HEADER..)?) {
        match attribute {
            IFLA_IFNAME => interface.name = text(value),
            IFLA_LINKINFO => habits = Some(read_habits(value)),
            IFLA_PROP_LIST => interface.altnames = find_texts(value, IFLA_ALT_IFNAME).collect(),
            _ => {}
        }
    }
    interface.habits = habits.unwrap_or_else(|| habits_by_type(&interface));
    (!interface.name.is_empty()).then_some(interface)
}

/// How a device without a kind counts, by its type (DEVTYPE), which the kernel shows in sysfs only. The sysfs of
/// another namespace may be mounted, which has another device of this name.
fn habits_by_type(interface: &Interface) -> Habits {
    let path = format!("/sys/class/net/{}/uevent", interface.name);
    let Ok(text) = std::fs::read_to_string(path) else { return Habits::default() };
    let find = |key| text.lines().find_map(|line| line.strip_prefix(key));
    if find("IFINDEX=").and_then(|index| index.parse().ok()) != Some(interface.index) {
        return Habits::default();
    }
    Habits::of_type(find("DEVTYPE=").unwrap_or_default())
}

/// How a virtual device counts, which depends on its kind.
fn read_habits(attributes: &[u8]) -> Habits {
    const IFLA_INFO_KIND: u16 = 1;
    const IFLA_INFO_DATA: u16 = 2;
    let kind = find_texts(attributes, IFLA_INFO_KIND).next().unwrap_or_default();
    let mut all = netlink::attributes(attributes);
    let data = all.find(|(kind, _)| *kind == IFLA_INFO_DATA).map_or(&[][..], |(_, data)| data);
    Habits::of_kind(&kind, data)
}

/// The texts of all attributes of one kind.
fn find_texts(attributes: &[u8], kind: u16) -> impl Iterator<Item = String> {
    let all = netlink::attributes(attributes);
    all.filter(move |(this, _)| *this == kind).map(|(_, value)| text(value))
}

/// A name as text. Names are bytes, which are not always valid UTF-8.
fn text(value: &[u8]) -> String {
    let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(value).into_owned()
}

/// By ARPHRD_ number (linux/if_arp.h).
fn framing(hardware_type: u16) -> Option<Framing> {
    match hardware_type {
        1 | 772 => Some(Framing::Ethernet),
        // PPP, RAWIP, TUNNEL, TUNNEL6, SIT, IPGRE, IP6GRE, NONE.
        512 | 519 | 768 | 769 | 776 | 778 | 823 | 65_534 => Some(Framing::Layer3),
        _ => None,
    }
}

/// The counters of every interface.
///
/// # Errors
/// If the kernel refuses to list them.
pub fn counters() -> Result<AllCounters> {
    let found = netlink::list(counters_question(&counters_of(0)), read_counters);
    Ok(found.context("cannot read the interfaces' counters")?.into_iter().collect())
}

/// The counters of one interface.
///
/// # Errors
/// If the interface no longer exists, or the kernel refuses.
pub fn device_counters(interface: &Interface) -> Result<DeviceCounters> {
    let body = counters_of(interface.index);
    let found = netlink::one(counters_question(&body), read_counters);
    found
        .context("cannot read its counters")?
        .map(|(_, counters)| counters)
        .context("the interface no longer exists")
}

fn counters_question(body: &[u8]) -> Question<'_> {
    const RTM_GETSTATS: u16 = 94;
    Question { kind: RTM_GETSTATS, body }
}

/// A `struct if_stats_msg` that requests the 64-bit counters (linux/if_link.h).
fn counters_of(index: u32) -> [u8; STATS_HEADER] {
    const ONLY_LINK_64: u32 = 1 << (IFLA_STATS_LINK_64 - 1);
    let mut body = [0; STATS_HEADER];
    body[4..8].copy_from_slice(&index.to_ne_bytes());
    body[8..].copy_from_slice(&ONLY_LINK_64.to_ne_bytes());
    body
}

fn read_counters(message: &[u8]) -> Option<(u32, DeviceCounters)> {
    let index = u32_at(message, 4)?;
    let mut attributes = netlink::attributes(message.get(STATS_HEADER..)?);
    let (_, value) = attributes.find(|(kind, _)| *kind == IFLA_STATS_LINK_64)?;
    let [rx_packets, tx_packets, rx_bytes, tx_bytes] = [0, 8, 16, 24].map(|at| u64_at(value, at));
    let [tx_errors, tx_dropped, rx_multicast] = [40, 56, 64].map(|at| u64_at(value, at));
    let counters = DeviceCounters {
        rx_bytes: rx_bytes?,
        rx_packets: rx_packets?,
        tx_bytes: tx_bytes?,
        tx_packets: tx_packets?,
        tx_dropped: tx_dropped?,
        tx_errors: tx_errors?,
        rx_multicast: rx_multicast?,
    };
    Some((index, counters))
}

/// Frames that an interface's queue did not send.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queue {
    /// Frames that it has dropped.
    pub dropped: u64,
    /// Frames that wait in it.
    pub waiting: u64,
}

/// The queue of an interface; zeros if it has none.
pub fn queue_of(index: u32) -> Queue {
    const RTM_GETQDISC: u16 = 38;
    const TC_H_ROOT: u32 = u32::MAX;
    let mut body = [0; TCMSG];
    body[4..8].copy_from_slice(&index.to_ne_bytes());
    body[12..16].copy_from_slice(&TC_H_ROOT.to_ne_bytes());
    let question = Question { kind: RTM_GETQDISC, body: &body };
    // The kernel returns an error for a device without a queue.
    netlink::one(question, read_queue).ok().flatten().unwrap_or_default()
}

/// Reads a message about a queueing discipline: a `struct tcmsg` and attributes, of which one has a
/// `struct gnet_stats_queue` (linux/gen_stats.h).
fn read_queue(message: &[u8]) -> Option<Queue> {
    const TCA_STATS2: u16 = 7;
    const TCA_STATS_QUEUE: u16 = 3;
    let mut attributes = netlink::attributes(message.get(TCMSG..)?);
    let (_, stats) = attributes.find(|(kind, _)| *kind == TCA_STATS2)?;
    let (_, queue) = netlink::attributes(stats).find(|(kind, _)| *kind == TCA_STATS_QUEUE)?;
    let (waiting, dropped) = (u32_at(queue, 0)?.into(), u32_at(queue, 8)?.into());
    Some(Queue { dropped, waiting })
}
