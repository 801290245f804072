//! A sample of the blocks that live, for servers whose every allocation is not to be looked at.
//!
//! Points lie on the bytes that are allocated, in distances that are drawn from an exponential distribution with a mean
//! of [`INTERVAL_BYTES`]; a block with a point on it is of the sample (Poisson sampling, as jemalloc's and Go's
//! profilers do). A block of *s* bytes has the chance 1 − exp(−*s* / interval), and stands for its own bytes over that
//! chance: the sum over the sample that lives is what lives, without bias. A block that grew has the chance of its largest
//! size.
//!
//! Between two points a thread counts down. Blocks of the sample are allocated at the start of a page, as jemalloc does with
//! its own: so a free or a resize of a block that lies elsewhere, as nearly all do, knows by the address alone that it is
//! none of them, and one at the start of a page looks at a mark that it shares with few others.

mod marks;
mod samples;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use heapsoak_record::{Cohort, Heap};

use crate::fork;
use crate::heap::ByContext;
use crate::local::ContextNumber;
use crate::lock::{Lock, Taken};
use crate::stacks::FRACTIONS;
use crate::tags::{CONTEXTS, Count};
use samples::Samples;

pub(crate) use samples::Sample;

/// Blocks of the sample start at multiples of this.
const PAGE: usize = 1 << 12;

/// Mean distance of two points.
pub(crate) const INTERVAL_BYTES: u64 = 512 * 1024;

static SAMPLES: Lock<Samples> = Lock::new(Samples::new());

/// The cohort that runs.
static COHORT: AtomicU32 = AtomicU32::new(0);

/// Bytes to the next point.
pub(crate) fn distance() -> isize {
    fork::watch();
    SAMPLES.wait().distance()
}

/// Whether a block of the sample can start there: they start with pages.
#[inline(always)]
pub(crate) fn may_be_at(address: usize) -> bool {
    address.is_multiple_of(PAGE)
}

/// Takes a block that ends out of the sample, if it was of it.
#[inline(always)]
pub(crate) fn end(address: usize) -> Option<Sample> {
    if is_none_at(address) { None } else { end_marked(address) }
}

#[cold]
#[inline(never)]
fn end_marked(address: usize) -> Option<Sample> {
    SAMPLES.wait().end(address)
}

/// Takes a block whose place is about to be given up out of the sample, if it was of it. [`put`] it back.
#[inline(always)]
pub(crate) fn take(address: usize) -> Option<Sample> {
    if is_none_at(address) { None } else { SAMPLES.wait().take(address) }
}

#[inline(always)]
fn is_none_at(address: usize) -> bool {
    !may_be_at(address) || marks::is_clear(address)
}

/// A block of the sample from now on, to be [`put`] in or [given up](give_up). None when there is no room for more.
pub(crate) fn begin(context: ContextNumber, bytes: usize) -> Option<Sample> {
    SAMPLES.wait().begin(context, COHORT.load(Ordering::Relaxed), bytes)
}

/// Puts a block in, at the place and with the size it has now.
pub(crate) fn put(sample: Sample, address: usize, bytes: usize) {
    SAMPLES.wait().put(sample, address, bytes);
}

/// What was begun or taken is of the sample no more.
pub(crate) fn give_up() {
    SAMPLES.wait().give_up();
}

/// Starts the next cohort.
pub(crate) fn advance() -> Cohort {
    Cohort(COHORT.fetch_add(1, Ordering::Relaxed) + 1)
}

/// The sample, held over a fork.
pub(crate) type Guard = Taken<'static, Samples>;

/// Holds the sample.
pub(crate) fn hold() -> Guard {
    SAMPLES.wait()
}

/// What lives and what was allocated, estimated.
pub(crate) fn heap() -> Heap {
    // What is allocated here may be of the sample: so nothing is allocated while the lock is held.
    let used = SAMPLES.wait().used();
    let mut copy = Vec::with_capacity(used + used / 8 + 64); // for those that come meanwhile, too
    SAMPLES.wait().copy_to(&mut copy);
    let mut alive: BTreeMap<(ContextNumber, u32), Count> = BTreeMap::new();
    for sample in copy {
        let (allocated_bytes, allocated_blocks) = sample.weight();
        *alive.entry((sample.context(), sample.cohort())).or_default() +=
            Count { allocated_bytes, allocated_blocks, ..Count::default() };
    }
    let mut contexts = ByContext::default();
    let whole = |fractions: u64| (fractions as f64 / FRACTIONS).round() as u64;
    let mut total = Count::default();
    for ((context, cohort), count) in alive {
        let count = Count { allocated_blocks: whole(count.allocated_blocks), ..count };
        contexts.of(context).add(cohort, count);
        total += count;
    }
    for context in 0..CONTEXTS as ContextNumber {
        let (bytes, blocks) = SAMPLES.wait().ended(context);
        if bytes > 0 {
            contexts.of(context).add_dead(Count {
                allocated_bytes: bytes,
                allocated_blocks: whole(blocks),
                freed_bytes: bytes,
                freed_blocks: whole(blocks),
            });
        }
    }
    Heap {
        cohort: Cohort(COHORT.load(Ordering::Relaxed)),
        contexts: contexts.into_heap(),
        total_live_bytes: total.allocated_bytes,
        total_live_blocks: total.allocated_blocks,
        ..Heap::default()
    }
}
