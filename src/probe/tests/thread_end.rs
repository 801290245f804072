//! Threads come and go: what they allocate while they end is counted, and their counters are used again.

mod support;

use std::cell::RefCell;

use heapsoak_probe::{Component, Probe, count, heap};
use support::{assert_adds_up, context};

#[global_allocator]
static ALLOCATOR: Probe<jemallocator::Jemalloc> = Probe::new(jemallocator::Jemalloc);

static ENDING: Component = Component::new("ending");
static BORN: Component = Component::new("born");

/// Allocates, and keeps for ever, when its thread ends.
struct Last(RefCell<Vec<u8>>);

impl Drop for Last {
    fn drop(&mut self) {
        ENDING.scope(|| std::hint::black_box(Box::leak(vec![0_u8; 1_000].into_boxed_slice())));
        self.0.borrow_mut().clear();
    }
}

thread_local! {
    static LAST: Last = const { Last(RefCell::new(Vec::new())) };
}

fn mapped_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the test can go on");
    let line = status.lines().find(|line| line.starts_with("VmSize:")).expect("the test can go on");
    line.split_whitespace().nth(1).expect("the test can go on").parse().expect("the test can go on")
}

#[test]
fn what_ending_threads_do_is_counted_and_their_counters_are_used_again() {
    count();
    let run = |threads: usize| {
        for _ in 0..threads {
            let handle = std::thread::spawn(|| {
                LAST.with(|last| last.0.borrow_mut().push(1));
                BORN.scope(|| vec![0_u8; 500])
            });
            let block = handle.join().unwrap();
            assert_eq!(block.len(), 500);
        }
    };
    run(20);
    let mapped = mapped_kib();
    run(1_000);
    let grown = mapped_kib() - mapped.min(mapped_kib());
    assert!(grown < 64 * 1024, "1,000 threads one after the other took {grown} KiB of address space");
    let snapshot = heap();
    assert_adds_up(&snapshot);
    assert_eq!(context(&snapshot, "ending", None).live_bytes(), 1_020 * 1_000);
    let born = context(&snapshot, "born", None);
    assert_eq!((born.allocated_blocks, born.live_blocks()), (1_020, 0));
}
