//! Reads the same data as `tc` and `ip link` show: the qdisc on a device's clsact hook, its filters, and the
//! XDP programs. Owns the netlink messages for this; changes nothing.

use anyhow::Result;
use nix::errno::Errno;
use wherefore_common::Direction;

use crate::input::netlink::{self, Question, attributes, u32_at};

const RTM_GETLINK: u16 = 18;
const RTM_GETQDISC: u16 = 38;
const RTM_GETTFILTER: u16 = 46;

/// Attributes of TC messages (linux/rtnetlink.h, linux/pkt_cls.h).
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_CHAIN: u16 = 11;
const TCA_BPF_NAME: u16 = 7;
const TCA_BPF_ID: u16 = 11;

/// Attributes of links (linux/if_link.h).
const IFLA_EXT_MASK: u16 = 29;
const IFLA_XDP: u16 = 43;
const XDP_PROGRAMS: std::ops::RangeInclusive<u16> = 4..=7;

/// The parents of qdiscs and filters of the clsact hook (linux/pkt_sched.h).
const TC_H_CLSACT: u32 = 0xffff_fff1;
const TC_H_INGRESS_FILTERS: u32 = 0xffff_fff2;
const TC_H_EGRESS_FILTERS: u32 = 0xffff_fff3;

/// `struct tcmsg` without attributes.
const TC_HEADER: usize = 20;
/// `struct ifinfomsg` without attributes.
const LINK_HEADER: usize = 16;
const ETH_P_ALL: u16 = 3;

/// The position of a filter: its priority and its handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) priority: u16,
    pub(super) handle: u32,
}

/// A filter of a clsact or ingress qdisc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) slot: Slot,
    /// `bpf`, `u32`, `flower`, ...
    pub(super) kind: String,
    /// The number of its program, if the filter is a BPF program.
    pub(super) program: Option<u32>,
    name: Option<String>,
}

#[cfg(test)]
impl Filter {
    /// A filter that is not a BPF program.
    pub(super) fn of_kind(kind: &str, priority: u16) -> Self {
        let slot = Slot { priority, handle: 1 };
        Self { slot, kind: kind.to_owned(), program: None, name: None }
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { slot: Slot { priority, .. }, kind, program, name } = self;
        write!(formatter, "tc filter of priority {priority} ({kind}")?;
        if let Some(id) = program {
            write!(formatter, " program {id}")?;
        }
        if let Some(name) = name {
            write!(formatter, " {name}")?;
        }
        formatter.write_str(")")
    }
}

/// The kind of the qdisc on a device's clsact hook: `clsact`, `ingress`, or none.
///
/// # Errors
/// If the kernel refuses the query.
pub(super) fn hook_qdisc(ifindex: u32) -> Result<Option<String>> {
    let header = tc_header(ifindex, 0, TC_H_CLSACT, 0);
    let question = Question { kind: RTM_GETQDISC, body: &header };
    let kind = netlink::one(question, |body| attribute_text(body.get(TC_HEADER..)?, TCA_KIND));
    or_none(kind)
}

/// The filters of one direction in the order in which they run.
///
/// # Errors
/// If the kernel refuses to list them.
pub(super) fn filters(ifindex: u32, direction: Direction) -> Result<Vec<Filter>> {
    let header = tc_header(ifindex, 0, filter_parent(direction), 0);
    netlink::list(Question { kind: RTM_GETTFILTER, body: &header }, read_filter)
}

/// The filter in this slot; `None` if there is none, or no qdisc.
///
/// # Errors
/// If the kernel refuses the query.
pub(super) fn filter(ifindex: u32, direction: Direction, slot: Slot) -> Result<Option<Filter>> {
    let info = u32::from(slot.priority) << 16 | u32::from(ETH_P_ALL.to_be());
    let header = tc_header(ifindex, slot.handle, filter_parent(direction), info);
    or_none(netlink::one(Question { kind: RTM_GETTFILTER, body: &header }, read_filter))
}

/// The numbers of the XDP programs on a device; there may be one in each mode.
///
/// # Errors
/// If the kernel refuses the query.
pub(super) fn xdp_programs(ifindex: u32) -> Result<Vec<u32>> {
    const RTEXT_FILTER_SKIP_STATS: u32 = 8;
    let mut body = [0; LINK_HEADER + 8];
    body[4..8].copy_from_slice(&ifindex.to_ne_bytes());
    body[16..18].copy_from_slice(&8_u16.to_ne_bytes());
    body[18..20].copy_from_slice(&IFLA_EXT_MASK.to_ne_bytes());
    body[20..].copy_from_slice(&RTEXT_FILTER_SKIP_STATS.to_ne_bytes());
    let found = netlink::one(Question { kind: RTM_GETLINK, body: &body }, |body| {
        let xdp = attributes(body.get(LINK_HEADER..)?).find(|(kind, _)| *kind == IFLA_XDP);
        let programs = attributes(xdp?.1).filter(|(kind, _)| XDP_PROGRAMS.contains(kind));
        let mut programs: Vec<u32> = programs.filter_map(|(_, id)| u32_at(id, 0)).collect();
        programs.dedup();
        Some(programs)
    });
    Ok(found?.unwrap_or_default())
}

fn filter_parent(direction: Direction) -> u32 {
    if direction == Direction::Egress { TC_H_EGRESS_FILTERS } else { TC_H_INGRESS_FILTERS }
}

/// A `struct tcmsg` (linux/rtnetlink.h).
fn tc_header(ifindex: u32, handle: u32, parent: u32, info: u32) -> [u8; TC_HEADER] {
    let mut header = [0; TC_HEADER];
    for (place, word) in header[4..].chunks_exact_mut(4).zip([ifindex, handle, parent, info]) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    header
}

/// Reads a message about a filter; skips filters that are reached only through other filters.
fn read_filter(body: &[u8]) -> Option<Filter> {
    let (handle, info, rest) = (u32_at(body, 8)?, u32_at(body, 16)?, body.get(TC_HEADER..)?);
    let is_first_chain = attributes(rest)
        .find(|(kind, _)| *kind == TCA_CHAIN)
        .is_none_or(|(_, chain)| u32_at(chain, 0) == Some(0));
    if !is_first_chain {
        return None;
    }
    let options = attributes(rest).find(|(kind, _)| *kind == TCA_OPTIONS).map(|(_, value)| value);
    let kind = attribute_text(rest, TCA_KIND)?;
    let of_bpf = options.filter(|_| kind == "bpf");
    let id = |options| attributes(options).find(|(kind, _)| *kind == TCA_BPF_ID);
    Some(Filter {
        slot: Slot { priority: (info >> 16) as u16, handle },
        program: of_bpf.and_then(|options| u32_at(id(options)?.1, 0)),
        name: of_bpf.and_then(|options| attribute_text(options, TCA_BPF_NAME)),
        kind,
    })
}

fn attribute_text(bytes: &[u8], wanted: u16) -> Option<String> {
    let (_, value) = attributes(bytes).find(|(kind, _)| *kind == wanted)?;
    let text = value.split(|byte| *byte == 0).next().unwrap_or_default();
    Some(String::from_utf8_lossy(text).into_owned())
}

/// Treats a missing object as no error: the kernel reports EINVAL for a missing qdisc, ENOENT for a missing
/// filter.
fn or_none<T>(answer: Result<Option<T>>) -> Result<Option<T>> {
    answer.or_else(|error| match error.downcast_ref() {
        Some(Errno::ENOENT | Errno::EINVAL | Errno::ENODEV) => Ok(None),
        _ => Err(error),
    })
}
