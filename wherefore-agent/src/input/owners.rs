//! What finding the owners of flows takes from a source: how it is done, and which capabilities it
//! needs once all is open.

use std::path::Path;

use caps::Capability;
use wherefore_common::owner::SocketOwner;

/// What the kernel noted of sockets, processes and cgroups. Reading it changes nothing.
pub trait Notes: Send {
    /// Who used the socket with this low half of a cookie last.
    fn socket(&self, cookie: u32) -> Option<SocketOwner>;

    /// The name of a process, and the path of its program where it was started since.
    fn process(&self, tgid: u32, started_ns: u64) -> Option<(String, Option<String>)>;

    /// The path of the program that this process ran when the agent started.
    fn program_before(&self, tgid: u32) -> Option<&Path>;

    /// The path of a cgroup that was made since.
    fn cgroup(&self, id: u64) -> Option<String>;
}

/// How owners are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// The best way that works here.
    #[default]
    Auto,
    /// By the sockets of packets, in the kernel.
    Kernel,
    /// By the sockets and open files that there are at the end of each interval.
    Proc,
    /// Not at all.
    Off,
}

impl Mode {
    /// What it takes beyond counting. The kernel's notes are in maps, and the rest of what is read in
    /// `/proc` is open to everybody. For the open files of other users' processes `CAP_SYS_PTRACE` gives
    /// what they are, and `CAP_DAC_READ_SEARCH` the list.
    pub(super) fn capabilities(self, is_in_kernel: bool) -> &'static [Capability] {
        if self == Self::Off || is_in_kernel {
            return &[];
        }
        &[Capability::CAP_SYS_PTRACE, Capability::CAP_DAC_READ_SEARCH]
    }
}
