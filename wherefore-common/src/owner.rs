//! Owners of sockets, in the form that kernel and agent share. Owns these layouts; wherefore-agent decides
//! what they mean for a flow.

use crate::flow::AddressWords;

/// The last user of a socket. The key is the low half of the socket's cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct SocketOwner {
    /// When the process started, nanoseconds since boot.
    pub started_ns: u64,
    /// The number of its cgroup in the unified hierarchy; 0 if unknown.
    pub cgroup: u64,
    /// The number of the process.
    pub tgid: u32,
    /// The number of its user; `u32::MAX` if unknown.
    pub uid: u32,
    /// The high half of the cookie.
    pub cookie_high: u32,
    /// Flags; see [`mark`].
    pub marks: u32,
}

const _: () = assert!(size_of::<SocketOwner>() == 32);

/// The addresses and ports of a connected socket, from its own point of view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct SocketAddresses {
    /// The address that it sends from.
    pub near: AddressWords,
    /// The address that it sends to.
    pub far: AddressWords,
    /// The port that it sends from.
    pub near_port: u16,
    /// The port that it sends to.
    pub far_port: u16,
    /// IP protocol number.
    pub protocol: u16,
    /// 4 or 6.
    pub family: u16,
}

const _: () = assert!(size_of::<SocketAddresses>() == 40);

/// Further facts about a socket's use.
pub mod mark {
    /// The process sent or received, instead of only connecting.
    pub const MOVED: u32 = 1;
    /// Another process sent or received before it.
    pub const SHARED: u32 = 2;
    /// The socket was found among the open files of a process, and not used since then.
    pub const FOUND: u32 = 4;
    /// The socket was found among the open files of several processes.
    pub const OF_SEVERAL: u32 = 8;
}

/// A socket's own record of its last use. Nearly every use finds that nothing has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct LastUse {
    /// The same as [`SocketOwner::started_ns`].
    pub started_ns: u64,
    /// The same as [`SocketOwner::tgid`].
    pub tgid: u32,
    /// Twice the number of the epoch, plus 1 if the use was more than connecting; 0 if the socket was found
    /// among open files.
    pub when: u32,
}

/// Identifies a process. Its number alone may belong to another process later.
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

/// The length of a process's name, in bytes.
pub const NAME_LEN: usize = 16;
/// The most bytes of a program's path that are kept.
pub const PROGRAM_LEN: usize = 128;
/// The most bytes of a cgroup's path that are kept.
pub const PATH_LEN: usize = 256;

/// The names of a process, which are kept after it has ended.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ProcessName {
    /// The name of its main thread, ended by a zero byte.
    pub name: [u8; NAME_LEN],
    /// The path of its program as it was started, ended by a zero byte; empty if it started before the
    /// agent.
    pub program: [u8; PROGRAM_LEN],
}

/// The path of a cgroup relative to the root of its hierarchy, ended by a zero byte.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct CgroupPath {
    /// The path.
    pub path: [u8; PATH_LEN],
}
