//! The users of sockets, and the names of processes and cgroups. They are written when a process connects,
//! sends, receives or starts a program, or when a cgroup is made; the agent reads them when an interval is
//! over. Owns these tracepoints and, for kernels without them, functions; refuses to see packets.
//!
//! They run for every socket of the host, so a use that changes nothing ends after one comparison with the
//! socket's record.

// By value they would be copied to the stack, which is scarce.
#![allow(clippy::needless_borrows_for_generic_args)]

use core::ffi::c_void;
use core::ptr;

use aya_ebpf::Global;
use aya_ebpf::bindings::{BPF_ANY, BPF_NOEXIST, BPF_SK_STORAGE_GET_F_CREATE};
use aya_ebpf::btf_maps::{LruHashMap, SkStorage};
use aya_ebpf::helpers::generated::{
    bpf_get_current_cgroup_id, bpf_get_current_pid_tgid, bpf_get_current_task,
    bpf_get_current_task_btf, bpf_get_current_uid_gid, bpf_get_socket_cookie,
    bpf_probe_read_kernel, bpf_probe_read_kernel_str, bpf_sk_storage_get, bpf_sock_from_file,
};
use aya_ebpf::macros::{btf_map, btf_tracepoint, fexit};
use aya_ebpf::programs::{BtfTracePointContext, FExitContext};
use wherefore_common::owner::{
    CgroupPath, LastUse, NAME_LEN, PATH_LEN, PROGRAM_LEN, ProcessId, ProcessName, SocketOwner, mark,
};

use crate::address;
use crate::maps::Now;
use crate::packet::Hook;

/// 1: flows record the sockets of their packets; 0: the verifier removes the code.
#[unsafe(no_mangle)]
static SOCKETS: Global<u32> = Global::new(0);

/// 1: the kernel supports `SOCKET_USES` and cookies here (Linux 5.12); 0: the verifier removes the
/// code.
#[unsafe(no_mangle)]
static HAS_STORAGE: Global<u32> = Global::new(0);

/// The record of each socket; it is freed with the socket.
#[btf_map]
static SOCKET_USES: SkStorage<LastUse> = SkStorage::new();

/// The key is the low half of the socket's cookie. If it is full, the entry written longest ago is replaced;
/// sockets in use are written again in each interval.
#[btf_map]
static SOCKET_OWNERS: LruHashMap<u32, SocketOwner, 1> = LruHashMap::new();

/// If it is full, like `SOCKET_OWNERS`.
#[btf_map]
static PROCESSES: LruHashMap<ProcessId, ProcessName, 1> = LruHashMap::new();

/// The key is the number of the cgroup. If it is full, like `SOCKET_OWNERS`.
#[btf_map]
static CGROUPS: LruHashMap<u64, CgroupPath, 1> = LruHashMap::new();

/// Constants that the agent sets: the offsets of the running kernel's fields.
macro_rules! offsets {
    ($($name:ident)*) => {
        $(#[unsafe(no_mangle)] static $name: Global<u32> = Global::new(0);)*
    };
}

offsets!(SOCK_COMMON SOCK_FAMILY SOCK_COOKIE SOCKET_SK TASK_LEADER TASK_STARTED TASK_TGID TASK_NAME);
offsets!(BINPRM_FILENAME CGROUP_ROOT CGROUP_NODE ROOT_NUMBER NODE_ID);
// 0 if the kernel has no Multipath TCP: the verifier then removes the code.
offsets!(SOCK_PROTOCOL MPTCP_SUBFLOWS SUBFLOW_NODE SUBFLOW_SK);

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const AF_PACKET: u16 = 17;
pub(crate) const IPPROTO_MPTCP: u16 = 262;
/// The most connections of a socket of Multipath TCP whose owner is recorded; the kernel's own limit is 8.
const MOST_SUBFLOWS: usize = 8;
/// The state of a TCP socket that has just begun to connect (include/net/tcp_states.h).
const TCP_SYN_SENT: i32 = 2;

/// The low half of the cookie of the socket that sent a packet; 0 if there is none.
#[inline(always)]
pub(crate) fn of_packet<H: Hook>(hook: &H) -> u32 {
    if SOCKETS.load() == 0 { 0 } else { hook.socket() }
}

/// A process, if one runs.
struct User {
    started_ns: u64,
    tgid: u32,
    leader: *const c_void,
}

/// `inet_sock_set_state(sk, oldstate, newstate)`. Of all changes, only this one happens in the process that
/// requests it.
#[btf_tracepoint(function = "inet_sock_set_state")]
pub fn owner_connects(ctx: BtfTracePointContext) -> i32 {
    if ctx.arg::<i32>(2) == TCP_SYN_SENT {
        note_use(ctx.arg(0), 0);
    }
    0
}

/// `sock_send_length(sk, length, flags)`, which is called after the packets were sent.
#[btf_tracepoint(function = "sock_send_length")]
pub fn owner_sends(ctx: BtfTracePointContext) -> i32 {
    note_use(ctx.arg(0), mark::MOVED);
    0
}

/// `sock_recv_length(sk, length, flags)`.
#[btf_tracepoint(function = "sock_recv_length")]
pub fn owner_receives(ctx: BtfTracePointContext) -> i32 {
    note_use(ctx.arg(0), mark::MOVED);
    0
}

/// `inet_stream_connect(socket, address, length, flags)`.
#[fexit(function = "inet_stream_connect")]
pub fn owner_has_connected(ctx: FExitContext) -> i32 {
    note_call(&ctx, 0)
}

/// `inet_sendmsg(socket, message, size)`.
#[fexit(function = "inet_sendmsg")]
pub fn owner_has_sent(ctx: FExitContext) -> i32 {
    note_call(&ctx, mark::MOVED)
}

/// `inet_recvmsg(socket, message, size, flags)`.
#[fexit(function = "inet_recvmsg")]
pub fn owner_has_received(ctx: FExitContext) -> i32 {
    note_call(&ctx, mark::MOVED)
}

/// `inet6_sendmsg(socket, message, size)`.
#[fexit(function = "inet6_sendmsg")]
pub fn owner_has_sent_v6(ctx: FExitContext) -> i32 {
    note_call(&ctx, mark::MOVED)
}

/// `inet6_recvmsg(socket, message, size, flags)`.
#[fexit(function = "inet6_recvmsg")]
pub fn owner_has_received_v6(ctx: FExitContext) -> i32 {
    note_call(&ctx, mark::MOVED)
}

/// `inet_sendpage(socket, page, offset, size, flags)`, for both IP versions.
#[fexit(function = "inet_sendpage")]
pub fn owner_has_sent_page(ctx: FExitContext) -> i32 {
    note_call(&ctx, mark::MOVED)
}

/// At the end of a function with a socket: its packets were sent by then, which gave it a cookie.
#[inline(always)]
fn note_call(ctx: &FExitContext, moved: u32) -> i32 {
    // SAFETY: the kernel's `struct socket`, whose field is where the agent says.
    let sk: *mut c_void = unsafe { field(ctx.arg(0), &SOCKET_SK) };
    if !sk.is_null() {
        note_use(sk, moved);
    }
    0
}

/// `sched_process_exec(task, old_pid, bprm)`, when the process already has its new name.
#[btf_tracepoint(function = "sched_process_exec")]
pub fn process_is_named(ctx: BtfTracePointContext) -> i32 {
    let user = current();
    // SAFETY: the kernel's `struct linux_binprm`, whose fields are where the agent says.
    let path: *const c_void = unsafe { field(ctx.arg(2), &BINPRM_FILENAME) };
    name_process(&user, path, u64::from(BPF_ANY));
    0
}

/// `cgroup_mkdir(cgroup, path)`: a cgroup may be removed before the agent can read its name.
#[btf_tracepoint(function = "cgroup_mkdir")]
pub fn cgroup_is_named(ctx: BtfTracePointContext) -> i32 {
    let cgroup: *const c_void = ctx.arg(0);
    // SAFETY: the kernel's `struct cgroup`, which always has a root and a node.
    let (hierarchy, id) = unsafe {
        let root: *const c_void = field(cgroup, &CGROUP_ROOT);
        let node: *const c_void = field(cgroup, &CGROUP_NODE);
        (field::<i32>(root, &ROOT_NUMBER), field::<u64>(node, &NODE_ID))
    };
    // 0 is the unified hierarchy, whose numbers `SocketOwner` has.
    if hierarchy == 0 {
        let mut value = CgroupPath { path: [0; PATH_LEN] };
        let to = value.path.as_mut_ptr().cast();
        // SAFETY: the helper writes at most as much as there is room for.
        unsafe { bpf_probe_read_kernel_str(to, PATH_LEN as u32, ctx.arg::<*const c_void>(1)) };
        let _ = CGROUPS.insert(id, &value, u64::from(BPF_ANY));
    }
    0
}

/// `struct bpf_iter__task_file` (kernel/bpf/task_iter.c): each pointer takes eight bytes.
#[repr(C)]
pub struct TaskFile {
    meta: *const c_void,
    task: *const c_void,
    descriptor: u64,
    file: *mut c_void,
}

/// An open file of a process. If it is a socket, it belongs to the process unless a tracepoint recorded
/// another user.
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task_file")]
pub fn owner_is_found(ctx: *const TaskFile) -> i32 {
    // SAFETY: what the kernel passes; both pointers are NULL at the end.
    let (task, file) = unsafe { ((*ctx).task, (*ctx).file) };
    if task.is_null() || file.is_null() {
        return 0;
    }
    // SAFETY: of a file; NULL where it is no socket.
    let socket = unsafe { bpf_sock_from_file(file.cast()) };
    if socket.is_null() {
        return 0;
    }
    // SAFETY: a socket and a task, whose fields are where the agent says.
    unsafe {
        let sk: *mut c_void = field(socket.cast(), &SOCKET_SK);
        let leader: *const c_void = field(task, &TASK_LEADER);
        let user = User {
            started_ns: field(leader, &TASK_STARTED),
            tgid: field(task, &TASK_TGID),
            leader,
        };
        if !sk.is_null() && is_watched(sk) {
            note_found(sk, &user);
        }
    }
    0
}

/// Reads a field of a kernel structure with a plain load. The verifier knows the structure: an invalid
/// pointer reads as zeros.
///
/// # Safety
/// `from` is a structure of which the verifier knows the type, and has this field.
#[inline(always)]
unsafe fn field<T: Copy>(from: *const c_void, offset: &Global<u32>) -> T {
    // SAFETY: the caller's promise.
    unsafe { ptr::read_volatile(from.cast::<u8>().add(offset.load() as usize).cast::<T>()) }
}

/// Whether a socket may have packets of its own on a wire.
///
/// # Safety
/// `sk` is a `struct sock`.
#[inline(always)]
unsafe fn is_watched(sk: *const c_void) -> bool {
    // SAFETY: the first member of the structure; its fields are where the agent says.
    let family: u16 = unsafe {
        let at = (SOCK_COMMON.load() + SOCK_FAMILY.load()) as usize;
        ptr::read_volatile(sk.cast::<u8>().add(at).cast())
    };
    family == AF_INET || family == AF_INET6 || family == AF_PACKET
}

/// The current process.
#[inline(always)]
fn current() -> User {
    // SAFETY: there always is a task, and it has a leader.
    unsafe {
        let tgid = (bpf_get_current_pid_tgid() >> 32) as u32;
        if HAS_STORAGE.load() == 0 {
            let task = bpf_get_current_task() as *const c_void;
            let leader = far_field(task, &TASK_LEADER) as *const c_void;
            return User { started_ns: far_field(leader, &TASK_STARTED), tgid, leader };
        }
        let leader: *const c_void = field(bpf_get_current_task_btf().cast(), &TASK_LEADER);
        User { started_ns: field(leader, &TASK_STARTED), tgid, leader }
    }
}

/// Like [`field`], for a structure whose type the verifier does not know; reads eight bytes, 0 if they cannot
/// be read.
#[inline(always)]
fn far_field(from: *const c_void, offset: &Global<u32>) -> u64 {
    far_word((from as u64).wrapping_add(u64::from(offset.load())))
}

/// Eight bytes of the kernel's memory; 0 if they cannot be read.
#[inline(always)]
pub(crate) fn far_word(address: u64) -> u64 {
    let mut value = 0_u64;
    // SAFETY: the helper checks the address, and writes eight bytes, or fails and leaves zeros.
    unsafe {
        let from = address as *const c_void;
        bpf_probe_read_kernel((&raw mut value).cast(), size_of::<u64>() as u32, from);
    }
    value
}

/// The socket's record; NULL if there is none and no initial `value` is given.
#[inline(always)]
fn last_use(sk: *mut c_void, value: Option<&mut LastUse>) -> *mut LastUse {
    let map = (&raw const SOCKET_USES).cast_mut().cast();
    let (value, flags) = match value {
        Some(value) => (ptr::from_mut(value).cast(), u64::from(BPF_SK_STORAGE_GET_F_CREATE)),
        None => (ptr::null_mut(), 0),
    };
    // SAFETY: the map is of this type, and `sk` a socket.
    unsafe { bpf_sk_storage_get(map, sk, value, flags).cast() }
}

/// Records that the current process uses a socket.
#[inline(always)]
fn note_use(sk: *mut c_void, moved: u32) {
    // SAFETY: the tracepoints' first argument is a socket.
    if !unsafe { is_watched(sk) } {
        return;
    }
    let user = current();
    if user.tgid == 0 {
        return;
    }
    let cookie = if HAS_STORAGE.load() == 0 {
        // SAFETY: `sk` is a socket, and the agent gives the offsets. 0: no packet of it has passed one of
        // our programs yet, so nobody looks for it.
        let cookie: u64 = unsafe {
            let at = (SOCK_COMMON.load() + SOCK_COOKIE.load()) as usize;
            ptr::read_volatile(sk.cast::<u8>().add(at).cast())
        };
        if cookie == 0 {
            note_subflows(sk, &user, moved);
            return;
        }
        if is_noted(cookie, &user, moved) {
            return;
        }
        cookie
    } else {
        if remembers(sk, &user, moved) {
            return;
        }
        note_subflows(sk, &user, moved);
        // SAFETY: `sk` is a socket.
        unsafe { bpf_get_socket_cookie(sk) }
    };
    write_owner(cookie, &user, moved);
    address::note(sk, SOCK_COMMON.load(), cookie);
    let id = ProcessId { started_ns: user.started_ns, tgid: user.tgid, reserved: 0 };
    if PROCESSES.get_ptr(id).is_none() {
        name_process(&user, ptr::null(), u64::from(BPF_NOEXIST));
    }
}

/// Records the user of a Multipath TCP socket for the connections that carry its data. These have sockets of
/// their own in the kernel, which send the packets, and which no process has open.
#[inline(always)]
fn note_subflows(sk: *mut c_void, user: &User, moved: u32) {
    // SAFETY: `sk` is a socket whose fields are where the agent says.
    if MPTCP_SUBFLOWS.load() == 0 || unsafe { field::<u16>(sk, &SOCK_PROTOCOL) } != IPPROTO_MPTCP {
        return;
    }
    let head = sk.cast::<u8>().wrapping_add(MPTCP_SUBFLOWS.load() as usize) as u64;
    let mut node = far_word(head);
    for _ in 0..MOST_SUBFLOWS {
        // 0 if it could not be read. The list may change meanwhile: the kernel checks each address.
        if node == head || node == 0 {
            return;
        }
        let context = node.wrapping_sub(u64::from(SUBFLOW_NODE.load()));
        let subflow = far_word(context.wrapping_add(u64::from(SUBFLOW_SK.load())));
        let cookie = SOCK_COMMON.load() + SOCK_COOKIE.load();
        let cookie = far_word(subflow.wrapping_add(u64::from(cookie)));
        if cookie != 0 {
            write_owner(cookie, user, moved);
        }
        node = far_word(node);
    }
}

/// Whether the socket's record already has this use; if not, writes it.
#[inline(always)]
fn remembers(sk: *mut c_void, user: &User, moved: u32) -> bool {
    let when = Now::read().epoch().number << 1 | moved;
    let mut new = LastUse { started_ns: user.started_ns, tgid: user.tgid, when };
    let known = last_use(sk, None);
    if known.is_null() {
        last_use(sk, Some(&mut new));
        return false;
    }
    // SAFETY: the socket's own. Several processes may write it at once: then either writes its owner too.
    unsafe {
        if (*known).tgid == new.tgid
            && (*known).when == when
            && (*known).started_ns == new.started_ns
        {
            return true;
        }
        *known = new;
    }
    false
}

/// Whether the socket's entry already has this use. Reading it counts as a use of the entry.
#[inline(always)]
fn is_noted(cookie: u64, user: &User, moved: u32) -> bool {
    let Some(known) = SOCKET_OWNERS.get_ptr(cookie as u32) else { return false };
    // SAFETY: a map's value; another process may write it meanwhile, as one that uses the socket too.
    let known = unsafe { &*known };
    known.tgid == user.tgid
        && known.started_ns == user.started_ns
        && known.cookie_high == (cookie >> 32) as u32
        && known.marks & moved == moved
}

#[inline(always)]
fn write_owner(cookie: u64, user: &User, moved: u32) {
    // SAFETY: they read what the current task is.
    let (cgroup, uid) = unsafe { (bpf_get_current_cgroup_id(), bpf_get_current_uid_gid() as u32) };
    let cookie_high = (cookie >> 32) as u32;
    let mut marks = moved;
    if let Some(known) = SOCKET_OWNERS.get_ptr(cookie as u32) {
        // SAFETY: a map's value; another process may write it meanwhile, as one that uses the socket
        // too.
        let known = unsafe { &*known };
        if known.cookie_high == cookie_high && known.marks & mark::FOUND == 0 {
            marks |= known.marks & mark::SHARED;
            let is_other = known.tgid != user.tgid || known.started_ns != user.started_ns;
            if !is_other {
                marks |= known.marks & mark::MOVED;
            } else if known.marks & moved & mark::MOVED != 0 {
                marks |= mark::SHARED;
            }
        }
    }
    let (started_ns, tgid) = (user.started_ns, user.tgid);
    let owner = SocketOwner { started_ns, cgroup, tgid, uid, cookie_high, marks };
    let _ = SOCKET_OWNERS.insert(cookie as u32, &owner, u64::from(BPF_ANY));
}

/// Records that a process has a socket open, unless more is known.
#[inline(always)]
fn note_found(sk: *mut c_void, user: &User) {
    let mut new = LastUse { started_ns: user.started_ns, tgid: user.tgid, when: 0 };
    let known = last_use(sk, None);
    // SAFETY: `sk` is a socket.
    let cookie = unsafe { bpf_get_socket_cookie(sk) };
    if known.is_null() {
        last_use(sk, Some(&mut new));
        let (started_ns, tgid) = (user.started_ns, user.tgid);
        let (cgroup, uid, cookie_high) = (0, u32::MAX, (cookie >> 32) as u32);
        let owner = SocketOwner { started_ns, cgroup, tgid, uid, cookie_high, marks: mark::FOUND };
        let _ = SOCKET_OWNERS.insert(cookie as u32, &owner, u64::from(BPF_NOEXIST));
        address::note(sk, SOCK_COMMON.load(), cookie);
        name_process(user, ptr::null(), u64::from(BPF_NOEXIST));
        return;
    }
    // SAFETY: the socket's own.
    let is_of_another = unsafe { (*known).when == 0 && (*known).tgid != user.tgid };
    if is_of_another && let Some(owner) = SOCKET_OWNERS.get_ptr_mut(cookie as u32) {
        // SAFETY: a map's value.
        unsafe { (*owner).marks |= mark::OF_SEVERAL };
    }
}

/// Writes the name of a process, and the path of its program if it is known.
#[inline(always)]
fn name_process(user: &User, path: *const c_void, flags: u64) {
    let mut value = ProcessName { name: [0; NAME_LEN], program: [0; PROGRAM_LEN] };
    // SAFETY: the helpers write at most as much as there is room for, and read what the kernel may.
    unsafe {
        let name = user.leader.cast::<u8>().add(TASK_NAME.load() as usize).cast();
        bpf_probe_read_kernel(value.name.as_mut_ptr().cast(), NAME_LEN as u32, name);
        if !path.is_null() {
            let to = value.program.as_mut_ptr().cast();
            bpf_probe_read_kernel_str(to, PROGRAM_LEN as u32, path);
        }
    }
    let id = ProcessId { started_ns: user.started_ns, tgid: user.tgid, reserved: 0 };
    let _ = PROCESSES.insert(id, &value, flags);
}
