//! Lists what is attached, through bpf(2): our own links, and the programs at TCX; runs an iterator again. Owns
//! these calls, for which aya needs more privileges or gives away its link; attaches nothing to packets.
#![allow(unsafe_code, reason = "bpf(2) takes pointers")]

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use wherefore_common::Direction;

const BPF_OBJ_GET_INFO_BY_FD: libc::c_long = 15;
const BPF_PROG_QUERY: libc::c_long = 16;
const BPF_LINK_CREATE: libc::c_long = 28;
const BPF_ITER_CREATE: libc::c_long = 33;
const BPF_TRACE_ITER: u32 = 28;
const BPF_TCX_INGRESS: u32 = 46;
const BPF_TCX_EGRESS: u32 = 47;

/// The beginning of `struct bpf_link_info` of linux/bpf.h for a TCX link.
#[repr(C)]
#[derive(Debug, Default)]
pub(super) struct TcxLink {
    kind: u32,
    id: u32,
    /// The program that the link runs.
    pub(super) program: u32,
    pad: u32,
    /// The device to which it is attached; 0 if it was detached.
    pub(super) ifindex: u32,
    attach_type: u32,
}

/// `bpf_attr.info` of linux/bpf.h.
#[repr(C)]
struct InfoAttr {
    descriptor: u32,
    length: u32,
    info: u64,
}

/// The kernel's information about a TCX link; needs no privilege.
pub(super) fn tcx_link(link: BorrowedFd<'_>) -> io::Result<TcxLink> {
    let mut info = TcxLink::default();
    let mut attr = InfoAttr {
        descriptor: link.as_raw_fd() as u32,
        length: size_of::<TcxLink>() as u32,
        info: std::ptr::from_mut(&mut info) as u64,
    };
    // SAFETY: `attr` is the layout that the command reads; the kernel writes at most `length` bytes to
    // `info`, which has that size and of which every bit pattern is valid.
    let result = unsafe {
        let attr = std::ptr::from_mut(&mut attr);
        libc::syscall(libc::SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, attr, size_of::<InfoAttr>())
    };
    if result == 0 { Ok(info) } else { Err(io::Error::last_os_error()) }
}

/// The beginning of `bpf_attr.link_create` of linux/bpf.h, for an iterator without parameters.
#[repr(C)]
struct LinkAttr {
    program: u32,
    target: u32,
    attach_type: u32,
    flags: u32,
    iterator: u64,
    iterator_length: u32,
    pad: u32,
}

/// Attaches an iterator, which can then run any number of times ([`run_iterator`]).
pub(super) fn attach_iterator(program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut attr = LinkAttr {
        program: program.as_raw_fd() as u32,
        target: 0,
        attach_type: BPF_TRACE_ITER,
        flags: 0,
        iterator: 0,
        iterator_length: 0,
        pad: 0,
    };
    // SAFETY: `attr` is the layout that the command reads, and it returns a descriptor of its own.
    unsafe { descriptor(BPF_LINK_CREATE, &mut attr) }
}

/// The output of an iterator: reading it to its end runs the program once for each object. Needs no privilege.
pub(super) fn run_iterator(link: BorrowedFd<'_>) -> io::Result<File> {
    let mut attr = [link.as_raw_fd() as u32, 0];
    // SAFETY: `attr` is the layout that the command reads, the link and flags, and it returns a descriptor
    // of its own.
    unsafe { descriptor(BPF_ITER_CREATE, &mut attr) }.map(File::from)
}

/// Calls bpf(2) for a new descriptor.
///
/// # Safety
/// The command must read `attr`, write nowhere, and return a new descriptor or an error.
unsafe fn descriptor<T>(command: libc::c_long, attr: &mut T) -> io::Result<OwnedFd> {
    // SAFETY: the caller's promise.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attr), size_of::<T>()) };
    let number = i32::try_from(result).ok().filter(|number| *number >= 0);
    let number = number.ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the command has just made it, and nothing else uses it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// `bpf_attr.query` of linux/bpf.h.
#[repr(C)]
#[derive(Default)]
struct QueryAttr {
    ifindex: u32,
    attach_type: u32,
    query_flags: u32,
    attach_flags: u32,
    programs: u64,
    count: u32,
    pad: u32,
    program_flags: u64,
    links: u64,
    link_flags: u64,
    revision: u64,
}

/// The numbers of the TCX programs on a device, in the order in which they run. Needs CAP_NET_ADMIN.
pub(super) fn tcx_programs(ifindex: u32, direction: Direction) -> io::Result<Vec<u32>> {
    /// The kernel's own limit (BPF_MPROG_MAX).
    const MOST: usize = 64;
    let mut programs = vec![0_u32; MOST];
    let mut attr = QueryAttr {
        ifindex,
        attach_type: if direction == Direction::Egress { BPF_TCX_EGRESS } else { BPF_TCX_INGRESS },
        programs: programs.as_mut_ptr() as u64,
        count: MOST as u32,
        ..QueryAttr::default()
    };
    // SAFETY: `attr` is the layout that the command reads; the kernel writes at most `count` numbers to
    // `programs`, which has that length, and the rest to `attr`.
    let result = unsafe {
        let attr = std::ptr::from_mut(&mut attr);
        libc::syscall(libc::SYS_bpf, BPF_PROG_QUERY, attr, size_of::<QueryAttr>())
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    programs.truncate(attr.count as usize);
    Ok(programs)
}
