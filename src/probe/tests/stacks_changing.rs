//! What is captured may change at any time, while threads run: no count of a context and no count of a stack suffers.

#[path = "support/stress.rs"]
mod stress;
mod support;

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use heapsoak_probe::{CaptureRate, Probe, capture_stacks, stacks};
use support::Reference;

#[global_allocator]
static ALLOCATOR: Reference<Probe<jemallocator::Jemalloc>> =
    Reference::new(Probe::new(jemallocator::Jemalloc));

static DONE: AtomicBool = AtomicBool::new(false);

fn change_until_done() {
    let rates = [CaptureRate::Every, CaptureRate::OneIn { bytes: 10_000 }, CaptureRate::Off];
    let components = [None, Some("c3"), Some("c7"), Some("c3"), Some("not there")];
    let mut changes = 0;
    while !DONE.load(Ordering::Relaxed) || changes < 100 {
        capture_stacks(components[changes % components.len()], rates[changes % rates.len()])
            .expect("the test can go on");
        for stack in stacks().stacks {
            assert!(stack.live.bytes <= stack.allocated.bytes, "{stack:?}");
            assert!(stack.live.blocks <= stack.allocated.blocks, "{stack:?}");
        }
        changes += 1;
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn counts_stay_exact_while_what_is_captured_changes() {
    let changing = Cell::new(Some(thread::spawn(change_until_done)));
    stress::run(|| {
        DONE.store(true, Ordering::Relaxed);
        if let Some(changing) = changing.take() {
            changing.join().expect("the test can go on");
        }
        drop(heapsoak_probe::heap());
        (ALLOCATOR.live_bytes(), ALLOCATOR.live_blocks())
    });
    // Everything of the stress is freed: so no block was charged to a stack that did not count its end.
    let stacks = stacks();
    for stack in stacks.stacks.iter().filter(|stack| stack.component().starts_with('c')) {
        assert_eq!((stack.live.bytes, stack.live.blocks, stack.live_samples), (0, 0, 0), "{stack:?}");
    }
    assert!(stacks.stacks.iter().any(|stack| stack.interval_bytes.is_some() && stack.samples > 0));
    assert!(stacks.stacks.iter().any(|stack| stack.interval_bytes.is_none() && stack.samples > 0));
}
