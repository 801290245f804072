//! A sample of the blocks that live, for servers whose every allocation is not to be looked at.
//!
//! Points lie on the bytes that are allocated, in distances that are drawn from an exponential distribution with a mean
//! of [`INTERVAL_BYTES`]; a block with a point on it is of the sample (Poisson sampling, as jemalloc's and Go's
//! profilers do). A block of *s* bytes has the chance 1 − exp(−*s* / interval), and stands for its own bytes over that
//! chance: the sum over the sample that lives is what lives, without bias. A block that grew has the chance of its largest
//! size.
//!
//! Between two points a thread counts down. A free looks whether a block of the sample starts in one of the pages that
//! share a mark with its own.

mod marks;
mod samples;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use heapsoak_record::{Cohort, Heap};

use crate::heap::ByContext;
use crate::local::ContextNumber;
use crate::lock::Lock;
use crate::stacks::FRACTIONS;
use crate::tags::Count;
use samples::Samples;

pub(crate) use samples::Sample;

/// Mean distance of two points.
pub(crate) const INTERVAL_BYTES: u64 = 512 * 1024;

static SAMPLES: Lock<Samples> = Lock::new(Samples::new());

/// The cohort that runs.
static COHORT: AtomicU32 = AtomicU32::new(0);

/// Bytes to the next point.
pub(crate) fn distance() -> isize {
    SAMPLES.take().map_or(isize::MAX, |mut samples| samples.distance())
}

/// Takes a new block into the sample.
pub(crate) fn allocated(context: ContextNumber, address: usize, bytes: usize) {
    if let Some(mut samples) = SAMPLES.take() {
        samples.add(Sample::new(context, COHORT.load(Ordering::Relaxed), bytes), address);
    }
}

/// Takes a block that ends out of the sample, if it was of it.
#[inline(always)]
pub(crate) fn freed(address: usize) {
    if !marks::is_clear(address) {
        end(address);
    }
}

#[cold]
#[inline(never)]
fn end(address: usize) {
    if let Some(mut samples) = SAMPLES.take()
        && let Some(sample) = samples.remove(address)
    {
        samples.end(sample);
    }
}

/// Takes a block whose place is about to be given up out of the sample, if it was of it. Put it back.
#[inline(always)]
pub(crate) fn take(address: usize) -> Option<Sample> {
    if marks::is_clear(address) { None } else { SAMPLES.take()?.remove(address) }
}

/// Puts a block back at the place and with the size it has now.
pub(crate) fn put(sample: Sample, address: usize, bytes: usize) {
    if let Some(mut samples) = SAMPLES.take() {
        samples.put(sample, address, bytes);
    }
}

/// Starts the next cohort.
pub(crate) fn advance() -> Cohort {
    Cohort(COHORT.fetch_add(1, Ordering::Relaxed) + 1)
}

/// Frees the lock in the child of a fork.
pub(crate) fn free_lock() {
    SAMPLES.free_in_child();
}

/// What lives and what was allocated, estimated.
pub(crate) fn heap() -> Heap {
    let mut dead: BTreeMap<ContextNumber, Count> = BTreeMap::new();
    let mut alive: BTreeMap<(ContextNumber, u32), Count> = BTreeMap::new();
    // What the maps allocate may be of the sample: so nothing is allocated while the lock is held.
    let mut copy = Vec::with_capacity(samples::MOST);
    if let Some(mut samples) = SAMPLES.take() {
        samples.copy_to(&mut copy);
    }
    for sample in copy {
        let weight = sample.weight();
        let count = Count { allocated_bytes: weight.0, allocated_blocks: weight.1, ..Count::default() };
        *alive.entry((sample.context(), sample.cohort())).or_default() += count;
    }
    for context in 0..samples::CONTEXTS {
        let ended = SAMPLES.take().map_or((0, 0), |samples| samples.ended(context));
        if ended != (0, 0) {
            let (bytes, blocks) = ended;
            let count = Count {
                allocated_bytes: bytes,
                allocated_blocks: blocks,
                freed_bytes: bytes,
                freed_blocks: blocks,
            };
            dead.insert(context, count);
        }
    }
    let mut contexts = ByContext::default();
    let whole = |count: Count| Count {
        allocated_blocks: (count.allocated_blocks as f64 / FRACTIONS).round() as u64,
        freed_blocks: (count.freed_blocks as f64 / FRACTIONS).round() as u64,
        ..count
    };
    let mut total = Count::default();
    for ((context, cohort), count) in alive {
        contexts.of(context).add(cohort, whole(count));
        total += whole(count);
    }
    for (context, count) in dead {
        contexts.of(context).add_dead(whole(count));
    }
    Heap {
        cohort: Cohort(COHORT.load(Ordering::Relaxed)),
        contexts: contexts.into_heap(),
        total_live_bytes: total.allocated_bytes,
        total_live_blocks: total.allocated_blocks,
        ..Heap::default()
    }
}
