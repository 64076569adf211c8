//! Filters of the clsact qdisc: the right to attach ours, the qdisc itself, and their position among other
//! filters. Owns the removal of what a killed agent left; never disturbs the filters of other programs.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use anyhow::{Context, Result, bail};
use aya::programs::tc::{self, NlOptions, SchedClassifierLink, TcAttachOptions, TcHandle};
use aya::programs::{ProgramError, SchedClassifier, TcAttachType};
use wherefore_common::Direction;
use wherefore_common::abi::program;

use super::tc::{Filter, Slot, filters, hook_qdisc};
use crate::input::interfaces::Interface;
use crate::input::settings::AttachOrder;

/// The handle of our filters. It is unusual, so that a `tc filter replace` of others with handle 1 does not
/// replace ours.
const HANDLE: TcHandle = TcHandle::new(0x7765, 1);
/// The priority that is used to be first if there is no filter in front of it. Filters with the same priority
/// must have the same kind and protocol, so the most common priorities are left to others.
const EARLY_PRIORITY: u16 = 7;
const LAST_PRIORITY: u16 = u16::MAX;
/// The number of priorities that are tried if the wanted one is used by filters of another kind.
const ALTERNATIVES: u16 = 64;

/// The right to attach our filters to an interface's clsact qdisc. Filters outlive a killed process, and all
/// of ours have the same name: only one agent may use them on an interface, and only that agent may remove
/// old ones. The lock is an abstract socket: the kernel always releases it, and exactly those who see the
/// interface see it.
pub(super) struct Claim {
    pub(super) ifindex: u32,
    _lock: UnixListener,
}

/// For which directions the qdisc on the hook has filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Qdisc {
    /// Both directions.
    Clsact,
    /// Received packets only: a filter for sent packets would see the received ones again.
    Ingress,
}

impl Claim {
    /// Takes the right to an interface, and removes the filters of a killed agent.
    ///
    /// # Errors
    /// If another agent has it.
    pub(super) fn on(interface: &Interface) -> Result<Self> {
        let name = format!("wherefore/clsact/{}", interface.index);
        let address = SocketAddr::from_abstract_name(name)?;
        let Ok(lock) = UnixListener::bind_addr(&address) else {
            bail!(
                "another wherefore counts on {} by clsact; stop it, or use --attach tcx (Linux 6.6), \
                 where several can",
                interface.name
            );
        };
        remove_stale_filters(&interface.name);
        Ok(Self { ifindex: interface.index, _lock: lock })
    }
}

/// Removes the filters of a killed agent for an agent that uses another hook, unless another agent has the
/// right to them. Takes that right only if there are filters at all, so that it is in nobody's way.
pub(super) fn clean_up(interface: &Interface) {
    let has_filters =
        |direction| filters(interface.index, direction).is_ok_and(|filters| !filters.is_empty());
    if has_filters(Direction::Ingress) || has_filters(Direction::Egress) {
        drop(Claim::on(interface));
    }
}

/// Adds the clsact qdisc, unless there is one to which filters can be added.
///
/// # Errors
/// If it can't be added, with the reason.
pub(super) fn ensure_qdisc(interface: &Interface) -> Result<Qdisc> {
    let Err(error) = tc::qdisc_add_clsact(&interface.name) else { return Ok(Qdisc::Clsact) };
    match hook_qdisc(interface.index)?.as_deref() {
        Some("clsact") => Ok(Qdisc::Clsact),
        Some("ingress") => Ok(Qdisc::Ingress),
        Some(other) => bail!("a qdisc of kind {other} is where clsact would be"),
        None => Err(error).context("cannot add the clsact qdisc"),
    }
}

/// Attaches our filter first or last among the existing ones, as far as their priorities allow.
///
/// # Errors
/// If the kernel refuses.
pub(super) fn attach(
    classifier: &mut SchedClassifier,
    interface: &Interface,
    direction: Direction,
    order: AttachOrder,
) -> Result<(SchedClassifierLink, Slot)> {
    let at = attach_type(direction);
    let others = filters(interface.index, direction).unwrap_or_default();
    let mut refused = None;
    for (priority, handle) in candidates(order, &others) {
        let options = TcAttachOptions::Netlink(NlOptions { priority, handle, classid: None });
        match classifier.attach_with_options(&interface.name, at, options) {
            Ok(id) => {
                let link = classifier.take_link(id)?;
                let slot = Slot { priority: link.priority()?, handle: link.handle()?.into() };
                return Ok((link, slot));
            }
            Err(error) if is_taken(&error) => refused = Some(error),
            Err(error) => return Err(error).context("cannot attach to the clsact qdisc"),
        }
    }
    let error = refused.map_or_else(|| anyhow::anyhow!("no priority is free"), Into::into);
    Err(error.context("cannot attach to the clsact qdisc"))
}

pub(super) fn attach_type(direction: Direction) -> TcAttachType {
    match direction {
        Direction::Egress => TcAttachType::Egress,
        Direction::Ingress | Direction::Unknown => TcAttachType::Ingress,
    }
}

/// The positions to try, the best first. A program runs before existing ones with the same priority.
fn candidates(order: AttachOrder, others: &[Filter]) -> Vec<(u16, TcHandle)> {
    let taken = others.iter().map(|filter| filter.slot.priority);
    let (wanted, alternatives): (u16, Vec<u16>) = match order {
        AttachOrder::First => {
            let before_all = taken.min().map_or(EARLY_PRIORITY, |lowest| lowest.saturating_sub(1));
            let wanted = before_all.clamp(1, EARLY_PRIORITY);
            (wanted, (wanted..wanted.saturating_add(ALTERNATIVES)).skip(1).collect())
        }
        AttachOrder::Last => {
            let wanted = LAST_PRIORITY;
            (wanted, (wanted - ALTERNATIVES..wanted).rev().collect())
        }
    };
    let own = [(wanted, HANDLE), (wanted, TcHandle::AUTO_ASSIGN)];
    own.into_iter().chain(alternatives.into_iter().map(|priority| (priority, HANDLE))).collect()
}

/// Whether this priority has filters of another kind or protocol, or one with this handle.
fn is_taken(error: &ProgramError) -> bool {
    let ProgramError::TcError(tc::TcError::NetlinkError(error)) = error else { return false };
    matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EEXIST))
}

fn remove_stale_filters(interface: &str) {
    let ours = [
        (TcAttachType::Ingress, program::TC_INGRESS),
        (TcAttachType::Egress, program::TC_EGRESS),
        (TcAttachType::Ingress, program::TC_INGRESS_L3),
        (TcAttachType::Egress, program::TC_EGRESS_L3),
    ];
    for (at, name) in ours {
        match tc::qdisc_detach_program(interface, at, name) {
            Ok(()) => tracing::info!(interface, name, "removed a filter that a killed agent left"),
            // The usual case: there is none.
            Err(error) => tracing::trace!(%error, interface, name, "no stale filter"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_tried(order: AttachOrder, taken: &[u16]) -> u16 {
        let filter = |priority: &u16| Filter::of_kind("u32", *priority);
        candidates(order, &taken.iter().map(filter).collect::<Vec<_>>())[0].0
    }

    #[test]
    fn ours_is_in_front_of_the_first_or_behind_all() {
        for (taken, priority) in [
            (&[][..], EARLY_PRIORITY),
            (&[49_152], EARLY_PRIORITY),
            (&[EARLY_PRIORITY, 49_152], EARLY_PRIORITY - 1),
            (&[2, 3], 1),
            (&[1], 1),
            (&[0], 1),
        ] {
            assert_eq!(first_tried(AttachOrder::First, taken), priority, "{taken:?}");
        }
        assert_eq!(first_tried(AttachOrder::Last, &[1, 49_152]), LAST_PRIORITY);
    }
}
