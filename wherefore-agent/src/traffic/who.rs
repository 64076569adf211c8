//! Who moved the bytes: processes with their unit, container and pod, and why some bytes have none.
//! Owns these types for all layers; refuses to know how an owner is found.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A process as it was when it used a socket; unit, container and pod are those of its cgroup.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Process {
    /// Its number, as the host counts them.
    pub pid: u32,
    /// When it started, nanoseconds since boot: a number alone may be another process later.
    pub started_ns: u64,
    /// The name of its main thread.
    pub name: Arc<str>,
    /// The path of its program.
    pub executable: Option<Arc<str>>,
    /// Its command line; only where the user asked for it.
    pub arguments: Option<Arc<str>>,
    /// The number of its user.
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
    /// What runs it: `docker`, `containerd`, `cri-o`, `podman`, `lxc`, `runc`.
    pub runtime: Option<Arc<str>>,
    /// The name that its runtime gives it.
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

/// Why bytes have no owner.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Unattributed {
    /// Attribution is off, or this source has none.
    #[default]
    Off,
    /// No socket was found at this end: the other end of the wire, as a rule.
    Remote,
    /// Both ends are elsewhere: the host passed it on.
    Forwarded,
    /// The kernel itself: it has no socket that a process uses.
    Kernel,
    /// There is a socket, which no process had used yet.
    Unused,
    /// The socket is in a process that this agent may not look into.
    NoPermission,
    /// Several processes have the socket, and it is not known which used it.
    Ambiguous,
    /// The table of owners was full, or the flow had no room for its socket.
    Overflow,
}

impl Unattributed {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Off,
        Self::Remote,
        Self::Forwarded,
        Self::Kernel,
        Self::Unused,
        Self::NoPermission,
        Self::Ambiguous,
        Self::Overflow,
    ];

    /// The name in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Remote => "remote",
            Self::Forwarded => "forwarded",
            Self::Kernel => "kernel",
            Self::Unused => "unused",
            Self::NoPermission => "no_permission",
            Self::Ambiguous => "ambiguous",
            Self::Overflow => "overflow",
        }
    }
}

/// Whose one end of a flow is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A process of this host.
    Process(Arc<Process>),
    /// Nobody, and why.
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

/// Owners of both ends of each flow, in the order of the interval's flows. Empty where attribution is
/// off.
#[derive(Debug, Default, Clone)]
pub struct Owners {
    known: Vec<Owner>,
    /// Places in `known`: source, destination, and the end that is this host's.
    ends: Vec<[u32; 3]>,
}

static OFF: Owner = Owner::Unattributed(Unattributed::Off);

impl Owners {
    /// None yet, with room for so many flows.
    pub fn with_capacity(flows: usize) -> Self {
        Self { known: Vec::new(), ends: Vec::with_capacity(flows) }
    }

    /// Adds an owner, to be named by the number that this returns.
    pub fn add_owner(&mut self, owner: Owner) -> u32 {
        self.known.push(owner);
        self.known.len() as u32 - 1
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

    /// Who sent the flow that was added as this one.
    pub fn source(&self, at: usize) -> &Owner {
        self.end(at, 0)
    }

    /// Who received it.
    pub fn destination(&self, at: usize) -> &Owner {
        self.end(at, 1)
    }

    /// Whose it is on this host: of what is sent the source, of what is received the destination,
    /// and the other end where only that one is a process here.
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
