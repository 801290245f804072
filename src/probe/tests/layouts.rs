//! The allocator inside gets a block back with the layout it gave it out with, whatever the probe does meanwhile: nothing,
//! counting, sampling, or counting after it sampled.
#![allow(unsafe_code)] // implements GlobalAlloc

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use heapsoak_probe::{Component, Probe, count, heap, sample_interval_bytes};

/// Passes calls on and aborts when a layout is not the one it knows. Its table is by address, open, and large enough.
struct Checked;

const PLACES: usize = 1 << 20;
static ADDRESSES: [AtomicUsize; PLACES] = [const { AtomicUsize::new(0) }; PLACES];
static LAYOUTS: [AtomicUsize; PLACES] = [const { AtomicUsize::new(0) }; PLACES];
/// Blocks allocated at 4096 that nobody asked to lie there.
static AT_PAGES: AtomicUsize = AtomicUsize::new(0);

/// What was freed and may be used again.
const FREED: usize = 1;

fn home(address: usize) -> usize {
    (address >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44
}

fn packed(layout: Layout) -> usize {
    layout.size() << 6 | layout.align().trailing_zeros() as usize
}

fn note(block: *mut u8, layout: Layout) {
    if block.is_null() {
        return;
    }
    if layout.align() == 4096 {
        AT_PAGES.fetch_add(1, Ordering::SeqCst);
    }
    for place in (0..PLACES).map(|step| (home(block.addr()) + step) % PLACES) {
        for free in [0, FREED] {
            if ADDRESSES[place]
                .compare_exchange(free, block.addr(), Ordering::SeqCst, Ordering::SeqCst)
                .is_ok()
            {
                return LAYOUTS[place].store(packed(layout), Ordering::SeqCst);
            }
        }
    }
    std::process::abort();
}

fn check(block: *mut u8, layout: Layout) {
    let places = (0..PLACES).map(|step| (home(block.addr()) + step) % PLACES);
    let mut used = places.take_while(|place| ADDRESSES[*place].load(Ordering::SeqCst) != 0);
    let known = used.find(|place| ADDRESSES[*place].load(Ordering::SeqCst) == block.addr());
    match known {
        Some(place) if LAYOUTS[place].load(Ordering::SeqCst) == packed(layout) => {
            ADDRESSES[place].store(FREED, Ordering::SeqCst);
        }
        _ => std::process::abort(),
    }
}

// SAFETY: passes every call on.
unsafe impl GlobalAlloc for Checked {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { System.alloc(layout) };
        note(block, layout);
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { System.alloc_zeroed(layout) };
        note(block, layout);
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        check(block, layout);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        check(block, layout);
        // SAFETY: the caller's promise.
        let moved = unsafe { System.realloc(block, layout, new_size) };
        let (held, size) = if moved.is_null() { (block, layout.size()) } else { (moved, new_size) };
        note(held, Layout::from_size_align(size, layout.align()).expect("as it was asked for"));
        moved
    }
}

#[global_allocator]
static ALLOCATOR: Probe<Checked> = Probe::new(Checked);

static PART: Component = Component::new("part");

/// What the copy of this test that works is to be.
const MODE: &str = "HEAPSOAK_MODE";

/// Blocks of all sizes, the odd ones zeroed, some of which move, and every third of which is freed.
fn make(rounds: usize) -> Vec<Vec<u8>> {
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    for round in 0..rounds {
        let size = 1 + (round * 7_919) % [40, 700, 9_000, 200_000][round % 4];
        let mut block = if round % 2 == 0 { Vec::with_capacity(size) } else { vec![0_u8; size] };
        assert!(block.iter().all(|byte| *byte == 0), "zeroed, wherever it lies");
        block.resize(size, (round % 251) as u8);
        if round % 5 == 0 {
            block.reserve_exact(size * 2);
        }
        if round % 7 == 0 {
            block.truncate(size / 2 + 1);
            block.shrink_to_fit();
        }
        blocks.push(block);
        if round % 3 == 0 {
            blocks.swap_remove((round * 31) % blocks.len());
        }
    }
    blocks
}

fn grow(blocks: &mut [Vec<u8>]) {
    for block in blocks {
        let end = block.len() - 1;
        let last = block[end];
        block.reserve_exact(block.capacity() + 100);
        assert_eq!(block[end], last, "what was in it moved with it");
    }
}

fn work(mode: &str) {
    let mut first = PART.scope(|| make(6_000));
    let sampled = AT_PAGES.load(Ordering::SeqCst);
    assert_eq!(sampled > 20, mode == "sampled", "{sampled} blocks were moved to the start of a page");
    grow(&mut first[..1_000]);
    let second = std::thread::spawn(|| make(3_000)).join().expect("the test can go on");
    if mode != "exact" {
        count();
    }
    assert_eq!(sample_interval_bytes(), None);
    let third = PART.scope(|| make(3_000));
    grow(&mut first);
    std::thread::spawn(move || drop(first)).join().expect("the test can go on");
    drop((second, third));
    black_box(heap());
}

#[test]
fn blocks_go_back_with_the_layout_they_were_given_out_with() {
    if let Ok(mode) = std::env::var(MODE) {
        return work(&mode);
    }
    let folder = tempfile::tempdir().expect("the test can go on");
    for mode in ["exact", "sampled", "asleep"] {
        let mut copy = Command::new(std::env::current_exe().expect("the test can go on"));
        copy.args(["--exact", "blocks_go_back_with_the_layout_they_were_given_out_with", "--nocapture"]);
        copy.env(MODE, mode);
        match mode {
            "asleep" => copy.env_remove("HEAPSOAK_SOCKET"),
            _ => copy.env("HEAPSOAK_SOCKET", folder.path().join("probe.sock")),
        };
        let copy = copy.output().expect("the test can go on");
        assert!(copy.status.success(), "{mode}: {} {}", copy.status, String::from_utf8_lossy(&copy.stderr));
    }
}
