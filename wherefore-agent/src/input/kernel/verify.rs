//! Checks whether our programs are still attached and reached: other programs may detach or replace them, or
//! run in front of them and end the chain. Owns this check; the caller attaches programs again.

use wherefore_common::Direction;

use super::attach::{Attachments, Place};
use super::{privileges, query, tc};
use crate::input::settings::AttachOrder;

/// A program that is no longer where it was attached.
pub(super) struct Lost {
    pub(super) ifindex: u32,
    pub(super) direction: Direction,
    /// What happened to it.
    pub(super) what: String,
}

/// Programs that run in front of ours.
pub(super) struct InFront {
    /// Their names, as text.
    pub(super) programs: String,
    /// Whether ours can be attached in front of them.
    pub(super) can_be_passed: bool,
}

impl Attachments {
    /// Checks every program. Removes and returns those that are no longer in place.
    pub(super) fn lost(&mut self) -> Vec<Lost> {
        let mut lost = Vec::new();
        let mut kept = Vec::with_capacity(self.placed.len());
        for placed in self.placed.drain(..) {
            match placed.loss() {
                Ok(None) => kept.push(placed),
                Ok(Some(what)) => {
                    let (ifindex, direction) = (placed.ifindex, placed.direction);
                    lost.push(Lost { ifindex, direction, what });
                    if let Err(error) = placed.take_off() {
                        tracing::debug!(error = format!("{error:#}"), ifindex, "nothing to detach");
                    }
                }
                Err(error) => {
                    let ifindex = placed.ifindex;
                    tracing::debug!(error = format!("{error:#}"), ifindex, "cannot verify");
                    kept.push(placed);
                }
            }
        }
        self.placed = kept;
        lost
    }

    /// Detaches our program from one direction of an interface, so that it can be attached again.
    pub(super) fn detach_for_retry(&mut self, ifindex: u32, direction: Direction) {
        let is_it = |placed: &mut super::attach::Placed| {
            placed.ifindex == ifindex && placed.direction == direction
        };
        for placed in self.placed.extract_if(.., is_it) {
            if let Err(error) = placed.take_off() {
                tracing::debug!(error = format!("{error:#}"), ifindex, "nothing to detach");
            }
        }
    }

    /// The programs that get packets of this direction before ours; `None` if there are none.
    pub(super) fn in_front(&self, ifindex: u32, direction: Direction) -> Option<InFront> {
        let is_it = |placed: &&super::attach::Placed| {
            placed.ifindex == ifindex && placed.direction == direction
        };
        let placed = self.placed.iter().find(is_it)?;
        let (xdp, tcx, filters) = match &placed.place {
            Place::Xdp(_) => return None,
            Place::Tcx(_) => {
                (xdp(ifindex, direction), tcx(ifindex, direction, placed.program), vec![])
            }
            Place::Clsact(_, slot) => (
                xdp(ifindex, direction),
                tcx(ifindex, direction, 0),
                filters_before(ifindex, direction, *slot),
            ),
        };
        let is_passable = match &placed.place {
            Place::Tcx(_) => !tcx.is_empty(),
            _ => tcx.is_empty() && !filters.is_empty(),
        };
        let named = |hook: &str, id: &u32| match self.names.get(id) {
            Some(name) => format!("{hook} program {id} ({name})"),
            None => format!("{hook} program {id} (see `bpftool prog show id {id}`)"),
        };
        let mut programs: Vec<_> = xdp.iter().map(|id| named("XDP", id)).collect();
        programs.extend(tcx.iter().map(|id| named("TCX", id)));
        programs.extend(filters);
        programs.dedup();
        if programs.is_empty() {
            return None;
        }
        let can_be_passed = self.order == AttachOrder::First && is_passable;
        Some(InFront { programs: programs.join(", "), can_be_passed })
    }
}

/// The XDP programs of others. Ours is not among them, because otherwise nothing would be in front of it.
fn xdp(ifindex: u32, direction: Direction) -> Vec<u32> {
    if direction == Direction::Egress {
        return Vec::new();
    }
    tc::xdp_programs(ifindex).unwrap_or_default()
}

/// The TCX programs on an interface, first those for received packets; with their names if this process may
/// read them. Used before anything is attached.
///
/// # Errors
/// If this process lacks the privilege, or the kernel has no TCX.
pub fn others_on(ifindex: u32) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for (direction, side) in [(Direction::Ingress, "received"), (Direction::Egress, "sent")] {
        for number in query::tcx_programs(ifindex, direction)? {
            let known = aya::programs::loaded_programs().filter_map(Result::ok);
            let named = known.filter(|program| program.id() == number).find_map(|program| {
                program.name_as_str().filter(|name| !name.is_empty()).map(str::to_owned)
            });
            let name = named.unwrap_or_else(|| format!("program {number}"));
            names.push(format!("{name} ({side})"));
        }
    }
    Ok(names)
}

/// The TCX programs before the one with this number; all if there is no such program.
fn tcx(ifindex: u32, direction: Direction, ours: u32) -> Vec<u32> {
    let programs = privileges::with_net_admin(|| query::tcx_programs(ifindex, direction));
    let programs = programs.unwrap_or_default();
    programs.into_iter().take_while(|program| *program != ours).collect()
}

fn filters_before(ifindex: u32, direction: Direction, ours: tc::Slot) -> Vec<String> {
    let filters = tc::filters(ifindex, direction).unwrap_or_default();
    let before = filters.into_iter().take_while(|filter| filter.slot != ours);
    // Each priority occurs again with handle 0, which stands for the head of its filters.
    before.filter(|filter| filter.slot.handle != 0).map(|filter| filter.to_string()).collect()
}
