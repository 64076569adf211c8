//! bpf(2) by itself: programs given as instructions, maps, and test runs of any program. Owns the
//! bench's unsafe code for the system call; refuses what aya does as well.
#![allow(unsafe_code, reason = "bpf(2) takes pointers")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use anyhow::{Context, Result};

/// Commands of linux/bpf.h.
const MAP_CREATE: libc::c_long = 0;
const MAP_LOOKUP_ELEM: libc::c_long = 1;
const MAP_UPDATE_ELEM: libc::c_long = 2;
const MAP_GET_NEXT_KEY: libc::c_long = 4;
const PROG_LOAD: libc::c_long = 5;
const PROG_TEST_RUN: libc::c_long = 10;

/// `BPF_MAP_TYPE_PROG_ARRAY`.
const PROG_ARRAY: u32 = 3;
/// `BPF_MAP_TYPE_PERCPU_HASH`.
const PERCPU_HASH: u32 = 5;
/// `BPF_F_XDP_HAS_FRAGS`: only such programs may call one that has it.
const XDP_HAS_FRAGS: u32 = 1 << 5;
const LOG_SIZE: usize = 1 << 16;

/// The hook of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hook {
    Tc,
    Xdp,
}

/// `struct bpf_insn`: code, registers (destination low), offset, immediate.
pub(crate) type Instruction = u64;

/// Part of `union bpf_attr` for making a map.
#[repr(C)]
#[derive(Default)]
struct MapAttr {
    kind: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
}

#[repr(C)]
#[derive(Default)]
struct ElementAttr {
    map: u32,
    pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

#[repr(C)]
#[derive(Default)]
struct LoadAttr {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
    ifindex: u32,
    expected_attach_type: u32,
}

#[repr(C)]
#[derive(Default)]
struct RunAttr {
    program: u32,
    returned: u32,
    data_size_in: u32,
    data_size_out: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
    context: [u64; 3],
    rest: [u32; 4],
}

/// A preallocated per-CPU hash.
pub(crate) fn per_cpu_hash(key_size: u32, value_size: u32, capacity: u32) -> Result<OwnedFd> {
    map(MapAttr { kind: PERCPU_HASH, key_size, value_size, max_entries: capacity })
}

/// An array of programs with one place, taken by this program.
pub(crate) fn program_array(program: BorrowedFd<'_>) -> Result<OwnedFd> {
    let array = map(MapAttr { kind: PROG_ARRAY, key_size: 4, value_size: 4, max_entries: 1 })?;
    let (key, value) = (0u32, program.as_raw_fd() as u32);
    let mut attr = ElementAttr {
        map: array.as_raw_fd() as u32,
        key: std::ptr::from_ref(&key) as u64,
        value: std::ptr::from_ref(&value) as u64,
        ..ElementAttr::default()
    };
    // SAFETY: `attr` has the form of the command, and points to a key and a value of four bytes.
    unsafe { call(MAP_UPDATE_ELEM, &mut attr) }.context("a program that cannot be called")?;
    Ok(array)
}

/// Shows the values of all entries of a map, which nothing may change meanwhile. `value_size` covers
/// the values of all processors if each has its own.
pub(crate) fn for_each(
    map: BorrowedFd<'_>,
    key_size: usize,
    value_size: usize,
    mut see: impl FnMut(&[u8]),
) -> Result<()> {
    let map = map.as_raw_fd() as u32;
    let (mut key, mut next, mut value) = (None, vec![0u8; key_size], vec![0u8; value_size]);
    loop {
        let from = key.as_ref().map_or(0, |key: &Vec<u8>| key.as_ptr() as u64);
        let to = next.as_mut_ptr() as u64;
        let mut attr = ElementAttr { map, key: from, value: to, ..ElementAttr::default() };
        // SAFETY: `attr` has the form of the command; it points to a key or to nothing, which returns
        // the first key, and to memory for a key.
        match unsafe { call(MAP_GET_NEXT_KEY, &mut attr) } {
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(()),
            result => result.context("reading a map's keys")?,
        };
        attr.key = to;
        attr.value = value.as_mut_ptr() as u64;
        // SAFETY: `attr` has the form of the command; it points to a key, and to memory for the values of
        // all processors, as the caller promises.
        unsafe { call(MAP_LOOKUP_ELEM, &mut attr) }.context("reading a map")?;
        see(&value);
        key = Some(next.clone());
    }
}

fn map(mut attr: MapAttr) -> Result<OwnedFd> {
    // SAFETY: `attr` has the form of the command; it has no pointers.
    let number = unsafe { call(MAP_CREATE, &mut attr) }.context("making a map")?;
    // SAFETY: the kernel has just given us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Loads a program.
pub(crate) fn load(hook: Hook, instructions: &[Instruction]) -> Result<OwnedFd> {
    // linux/bpf.h: BPF_PROG_TYPE_SCHED_CLS; BPF_PROG_TYPE_XDP with BPF_XDP as its attach type.
    let (kind, flags, expected_attach_type) = match hook {
        Hook::Tc => (3, 0, 0),
        Hook::Xdp => (6, XDP_HAS_FRAGS, 37),
    };
    let mut log = vec![0u8; LOG_SIZE];
    let mut attr = LoadAttr {
        kind,
        count: u32::try_from(instructions.len())?,
        instructions: instructions.as_ptr() as u64,
        license: c"GPL".as_ptr() as u64,
        log_level: 1,
        log_size: LOG_SIZE as u32,
        log: log.as_mut_ptr() as u64,
        flags,
        expected_attach_type,
        ..LoadAttr::default()
    };
    // SAFETY: `attr` has the form of the command; it points to `count` instructions, a string and
    // `log_size` bytes to write.
    let loaded = unsafe { call(PROG_LOAD, &mut attr) };
    let said = String::from_utf8_lossy(&log);
    let number = loaded.with_context(|| said.trim_end_matches('\0').to_owned())?;
    // SAFETY: the kernel has just given us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Runs a program this many times on one frame, which it may change for the next time; nanoseconds of
/// one run, by this thread's own processor time: the kernel's own figure has no fractions.
pub(crate) fn run(program: BorrowedFd<'_>, frame: &[u8], repeat: u32) -> Result<f64> {
    let mut attr = RunAttr {
        program: program.as_raw_fd() as u32,
        data_size_in: u32::try_from(frame.len())?,
        data_in: frame.as_ptr() as u64,
        repeat,
        ..RunAttr::default()
    };
    let start = crate::usage::thread_seconds()?;
    // SAFETY: `attr` has the form of the command; it points to `data_size_in` bytes.
    unsafe { call(PROG_TEST_RUN, &mut attr) }.context("running a program")?;
    Ok((crate::usage::thread_seconds()? - start) * 1e9 / f64::from(repeat))
}

/// The system call, repeated if a signal came first.
///
/// # Safety
/// `attr` must have the form of the command, and its pointers must be valid for the command.
unsafe fn call<T>(command: libc::c_long, attr: &mut T) -> io::Result<i32> {
    loop {
        // SAFETY: the caller's promise; the size is that of `attr`.
        let result = unsafe {
            libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attr), size_of::<T>())
        };
        if result >= 0 {
            return Ok(result as i32);
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EINTR) {
            return Err(error);
        }
    }
}
