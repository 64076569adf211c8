//! The system's allocator, which asks the kernel for huge pages (Linux `MADV_HUGEPAGE`, madvise(2))
//! where a block is large: histories of many flows are touched all over in each interval, and most of
//! that time is the processor looking up where small pages are. Owns that advice alone; what a kernel
//! makes of it changes nothing but speed.
#![allow(unsafe_code, reason = "the trait is unsafe to implement, madvise takes pointers")]

use std::alloc::{GlobalAlloc, Layout, System};

/// Octets from which a block is large: two huge pages of most processors.
const LARGE: usize = 4 << 20;
/// Octets of the smallest page that a kernel may have, or a multiple.
const PAGE: usize = 4096;

/// The allocator.
#[derive(Debug, Default, Clone, Copy)]
pub struct HugePages;

/// Asks for huge pages. Whole pages are told, with the allocator's header in front of a block that has
/// a mapping of its own: a part of the mapping could not grow in place.
fn advise(memory: *mut u8, size: usize) {
    if size < LARGE || memory.is_null() {
        return;
    }
    let before = memory.addr() % PAGE;
    let start = memory.wrapping_sub(before);
    // SAFETY: the advice changes no contents, wherever it reaches; an error is of no consequence.
    unsafe {
        libc::madvise(start.cast(), (before + size).next_multiple_of(PAGE), libc::MADV_HUGEPAGE);
    }
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for HugePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let memory = unsafe { System.alloc(layout) };
        advise(memory, layout.size());
        memory
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let memory = unsafe { System.alloc_zeroed(layout) };
        advise(memory, layout.size());
        memory
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        let memory = unsafe { System.realloc(memory, layout, size) };
        advise(memory, size);
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}
