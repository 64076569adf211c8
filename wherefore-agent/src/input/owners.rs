//! What attribution needs from a source: the method, and the capabilities that are needed after everything is
//! open. Owns these types.

use std::path::Path;

use caps::Capability;
use rustc_hash::FxHashMap;
use wherefore_common::FlowKey;
use wherefore_common::owner::SocketOwner;

/// Where the kernel records the use of sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingHooks {
    /// At tracepoints (Linux 6.3).
    Tracepoints,
    /// At the end of functions (fexit), on kernels without these tracepoints.
    Functions,
}

/// The kernel's records of sockets, processes and cgroups. Reading them does not change them.
pub trait KernelRecords: Send {
    /// Where the kernel records the use of sockets.
    fn hooks(&self) -> RecordingHooks;

    /// The last user of the socket with this low half of a cookie.
    fn socket(&self, cookie: u32) -> Option<SocketOwner>;

    /// The connected sockets of other network namespaces: what they send, without interface and direction, and the
    /// low halves of their cookies.
    fn connected_elsewhere(&self) -> FxHashMap<FlowKey, u32>;

    /// Records the processes that have sockets open which no process has used. It looks at all open files.
    fn find_open(&self);

    /// The name of a process, and the path of its program if it was started after the agent.
    fn process(&self, tgid: u32, started_ns: u64) -> Option<(String, Option<String>)>;

    /// The path of the program that this process ran when the agent started.
    fn program_before(&self, tgid: u32) -> Option<&Path>;

    /// The path of a cgroup that was created after the agent was started.
    fn cgroup(&self, id: u64) -> Option<String>;
}

/// How owners are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// The best method that works here.
    #[default]
    Auto,
    /// By the sockets of packets, in the kernel.
    Kernel,
    /// By the sockets and open files at the end of each interval.
    Proc,
    /// Off.
    Off,
}

impl Mode {
    /// Capabilities that are needed in addition to those for counting. The kernel's records are in maps, and
    /// other data in `/proc` is readable for everybody. The open files of other users' processes need
    /// `CAP_SYS_PTRACE` to read them, and `CAP_DAC_READ_SEARCH` to list them.
    pub(super) fn capabilities(self, is_in_kernel: bool) -> &'static [Capability] {
        if self == Self::Off || is_in_kernel {
            return &[];
        }
        &[Capability::CAP_SYS_PTRACE, Capability::CAP_DAC_READ_SEARCH]
    }
}
