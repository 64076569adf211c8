//! Checks whether packets reach our programs on each interface. Detached programs are attached again,
//! programs with others in front are moved to the front, and bytes that passed meanwhile are reported as
//! missed. Owns these bytes; `verify` finds the causes.

use anyhow::{Result, bail};
use wherefore_common::Direction;

use super::apart::{Gap, Missing};
use super::attach::Attachments;
use super::loader::Loaded;
use super::verify::{InFront, Lost};
use super::watched::{DirectionState, Refusal, Watched, Watchlist, attach, bytes_of};
use crate::descriptors;
use crate::input::interfaces::{self, DeviceCounters, device_counters};
use crate::traffic::interval::{Comparison, InterfaceReading};

/// How often our program is moved to the front. After that, the other program wins.
const MOST_MOVES: u32 = 3;
/// The number of refused interfaces that are tried again after each interval.
const RETRIES: usize = 16;

impl Watchlist {
    /// Checks whether all programs are in place, and attaches missing ones again. Also tries interfaces again
    /// that were refused before. At the end of a run, nothing is attached any more.
    pub(super) fn verify(
        &mut self,
        loaded: &mut Loaded,
        attachments: &mut Attachments,
        is_over: bool,
    ) {
        for Lost { ifindex, direction, what } in attachments.lost() {
            let watched = self.iter_mut().find(|watched| watched.interface.index == ifindex);
            if let Some(state) = watched.and_then(|watched| watched.direction_mut(direction)) {
                state.coverage.begin_gap(what, false);
            }
        }
        if is_over {
            return;
        }
        for watched in self.iter_mut().filter(|watched| !watched.is_gone) {
            watched.close_gaps(loaded, attachments);
        }
        self.retry(loaded, attachments);
    }

    /// Tries again to attach to some interfaces that were refused.
    fn retry(&mut self, loaded: &mut Loaded, attachments: &mut Attachments) {
        for Refusal { interface, since, .. } in self.next_refused(RETRIES) {
            if !attachments.can_be_on(&interface) {
                continue;
            }
            match attach(loaded, attachments, interface.clone(), Some(since)) {
                Ok(watched) => {
                    let missed: u64 = watched.directions.iter().map(|state| state.missed).sum();
                    let interface = watched.interface.name.as_str();
                    tracing::info!(
                        interface,
                        missed_bytes = missed,
                        "interface was refused before: counting now"
                    );
                    self.accept(watched);
                }
                Err(error) => {
                    let (interface, error) = (&interface.name, descriptors::explained(&error));
                    tracing::debug!(interface, error, "interface is still not counted");
                }
            }
        }
    }

    /// Adds the bytes that did not reach our programs to the readings of an interval. Programs with others in
    /// front are moved to the front.
    pub(super) fn declare(
        &mut self,
        readings: &mut [InterfaceReading],
        loaded: &mut Loaded,
        attachments: &mut Attachments,
    ) {
        for (watched, reading) in self.iter_mut().zip(readings).filter(|(_, now)| !now.gone) {
            for direction in [Direction::Ingress, Direction::Egress] {
                let side = match direction {
                    Direction::Egress => &mut reading.egress,
                    _ => &mut reading.ingress,
                };
                watched.declare(direction, side, loaded, attachments);
            }
        }
    }
}

impl Watched {
    fn direction_mut(&mut self, direction: Direction) -> Option<&mut DirectionState> {
        self.directions.iter_mut().find(|state| state.direction == direction)
    }

    /// Attaches again in each direction that lost its program.
    fn close_gaps(&mut self, loaded: &mut Loaded, attachments: &mut Attachments) {
        let is_open = |state: &&DirectionState| {
            state.coverage.gap.as_ref().is_some_and(|gap: &Gap| !gap.is_over)
        };
        let open: Vec<_> =
            self.directions.iter().filter(is_open).map(|one| one.direction).collect();
        for direction in open {
            let attached = self.attach_again(direction, loaded, attachments);
            let name = self.interface.name.clone();
            let index = self.interface.index;
            let Some(gap) = self.direction_mut(direction).and_then(|it| it.coverage.gap.as_mut())
            else {
                continue;
            };
            match attached {
                Ok(()) => gap.is_over = true,
                Err(_) if gap.is_reported || interfaces::index_of(&name) != Some(index) => {}
                Err(error) => {
                    gap.is_reported = true;
                    tracing::warn!(
                        interface = name,
                        direction = direction_name(direction),
                        happened = gap.what,
                        error = descriptors::explained(&error),
                        "packets are not counted: our program was taken off and can't be attached \
                         again; it is tried after each interval"
                    );
                }
            }
        }
    }

    /// Attaches in one direction. Reads the device's counters before and after.
    fn attach_again(
        &mut self,
        direction: Direction,
        loaded: &mut Loaded,
        attachments: &mut Attachments,
    ) -> Result<()> {
        let before = device_counters(&self.interface)?;
        attachments.attach(loaded, &self.interface, &[direction])?;
        let after = device_counters(&self.interface)?;
        if interfaces::index_of(&self.interface.name) != Some(self.interface.index) {
            attachments.detach_for_retry(self.interface.index, direction);
            bail!("it was replaced meanwhile");
        }
        let moved = bytes_of(&after, direction).saturating_sub(bytes_of(&before, direction));
        if let Some(state) = self.direction_mut(direction) {
            state.attach_gap += moved;
        }
        Ok(())
    }

    fn declare(
        &mut self,
        direction: Direction,
        now: &mut Comparison,
        loaded: &mut Loaded,
        attachments: &mut Attachments,
    ) {
        let Some(state) = self.direction_mut(direction) else { return };
        if let Some(gap) = state.coverage.gap.take() {
            let missing = state.coverage.missing(now);
            let missed =
                self.shift(direction, now, Missing { bytes: missing.bytes.max(0), ..missing });
            self.report_gap(direction, gap, missed);
        } else if state.coverage.taken > 0
            && state.coverage.missing(now).bytes < -(now.uncertain_bytes as i64)
        {
            // Packets in flight had been reported as missed too early.
            let Missing { bytes, .. } = state.coverage.missing(now);
            let bytes = bytes.max(-(state.coverage.taken.cast_signed()));
            state.coverage.taken = state.coverage.taken.saturating_add_signed(bytes);
            self.shift(direction, now, Missing { bytes, packets: 0 });
        } else if state.coverage.is_unreached(now)
            && let Some(in_front) = attachments.in_front(self.interface.index, direction)
        {
            self.declare_taken(direction, now, in_front, loaded, attachments);
        }
        if let Some(state) = self.direction_mut(direction) {
            state.coverage.remember(now);
        }
    }

    /// Moves bytes and packets from those that are compared to those that are missed.
    fn shift(&mut self, direction: Direction, now: &mut Comparison, missing: Missing) -> u64 {
        let Missing { bytes, packets } = missing;
        let add = |to: &mut u64, what: i64| *to = to.saturating_add_signed(what);
        let DeviceCounters { rx_bytes, rx_packets, tx_bytes, tx_packets, .. } = &mut self.base;
        let base = match direction {
            Direction::Egress => [tx_bytes, tx_packets],
            _ => [rx_bytes, rx_packets],
        };
        for (base, what) in base.into_iter().zip([bytes, packets]) {
            add(base, what);
        }
        add(&mut now.interface_bytes, -bytes);
        add(&mut now.interface_packets, -packets);
        add(&mut now.missed_bytes, bytes);
        if let Some(state) = self.direction_mut(direction) {
            add(&mut state.missed, bytes);
        }
        bytes.max(0).unsigned_abs()
    }

    /// Reports a gap if it is over; otherwise the gap continues.
    fn report_gap(&mut self, direction: Direction, mut gap: Gap, missed: u64) {
        gap.missed += missed;
        if gap.is_over && gap.is_move {
            tracing::debug!(interface = self.interface.name, missed, "missed while it was moved");
        } else if gap.is_over {
            tracing::warn!(
                interface = self.interface.name,
                direction = direction_name(direction),
                happened = gap.what,
                missed_bytes = gap.missed,
                "packets were not counted because our program was detached; it is attached again"
            );
        } else if let Some(state) = self.direction_mut(direction) {
            state.coverage.gap = Some(gap);
        }
    }

    /// Reports the bytes that other programs took before ours saw them, and moves ours to the front if
    /// possible.
    fn declare_taken(
        &mut self,
        direction: Direction,
        now: &mut Comparison,
        in_front: InFront,
        loaded: &mut Loaded,
        attachments: &mut Attachments,
    ) {
        let Some(state) = self.direction_mut(direction) else { return };
        let missing = state.coverage.missing(now);
        let missed = self.shift(direction, now, missing);
        let is_first = in_front.can_be_passed && self.go_first(direction, loaded, attachments);
        let name = self.interface.name.clone();
        let Some(state) = self.direction_mut(direction) else { return };
        state.coverage.taken += missed;
        let InFront { programs, .. } = in_front;
        let (interface, direction) = (name, direction_name(direction));
        if is_first {
            tracing::warn!(
                interface,
                direction,
                in_front = programs,
                missed_bytes = missed,
                "packets did not reach our program: others ran in front of it and kept them; it is first \
                 now"
            );
        } else if state.coverage.in_front.as_ref() != Some(&programs) {
            tracing::warn!(
                interface,
                direction,
                in_front = programs,
                missed_bytes = missed,
                "packets do not reach our program: others run in front of it and accept, redirect or drop \
                 them; what they take is declared as missed (--attach-order first and --attach tcx put \
                 ours in front)"
            );
            state.coverage.in_front = Some(programs);
        }
    }

    /// Attaches our program again in front of all others, a limited number of times.
    fn go_first(
        &mut self,
        direction: Direction,
        loaded: &mut Loaded,
        attachments: &mut Attachments,
    ) -> bool {
        let Some(state) = self.direction_mut(direction) else { return false };
        if state.coverage.moves >= MOST_MOVES {
            return false;
        }
        state.coverage.moves += 1;
        attachments.detach_for_retry(self.interface.index, direction);
        let Some(state) = self.direction_mut(direction) else { return false };
        state.coverage.begin_gap("it was moved in front of others".to_owned(), true);
        self.close_gaps(loaded, attachments);
        let state = self.direction_mut(direction);
        state.and_then(|state| state.coverage.gap.as_ref()).is_some_and(|gap| gap.is_over)
    }
}

fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "received",
        Direction::Egress => "sent",
        Direction::Unknown => "unknown",
    }
}
