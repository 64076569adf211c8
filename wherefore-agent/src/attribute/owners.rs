//! Adds owners to the flows of an interval. Owns how the owners of both ends of a flow are found; refuses to
//! name an owner that is not certain.
//!
//! The kernel records the socket of a packet's sender. So the source of a flow is looked up directly; its
//! destination is the source of the reply flow, on whatever interface either was seen.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use wherefore_common::{Direction, FlowKey};

use super::by_kernel::ByKernel;
use super::by_proc::ByProc;
use super::conversations::{Conversation, Conversations, NO_ROOM};
use super::end_owner::EndOwner;
use super::local::Local;
use super::process_cache::ProcessCache;
use super::settings::Settings;
use crate::input::owners::{KernelRecords, Mode, RecordingHooks};
use crate::input::translations::{Translations, forwards};
use crate::traffic::interval::Interval;
use crate::traffic::who::{Owner, Owners, Unattributed};

/// Finds owners.
pub(super) struct Attribution {
    processes: ProcessCache,
    tier: Tier,
    translations: Translations,
}

/// The method by which owners are found.
enum Tier {
    Kernel(Box<ByKernel>),
    Proc(ByProc),
}

impl Attribution {
    /// Starts attribution according to the settings, with the kernel's records; `None` if it is off.
    pub(super) fn open(
        settings: &Settings,
        kernel: Option<Box<dyn KernelRecords>>,
    ) -> Option<Self> {
        if settings.mode == Mode::Off {
            return None;
        }
        let tier = match kernel {
            Some(kernel) => Tier::Kernel(Box::new(ByKernel::new(kernel))),
            None => Tier::Proc(ByProc::default()),
        };
        let processes = ProcessCache::new(settings.clone());
        Some(Self { processes, tier, translations: Translations::default() })
    }

    /// The method, for the log.
    pub(super) fn describe(&self) -> &'static str {
        match &self.tier {
            Tier::Kernel(kernel) => match kernel.hooks() {
                RecordingHooks::Tracepoints => {
                    "the sockets of packets, in the kernel (tracepoints)"
                }
                RecordingHooks::Functions => "the sockets of packets, in the kernel (functions)",
            },
            Tier::Proc(_) => "sockets and /proc at the end of each interval",
        }
    }

    /// Whether the open files of other processes are read.
    pub(super) fn looks_into_processes(&self) -> bool {
        matches!(self.tier, Tier::Proc(_))
    }

    /// Adds the owners of all flows.
    pub(super) fn attribute(&mut self, interval: &mut Interval) {
        self.begin(interval.index);
        let local = Local::read();
        let conversations = self.conversations(interval, &local);
        let mut ends = OwnersBuilder::new(interval.flows.len(), self.no_socket());
        let senders: Vec<_> = conversations.all().iter().map(|one| self.sender(one)).collect();
        let senders: Vec<_> = senders.into_iter().map(|found| ends.number(found)).collect();
        let mut receivers = Vec::with_capacity(senders.len());
        for (number, conversation) in conversations.all().iter().enumerate() {
            let answer = conversations.answer(number).map(|answer| senders[answer]);
            let known = answer.filter(|end| *end != NOTHING);
            receivers.push(known.unwrap_or_else(|| ends.number(self.receiver(conversation))));
            ends.add_once(conversation, senders[number], receivers[number], &local);
        }
        for at in 0..interval.flows.len() {
            let number = conversations.of_flow(at);
            let flow = interval.flows.key(at);
            let conversation = &conversations.all()[number];
            let socket = interval.sockets.get(at).copied().unwrap_or(0);
            let mut sender = senders[number];
            if conversation.is_ambiguous && !matches!(socket, 0 | NO_ROOM) {
                sender = ends.number(self.owner(socket));
            }
            ends.add(&flow, conversation, sender, receivers[number], &local);
        }
        interval.owners = ends.owners;
    }

    /// The conversations of an interval. Packets of a container have no socket on the interfaces of this host, and
    /// may have its address; but the addresses of their sockets are known.
    fn conversations(&mut self, interval: &Interval, local: &Local) -> Conversations {
        let Self { tier, translations, .. } = self;
        let (flows, sockets) = (&interval.flows, &interval.sockets);
        let mut conversations = Conversations::of(flows, sockets, translations);
        let Tier::Kernel(kernel) = tier else { return conversations };
        if !forwards() {
            return conversations;
        }
        if translations.ask(conversations.arriving_unknown(local)) {
            conversations = Conversations::of(flows, sockets, translations);
        }
        conversations.complete(|conversation| {
            let as_sent = translations.as_sent(conversation.tuple);
            let may_be_elsewhere = match local.has_ends(&as_sent) {
                [is_here, _] if conversation.is_translated => !is_here,
                ends => ends == [false; 2],
            };
            if may_be_elsewhere { kernel.elsewhere(&as_sent) } else { 0 }
        });
        conversations
    }

    fn begin(&mut self, interval: i64) {
        self.processes.begin(interval);
        match &mut self.tier {
            Tier::Kernel(kernel) => kernel.begin(interval),
            Tier::Proc(proc) => proc.begin(),
        }
    }

    fn sender(&mut self, conversation: &Conversation) -> EndOwner {
        match &mut self.tier {
            Tier::Kernel(kernel) => kernel.sender(conversation, &mut self.processes),
            Tier::Proc(proc) => proc.sender(conversation, &mut self.processes),
        }
    }

    fn receiver(&mut self, conversation: &Conversation) -> EndOwner {
        match &mut self.tier {
            Tier::Kernel(kernel) => kernel.receiver(conversation, &mut self.processes),
            Tier::Proc(proc) => proc.receiver(conversation, &mut self.processes),
        }
    }

    fn owner(&mut self, socket: u32) -> EndOwner {
        match &mut self.tier {
            Tier::Kernel(kernel) => kernel.owner(socket, &mut self.processes),
            Tier::Proc(_) => EndOwner::Nothing,
        }
    }

    /// The reason that is given for an end on this host without a socket.
    fn no_socket(&self) -> Unattributed {
        match self.tier {
            Tier::Kernel(_) => Unattributed::Kernel,
            Tier::Proc(_) => Unattributed::NoSocket,
        }
    }
}

/// Owners under construction.
struct OwnersBuilder {
    owners: Owners,
    processes: FxHashMap<usize, u32>,
    reasons: [Option<u32>; Unattributed::ALL.len()],
    /// The reason that is given for an end on this host without a socket.
    no_socket: Unattributed,
}

/// The index of an end about which nothing is known.
const NOTHING: u32 = u32::MAX;

impl OwnersBuilder {
    fn new(flows: usize, no_socket: Unattributed) -> Self {
        let (processes, reasons) = Default::default();
        Self { owners: Owners::with_capacity(flows), processes, reasons, no_socket }
    }

    fn number(&mut self, found: EndOwner) -> u32 {
        match found {
            EndOwner::Nothing => NOTHING,
            EndOwner::Unattributed(reason) => self.reason(reason),
            EndOwner::Process(process) => {
                let Self { processes, owners, .. } = self;
                // `ProcessCache` keeps each process until the interval ends, so its address identifies it.
                let place = Arc::as_ptr(&process).addr();
                *processes.entry(place).or_insert_with(|| owners.add_owner(Owner::Process(process)))
            }
        }
    }

    fn reason(&mut self, reason: Unattributed) -> u32 {
        let Self { reasons, owners, .. } = self;
        *reasons[reason as usize]
            .get_or_insert_with(|| owners.add_owner(Owner::Unattributed(reason)))
    }

    fn is_process(&self, number: u32) -> bool {
        self.owners.known(number).is_some_and(|owner| owner.process().is_some())
    }

    /// Adds a flow with the owners of its ends.
    fn add(
        &mut self,
        flow: &FlowKey,
        conversation: &Conversation,
        sender: u32,
        receiver: u32,
        local: &Local,
    ) {
        let no_socket = match conversation {
            Conversation { is_without_room: true, .. } => Unattributed::Overflow,
            Conversation { is_translated: true, .. } => Unattributed::Forwarded,
            _ => self.no_socket,
        };
        let mut end = |number: u32, is_here: bool| match (number, is_here) {
            (NOTHING, true) => self.reason(no_socket),
            (NOTHING, false) => self.reason(Unattributed::Remote),
            (number, _) => number,
        };
        let [src_is_here, dst_is_here] = local.has_ends(flow);
        let (sender, receiver) = (end(sender, src_is_here), end(receiver, dst_is_here));
        let is_sent = match flow.direction() {
            Direction::Egress => true,
            Direction::Ingress => false,
            Direction::Unknown => src_is_here,
        };
        let (near, far) = if is_sent { (sender, receiver) } else { (receiver, sender) };
        let local = if self.is_process(near) || src_is_here | dst_is_here && !self.is_process(far) {
            near
        } else if self.is_process(far) {
            far
        } else {
            self.reason(Unattributed::Forwarded)
        };
        self.owners.push(sender, receiver, local);
    }

    /// Adds a conversation to the host's traffic, once for all interfaces.
    fn add_once(&mut self, conversation: &Conversation, sender: u32, receiver: u32, local: &Local) {
        let is_owned = self.is_process(sender) || self.is_process(receiver);
        let is_here = local.has_ends(&conversation.tuple).contains(&true);
        let host = &mut self.owners.host;
        host.bytes += conversation.bytes;
        if is_owned {
            host.owned_bytes += conversation.bytes;
        } else if !is_here {
            host.forwarded_bytes += conversation.bytes;
        }
    }
}
