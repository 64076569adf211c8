//! eBPF as a source: two flow maps that are used in turn, cumulative counters of uncounted frames, and the
//! interfaces' own counters. Owns the life cycle of the kernel side, from loading to the last drain.
//!
//! Nothing is lost or counted twice: programs write to one map while the other one, which no program can
//! reach any more, is drained. A run ends with its last drain. Packets that the programs see between it and
//! being detached are in no interval.

mod answers;
mod apart;
mod attach;
mod batch;
mod btf;
pub mod clock;
mod clsact;
mod control;
mod coverage;
mod filters;
mod loader;
mod maps;
mod offsets;
mod owners;
pub(super) mod privileges;
mod query;
mod settings;
mod table;
mod tap;
mod tc;
mod verify;
mod version;
mod watched;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use wherefore_common::flow::RemainderKey;
use wherefore_common::{Counters, Direction, FlowKey, Reason};

use super::interfaces::{self, AllCounters};
use super::owners::{KernelRecords, Mode};
use super::requests::{Requests, Wake};
use super::selection::Selection;
use super::source::Source;
use crate::descriptors;
use crate::input::filter::Filter;
use crate::traffic::flows::Flows;
use crate::traffic::interval::{Drain, Interval};
use answers::AnswerRing;
use attach::Attachments;
use clock::{Closed, Ticks};
pub use loader::DEFAULT_CAPACITY;
use loader::{Drained, Loaded};
use owners::KernelOwners;
pub use owners::recording_hooks;
pub use settings::KernelOptions;
use table::FilteredCounts;
pub use table::NO_ROOM;
use tap::Tap;
pub use verify::others_on;
use watched::{Watched, Watchlist};

/// Counts in the kernel.
pub struct KernelSource {
    loaded: Loaded,
    attachments: Attachments,
    watched: Watchlist,
    unattributed: Counters,
    ticks: Ticks,
    description: String,
    tap: Option<Tap>,
    answers: Option<AnswerRing>,
    owners: Option<KernelOwners>,
    is_over: bool,
}

impl KernelSource {
    /// Loads the programs and attaches them to the selected interfaces that exist.
    ///
    /// # Errors
    /// If a privilege or a kernel feature is missing, or another program occupies the hook.
    pub fn open(selection: Selection, filter: &Filter, options: &KernelOptions) -> Result<Self> {
        filter
            .program()
            .map_err(|unsupported| filters::beyond_the_kernel(&unsupported.to_string()))?;
        privileges::check()?;
        let mut loaded = Loaded::load(options, selection.most())?;
        loaded.set_filter(filter)?;
        let owners = open_owners(&mut loaded, options.owners)?;
        let mut attachments = Attachments::new(options.attach, options.order);
        attachments.load_all(&mut loaded, options.loads_in_turn)?;
        let mut watched = Watchlist::new(selection);
        watched.begin(&mut loaded, &mut attachments)?;
        privileges::drop_unneeded(
            attachments.need_net_admin(),
            options.owners.capabilities(owners.is_some()),
        );
        let recorder = options.recorder.clone();
        let tap = recorder.map(|recorder| Tap::start(&mut loaded, recorder)).transpose()?;
        let answers = options.learns_names.then(|| AnswerRing::new(&mut loaded)).transpose()?;
        Ok(Self {
            description: describe(&watched, &attachments, &loaded),
            loaded,
            attachments,
            watched,
            unattributed: Counters::default(),
            ticks: Ticks::new(options.interval),
            tap,
            answers,
            owners,
            is_over: false,
        })
    }

    /// Waits for the end of the interval; returns whether it is the last one. Meanwhile, follows interfaces
    /// that appear and disappear.
    fn wait(&mut self, requests: &Requests) -> bool {
        loop {
            let wake = requests.wait_until(self.ticks.next_end());
            match wake {
                Wake::Stop => return true,
                Wake::Reload => {}
                Wake::Links | Wake::IntervalEnd => {
                    self.watched.follow(&mut self.loaded, &mut self.attachments);
                    if wake == Wake::IntervalEnd {
                        return false;
                    }
                }
            }
        }
    }

    /// The traffic since the last drain. `before` are the devices' counts before this drain, or before
    /// detaching.
    fn drain(&mut self, before: &AllCounters) -> Result<Interval> {
        let begin = Instant::now();
        let wall_minus_kernel = clock::wall_minus_monotonic_ns();
        // Reserve the memory: a growing vector would be copied repeatedly.
        let mut flows = Flows::with_capacity(self.loaded.flows_expected());
        let places = self.watched.places();
        let mut sockets = Vec::with_capacity(self.loaded.flows_expected());
        let mut give = |key: FlowKey, mut counters: Counters, socket: u32| {
            shift(&mut counters, wall_minus_kernel);
            if let Some(place) = places.get(&key.ifindex) {
                self.watched.note(*place, &key, &mut counters);
            }
            flows.push(&key, &counters);
            sockets.push(socket);
        };
        let Drained { swapped, left_out } =
            self.loaded.flip_and_drain(&mut give).context("cannot drain the flow map")?;
        if let Some(tap) = &self.tap {
            tap.catch_up();
        }
        let answers = self.answers.as_mut().map(|ring| ring.take(wall_minus_kernel));
        let remainders = self.read_remainders(left_out, wall_minus_kernel)?;
        let after = interfaces::counters()?;
        self.loaded.flush_log();
        let Closed { index, start_ns, end_ns, held_up_ns, stepped_ns } = self.ticks.close(swapped);
        let mut interfaces = self.watched.readings(before, &after);
        self.watched.declare(&mut interfaces, &mut self.loaded, &mut self.attachments);
        let took_ns = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Ok(Interval {
            index,
            start_ns,
            end_ns,
            flows,
            sockets,
            drain: Some(Drain { took_ns, capacity: self.loaded.capacity() }),
            remainders,
            answers: answers.unwrap_or_default(),
            interfaces,
            is_partial: self.is_over,
            held_up_ns,
            stepped_ns,
            ..Interval::default()
        })
    }

    /// The new uncounted frames since the last reading, including those of filtered flows.
    fn read_remainders(
        &mut self,
        mut left_out: FilteredCounts,
        shift_ns: i64,
    ) -> Result<Vec<(RemainderKey, Counters)>> {
        let mut grown = Vec::new();
        for Watched { interface, directions, .. } in self.watched.iter_mut() {
            for state in directions {
                for (reason, seen) in Reason::IN_KERNEL.into_iter().zip(&mut state.remainders) {
                    let key = RemainderKey::new(interface.index, state.direction, reason);
                    let now = self.loaded.remainder(&key)?;
                    let mut delta = now.since(seen);
                    *seen = now;
                    if let Some(counters) = left_out.remove(&key) {
                        delta.merge(&counters);
                    }
                    if delta.device_packets == 0 {
                        continue;
                    }
                    state.counted.add(interface, &mut delta);
                    shift(&mut delta, shift_ns);
                    let reason = self.loaded.reason(reason);
                    grown.push((RemainderKey { reason: reason as u8, ..key }, delta));
                }
            }
        }
        // Frames of an interface that is no longer watched. There are none; see `read_unattributed`.
        for (key, mut counters) in left_out {
            shift(&mut counters, shift_ns);
            grown.push((key, counters));
        }
        grown.extend(self.read_unattributed(shift_ns)?);
        Ok(grown)
    }

    /// Frames of an interface without counters. There should be none; if there were, they would be reported
    /// here.
    fn read_unattributed(&mut self, shift_ns: i64) -> Result<Option<(RemainderKey, Counters)>> {
        let now = self.loaded.unattributed()?;
        let mut delta = now.since(&self.unattributed);
        self.unattributed = now;
        shift(&mut delta, shift_ns);
        let key = RemainderKey::new(0, Direction::Unknown, Reason::NonIp);
        Ok((delta.device_packets > 0).then_some((key, delta)))
    }
}

/// Makes the kernel record the use of sockets, if this is wanted and possible.
///
/// # Errors
/// If it is required but impossible.
fn open_owners(loaded: &mut Loaded, mode: Mode) -> Result<Option<KernelOwners>> {
    if !matches!(mode, Mode::Auto | Mode::Kernel) {
        return Ok(None);
    }
    match loaded.has_offsets().and_then(|()| KernelOwners::attach(loaded)) {
        Ok(owners) => Ok(Some(owners)),
        Err(error) if mode == Mode::Kernel => Err(error.context(
            "the kernel cannot record which process uses which socket (--attribution kernel)",
        )),
        Err(error) => {
            tracing::warn!(
                reason = descriptors::explained(&error),
                "the kernel cannot record which process uses which socket: looking up processes in /proc"
            );
            Ok(None)
        }
    }
}

/// Converts times from the kernel's clock to nanoseconds since 1970.
fn shift(counters: &mut Counters, by_ns: i64) {
    counters.first_ns = counters.first_ns.wrapping_add_signed(by_ns);
    counters.last_ns = counters.last_ns.wrapping_add_signed(by_ns);
}

fn describe(watched: &Watchlist, attachments: &Attachments, loaded: &Loaded) -> String {
    format!(
        "eBPF ({}) on {}, space for {} flows an interval",
        attachments.describe(),
        watched.describe(),
        crate::text::grouped(u64::from(loaded.capacity()))
    )
}

impl Source for KernelSource {
    fn next(&mut self, requests: &Requests) -> Result<Option<Interval>> {
        if self.is_over {
            return Ok(None);
        }
        if self.watched.remove_vanished(&mut self.loaded) {
            // A new interface with the number of one that has disappeared could not be counted until now.
            self.watched.follow(&mut self.loaded, &mut self.attachments);
        }
        // Detach after everything is written: with hundreds of interfaces this takes seconds.
        self.is_over = self.wait(requests);
        self.watched.verify(&mut self.loaded, &mut self.attachments, self.is_over);
        let before = interfaces::counters()?;
        self.drain(&before).map(Some)
    }

    fn reload(&mut self, filter: &Filter) -> Result<()> {
        self.loaded.set_filter(filter)
    }

    fn set_interval(&mut self, interval: Duration) {
        self.ticks.set_interval(interval);
    }

    fn take_kernel_records(&mut self) -> Option<Box<dyn KernelRecords>> {
        self.owners.take().map(|owners| Box::new(owners) as Box<dyn KernelRecords>)
    }

    fn describe(&self) -> String {
        self.description.clone()
    }

    fn interface_name(&self, ifindex: u32) -> String {
        self.watched.name_of(ifindex).map_or_else(|| ifindex.to_string(), str::to_owned)
    }
}

impl Drop for KernelSource {
    fn drop(&mut self) {
        self.attachments.detach();
    }
}
