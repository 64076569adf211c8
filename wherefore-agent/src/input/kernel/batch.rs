//! Operations on maps that aya lacks: emptying a hash map in batches (Linux 5.6), and reading large values of
//! all CPUs to a given place. Owns the bpf(2) system calls for these.
#![allow(unsafe_code, reason = "bpf(2) takes pointers")]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use wherefore_common::table::{Row, gathered};
use wherefore_common::{Counters, FlowKey};

const BPF_MAP_LOOKUP_ELEM: libc::c_long = 1;
const BPF_MAP_LOOKUP_AND_DELETE_BATCH: libc::c_long = 25;
/// The number of entries that are requested at once; larger batches were not faster.
const BATCH: usize = 4096;

/// `bpf_attr.batch` of linux/bpf.h.
#[repr(C)]
#[derive(Default)]
struct BatchAttr {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map_fd: u32,
    elem_flags: u64,
    flags: u64,
}

/// Buffers for draining, which are kept between intervals.
pub(super) struct Drain {
    keys: Vec<FlowKey>,
    values: Vec<Counters>,
}

impl Drain {
    /// With space for a batch.
    pub(super) fn new() -> Self {
        let mut drain = Self { keys: Vec::new(), values: Vec::new() };
        drain.resize(BATCH);
        drain
    }

    fn resize(&mut self, entries: usize) {
        self.keys.resize(entries, FlowKey::default());
        self.values.resize(entries, Counters::default());
    }

    /// Moves every entry of a flow map that no program writes to.
    pub(super) fn take_all(
        &mut self,
        map: BorrowedFd<'_>,
        taken: &mut Vec<(FlowKey, Counters)>,
    ) -> io::Result<()> {
        let mut cursor: Option<u32> = None;
        loop {
            let step = self.take_some(map, cursor)?;
            let entries = self.keys.iter().zip(&self.values).take(step.entries);
            taken.extend(entries.map(|(key, counters)| (*key, gathered(counters))));
            match step.next {
                Next::End => return Ok(()),
                Next::At(next) => cursor = Some(next),
                Next::Again => {}
                Next::NeedsRoom => self.resize(self.keys.len() * 2),
            }
        }
    }

    fn take_some(&mut self, map: BorrowedFd<'_>, cursor: Option<u32>) -> io::Result<Step> {
        let mut out = MaybeUninit::<u32>::zeroed();
        let mut attr = BatchAttr {
            in_batch: cursor.as_ref().map_or(0, |cursor| std::ptr::from_ref(cursor) as u64),
            out_batch: out.as_mut_ptr() as u64,
            keys: self.keys.as_mut_ptr() as u64,
            values: self.values.as_mut_ptr() as u64,
            count: self.keys.len() as u32,
            map_fd: map.as_raw_fd() as u32,
            ..BatchAttr::default()
        };
        // SAFETY: `attr` is the layout that the command reads; the kernel writes at most `count`
        // keys and values (both buffers have that size), and one `u32` to `out_batch`.
        // Every bit pattern is a valid `FlowKey`, `Counters` and `u32`.
        let result = unsafe {
            libc::syscall(
                libc::SYS_bpf,
                BPF_MAP_LOOKUP_AND_DELETE_BATCH,
                std::ptr::from_mut(&mut attr),
                size_of::<BatchAttr>(),
            )
        };
        // SAFETY: zeroed above, perhaps overwritten.
        let next = unsafe { out.assume_init() };
        if result == 0 {
            return Ok(Step { entries: attr.count as usize, next: Next::At(next) });
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::ENOENT) => Ok(Step { entries: attr.count as usize, next: Next::End }),
            // A bucket has more entries than fit in the buffers; none was taken.
            Some(libc::ENOSPC) => Ok(Step { entries: 0, next: Next::NeedsRoom }),
            Some(libc::EINTR) => Ok(Step { entries: 0, next: Next::Again }),
            _ => Err(error),
        }
    }
}

/// `bpf_attr` of linux/bpf.h for one element.
#[repr(C)]
struct ElementAttr {
    map_fd: u32,
    pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// Reads a row of the table for each possible CPU; `rows` must have as many elements.
pub(super) fn read_row(table: BorrowedFd<'_>, number: u32, rows: &mut [Row]) -> io::Result<()> {
    let mut attr = ElementAttr {
        map_fd: table.as_raw_fd() as u32,
        pad: 0,
        key: std::ptr::from_ref(&number) as u64,
        value: rows.as_mut_ptr() as u64,
        flags: 0,
    };
    // SAFETY: `attr` is the layout that the command reads; the kernel reads the key and writes a row
    // for each possible CPU, which `rows` have room for. Every bit pattern is a valid `Row`.
    let result = unsafe {
        let attr = std::ptr::from_mut(&mut attr);
        libc::syscall(libc::SYS_bpf, BPF_MAP_LOOKUP_ELEM, attr, size_of::<ElementAttr>())
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

struct Step {
    entries: usize,
    next: Next,
}

enum Next {
    /// Continue from this bucket.
    At(u32),
    /// Nothing is left.
    End,
    /// Repeat the request, because a signal interrupted it.
    Again,
    /// Repeat the request with larger buffers.
    NeedsRoom,
}
