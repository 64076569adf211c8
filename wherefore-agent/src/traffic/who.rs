//! Owners of bytes: processes with their unit, container and pod, and the reasons why some bytes have none.
//! Owns these types for all layers; refuses to know how an owner is found.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The number for an unknown user; Linux assigns it to nobody.
pub const UNKNOWN_USER: u32 = u32::MAX;

/// A process at the time it used a socket; unit, container and pod are those of its cgroup.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Process {
    /// Its PID, as the host sees it.
    pub pid: u32,
    /// When it started, nanoseconds since boot: a number alone may be another process later.
    pub started_ns: u64,
    /// The name of its main thread.
    pub name: Arc<str>,
    /// The path of its program.
    pub executable: Option<Arc<str>>,
    /// Its command line; only with `--show-arguments`.
    pub arguments: Option<Arc<str>>,
    /// The number of its user, or [`UNKNOWN_USER`].
    pub uid: u32,
    /// The user's name.
    pub user: Option<Arc<str>>,
    /// The systemd unit.
    pub unit: Option<Arc<str>>,
    /// The container.
    pub container: Option<Arc<Container>>,
    /// The Kubernetes pod.
    pub pod: Option<Arc<Pod>>,
    /// Whether other processes used the same socket.
    pub is_shared: bool,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Container {
    /// Its full id.
    pub id: Arc<str>,
    /// Its runtime: `docker`, `containerd`, `cri-o`, `podman`, `lxc`, `runc`.
    pub runtime: Option<Arc<str>>,
    /// Its name in its runtime.
    pub name: Option<Arc<str>>,
}

/// A Kubernetes pod.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pod {
    /// Its UID.
    pub uid: Arc<str>,
    /// Its name.
    pub name: Option<Arc<str>>,
    /// Its namespace.
    pub namespace: Option<Arc<str>>,
    /// The name of the container in it.
    pub container: Option<Arc<str>>,
}

/// The reason why bytes have no owner.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Unattributed {
    /// Attribution is off, or this source has none.
    #[default]
    Off,
    /// No socket was found at this end: usually the other end of the wire.
    Remote,
    /// Both ends are elsewhere: the host forwarded it.
    Forwarded,
    /// The kernel itself, such as its answers to pings: there is no socket.
    Kernel,
    /// No socket was found when the interval was over: it was closed before, or the kernel itself
    /// replied. Only if sockets are looked up in `/proc`.
    NoSocket,
    /// There is a socket, which no process had used yet.
    Unused,
    /// The socket belongs to a process that this agent may not inspect.
    NoPermission,
    /// Several processes have the socket, and it is not known which used it.
    Ambiguous,
    /// The table of owners was full, or the flow had no room for its socket.
    Overflow,
    /// Bytes that are in no flow: filtered, malformed, or beyond the table of flows.
    NoFlow,
}

impl Unattributed {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Off,
        Self::Remote,
        Self::Forwarded,
        Self::Kernel,
        Self::NoSocket,
        Self::Unused,
        Self::NoPermission,
        Self::Ambiguous,
        Self::Overflow,
        Self::NoFlow,
    ];

    /// The name in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Remote => "remote",
            Self::Forwarded => "forwarded",
            Self::Kernel => "kernel",
            Self::NoSocket => "no_socket",
            Self::Unused => "unused",
            Self::NoPermission => "no_permission",
            Self::Ambiguous => "ambiguous",
            Self::Overflow => "overflow",
            Self::NoFlow => "no_flow",
        }
    }
}

/// Bytes by whether they have an owner: `owned_bytes` and all of `unattributed` are all bytes that
/// the interfaces moved.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Attributed {
    /// Bytes of flows whose end on this host is a process.
    pub owned_bytes: u64,
    /// The part of them whose socket several processes used; the last one is named.
    pub shared_bytes: u64,
    /// Bytes without an owner, by reason.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub unattributed: BTreeMap<Unattributed, u64>,
    /// Each packet once, on however many interfaces it was seen.
    pub host: HostBytes,
}

impl Attributed {
    /// Adds a flow.
    pub fn add(&mut self, owner: &Owner, bytes: u64) {
        match owner {
            Owner::Process(process) => {
                self.owned_bytes += bytes;
                self.shared_bytes += if process.is_shared { bytes } else { 0 };
            }
            Owner::Unattributed(reason) => self.add_unattributed(*reason, bytes),
        }
    }

    /// Adds the counts of another one.
    pub fn merge(&mut self, other: &Self) {
        self.owned_bytes += other.owned_bytes;
        self.shared_bytes += other.shared_bytes;
        for (reason, bytes) in &other.unattributed {
            self.add_unattributed(*reason, *bytes);
        }
        self.host.add(&other.host);
    }

    /// Adds bytes without an owner.
    pub fn add_unattributed(&mut self, reason: Unattributed, bytes: u64) {
        if bytes > 0 {
            *self.unattributed.entry(reason).or_default() += bytes;
        }
    }
}

/// The host's traffic, each packet once, even if it passed a container's interface, a bridge and an
/// uplink.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HostBytes {
    /// All of it.
    pub bytes: u64,
    /// Bytes that processes of this host sent or received.
    pub owned_bytes: u64,
    /// Bytes that the host forwarded, and no process of it sent or received.
    pub forwarded_bytes: u64,
}

impl HostBytes {
    /// Adds the traffic of another interval.
    pub fn add(&mut self, other: &Self) {
        self.bytes += other.bytes;
        self.owned_bytes += other.owned_bytes;
        self.forwarded_bytes += other.forwarded_bytes;
    }
}

/// The owner of one end of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A process of this host.
    Process(Arc<Process>),
    /// No owner, with the reason.
    Unattributed(Unattributed),
}

impl Owner {
    /// The process.
    pub fn process(&self) -> Option<&Process> {
        match self {
            Self::Process(process) => Some(process),
            Self::Unattributed(_) => None,
        }
    }
}

/// Owners of both ends of each flow, in the order of the interval's flows. Empty if attribution is
/// off.
#[derive(Debug, Default, Clone)]
pub struct Owners {
    known: Vec<Owner>,
    /// Places in `known`: source, destination, and the end that is this host's.
    ends: Vec<[u32; 3]>,
    /// The host's traffic, each packet once.
    pub host: HostBytes,
}

static OFF: Owner = Owner::Unattributed(Unattributed::Off);

impl Owners {
    /// Empty, with room for `flows` flows.
    pub fn with_capacity(flows: usize) -> Self {
        Self { ends: Vec::with_capacity(flows), ..Self::default() }
    }

    /// Adds an owner, to be named by the number that this returns.
    pub fn add_owner(&mut self, owner: Owner) -> u32 {
        self.known.push(owner);
        self.known.len() as u32 - 1
    }

    /// The owner of this number.
    pub fn known(&self, number: u32) -> Option<&Owner> {
        self.known.get(number as usize)
    }

    /// Adds the next flow: the numbers of its source, its destination, and the one of these that is
    /// this host's.
    pub fn push(&mut self, source: u32, destination: u32, local: u32) {
        self.ends.push([source, destination, local]);
    }

    /// Whether attribution is off.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Flows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The numbers of a flow's source, destination, and local end; `None` if attribution is off.
    pub fn ends(&self, at: usize) -> Option<[u32; 3]> {
        self.ends.get(at).copied()
    }

    /// The owner of the source of the flow with this index.
    pub fn source(&self, at: usize) -> &Owner {
        self.end(at, 0)
    }

    /// The owner of its destination.
    pub fn destination(&self, at: usize) -> &Owner {
        self.end(at, 1)
    }

    /// The owner on this host: the source for sent packets, the destination for received packets,
    /// and the other end if only that one is a process here.
    pub fn owner(&self, at: usize) -> &Owner {
        self.end(at, 2)
    }

    /// Whether the source is the end that is this host's.
    pub fn is_source_local(&self, at: usize) -> bool {
        self.ends.get(at).is_some_and(|[source, _, local]| source == local)
    }

    fn end(&self, at: usize, which: usize) -> &Owner {
        let number = self.ends.get(at).map(|ends| ends[which] as usize);
        number.and_then(|number| self.known.get(number)).unwrap_or(&OFF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_added_is_off() {
        let mut owners = Owners::default();
        assert_eq!(owners.owner(3), &OFF);
        let remote = owners.add_owner(Owner::Unattributed(Unattributed::Remote));
        let kernel = owners.add_owner(Owner::Unattributed(Unattributed::Kernel));
        owners.push(remote, kernel, kernel);
        assert_eq!(owners.source(0), &Owner::Unattributed(Unattributed::Remote));
        assert_eq!(owners.destination(0), owners.owner(0));
    }
}
