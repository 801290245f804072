//! Where address space or data memory is limited the probe works, or does without what it can't have, and its totals
//! stay exact: what the inner allocator refuses is passed on, not counted.
#![allow(unsafe_code)] // raw blocks

mod support;

use std::alloc::{Layout, alloc, dealloc, realloc};
use std::process::{Command, Output};

use heapsoak_probe::{Component, Probe, count, heap};
use support::{Reference, assert_adds_up, context};

#[global_allocator]
static ALLOCATOR: Reference<Probe<jemallocator::Jemalloc>> =
    Reference::new(Probe::new(jemallocator::Jemalloc));

static HUNGRY: Component = Component::new("hungry");
static THREAD: Component = Component::new("thread");

/// Set in the limited copy of this test.
const LIMITED: &str = "HEAPSOAK_TEST_LIMITED";

/// Runs a copy of this test under a limit of the shell: `-v` for address space, `-d` for data, in KiB.
fn run_limited(option: &str, kib: u64) -> Output {
    let script = format!("ulimit {option} {kib} && exec timeout 60 \"$0\" --exact \"$1\" --test-threads=1");
    let name = "a_limited_process_counts_exactly_until_memory_ends_and_after";
    Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().expect("the test can go on"))
        .arg(name)
        .env(LIMITED, if kib >= 16 << 20 { "ample" } else { "tight" })
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("the test can go on")
}

#[test]
fn a_limited_process_counts_exactly_until_memory_ends_and_after() {
    if std::env::var_os(LIMITED).is_some() {
        return eat_all_there_is();
    }
    // The smallest leaves jemalloc a few chunks after the program itself is mapped; the largest is ample.
    for option in ["-v", "-d"] {
        for mib in [128, 192, 320, 512, 1024, 4096, 65_536] {
            let output = run_limited(option, mib * 1024);
            assert!(
                output.status.success(),
                "ulimit {option} of {mib} MiB: {}\n{}\n{}",
                output.status,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
}

/// Allocates until nothing is left (or 3 GiB were had), resizes beyond what is left, gives all back, and compares.
fn eat_all_there_is() {
    count();
    let ample = std::env::var(LIMITED).is_ok_and(|limit| limit == "ample");
    let unknown = beyond();
    // Threads whose counters can't be mapped, or can: they are counted either way. They come first, since jemalloc
    // itself does not survive a thread for which it finds no room later.
    for _ in 0..4 {
        let thread =
            std::thread::Builder::new().stack_size(64 * 1024).spawn(|| THREAD.scope(|| vec![1_u8; 999]));
        if let Ok(thread) = thread {
            drop(thread.join().expect("the test can go on"));
        }
    }
    let layout = Layout::from_size_align(1 << 20, 8).expect("the test can go on");
    let mut blocks = Vec::with_capacity(3 << 10);
    let mut small: Vec<(*mut u8, Layout)> = Vec::with_capacity(1_000);
    HUNGRY.scope(|| {
        for size in 1..=1_000 {
            let layout = Layout::from_size_align(size, 8).expect("the test can go on");
            // SAFETY: the size is not zero.
            let block = unsafe { alloc(layout) };
            if !block.is_null() {
                small.push((block, layout));
            }
        }
        while blocks.len() < blocks.capacity() {
            // SAFETY: the size is not zero.
            let block = unsafe { alloc(layout) };
            if block.is_null() {
                break;
            }
            blocks.push(block);
        }
        if let Some(block) = blocks.last_mut() {
            // SAFETY: the layout is the block's. No machine has an exbibyte: the block stays as it was.
            let moved = unsafe { realloc(*block, layout, 1 << 60) };
            assert!(moved.is_null());
        }
    });
    if blocks.len() < blocks.capacity() {
        // Room for the snapshot itself.
        for block in blocks.split_off(blocks.len().saturating_sub(16)) {
            // SAFETY: allocated with this layout.
            unsafe { dealloc(block, layout) };
        }
    }
    assert_as_the_reference_says(unknown);
    let bytes = (blocks.len() << 20) + small.iter().map(|(_, layout)| layout.size()).sum::<usize>();
    let hungry = context(&heap(), "hungry", None);
    if ample {
        assert_eq!(hungry.live_bytes(), bytes as u64);
    } else {
        // Where no memory was left to mark a block with its owner, it is charged to no one.
        assert!(hungry.live_bytes() <= bytes as u64);
    }

    for block in blocks {
        // SAFETY: allocated with this layout.
        unsafe { dealloc(block, layout) };
    }
    for (block, layout) in small {
        // SAFETY: allocated with this layout.
        unsafe { dealloc(block, layout) };
    }
    assert_as_the_reference_says(unknown);
    assert_eq!(context(&heap(), "hungry", None).live_bytes(), 0);
    assert_eq!(context(&heap(), "thread", None).live_bytes(), 0);
}

/// What lives beyond what the probe knows of: blocks from before it counted.
fn beyond() -> (u64, u64) {
    drop(heap());
    let (bytes, blocks) = (ALLOCATOR.live_bytes(), ALLOCATOR.live_blocks());
    let heap = heap();
    assert_adds_up(&heap);
    (bytes - heap.total_live_bytes, blocks - heap.total_live_blocks)
}

/// Everything that was allocated since is counted, to the byte. (Blocks from before the count may have been freed.)
fn assert_as_the_reference_says(unknown: (u64, u64)) {
    let now = beyond();
    let freed = heap().uncounted_freed_bytes;
    assert_eq!(now.0 + freed, unknown.0, "bytes");
    assert!(now.1 <= unknown.1, "blocks");
}
