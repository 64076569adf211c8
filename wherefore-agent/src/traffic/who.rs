//! Owners of bytes: processes with their unit, container and pod, or the reason why bytes have no owner. Owns
//! these types for all layers; refuses to know how owners are found.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The number for an unknown user; Linux assigns it to nobody.
pub const UNKNOWN_USER: u32 = u32::MAX;

/// A process at the time it used a socket. Unit, container and pod are those of its cgroup.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Process {
    /// Its PID, in the host's PID namespace.
    pub pid: u32,
    /// When it started, in nanoseconds since boot: the system reuses PIDs.
    pub started_ns: u64,
    /// The name of the process, which is that of its main thread.
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
    /// Whether several processes used the same socket.
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
    /// Attribution is off, or the source has none.
    #[default]
    Off,
    /// There is no socket at this end, usually because it is on another host.
    Remote,
    /// Both ends are on other hosts: this host forwarded the traffic.
    Forwarded,
    /// The kernel itself, for example its answers to pings: there is no socket.
    Kernel,
    /// No socket existed when the interval ended: it was closed earlier, or the kernel itself replied. Only
    /// if sockets are looked up in `/proc`.
    NoSocket,
    /// There is a socket, but no process had used it yet.
    Unused,
    /// The socket belongs to a process that this agent may not inspect.
    NoPermission,
    /// Several processes have the socket, and it is not known which used it.
    Ambiguous,
    /// The table of owners was full, or there was no space to record the socket of the flow.
    Overflow,
    /// Bytes that are in no flow: filtered, malformed, or beyond the table of flows.
    NoFlow,
}

impl Unattributed {
    /// All reasons.
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

/// Bytes with and without an owner: `owned_bytes` and all of `unattributed` together are all bytes at the
/// interfaces.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Attributed {
    /// Bytes of flows whose end on this host is a process.
    pub owned_bytes: u64,
    /// The part of these whose socket several processes used; the last one is named.
    pub shared_bytes: u64,
    /// Bytes without an owner, by reason.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub unattributed: BTreeMap<Unattributed, u64>,
    /// The host's traffic, with each packet once, however many interfaces it passed.
    pub host: HostBytes,
}

impl Attributed {
    /// Adds the bytes of a flow.
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

/// The host's traffic, with each packet once, even if it passed a container's interface, a bridge and an
/// uplink.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HostBytes {
    /// All bytes.
    pub bytes: u64,
    /// Bytes that processes of this host sent or received.
    pub owned_bytes: u64,
    /// Bytes that the host forwarded, so that no process of it sent or received them.
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

/// The owners of both ends of each flow, in the order of the interval's flows. Empty if attribution is off.
#[derive(Debug, Default, Clone)]
pub struct Owners {
    known: Vec<Owner>,
    /// For each flow, the indexes in `known` of the owners of its source, of its destination, and of its end
    /// on this host.
    ends: Vec<[u32; 3]>,
    /// The host's traffic, each packet once.
    pub host: HostBytes,
}

static OFF: Owner = Owner::Unattributed(Unattributed::Off);

impl Owners {
    /// Without flows, with space for `flows` flows.
    pub fn with_capacity(flows: usize) -> Self {
        Self { ends: Vec::with_capacity(flows), ..Self::default() }
    }

    /// Adds an owner; returns its index.
    pub fn add_owner(&mut self, owner: Owner) -> u32 {
        self.known.push(owner);
        self.known.len() as u32 - 1
    }

    /// The owner with this index.
    pub fn known(&self, number: u32) -> Option<&Owner> {
        self.known.get(number as usize)
    }

    /// Adds the next flow: the indexes of the owners of its source, of its destination, and of its end on
    /// this host.
    pub fn push(&mut self, source: u32, destination: u32, local: u32) {
        self.ends.push([source, destination, local]);
    }

    /// Whether attribution is off.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The number of flows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The indexes of the owners of a flow's source, destination and end on this host; `None` if attribution
    /// is off.
    pub fn ends(&self, at: usize) -> Option<[u32; 3]> {
        self.ends.get(at).copied()
    }

    /// The owner of the source of the flow with this index.
    pub fn source(&self, at: usize) -> &Owner {
        self.end(at, 0)
    }

    /// The owner of the destination of the flow with this index.
    pub fn destination(&self, at: usize) -> &Owner {
        self.end(at, 1)
    }

    /// The owner on this host of the flow with this index: of the source for sent packets, of the destination
    /// for received ones; the other end if only that one is a process of this host.
    pub fn owner(&self, at: usize) -> &Owner {
        self.end(at, 2)
    }

    /// Whether the source of the flow with this index is its end on this host.
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
    fn a_flow_without_owners_counts_as_attribution_off() {
        let mut owners = Owners::default();
        assert_eq!(owners.owner(3), &OFF);
        let remote = owners.add_owner(Owner::Unattributed(Unattributed::Remote));
        let kernel = owners.add_owner(Owner::Unattributed(Unattributed::Kernel));
        owners.push(remote, kernel, kernel);
        assert_eq!(owners.source(0), &Owner::Unattributed(Unattributed::Remote));
        assert_eq!(owners.destination(0), owners.owner(0));
    }
}
