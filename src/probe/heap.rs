//! Heap counts of the process, for whoever asks: the socket, or a test in the process itself.

use std::sync::{Mutex, MutexGuard, PoisonError};

use heapsoak_record::{Cell, Cohort, ContextHeap, Heap, MergedCohorts, OWN_COMPONENT, UNSCOPED};

use crate::local::ContextNumber;
use crate::tags::{Count, Ledger};
use crate::{fork, mode, registry, sampled};

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

/// What one context allocated.
#[derive(Debug, Clone, Default)]
pub(crate) struct Charges {
    all: Count,
    /// By cohort.
    cohorts: Vec<(u32, Count)>,
}

impl Charges {
    pub(crate) fn add(&mut self, cohort: u32, count: Count) {
        self.all += count;
        match self.cohorts.last_mut() {
            Some((latest, sum)) if *latest == cohort => *sum += count,
            _ => self.cohorts.push((cohort, count)),
        }
    }

    /// Adds what lives no more.
    pub(crate) fn add_dead(&mut self, count: Count) {
        self.all += count;
    }

    fn is_empty(&self) -> bool {
        self.all == Count::default() && self.cohorts.is_empty()
    }

    /// What lives of each cohort, oldest first.
    fn survivors(mut self) -> Vec<Cell> {
        if !self.cohorts.is_sorted_by(|one, next| one.0 < next.0) {
            self.cohorts.sort_by_key(|(cohort, _)| *cohort);
            self.cohorts.dedup_by(|next, one| {
                let same = one.0 == next.0;
                if same {
                    one.1 += next.1;
                }
                same
            });
        }
        let alive = self.cohorts.into_iter().filter(|(_, count)| !count.is_dead());
        alive
            .map(|(cohort, count)| Cell {
                cohort: Cohort(cohort),
                live_bytes: count.allocated_bytes.saturating_sub(count.freed_bytes),
                live_blocks: count.allocated_blocks.saturating_sub(count.freed_blocks),
            })
            .collect()
    }
}

/// What each context allocated, by its number.
#[derive(Debug, Default)]
pub(crate) struct ByContext(Vec<Charges>);

impl ByContext {
    pub(crate) fn of(&mut self, context: ContextNumber) -> &mut Charges {
        let place = usize::from(context);
        if place >= self.0.len() {
            self.0.resize_with(place + 1, Charges::default);
        }
        &mut self.0[place]
    }

    /// Contexts that ever allocated, with their names.
    pub(crate) fn into_heap(self) -> Vec<ContextHeap> {
        (0..)
            .zip(self.0)
            .filter(|(_, charges)| !charges.is_empty())
            .map(|(context, charges)| named(context, charges))
            .collect()
    }
}

/// Exact heap counts, by context and cohort. Threads go on while they are read; each context is consistent (no block
/// is seen freed that is not seen allocated), and when no thread allocates, the sum over contexts is the total to the
/// byte.
///
/// Reads the counters that can have changed since the last time: those of the cohorts that ran meanwhile, and those
/// near to any that a block was freed of; of as many threads as ever allocated at once. What it allocates itself is
/// charged to `heapsoak`.
///
/// In the sampled mode ([`sample_interval_bytes`]), an estimate instead.
#[must_use]
pub fn heap() -> Heap {
    if mode::is_sampled() {
        let _own = registry::enter_own();
        return sampled::heap();
    }
    with_ledger(|ledger| {
        let cohort = ledger.read();
        let mut contexts = ByContext::default();
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
            contexts.of(0).add(0, known);
        }
        for (context, cohort, count) in ledger.counts() {
            contexts.of(context).add(cohort, count);
        }
        for (context, count) in ledger.retired() {
            contexts.of(context).add_dead(count);
        }
        let total = ledger.total();
        Heap {
            cohort: Cohort(cohort),
            contexts: contexts.into_heap(),
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

fn named(context: ContextNumber, charges: Charges) -> ContextHeap {
    let (path, kind) = registry::describe(context).unwrap_or_else(|| (vec![UNSCOPED.to_owned()], None));
    ContextHeap {
        path,
        kind,
        allocated_bytes: charges.all.allocated_bytes,
        allocated_blocks: charges.all.allocated_blocks,
        freed_bytes: charges.all.freed_bytes,
        freed_blocks: charges.all.freed_blocks,
        survivors: charges.survivors(),
    }
}

/// Starts the next cohort: what is allocated from now on is charged to it. Returns its number.
///
/// Costs about a snapshot. Threads need not stop; an allocation under way may still be charged to the cohort before.
#[must_use = "the number of the cohort is how its survivors are found again"]
pub fn advance_cohort() -> Cohort {
    if mode::is_sampled() {
        return sampled::advance();
    }
    with_ledger(|ledger| Cohort(ledger.advance().unwrap_or(0)))
}

/// The mean distance in bytes of the samples that [`heap`] estimates from; none when it is exact.
#[must_use]
pub fn sample_interval_bytes() -> Option<u64> {
    mode::is_sampled().then_some(sampled::INTERVAL_BYTES)
}

/// Blocks allocated and freed so far by everyone but the probe.
pub(crate) fn activity() -> (u64, u64) {
    if mode::is_sampled() {
        let heap = heap();
        let others = heap.contexts.iter().filter(|context| context.component() != OWN_COMPONENT);
        return others.fold((0, 0), |(allocated, freed), context| {
            (allocated + context.allocated_blocks, freed + context.freed_blocks)
        });
    }
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
    if !mode::is_exact() {
        return None;
    }
    with_ledger(|ledger| {
        ledger.read();
        let unowned = ledger.unowned();
        let total = ledger.total();
        (unowned.freed_bytes <= unowned.allocated_bytes)
            .then(|| total.allocated_bytes.wrapping_sub(total.freed_bytes))
    })
}
