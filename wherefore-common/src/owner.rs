//! Owners of sockets, in the form that kernel and agent share. Owns these layouts; wherefore-agent
//! decides what they mean together.

/// The last user of a socket, by the low half of the socket's cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct SocketOwner {
    /// When the process started, nanoseconds since boot.
    pub started_ns: u64,
    /// The number of its cgroup in the unified hierarchy; 0 if it is not known.
    pub cgroup: u64,
    /// The number of the process.
    pub tgid: u32,
    /// The number of its user; `u32::MAX` if it is not known.
    pub uid: u32,
    /// The high half of the cookie.
    pub cookie_high: u32,
    /// See [`mark`].
    pub marks: u32,
}

const _: () = assert!(size_of::<SocketOwner>() == 32);

/// Further facts about a socket's use.
pub mod mark {
    /// The process sent or received, and did not only connect.
    pub const MOVED: u32 = 1;
    /// Another process sent or received before.
    pub const SHARED: u32 = 2;
    /// It was found among the open files of a process, and was not used since.
    pub const FOUND: u32 = 4;
    /// It was found among those of several processes.
    pub const OF_SEVERAL: u32 = 8;
}

/// A socket's memory of its last use, so that nearly every use has nothing to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct LastUse {
    /// The same as [`SocketOwner::started_ns`].
    pub started_ns: u64,
    /// The same as [`SocketOwner::tgid`].
    pub tgid: u32,
    /// Twice the number of the epoch, and 1 more if it was more than connecting; 0 if the socket was
    /// found among open files.
    pub when: u32,
}

/// A process: its number alone may be another one's later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct ProcessId {
    /// When it started, nanoseconds since boot.
    pub started_ns: u64,
    /// Its number.
    pub tgid: u32,
    /// Always 0.
    pub reserved: u32,
}

/// Bytes of a process's name.
pub const NAME_LEN: usize = 16;
/// Bytes that are kept of a program's path.
pub const PROGRAM_LEN: usize = 128;
/// Bytes that are kept of a cgroup's path.
pub const PATH_LEN: usize = 256;

/// The names of a process, kept after it has ended.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ProcessName {
    /// The name of its main thread, up to a zero.
    pub name: [u8; NAME_LEN],
    /// The path of its program as it was started, up to a zero; empty if it started before the
    /// agent.
    pub program: [u8; PROGRAM_LEN],
}

/// The path of a cgroup below the root of its hierarchy, up to a zero.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct CgroupPath {
    /// The path.
    pub path: [u8; PATH_LEN],
}
