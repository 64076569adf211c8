//! The interfaces of this network namespace: which there are, which to watch, what they count.
//! Owns reading them from the kernel.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

use super::selection::Selection;

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
    /// Its number.
    pub index: u32,
    /// How its frames begin; `None` where they are neither Ethernet nor IP.
    pub framing: Option<Framing>,
    /// Whether it is the loopback, where each packet is sent and received at once.
    pub is_loopback: bool,
    /// Whether it is up.
    pub is_up: bool,
}

/// What an interface counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeviceCounters {
    /// Octets received.
    pub rx_bytes: u64,
    /// Frames received.
    pub rx_packets: u64,
    /// Octets sent.
    pub tx_bytes: u64,
    /// Frames sent.
    pub tx_packets: u64,
}

/// Which interfaces these names mean; without any, the one of the default route, or the busiest.
///
/// # Errors
/// Where a name is unknown, with those that there are; where no interface is up.
pub fn select(names: &[String]) -> Result<Selection> {
    let all = list()?;
    if names.is_empty() {
        return default_interface(&all).map(|interface| Selection::new(&[interface.name]));
    }
    let selection = Selection::new(names);
    for name in selection.names() {
        if !all.iter().any(|interface| interface.name == name) {
            bail!(unknown(name, &all));
        }
    }
    Ok(selection)
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

fn unknown(name: &str, all: &[Interface]) -> crate::config::UsageError {
    let names: Vec<_> = all.iter().map(|interface| interface.name.as_str()).collect();
    crate::config::UsageError(format!(
        "there is no interface {name:?} in this network namespace; there are: {}",
        names.join(", ")
    ))
}

fn default_interface(all: &[Interface]) -> Result<Interface> {
    let by_route = default_route_interface();
    if let Some(interface) = all.iter().find(|interface| Some(&interface.name) == by_route.as_ref())
    {
        return Ok(interface.clone());
    }
    let counters = counters()?;
    let traffic = |interface: &&Interface| {
        counters.get(&interface.name).map_or(0, |device| device.rx_bytes + device.tx_bytes)
    };
    let is_usable = |interface: &&Interface| interface.is_up && interface.framing.is_some();
    all.iter()
        .filter(is_usable)
        .max_by_key(|interface| (!interface.is_loopback, traffic(interface)))
        .cloned()
        .context("no interface is up: name one with -i")
}

/// The interface of the IPv4 default route, else of the IPv6 one.
fn default_route_interface() -> Option<String> {
    let v4 = std::fs::read_to_string("/proc/thread-self/net/route").unwrap_or_default();
    let is_default = |line: &&str| line.split_whitespace().nth(1) == Some("00000000");
    let by_v4 = v4.lines().skip(1).find(is_default).and_then(|line| line.split_whitespace().next());
    let v6 = std::fs::read_to_string("/proc/thread-self/net/ipv6_route").unwrap_or_default();
    let is_default_v6 = |line: &&str| {
        let mut words = line.split_whitespace();
        let (target, length) = (words.next(), words.next());
        target.is_some_and(|target| target.bytes().all(|digit| digit == b'0'))
            && length == Some("00")
    };
    let by_v6 = || {
        let lines = v6.lines().filter(is_default_v6);
        lines.filter_map(|line| line.split_whitespace().last()).find(|name| *name != "lo")
    };
    by_v4.or_else(by_v6).map(str::to_owned)
}

/// All interfaces.
///
/// # Errors
/// Where the kernel refuses to list them.
pub fn list() -> Result<Vec<Interface>> {
    let mut found = BTreeMap::new();
    for address in getifaddrs().context("cannot list the interfaces")? {
        let name = address.interface_name;
        let (index, hardware_type) = match &address.address {
            Some(address) => match address.as_link_addr() {
                Some(link) => (u32::try_from(link.ifindex()).unwrap_or(0), link.hatype()),
                None => continue,
            },
            // One without a link-layer address, such as tun and WireGuard.
            None => match index_of(&name) {
                Some(index) => (index, hardware_type_of(&name)),
                None => continue,
            },
        };
        let flags = address.flags;
        let interface = Interface {
            name,
            index,
            framing: framing(hardware_type),
            is_loopback: flags.contains(InterfaceFlags::IFF_LOOPBACK),
            is_up: flags.contains(InterfaceFlags::IFF_UP),
        };
        found.insert(interface.index, interface);
    }
    Ok(found.into_values().collect())
}

/// What sysfs says; where it is not there, or of another network namespace, "none": without an
/// address there is no Ethernet header.
fn hardware_type_of(name: &str) -> u16 {
    const NONE: u16 = 65_534;
    let text = std::fs::read_to_string(format!("/sys/class/net/{name}/type"));
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(NONE)
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

/// What every interface counts, by name.
///
/// # Errors
/// Where /proc is not there.
pub fn counters() -> Result<BTreeMap<String, DeviceCounters>> {
    const PATH: &str = "/proc/thread-self/net/dev";
    let text = std::fs::read(PATH).with_context(|| format!("cannot read {PATH}"))?;
    // Names are octets, whoever gave them.
    Ok(String::from_utf8_lossy(&text).lines().filter_map(parse_counters).collect())
}

fn parse_counters(line: &str) -> Option<(String, DeviceCounters)> {
    let (name, numbers) = line.split_once(':')?;
    let numbers: Vec<u64> =
        numbers.split_whitespace().map_while(|word| word.parse().ok()).collect();
    let [rx_bytes, rx_packets, _, _, _, _, _, _, tx_bytes, tx_packets, ..] = numbers[..] else {
        return None;
    };
    let counters = DeviceCounters { rx_bytes, rx_packets, tx_bytes, tx_packets };
    Some((name.trim().to_owned(), counters))
}
