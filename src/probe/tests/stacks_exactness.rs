//! With every stack captured, counts of contexts are exact as ever, and those of stacks add up to them.

#[path = "support/stress.rs"]
mod stress;
mod support;

use std::collections::BTreeMap;

use heapsoak_probe::{CaptureRate, Probe, capture_stacks, heap, stacks};
use support::Reference;

#[global_allocator]
static ALLOCATOR: Reference<Probe<jemallocator::Jemalloc>> =
    Reference::new(Probe::new(jemallocator::Jemalloc));

#[test]
fn stacks_add_up_to_contexts_and_contexts_to_an_independent_count() {
    capture_stacks(None, CaptureRate::Every).unwrap();
    stress::run(|| (ALLOCATOR.live_bytes(), ALLOCATOR.live_blocks()));

    let (heap, stacks) = (heap(), stacks());
    assert_eq!(stacks.lost_blocks, 0);
    let mut by_context: BTreeMap<_, [u64; 4]> = BTreeMap::new();
    for stack in &stacks.stacks {
        let sums = by_context.entry((stack.path.clone(), stack.kind.clone())).or_default();
        let counts = [stack.allocated.bytes, stack.allocated.blocks, stack.live.bytes, stack.live.blocks];
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    let mut compared = 0;
    for context in heap.contexts.iter().filter(|context| context.component().starts_with('c')) {
        let sums = by_context.get(&(context.path.clone(), context.kind.clone())).copied().unwrap_or_default();
        let counted =
            [context.allocated_bytes, context.allocated_blocks, context.live_bytes(), context.live_blocks()];
        assert_eq!(sums, counted, "{:?} {:?}", context.path, context.kind);
        compared += 1;
    }
    assert!(compared >= 60, "only {compared} contexts");
}
