//! Heap counts of the process, for whoever asks: the socket, or a test in the process itself.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use heapsoak_record::{Cell, Cohort, ContextHeap, Heap, MergedCohorts, UNSCOPED};

use crate::local::ContextNumber;
use crate::tags::{Count, Ledger};
use crate::{fork, registry};

static LEDGER: Mutex<Option<Ledger>> = Mutex::new(None);

/// The books, held over a fork.
pub(crate) type BooksGuard = MutexGuard<'static, Option<Ledger>>;

/// Holds the books, or gives up.
pub(crate) fn hold_books() -> Option<BooksGuard> {
    fork::hold(&LEDGER)
}

fn with_ledger<R>(work: impl FnOnce(&mut Ledger) -> R) -> R {
    let _own = registry::enter_own();
    let mut ledger = LEDGER.lock().unwrap_or_else(PoisonError::into_inner);
    work(ledger.get_or_insert_with(Ledger::new))
}

/// Exact heap counts, by context and cohort. Threads go on while they are read; each context is consistent (no block
/// is seen freed that is not seen allocated), and when no thread allocates, the sum over contexts is the total to the
/// byte.
///
/// Reads the counters of as many threads as ever allocated at once, 32 bytes for each tag in use. What it allocates
/// itself is charged to `heapsoak`.
#[must_use]
pub fn heap() -> Heap {
    with_ledger(|ledger| {
        let cohort = ledger.read();
        let mut contexts: BTreeMap<ContextNumber, (Count, BTreeMap<u32, Count>)> = BTreeMap::new();
        for (context, cohort, count) in ledger.counts() {
            let (all, by_cohort) = contexts.entry(context).or_default();
            *all += count;
            *by_cohort.entry(cohort).or_default() += count;
        }
        for (context, count) in ledger.retired() {
            contexts.entry(context).or_default().0 += count;
        }
        let unowned = ledger.unowned();
        let uncounted_freed_bytes = unowned.freed_bytes.saturating_sub(unowned.allocated_bytes);
        let uncounted_freed_blocks = unowned.freed_blocks.saturating_sub(unowned.allocated_blocks);
        if unowned.allocated_bytes > 0 || unowned.allocated_blocks > 0 {
            // Blocks at addresses that can't be marked, and what blocks from before the count grew by: charged to no
            // scope, in the cohort of the start.
            let known = Count {
                freed_bytes: unowned.freed_bytes - uncounted_freed_bytes,
                freed_blocks: unowned.freed_blocks - uncounted_freed_blocks,
                ..unowned
            };
            let (all, by_cohort) = contexts.entry(0).or_default();
            *all += known;
            *by_cohort.entry(0).or_default() += known;
        }
        let total = ledger.total();
        Heap {
            cohort: Cohort(cohort),
            contexts: contexts
                .into_iter()
                .map(|(context, (all, cohorts))| named(context, all, cohorts))
                .collect(),
            merged: ledger
                .merged()
                .map(|(first, last)| MergedCohorts { first: Cohort(first), last: Cohort(last) })
                .collect(),
            uncounted_freed_bytes,
            total_live_bytes: total
                .allocated_bytes
                .wrapping_sub(total.freed_bytes)
                .wrapping_add(uncounted_freed_bytes),
            total_live_blocks: total
                .allocated_blocks
                .wrapping_sub(total.freed_blocks)
                .wrapping_add(uncounted_freed_blocks),
        }
    })
}

fn named(context: ContextNumber, all: Count, cohorts: BTreeMap<u32, Count>) -> ContextHeap {
    let (path, kind) = registry::describe(context).unwrap_or_else(|| (vec![UNSCOPED.to_owned()], None));
    ContextHeap {
        path,
        kind,
        allocated_bytes: all.allocated_bytes,
        allocated_blocks: all.allocated_blocks,
        freed_bytes: all.freed_bytes,
        freed_blocks: all.freed_blocks,
        survivors: cohorts
            .into_iter()
            .filter(|(_, count)| !count.is_dead())
            .map(|(cohort, count)| Cell {
                cohort: Cohort(cohort),
                live_bytes: count.allocated_bytes.saturating_sub(count.freed_bytes),
                live_blocks: count.allocated_blocks.saturating_sub(count.freed_blocks),
            })
            .collect(),
    }
}

/// Starts the next cohort: what is allocated from now on is charged to it. Returns its number.
///
/// Costs about a snapshot. Threads need not stop; an allocation under way may still be charged to the cohort before.
#[must_use = "the number of the cohort is how its survivors are found again"]
pub fn advance_cohort() -> Cohort {
    with_ledger(|ledger| Cohort(ledger.advance().unwrap_or(0)))
}

/// Blocks allocated and freed so far by everyone but the probe.
pub(crate) fn activity() -> (u64, u64) {
    with_ledger(|ledger| {
        ledger.read();
        let mut all = ledger.unowned();
        for (_, _, count) in ledger.counts().filter(|(context, _, _)| !registry::is_own(*context)) {
            all += count;
        }
        for (_, count) in ledger.retired().filter(|(context, _)| !registry::is_own(*context)) {
            all += count;
        }
        (all.allocated_blocks, all.freed_blocks)
    })
}

/// Bytes asked for in the blocks that live. None when blocks from before the count were freed: there may be more.
#[cfg(feature = "jemalloc")]
pub(crate) fn asked_for() -> Option<u64> {
    with_ledger(|ledger| {
        ledger.read();
        let unowned = ledger.unowned();
        let total = ledger.total();
        (unowned.freed_bytes <= unowned.allocated_bytes)
            .then(|| total.allocated_bytes.wrapping_sub(total.freed_bytes))
    })
}
