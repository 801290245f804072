//! On machines with 57 bits of address space a block may lie where no owner can be marked: it is counted all the same,
//! under no scope, and so is one that `realloc` moves there. Simulated: the allocator inside hands out addresses, and
//! no memory.
#![allow(unsafe_code)] // calls the allocator by hand

mod support;

use std::alloc::{GlobalAlloc, Layout};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use heapsoak_probe::{Component, Probe, count, heap};
use heapsoak_record::UNSCOPED;
use support::{assert_adds_up, context};

/// Blocks below this size are near, the others far.
const FAR: usize = 10_000;

/// Addresses from 2⁴⁰ on for small blocks, from 2⁵⁶ on for large ones; each used once.
struct Addresses {
    near: AtomicUsize,
    far: AtomicUsize,
}

impl Addresses {
    fn next(&self, layout: Layout) -> *mut u8 {
        let next = if layout.size() < FAR { &self.near } else { &self.far };
        ptr::without_provenance_mut(next.fetch_add(layout.size().next_multiple_of(4096), Ordering::Relaxed))
    }
}

// SAFETY: not an allocator at all: nothing the tests do touches the memory.
unsafe impl GlobalAlloc for Addresses {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.next(layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.next(layout)
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let new = Layout::from_size_align(new_size, layout.align()).expect("small");
        if (layout.size() < FAR) == (new_size < FAR) { block } else { self.next(new) }
    }
}

static PROBED: Probe<Addresses> =
    Probe::new(Addresses { near: AtomicUsize::new(1 << 40), far: AtomicUsize::new(1 << 56) });

static OWNER: Component = Component::new("owner");

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 8).expect("small")
}

fn live(component: &str) -> (u64, u64) {
    let heap = heap();
    assert_adds_up(&heap);
    let context = context(&heap, component, None);
    (context.live_bytes(), context.live_blocks())
}

#[test]
fn blocks_out_of_reach_are_counted_under_no_scope_from_birth_to_death() {
    count();
    let scope = OWNER.enter();
    // SAFETY: nothing is read or written at the addresses, which stand for blocks of these layouts.
    let allocate = |size| unsafe { PROBED.alloc(layout(size)) };
    // SAFETY: as above.
    let resize = |block, old, new| unsafe { PROBED.realloc(block, layout(old), new) };
    // SAFETY: as above.
    let free = |block, size| unsafe { PROBED.dealloc(block, layout(size)) };

    let near = allocate(100);
    let far = allocate(20_000);
    assert_eq!((live("owner"), live(UNSCOPED)), ((100, 1), (20_000, 1)));
    let far = resize(far, 20_000, 50_000);
    let near = resize(near, 100, 5_000);
    assert_eq!((live("owner"), live(UNSCOPED)), ((5_000, 1), (50_000, 1)));
    // One moves out of reach, the other back into it: no one knows its owner any more.
    let moved_out = resize(near, 5_000, 12_000);
    let moved_in = resize(far, 50_000, 70);
    assert_eq!((live("owner"), live(UNSCOPED)), ((0, 0), (12_070, 2)));
    free(moved_out, 12_000);
    free(moved_in, 70);
    drop(scope);
    assert_eq!((live("owner"), live(UNSCOPED)), ((0, 0), (0, 0)));
    assert_eq!(heap().uncounted_freed_bytes, 0);
}
