//! Survivors are found again under the cohort that allocated them.

mod support;

use heapsoak_probe::{Component, Probe, advance_cohort, count, heap};
use support::{assert_adds_up, context};

#[global_allocator]
static ALLOCATOR: Probe<jemallocator::Jemalloc> = Probe::new(jemallocator::Jemalloc);

static LEAKING: Component = Component::new("leaking");
static HEALTHY: Component = Component::new("healthy");

#[test]
fn survivors_are_counted_by_cohort_and_a_realloc_keeps_its_cohort() {
    count();
    let mut leaked: Vec<Box<[u8; 100]>> = Vec::with_capacity(1_000);
    let mut grown: Vec<Vec<u8>> = Vec::with_capacity(1_000);
    let mut cohorts = Vec::new();
    for cycle in 0..10_usize {
        cohorts.push(advance_cohort());
        for _ in 0..50 {
            LEAKING.scope(|| leaked.push(Box::new([1; 100])));
            HEALTHY.scope(|| drop(std::hint::black_box(vec![2_u8; 100])));
        }
        grown.push(LEAKING.scope(|| Vec::with_capacity(1_000)));
        // A block of the first cohort grows in every later one.
        if cycle > 0 {
            HEALTHY.scope(|| grown[0].reserve_exact(1_000 * (cycle + 1)));
        }
    }
    let snapshot = heap();
    assert_adds_up(&snapshot);
    let leaking = context(&snapshot, "leaking", None);
    let survivors: Vec<_> =
        leaking.survivors.iter().map(|cell| (cell.cohort, cell.live_bytes, cell.live_blocks)).collect();
    let expected: Vec<_> = cohorts
        .iter()
        .enumerate()
        .map(|(index, &cohort)| (cohort, if index == 0 { 5_000 + 10_000 } else { 6_000 }, 51))
        .collect();
    assert_eq!(survivors, expected);
    let healthy = context(&snapshot, "healthy", None);
    assert_eq!((healthy.allocated_bytes, healthy.allocated_blocks), (50_000, 500));
    assert_eq!((healthy.live_bytes(), healthy.survivors.len()), (0, 0));
    drop((leaked, grown));
    let leaking = context(&heap(), "leaking", None);
    assert_eq!((leaking.live_bytes(), leaking.live_blocks()), (0, 0));
}
