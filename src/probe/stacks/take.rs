//! The stacks captured, for whoever asks.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use heapsoak_record::{Blocks, Frame, Stack, Stacks, UNSCOPED};

use super::modules::Modules;
use super::rate::FRACTIONS;
use super::table::{self, Named, StackNumber};
use super::{LOST, rules, shared, trie};
use crate::counters::{self, Cell, Counters};
use crate::registry;
use crate::tags::Count;

/// The call stacks captured so far, with what they allocated and what of it is alive.
///
/// Threads go on meanwhile; no block is seen freed that is not seen allocated, and when no thread allocates, counts
/// are exact (estimates, of sampled stacks). What it allocates is charged to the probe.
#[must_use]
pub fn stacks() -> Stacks {
    let _own = registry::enter_own();
    let counts = read(table::end());
    let mut frames = Frames::default();
    let mut addresses = Vec::new();
    let mut stacks = Vec::new();
    for number in 1..table::end().min(u32::try_from(counts.len()).unwrap_or(u32::MAX)) {
        let Some(named) = table::named(number) else { continue };
        let cut = trie::path(named.leaf, &mut addresses);
        let places = addresses.iter().filter_map(|&address| frames.index(address)).collect();
        let mut stack = describe(named, number, &counts);
        (stack.frames, stack.cut) = (places, cut);
        stacks.push(stack);
    }
    Stacks {
        captured: rules::asked(),
        modules: frames.modules.used,
        frames: frames.frames,
        stacks,
        lost_blocks: LOST.load(Ordering::Relaxed),
        ..Stacks::default()
    }
}

/// What all threads counted, by number; frees first, so that no block is seen freed that is not seen allocated.
fn read(end: StackNumber) -> Vec<Count> {
    let mut counts = vec![Count::default(); end as usize];
    let threads = || counters::blocks().filter_map(Counters::captured).chain(shared::get());
    let mut add = |add: fn(&mut Count, &Cell)| {
        for thread in threads() {
            for (count, number) in counts.iter_mut().zip(0..) {
                add(count, thread.tally(number));
            }
        }
    };
    add(|count, cell| {
        count.freed_bytes = count.freed_bytes.wrapping_add(cell.freed_bytes.load(Ordering::Acquire));
        count.freed_blocks = count.freed_blocks.wrapping_add(cell.freed_blocks.load(Ordering::Acquire));
    });
    add(|count, cell| {
        count.allocated_bytes =
            count.allocated_bytes.wrapping_add(cell.allocated_bytes.load(Ordering::Acquire));
        count.allocated_blocks =
            count.allocated_blocks.wrapping_add(cell.allocated_blocks.load(Ordering::Acquire));
    });
    counts
}

fn describe(named: Named, number: StackNumber, counts: &[Count]) -> Stack {
    let count = |number: StackNumber| counts.get(number as usize).copied().unwrap_or_default();
    let (path, kind) = registry::describe(named.context).unwrap_or_else(|| (vec![UNSCOPED.to_owned()], None));
    let interval_bytes = named.rate.interval_bytes();
    // The second number of a sampled stack has the samples as they are.
    let (counted, samples) = match interval_bytes {
        None => (count(number), count(number)),
        Some(_) => (in_blocks(count(number)), count(number + 1)),
    };
    Stack {
        path,
        kind,
        interval_bytes,
        allocated: Blocks { bytes: counted.allocated_bytes, blocks: counted.allocated_blocks },
        live: Blocks {
            bytes: counted.allocated_bytes.saturating_sub(counted.freed_bytes),
            blocks: counted.allocated_blocks.saturating_sub(counted.freed_blocks),
        },
        samples: samples.allocated_blocks,
        live_samples: samples.allocated_blocks.saturating_sub(samples.freed_blocks),
        ..Stack::default()
    }
}

/// Estimates are counted in fractions of a block. Live ones are the difference, so that is what is rounded.
fn in_blocks(count: Count) -> Count {
    let whole = |fractions: u64| (fractions + FRACTIONS as u64 / 2) / FRACTIONS as u64;
    let allocated_blocks = whole(count.allocated_blocks);
    let live = whole(count.allocated_blocks.saturating_sub(count.freed_blocks));
    Count { allocated_blocks, freed_blocks: allocated_blocks.saturating_sub(live), ..count }
}

/// Places in the code, each once.
#[derive(Default)]
struct Frames {
    modules: Modules,
    frames: Vec<Frame>,
    /// By return address.
    indices: HashMap<usize, u32>,
}

impl Frames {
    /// The index of the call before a return address; none for an address that no code is at.
    fn index(&mut self, address: usize) -> Option<u32> {
        let call = address.checked_sub(1)?;
        if let Some(&known) = self.indices.get(&address) {
            return Some(known);
        }
        let index = u32::try_from(self.frames.len()).ok()?;
        self.frames.push(self.modules.place(call));
        self.indices.insert(address, index);
        Some(index)
    }
}
