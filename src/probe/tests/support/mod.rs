//! What the allocator tests share: a reference count beside the probe's, and look-ups in its snapshots.
#![allow(dead_code, unsafe_code)] // each test file uses its part; implements GlobalAlloc

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicU64, Ordering};

use heapsoak_record::{ContextHeap, Heap};

/// Passes calls on to the allocator inside and counts blocks and bytes of its own: the reference.
pub(crate) struct Reference<A> {
    inner: A,
    live_bytes: AtomicU64,
    live_blocks: AtomicU64,
}

impl<A> Reference<A> {
    pub(crate) const fn new(inner: A) -> Reference<A> {
        Reference { inner, live_bytes: AtomicU64::new(0), live_blocks: AtomicU64::new(0) }
    }

    pub(crate) fn live_blocks(&self) -> u64 {
        self.live_blocks.load(Ordering::SeqCst)
    }

    pub(crate) fn live_bytes(&self) -> u64 {
        self.live_bytes.load(Ordering::SeqCst)
    }
}

// SAFETY: passes every call on.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Reference<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { self.inner.alloc(layout) };
        if !block.is_null() {
            self.live_bytes.fetch_add(layout.size() as u64, Ordering::SeqCst);
            self.live_blocks.fetch_add(1, Ordering::SeqCst);
        }
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        if !block.is_null() {
            self.live_bytes.fetch_add(layout.size() as u64, Ordering::SeqCst);
            self.live_blocks.fetch_add(1, Ordering::SeqCst);
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.live_bytes.fetch_sub(layout.size() as u64, Ordering::SeqCst);
        self.live_blocks.fetch_sub(1, Ordering::SeqCst);
        // SAFETY: the caller's promise.
        unsafe { self.inner.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        let moved = unsafe { self.inner.realloc(block, layout, new_size) };
        if !moved.is_null() {
            self.live_bytes.fetch_add(new_size as u64, Ordering::SeqCst);
            self.live_bytes.fetch_sub(layout.size() as u64, Ordering::SeqCst);
        }
        moved
    }
}

/// The context of a path (joined by `/`) and kind; zeros if it never allocated.
pub(crate) fn context(heap: &Heap, path: &str, kind: Option<&str>) -> ContextHeap {
    heap.contexts
        .iter()
        .find(|context| context.path.join("/") == path && context.kind.as_deref() == kind)
        .cloned()
        .unwrap_or_default()
}

/// Live bytes of a component, over paths and kinds.
pub(crate) fn live_bytes(heap: &Heap, component: &str) -> u64 {
    heap.contexts.iter().filter(|context| context.component() == component).map(ContextHeap::live_bytes).sum()
}

/// Asserts that the sum over contexts is the total, and the sum over cohorts each context, to the byte and block.
pub(crate) fn assert_adds_up(heap: &Heap) {
    assert_eq!(heap.contexts.iter().map(ContextHeap::live_bytes).sum::<u64>(), heap.total_live_bytes);
    assert_eq!(heap.contexts.iter().map(ContextHeap::live_blocks).sum::<u64>(), heap.total_live_blocks);
    for context in &heap.contexts {
        let survivors = context.survivors.iter().map(|cell| cell.live_bytes).sum::<u64>();
        assert_eq!(survivors, context.live_bytes(), "{:?} {:?}", context.path, context.kind);
        let survivors = context.survivors.iter().map(|cell| cell.live_blocks).sum::<u64>();
        assert_eq!(survivors, context.live_blocks(), "{:?} {:?}", context.path, context.kind);
    }
}
