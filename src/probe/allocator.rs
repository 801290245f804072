//! The allocator a server declares.
#![allow(unsafe_code)] // implements GlobalAlloc

use std::alloc::{GlobalAlloc, Layout};
use std::hint::cold_path;

use crate::shadow::LARGE;
use crate::{local, sampled};

/// Blocks start at multiples of 16, and at least this far from each other.
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

/// Whether a block goes the short way: most do.
#[inline(always)]
fn is_small(layout: Layout) -> bool {
    if layout.size() >= LARGE || layout.align() > SMALLEST {
        cold_path(); // two comparisons with a branch each are less than one of their sum
        return false;
    }
    true
}

/// What the allocator inside is asked for instead of a small layout: 16 bytes or more at a multiple of 16, which is what
/// allocators give for these sizes anyway. Only that blocks of up to 8 bytes take 16 is new to some: they pack two of them
/// into the 16 bytes one tag covers.
#[inline(always)]
fn widened(bytes: usize) -> Layout {
    // SAFETY: an alignment of 16, and a size far below isize::MAX.
    unsafe { Layout::from_size_align_unchecked(bytes.max(SMALLEST), SMALLEST) }
}

/// What the allocator inside is asked for instead of any layout.
#[inline(always)]
fn widened_with_care(layout: Layout) -> Layout {
    let size = layout.size().clamp(SMALLEST, LARGEST);
    if layout.align() > SMALLEST {
        cold_path();
        // SAFETY: rounded up to a larger alignment, the size stayed below isize::MAX in the layout given.
        return unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
    }
    // SAFETY: rounded up to 16, LARGEST stays below isize::MAX.
    unsafe { Layout::from_size_align_unchecked(size, SMALLEST) }
}

// SAFETY: every call is passed on to the inner allocator with the same layout, or, for sizes and alignments below 16,
// with 16 in each of the four methods alike. Counting neither panics nor allocates.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Probe<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !is_small(layout) {
            // SAFETY: the caller's promise.
            return unsafe { self.alloc_any(layout, false) };
        }
        if local::passes(layout.size()) {
            // SAFETY: the caller's promise, with a layout at least as large.
            return unsafe { self.0.alloc(widened(layout.size())) };
        }
        // SAFETY: the caller's promise.
        unsafe { self.alloc_counted(layout.size()) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { self.alloc_any(layout, true) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_small(layout) && (local::freed(block.addr(), layout.size()) || local::is_unwatched()) {
            // SAFETY: the block was allocated with the widened layout.
            unsafe { self.0.dealloc(block, widened(layout.size())) }
        } else {
            // SAFETY: the caller's promise.
            unsafe { self.dealloc_any(block, layout) }
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if local::is_unwatched() && local::passes(new_size.saturating_sub(layout.size())) {
            let new_size = new_size.clamp(SMALLEST, LARGEST);
            // SAFETY: the block was allocated with the widened layout, and the new size is at least what was asked for.
            return unsafe { self.0.realloc(block, widened_with_care(layout), new_size) };
        }
        // SAFETY: the caller's promise.
        unsafe { self.realloc_any(block, layout, new_size) }
    }
}

impl<A: GlobalAlloc> Probe<A> {
    /// # Safety
    /// As `alloc`, for a small layout of this size.
    #[inline(never)]
    unsafe fn alloc_counted(&self, bytes: usize) -> *mut u8 {
        let head = local::head();
        // SAFETY: the caller's promise, with a layout at least as large.
        let block = unsafe { self.0.alloc(widened(bytes)) };
        if local::allocated(head, block.addr(), bytes) { block } else { count_slowly(block, bytes) }
    }

    /// As `alloc` or `alloc_zeroed`, for any layout.
    ///
    /// # Safety
    /// As theirs.
    #[inline(never)]
    unsafe fn alloc_any(&self, layout: Layout, zeroed: bool) -> *mut u8 {
        let asked = widened_with_care(layout);
        // SAFETY: the caller's promise, with a layout at least as large.
        let alloc = || unsafe { if zeroed { self.0.alloc_zeroed(asked) } else { self.0.alloc(asked) } };
        if local::passes(layout.size()) {
            return alloc();
        }
        let block = alloc();
        if local::allocated_any(block.addr(), layout.size()) {
            block
        } else {
            count_slowly(block, layout.size())
        }
    }

    /// As `dealloc`, for any layout.
    ///
    /// # Safety
    /// As its.
    #[inline(never)]
    unsafe fn dealloc_any(&self, block: *mut u8, layout: Layout) {
        if local::samples() {
            sampled::freed(block.addr());
        } else if !local::is_unwatched() && !local::freed_watched(block.addr(), layout.size()) {
            local::freed_slowly(block.addr(), layout.size());
        }
        // SAFETY: the block was allocated with the widened layout.
        unsafe { self.0.dealloc(block, widened_with_care(layout)) }
    }

    /// As `realloc`, for any layout.
    ///
    /// # Safety
    /// As its.
    #[inline(never)]
    unsafe fn realloc_any(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let asked = new_size.clamp(SMALLEST, LARGEST);
        // SAFETY: the block was allocated with the widened layout, and the new size is at least what was asked for.
        let realloc = || unsafe { self.0.realloc(block, widened_with_care(layout), asked) };
        if local::samples() {
            let sample = sampled::take(block.addr());
            let moved = realloc();
            let place = if moved.is_null() { (block, layout.size()) } else { (moved, new_size) };
            match sample {
                Some(sample) => sampled::put(sample, place.0.addr(), place.1),
                None if !moved.is_null() && !local::passes(new_size.saturating_sub(layout.size())) => {
                    local::grown(moved.addr(), new_size);
                }
                None => {}
            }
            return moved;
        }
        // The owner is read before the old place can be given to another thread.
        let owner = local::owner(block.addr(), layout.size());
        let moved = realloc();
        if moved.is_null() {
            local::kept(owner, block.addr(), layout.size());
        } else {
            local::resized(owner, layout.size(), moved.addr(), new_size);
        }
        moved
    }
}

/// Takes and returns the block, so that nothing is kept around the call. Not cold: all blocks under capture come here.
#[inline(never)]
fn count_slowly(block: *mut u8, bytes: usize) -> *mut u8 {
    if block.is_null() {
        return block;
    }
    // From here alone, so that the same way to an allocation is always the same stack.
    while !local::allocated_captured(block.addr(), bytes) {
        if !local::prepare_capture(block.addr(), bytes) {
            local::allocated_slowly(block.addr(), bytes);
            break;
        }
    }
    block
}
