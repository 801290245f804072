//! The allocator between the probe and the one a server has.
#![allow(unsafe_code)] // implements GlobalAlloc

use std::alloc::{GlobalAlloc, Layout};

use dhat::Alloc;

use super::choice;
use crate::registry;

/// Wraps the allocator a server has, and steps aside for dhat's when `HEAPSOAK_PROFILER=dhat` was in the environment
/// at the process's first allocation.
///
/// Goes inside [`Probe`](crate::Probe), so that components are counted either way. Without dhat, a call costs one load
/// and one branch that always goes the same way. With dhat, blocks come from the system's allocator, one lock is taken
/// for each call, and what dhat keeps for itself is charged to the component `heapsoak`.
///
/// ```
/// use std::alloc::System;
///
/// use heapsoak_probe::{Probe, profiler::Choosing};
///
/// #[global_allocator]
/// static ALLOCATOR: Probe<Choosing<System>> = Probe::new(Choosing::new(System));
/// # fn main() {}
/// ```
#[derive(Debug, Default)]
pub struct Choosing<A>(A);

impl<A> Choosing<A> {
    /// Wraps an allocator.
    pub const fn new(usual: A) -> Choosing<A> {
        Choosing(usual)
    }
}

// SAFETY: each process has all its calls passed on unchanged to one and the same allocator: the choice is made at the
// first of them and stays. Neither choosing nor entering the probe's own context panics or allocates.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Choosing<A> {
    #[inline(always)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if choice::is_usual() {
            // SAFETY: the caller's promise, handed on.
            unsafe { self.0.alloc(layout) }
        } else {
            // SAFETY: the caller's promise, handed on.
            unsafe { self.choose_and_alloc(layout) }
        }
    }

    #[inline(always)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if choice::is_usual() {
            // SAFETY: the caller's promise, handed on.
            unsafe { self.0.alloc_zeroed(layout) }
        } else {
            // SAFETY: the caller's promise, handed on.
            unsafe { self.choose_and_alloc_zeroed(layout) }
        }
    }

    #[inline(always)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if choice::is_usual() {
            // SAFETY: the block came from this allocator: the choice never changes.
            unsafe { self.0.dealloc(block, layout) }
        } else {
            // SAFETY: the caller's promise, handed on.
            unsafe { self.choose_and_dealloc(block, layout) }
        }
    }

    #[inline(always)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if choice::is_usual() {
            // SAFETY: the block came from this allocator: the choice never changes.
            unsafe { self.0.realloc(block, layout, new_size) }
        } else {
            // SAFETY: the caller's promise, handed on.
            unsafe { self.choose_and_realloc(block, layout, new_size) }
        }
    }
}

/// The calls of a process that has not chosen yet, or has chosen dhat. What dhat allocates for its own books comes in
/// again through the global allocator, on the same thread: in the probe's context, it is charged to no component.
impl<A: GlobalAlloc> Choosing<A> {
    #[cold]
    #[inline(never)]
    unsafe fn choose_and_alloc(&self, layout: Layout) -> *mut u8 {
        if choice::decide() {
            let _own = registry::enter_own();
            // SAFETY: the caller's promise, handed on.
            unsafe { Alloc.alloc(layout) }
        } else {
            // SAFETY: the caller's promise, handed on.
            unsafe { self.0.alloc(layout) }
        }
    }

    #[cold]
    #[inline(never)]
    unsafe fn choose_and_alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if choice::decide() {
            let _own = registry::enter_own();
            // SAFETY: the caller's promise, handed on.
            unsafe { Alloc.alloc_zeroed(layout) }
        } else {
            // SAFETY: the caller's promise, handed on.
            unsafe { self.0.alloc_zeroed(layout) }
        }
    }

    #[cold]
    #[inline(never)]
    unsafe fn choose_and_dealloc(&self, block: *mut u8, layout: Layout) {
        if choice::decide() {
            let _own = registry::enter_own();
            // SAFETY: the block came from dhat's allocator: the choice never changes.
            unsafe { Alloc.dealloc(block, layout) }
        } else {
            // SAFETY: the caller's promise, handed on.
            unsafe { self.0.dealloc(block, layout) }
        }
    }

    #[cold]
    #[inline(never)]
    unsafe fn choose_and_realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if choice::decide() {
            let _own = registry::enter_own();
            // SAFETY: the block came from dhat's allocator: the choice never changes.
            unsafe { Alloc.realloc(block, layout, new_size) }
        } else {
            // SAFETY: the caller's promise, handed on.
            unsafe { self.0.realloc(block, layout, new_size) }
        }
    }
}
