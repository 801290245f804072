//! Tags do not run out: cohorts of which something survives merge, and no byte is lost over it.

mod support;

use heapsoak_probe::{Component, Probe, advance_cohort, count, heap};
use support::{assert_adds_up, context};

#[global_allocator]
static ALLOCATOR: Probe<jemallocator::Jemalloc> = Probe::new(jemallocator::Jemalloc);

static A: Component = Component::new("a");
static B: Component = Component::new("b");

#[test]
fn a_hundred_thousand_cohorts_with_survivors_merge_and_stay_exact() {
    count();
    let cohorts: u32 =
        std::env::var("HEAPSOAK_STRESS_COHORTS").map_or(100_000, |count| count.parse().unwrap());
    let mut kept = Vec::with_capacity(cohorts as usize * 2);
    for cohort in 0..cohorts {
        kept.push(A.scope(|| Box::new(cohort)));
        kept.push(B.scope(|| Box::new(cohort)));
        let _ = advance_cohort();
    }
    let snapshot = heap();
    assert_adds_up(&snapshot);
    for name in ["a", "b"] {
        let component = context(&snapshot, name, None);
        assert_eq!(component.live_blocks(), u64::from(cohorts));
        assert_eq!(component.live_bytes(), u64::from(cohorts) * 4);
        assert!(component.survivors.len() < 40_000, "{} cells", component.survivors.len());
        // The youngest cohorts are told apart still.
        let youngest = &component.survivors[component.survivors.len() - 100..];
        assert!(youngest.iter().all(|cell| cell.live_blocks == 1), "{youngest:?}");
    }
    for pair in snapshot.merged.windows(2) {
        assert!(pair[0].first <= pair[0].last && pair[0].last < pair[1].first, "groups overlap: {pair:?}");
    }
    assert!(!snapshot.merged.is_empty());
    drop(kept);
    let snapshot = heap();
    assert_adds_up(&snapshot);
    assert_eq!(context(&snapshot, "a", None).live_bytes() + context(&snapshot, "b", None).live_bytes(), 0);
}
