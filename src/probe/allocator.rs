//! The allocator a server declares.
#![allow(unsafe_code)] // implements GlobalAlloc

use std::alloc::{GlobalAlloc, Layout};

use crate::{local, mode};

/// Blocks of up to 8 bytes are asked for as 16, since allocators pack two of them into the 16 bytes one tag covers.
const SMALLEST: usize = 16;

/// Wraps the allocator a server has and counts, for every context, what it hands out and takes back.
///
/// Sizes counted are those the program asked for. Passes failure (null) through uncounted. What it
/// costs while counting is measured in `docs/performance.md`; otherwise it is one load and one branch a call.
///
/// ```
/// use std::alloc::System;
///
/// #[global_allocator]
/// static ALLOCATOR: heapsoak_probe::Probe<System> = heapsoak_probe::Probe::new(System);
/// # fn main() {}
/// ```
#[derive(Debug, Default)]
pub struct Probe<A>(A);

impl<A> Probe<A> {
    /// Wraps an allocator.
    pub const fn new(inner: A) -> Probe<A> {
        Probe(inner)
    }
}

/// More than any address space has: who asks for more gets null, as who asks for this much does.
const LARGEST: usize = isize::MAX as usize - (SMALLEST - 1);

/// What the allocator inside is asked for: 16 bytes or more at a multiple of 16, which is what allocators give for these
/// sizes anyway, and what keeps the tags of any two blocks apart.
#[inline(always)]
fn asked(layout: Layout) -> Layout {
    let (size, align) = (layout.size().max(SMALLEST), layout.align().max(SMALLEST));
    // SAFETY: rounded up to 16, LARGEST stays below isize::MAX; rounded up to a larger alignment, the size did in the
    // layout given.
    unsafe { Layout::from_size_align_unchecked(size.min(LARGEST), align) }
}

/// The layout with which the block of a layout was asked for.
#[inline(always)]
fn widen(layout: Layout) -> Layout {
    // SAFETY: as in `asked`. The block exists, so its size is below LARGEST.
    unsafe { Layout::from_size_align_unchecked(layout.size().max(SMALLEST), layout.align().max(SMALLEST)) }
}

// SAFETY: every call is passed on to the inner allocator with the same layout, or, for sizes and alignments below 16,
// with 16 in each of the four methods alike. Counting neither panics nor allocates.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Probe<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, with a layout at least as large.
        let block = unsafe { self.0.alloc(asked(layout)) };
        count_new(block, layout.size())
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let block = unsafe { self.0.alloc_zeroed(asked(layout)) };
        count_new(block, layout.size())
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if local::freed(block.addr(), layout.size()) || mode::is_passing() {
            // SAFETY: the block was allocated with the widened layout.
            unsafe { self.0.dealloc(block, widen(layout)) }
        } else {
            // SAFETY: the caller's promise.
            unsafe { self.dealloc_slowly(block, layout) }
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // The owner is read before the old place can be given to another thread.
        let owner = local::owner(block.addr(), layout.size());
        // SAFETY: the block was allocated with the widened layout, and the new size is at least what was asked for.
        let moved = unsafe { self.0.realloc(block, widen(layout), new_size.clamp(SMALLEST, LARGEST)) };
        if moved.is_null() {
            local::kept(owner, block.addr(), layout.size());
        } else {
            local::resized(owner, (block.addr(), layout.size()), (moved.addr(), new_size));
        }
        moved
    }
}

/// Counts a block and returns it. Null, the failure of the allocator inside, is not at an address that is marked, so
/// the way of all others needs no look at it.
#[inline(always)]
fn count_new(block: *mut u8, bytes: usize) -> *mut u8 {
    if local::allocated(block.addr(), bytes) || mode::is_passing() {
        block
    } else {
        count_slowly(block, bytes)
    }
}

/// Takes and returns the block, so that nothing is kept around the call. Not cold: all blocks under capture come here.
#[inline(never)]
fn count_slowly(block: *mut u8, bytes: usize) -> *mut u8 {
    // From here alone, so that the same way to an allocation is always the same stack.
    while !local::allocated_captured(block.addr(), bytes) {
        if block.is_null() {
            break;
        }
        if !local::prepare_capture(block.addr()) {
            local::allocated_slowly(block.addr(), bytes);
            break;
        }
    }
    block
}

impl<A: GlobalAlloc> Probe<A> {
    /// # Safety
    /// As `dealloc`.
    #[inline(never)]
    unsafe fn dealloc_slowly(&self, block: *mut u8, layout: Layout) {
        if !local::freed_watched(block.addr(), layout.size()) {
            local::freed_slowly(block.addr(), layout.size());
        }
        // SAFETY: the block was allocated with the widened layout.
        unsafe { self.0.dealloc(block, widen(layout)) }
    }
}
