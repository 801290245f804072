//! `realloc` moves a block when the allocator inside would have moved it, and not otherwise: the heap that is measured
//! is the heap production has.
#![allow(unsafe_code)] // raw blocks

#[path = "support/trace.rs"]
mod trace;

use std::alloc::{GlobalAlloc, System};
use std::sync::mpsc;

use heapsoak_probe::Probe;
use jemallocator::Jemalloc;
use trace::{Moves, Sizes};

// The trace has jemalloc to itself.
#[global_allocator]
static ALLOCATOR: System = System;

/// Runs the trace on a thread of its own, which jemalloc gives an arena of its own while the threads before it live.
fn run(
    allocator: &'static (impl GlobalAlloc + Sync),
    keep: &mut Vec<mpsc::Sender<()>>,
    sizes: Sizes,
) -> Moves {
    let (moves, counted) = mpsc::channel();
    let (stop, stopped) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        moves.send(trace::run(allocator, 7, 60_000, sizes)).expect("the test waits");
        let _ = stopped.recv();
    });
    keep.push(stop);
    counted.recv().expect("the trace ends")
}

#[test]
fn a_trace_moves_as_many_blocks_as_without_the_probe() {
    static PLAIN: Jemalloc = Jemalloc;
    static PROBED: Probe<Jemalloc> = Probe::new(Jemalloc);
    heapsoak_probe::count();
    let mut keep = Vec::new();
    // In slabs, where a block stays exactly when its size class does.
    let in_slabs = Sizes { smallest: 9, largest: 14_000 };
    let plain = run(&PLAIN, &mut keep, in_slabs);
    let probed = run(&PROBED, &mut keep, in_slabs);
    assert!(plain.stayed > 1_000 && plain.moved > 1_000, "the trace has both: {plain:?}");
    assert_eq!(plain, probed);
    // Large blocks grow in place when what lies behind them happens to be free, which depends on when jemalloc gives
    // pages back: two runs without the probe differ by a few in a thousand, too.
    let all = Sizes { smallest: 9, largest: 8 << 20 };
    let (plain, probed) = (run(&PLAIN, &mut keep, all), run(&PROBED, &mut keep, all));
    assert!(probed.moved.abs_diff(plain.moved) < plain.moved / 50, "{plain:?} {probed:?}");
    // Of blocks up to 8 bytes, which take 16, more stay where they are; never fewer.
    let tiny = Sizes { smallest: 1, largest: 100 };
    let (plain, probed) = (run(&PLAIN, &mut keep, tiny), run(&PROBED, &mut keep, tiny));
    assert!(probed.moved <= plain.moved, "{plain:?} {probed:?}");
}
