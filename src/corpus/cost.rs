use heapsoak_probe::{count, heap};
use heapsoak_record::OWN_COMPONENT;

/// How many are made for the mean.
const MADE: u32 = 64;

/// Bytes that one of these holds, by the probe's count: for the truth of cases whose blocks belong to a library. What
/// the first few set up is not in it.
pub(crate) fn cost_of<T>(mut make: impl FnMut() -> T) -> f64 {
    count();
    let mut kept = Vec::with_capacity(2 * MADE as usize);
    kept.extend((0..MADE).map(|_| make()));
    let before = live();
    kept.extend((0..MADE).map(|_| make()));
    let cost = (live() - before) / f64::from(MADE);
    drop(kept);
    cost
}

fn live() -> f64 {
    let heap = heap();
    let own: u64 = heap
        .contexts
        .iter()
        .filter(|context| context.component() == OWN_COMPONENT)
        .map(heapsoak_record::ContextHeap::live_bytes)
        .sum();
    heap.total_live_bytes.saturating_sub(own) as f64
}
