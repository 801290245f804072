//! `tracking-allocator`: totals for each group of allocations, kept by a tracker of the user's. This one keeps four
//! atomic counters per group, which is the least that answers the same question as the probe's.

use std::cell::RefCell;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use heapsoak_bench::scoping::{Part, Scoping};
use jemallocator::Jemalloc;
use tracking_allocator::{
    AllocationGroupId, AllocationGroupToken, AllocationRegistry, AllocationTracker, Allocator,
};

#[global_allocator]
static ALLOCATOR: Allocator<Jemalloc> = Allocator::from_allocator(Jemalloc);

/// Group 0 is none, 1 is the root group.
const GROUPS: usize = Part::ALL.len() + 2;

struct Counters {
    allocated_bytes: AtomicU64,
    allocated_blocks: AtomicU64,
    freed_bytes: AtomicU64,
    freed_blocks: AtomicU64,
}

static COUNTERS: [Counters; GROUPS] = [const {
    Counters {
        allocated_bytes: AtomicU64::new(0),
        allocated_blocks: AtomicU64::new(0),
        freed_bytes: AtomicU64::new(0),
        freed_blocks: AtomicU64::new(0),
    }
}; GROUPS];

struct PerGroup;

impl AllocationTracker for PerGroup {
    fn allocated(&self, _: usize, bytes: usize, _: usize, group: AllocationGroupId) {
        let counters = &COUNTERS[group.as_usize().get() % GROUPS];
        counters.allocated_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        counters.allocated_blocks.fetch_add(1, Ordering::Relaxed);
    }

    fn deallocated(&self, _: usize, bytes: usize, _: usize, source: AllocationGroupId, _: AllocationGroupId) {
        let counters = &COUNTERS[source.as_usize().get() % GROUPS];
        counters.freed_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        counters.freed_blocks.fetch_add(1, Ordering::Relaxed);
    }
}

thread_local! {
    static TOKENS: [RefCell<AllocationGroupToken>; Part::ALL.len()] = std::array::from_fn(|_| {
        RefCell::new(AllocationGroupToken::register().expect("groups are far from used up"))
    });
}

#[derive(Clone, Copy)]
struct Groups;

impl Scoping for Groups {
    #[inline]
    fn within<R>(self, part: Part, run: impl FnOnce() -> R) -> R {
        TOKENS.with(|tokens| {
            let mut token = tokens[part.index()].borrow_mut();
            let _guard = token.enter();
            run()
        })
    }
}

fn main() -> ExitCode {
    if AllocationRegistry::set_global_tracker(PerGroup).is_err() {
        return ExitCode::FAILURE;
    }
    AllocationRegistry::enable_tracking();
    // The root group is entered as any other, or what no part allocates would not be counted.
    let mut root = AllocationGroupToken::register().expect("groups are far from used up");
    let _guard = root.enter();
    heapsoak_bench::subject::run(Groups)
}
