//! Finds owners by the sockets that the kernel recorded for packets. Owns what must be remembered beyond one
//! interval: connections whose replies come later, and names of processes that have ended.

use rustc_hash::FxHashMap;
use wherefore_common::FlowKey;
use wherefore_common::owner::{SocketOwner, mark};
use wherefore_common::protocol::{ICMP, ICMP_V6, IGMP, TCP, UDP};

use super::cgroups::Cgroups;
use super::conversations::Conversation;
use super::end_owner::EndOwner;
use super::listed::Listed;
use super::process;
use super::process_cache::{Facts, ProcessCache};
use crate::input::owners::{KernelRecords, RecordingHooks};
use crate::traffic::who::{UNKNOWN_USER, Unattributed};

/// The most connections that are remembered beyond the interval: the most recently seen ones.
const MOST_CONNECTIONS: usize = 65_536;
/// The number of intervals for which a connection is remembered.
const REMEMBERED: i64 = 60;
/// The most programs that are remembered.
const MOST_PROGRAMS: usize = 16_384;

/// The kernel's records, and what earlier intervals showed.
pub(super) struct ByKernel {
    kernel: Box<dyn KernelRecords>,
    cgroups: Cgroups,
    programs: FxHashMap<Named, Option<String>>,
    /// The sockets that sent connections, and in which interval they did.
    connections: FxHashMap<FlowKey, (u32, i64)>,
    /// Read only when it is needed.
    listed: Option<Listed>,
    /// The sockets of other network namespaces by what they send, read only when they are needed.
    elsewhere: Option<FxHashMap<FlowKey, u32>>,
    unused: UnusedSockets,
    interval: i64,
}

/// Sockets with packets that no process has used: a server that passes data on by splice(2) never receives, and
/// others only listen. Once such a socket is an interval old, it is looked for among the open files, once.
#[derive(Debug, Default)]
struct UnusedSockets {
    /// The interval in which each was first seen, and whether it was looked for.
    seen: FxHashMap<u32, (i64, bool)>,
    /// Whether open files were read in this interval.
    has_looked: bool,
}

impl UnusedSockets {
    fn begin(&mut self, interval: i64) {
        self.has_looked = false;
        self.seen.retain(|_, (first, _)| *first >= interval - REMEMBERED);
    }

    /// Whether to read the open files for this socket.
    fn is_due(&mut self, socket: u32, interval: i64) -> bool {
        if self.seen.len() > MOST_CONNECTIONS {
            return false;
        }
        let (first, is_asked) = self.seen.entry(socket).or_insert((interval, false));
        let is_due = *first < interval && !*is_asked;
        *is_asked |= is_due;
        is_due && !std::mem::replace(&mut self.has_looked, true)
    }
}

/// A process with its current name and program.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Named {
    tgid: u32,
    started_ns: u64,
    name: String,
    program: Option<String>,
}

impl ByKernel {
    pub(super) fn new(kernel: Box<dyn KernelRecords>) -> Self {
        let (programs, connections, unused) = Default::default();
        let cgroups = Cgroups::read();
        let (listed, elsewhere) = (None, None);
        Self { kernel, cgroups, programs, connections, listed, elsewhere, unused, interval: 0 }
    }

    /// The method by which the kernel records sockets.
    pub(super) fn hooks(&self) -> RecordingHooks {
        self.kernel.hooks()
    }

    /// Begins the interval with this number.
    pub(super) fn begin(&mut self, interval: i64) {
        (self.interval, self.listed, self.elsewhere) = (interval, None, None);
        self.cgroups.begin();
        self.unused.begin(interval);
        let is_crowded = self.connections.len() > MOST_CONNECTIONS;
        let oldest = interval - if is_crowded { 1 } else { REMEMBERED };
        self.connections.retain(|_, (_, last)| *last >= oldest);
        if self.programs.len() > MOST_PROGRAMS {
            self.programs.clear();
        }
    }

    /// The connected socket of another network namespace that sends this; 0 if there is none.
    pub(super) fn elsewhere(&mut self, tuple: &FlowKey) -> u32 {
        let sockets = self.elsewhere.get_or_insert_with(|| self.kernel.connected_elsewhere());
        sockets.get(tuple).copied().unwrap_or(0)
    }

    /// Finds the sender of this conversation.
    pub(super) fn sender(
        &mut self,
        conversation: &Conversation,
        processes: &mut ProcessCache,
    ) -> EndOwner {
        let Conversation { tuple, socket, is_ambiguous, .. } = *conversation;
        if is_ambiguous {
            return EndOwner::Unattributed(Unattributed::Ambiguous);
        }
        let socket = if tuple.protocol == TCP { self.of_connection(tuple, socket) } else { socket };
        match (socket, tuple.protocol) {
            (0, _) => EndOwner::Nothing,
            // The kernel's own sockets for neighbour discovery, errors and groups: no process uses them.
            (_, ICMP | ICMP_V6 | IGMP) if self.kernel.socket(socket).is_none() => EndOwner::Nothing,
            _ => self.owner(socket, processes),
        }
    }

    /// The last packets of a connection may have no socket any more, so the socket of its earlier packets is
    /// used. This is safe: a new connection with the same ports would begin with packets that have a socket.
    fn of_connection(&mut self, tuple: FlowKey, socket: u32) -> u32 {
        if socket != 0 {
            self.connections.insert(tuple, (socket, self.interval));
            return socket;
        }
        let known = self.connections.get_mut(&tuple);
        known.map_or(0, |(socket, last)| {
            *last = self.interval;
            *socket
        })
    }

    /// Finds the receiver of a conversation without replies: a UDP socket may only listen, and a TCP
    /// connection may be known from an earlier interval.
    pub(super) fn receiver(
        &mut self,
        conversation: &Conversation,
        processes: &mut ProcessCache,
    ) -> EndOwner {
        let tuple = conversation.tuple;
        if tuple.protocol == TCP {
            let answer = crate::traffic::group::reversed(&tuple);
            let known = self.connections.get(&answer).copied();
            return known.map_or(EndOwner::Nothing, |(socket, _)| self.owner(socket, processes));
        }
        if tuple.protocol != UDP {
            return EndOwner::Nothing;
        }
        let listed = self.listed.get_or_insert_with(|| Listed::read().unwrap_or_default());
        match listed.receiver(&tuple) {
            Ok(Some(socket)) => self.owner(socket.cookie as u32, processes),
            Ok(None) => EndOwner::Nothing,
            Err(reason) => EndOwner::Unattributed(reason),
        }
    }

    /// Finds the owner of this socket.
    pub(super) fn owner(&mut self, socket: u32, processes: &mut ProcessCache) -> EndOwner {
        let mut found = self.kernel.socket(socket);
        if found.is_none() && self.unused.is_due(socket, self.interval) {
            self.kernel.find_open();
            found = self.kernel.socket(socket);
        }
        let Some(owner) = found else {
            return EndOwner::Unattributed(Unattributed::Unused);
        };
        if owner.marks & mark::OF_SEVERAL != 0 {
            return EndOwner::Unattributed(Unattributed::Ambiguous);
        }
        EndOwner::Process(processes.process(self.facts(&owner)))
    }

    fn facts(&mut self, owner: &SocketOwner) -> Facts {
        let SocketOwner { started_ns, cgroup, tgid, uid, marks, .. } = *owner;
        let (name, program) = self.kernel.process(tgid, started_ns).unwrap_or_default();
        let named = Named { tgid, started_ns, name: name.clone(), program };
        let executable = self.program(named);
        let mut facts = Facts {
            pid: tgid,
            started_ns,
            name,
            executable,
            uid,
            cgroup: self.cgroups.path(cgroup, &*self.kernel),
            is_shared: marks & mark::SHARED != 0,
        };
        // Found through open files, or in no cgroup of the unified hierarchy: `/proc` has the missing facts.
        if uid == UNKNOWN_USER || facts.cgroup.as_deref().is_none_or(|path| path == "/") {
            complete(&mut facts, uid == UNKNOWN_USER);
        }
        facts
    }

    /// The path of the process's program. It cannot be read any more once the process has ended.
    fn program(&mut self, named: Named) -> Option<String> {
        if let Some(known) = self.programs.get(&named) {
            return known.clone();
        }
        let seen = seen(named.tgid, named.started_ns);
        // The process existed earlier, and has not executed another program since.
        let before = || {
            let path = self.kernel.program_before(named.tgid).filter(|_| seen.is_some());
            path.map(|path| path.to_string_lossy().into_owned())
        };
        let now = seen.as_ref().and_then(|seen| seen.executable.clone());
        let path = now.or_else(|| named.program.clone().or_else(before));
        self.programs.insert(named, path.clone());
        path
    }
}

/// The process, if it still exists.
fn seen(pid: u32, started_ns: u64) -> Option<process::ProcessFacts> {
    process::read(pid).filter(|seen| seen.started == process::ticks(started_ns))
}

fn complete(facts: &mut Facts, takes_user: bool) {
    let Some(seen) = seen(facts.pid, facts.started_ns) else { return };
    facts.cgroup = seen.cgroup.or(facts.cgroup.take());
    if takes_user {
        facts.uid = seen.uid;
    }
}
