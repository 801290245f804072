//! The books: what each tag counted since it was given out, which tags can be used again, which cohorts merge.

use std::collections::BTreeMap;
use std::ops::{AddAssign, Sub};

use super::{Owner, advance, copy_owners, ever_given_out, give_back};
use crate::counters::{Counters, Flow, GROUP, GROUPS, TAGS, blocks};
use crate::local::ContextNumber;
use crate::shadow::{self, Tag};
use crate::stacks;

/// Tags in use above which the oldest cohorts merge.
const CROWDED: usize = 48 * 1024;

/// Tags in use from which on dead ones are looked for. They are looked for again when twice as many are in use as were
/// left, so that advancing stays cheap.
const WORTH_BURYING: usize = 4 * 1024;

/// A tag is used again no sooner than this many cohorts after its own, so that a thread which read it as current has
/// long stored it.
const REST_COHORTS: u32 = 2;

/// Bytes and blocks allocated and freed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) allocated_bytes: u64,
    pub(crate) allocated_blocks: u64,
    pub(crate) freed_bytes: u64,
    pub(crate) freed_blocks: u64,
}

impl Count {
    pub(crate) fn is_dead(self) -> bool {
        self.allocated_bytes == self.freed_bytes && self.allocated_blocks == self.freed_blocks
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Count) {
        self.allocated_bytes = self.allocated_bytes.wrapping_add(other.allocated_bytes);
        self.allocated_blocks = self.allocated_blocks.wrapping_add(other.allocated_blocks);
        self.freed_bytes = self.freed_bytes.wrapping_add(other.freed_bytes);
        self.freed_blocks = self.freed_blocks.wrapping_add(other.freed_blocks);
    }
}

impl Sub for Count {
    type Output = Count;

    fn sub(self, other: Count) -> Count {
        Count {
            allocated_bytes: self.allocated_bytes.wrapping_sub(other.allocated_bytes),
            allocated_blocks: self.allocated_blocks.wrapping_sub(other.allocated_blocks),
            freed_bytes: self.freed_bytes.wrapping_sub(other.freed_bytes),
            freed_blocks: self.freed_blocks.wrapping_sub(other.freed_blocks),
        }
    }
}

/// Counts by tag, and what became of tags that were given back.
pub(crate) struct Ledger {
    /// Sums over threads at the last reading.
    sums: Vec<Count>,
    /// What had been counted of a tag when it was last given out.
    before: Vec<Count>,
    /// What a tag took over from those merged into it.
    carried: Vec<Count>,
    /// Counts of tags given back, by context.
    retired: BTreeMap<ContextNumber, Count>,
    owners: Vec<Owner>,
    /// Groups of merged cohorts, first to last; cohorts in none stand alone.
    merged: BTreeMap<u32, u32>,
    /// A merge under way: the successor of each tag, zero for none.
    successor: Vec<Tag>,
    /// Tags in use at which dead ones are looked for next.
    bury_at: usize,
}

impl Ledger {
    pub(crate) fn new() -> Ledger {
        Ledger {
            sums: Vec::with_capacity(TAGS),
            before: Vec::with_capacity(TAGS),
            carried: Vec::with_capacity(TAGS),
            retired: BTreeMap::new(),
            owners: Vec::with_capacity(TAGS),
            merged: BTreeMap::new(),
            successor: Vec::new(),
            bury_at: WORTH_BURYING,
        }
    }

    /// Brings the sums up to date, frees first, so that no block is seen freed that is not seen allocated. Returns the
    /// cohort that runs.
    ///
    /// Reads no more of the counters than tells which can have changed since the last time: how many blocks of each tag
    /// were freed, and in which groups of tags blocks shrank or something was allocated.
    pub(crate) fn read(&mut self) -> u32 {
        let groups = ever_given_out().div_ceil(GROUP);
        self.make_room(groups * GROUP);
        let shrunk = noted(groups, Counters::take_shrunk_in);
        for (group, shrunk) in shrunk[..groups].iter().enumerate() {
            if *shrunk || self.saw_frees(group) {
                self.sum_frees(group);
            }
        }
        // Whatever was freed was allocated under a tag that is known by now.
        let groups = ever_given_out().div_ceil(GROUP);
        self.make_room(groups * GROUP);
        let mut allocated = noted(groups, Counters::take_allocated_in);
        allocated[0] = true; // what has no owner may be allocated at any time
        for (group, allocated) in allocated[..groups].iter().enumerate() {
            if *allocated {
                self.sum_allocations(group);
            }
        }
        // After the counters were read: whatever was counted has an owner by now.
        let cohort = copy_owners(&mut self.owners).unwrap_or(0);
        self.make_room(self.owners.last().map_or(0, |owner| usize::from(owner.tag) + 1));
        cohort
    }

    /// Whether blocks of a group of tags were freed since its frees were last summed.
    fn saw_frees(&self, group: usize) -> bool {
        let mut freed = [0_u64; GROUP];
        for counters in blocks() {
            for (sum, blocks) in freed.iter_mut().zip(counters.freed.blocks_of_group(group)) {
                *sum = sum.wrapping_add(blocks);
            }
        }
        self.sums[group * GROUP..].iter().zip(freed).any(|(sum, freed)| sum.freed_blocks != freed)
    }

    fn sum_frees(&mut self, group: usize) {
        let sums = sum(group, |counters| &counters.freed);
        for (count, (bytes, blocks)) in self.sums[group * GROUP..].iter_mut().zip(sums) {
            (count.freed_bytes, count.freed_blocks) = (bytes, blocks);
        }
    }

    fn sum_allocations(&mut self, group: usize) {
        let sums = sum(group, |counters| &counters.allocated);
        for (count, (bytes, blocks)) in self.sums[group * GROUP..].iter_mut().zip(sums) {
            (count.allocated_bytes, count.allocated_blocks) = (bytes, blocks);
        }
    }

    /// Books for as many tags, in room that was allocated at the start and takes memory when it is used.
    fn make_room(&mut self, tags: usize) {
        if tags > self.sums.len() {
            for counts in [&mut self.sums, &mut self.before, &mut self.carried] {
                counts.resize(tags, Count::default());
            }
        }
    }

    /// What was counted since the start without an owner: blocks from before the count, and untraceable addresses.
    pub(crate) fn unowned(&self) -> Count {
        self.sums[0]
    }

    /// Everything counted since the start, whoever owns it.
    pub(crate) fn total(&self) -> Count {
        let mut total = Count::default();
        for sum in &self.sums {
            total += *sum;
        }
        total
    }

    /// Counts of each owner at the last [`read`](Ledger::read), under the first cohort of its group.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (ContextNumber, u32, Count)> + '_ {
        self.owners
            .iter()
            .map(|owner| (owner.context, self.group_of(owner.cohort), self.since_given_out(owner.tag)))
    }

    /// Counts of dead cohorts, by context.
    pub(crate) fn retired(&self) -> impl Iterator<Item = (ContextNumber, Count)> + '_ {
        self.retired.iter().map(|(&context, &count)| (context, count))
    }

    /// Groups of merged cohorts, first and last.
    pub(crate) fn merged(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.merged.iter().map(|(&first, &last)| (first, last))
    }

    /// Starts the next cohort, gives back tags of dead ones and merges old ones when tags run short.
    pub(crate) fn advance(&mut self) -> Option<u32> {
        let (cohort, in_use) = advance()?;
        if !self.successor.is_empty() {
            self.read();
            self.go_on_merging();
        } else if in_use >= self.bury_at {
            self.read();
            self.bury(cohort);
            if self.owners.len() > CROWDED {
                self.start_merging(cohort);
            }
            self.bury_at = (self.owners.len() * 2).clamp(WORTH_BURYING, CROWDED + 1);
        }
        Some(cohort)
    }

    fn since_given_out(&self, tag: Tag) -> Count {
        let tag = usize::from(tag);
        let mut count = self.sums[tag] - self.before[tag];
        count += self.carried[tag];
        count
    }

    fn group_of(&self, cohort: u32) -> u32 {
        if self.merged.is_empty() {
            return cohort;
        }
        match self.merged.range(..=cohort).next_back() {
            Some((&first, &last)) if cohort <= last => first,
            _ => cohort,
        }
    }

    fn close(&mut self, tag: Tag) {
        self.before[usize::from(tag)] = self.sums[usize::from(tag)];
        self.carried[usize::from(tag)] = Count::default();
    }

    /// Gives back the tags of which no block lives. Those a merge speaks of stay until it is done.
    fn bury(&mut self, cohort: u32) {
        let dead: Vec<Owner> = self
            .owners
            .iter()
            .copied()
            .filter(|owner| {
                owner.cohort + REST_COHORTS <= cohort && self.since_given_out(owner.tag).is_dead()
            })
            .filter(|owner| self.successor.is_empty() || !self.is_merging(owner.tag))
            .collect();
        for owner in &dead {
            let count = self.since_given_out(owner.tag);
            *self.retired.entry(owner.context).or_default() += count;
            self.close(owner.tag);
        }
        let mut of_dead = dead.iter().peekable(); // in the order of the owners
        self.owners.retain(|owner| of_dead.next_if_eq(&owner).is_none());
        give_back(&dead.iter().map(|owner| owner.tag).collect::<Vec<_>>());
    }

    fn is_merging(&self, tag: Tag) -> bool {
        self.successor[usize::from(tag)] != 0 || self.successor.contains(&tag)
    }

    /// Pairs the older half of the groups with their neighbours, oldest first, and rewrites the tags of their blocks.
    fn start_merging(&mut self, cohort: u32) {
        let mut groups: Vec<u32> = self.owners.iter().map(|owner| self.group_of(owner.cohort)).collect();
        groups.sort_unstable();
        groups.dedup();
        groups.retain(|&first| first + REST_COHORTS <= cohort);
        groups.truncate(groups.len() / 2);
        for pair in groups.chunks_exact(2) {
            let last = self.merged.remove(&pair[1]).unwrap_or(pair[1]);
            self.merged.insert(pair[0], last);
        }
        let mut heirs: BTreeMap<(ContextNumber, u32), Tag> = BTreeMap::new();
        let mut successor = vec![0; TAGS];
        for owner in self.owners.iter().filter(|owner| owner.cohort + REST_COHORTS <= cohort) {
            let heir = *heirs.entry((owner.context, self.group_of(owner.cohort))).or_insert(owner.tag);
            if heir != owner.tag {
                successor[usize::from(owner.tag)] = heir;
            }
        }
        stacks::inherit(&successor);
        shadow::replace(&successor);
        self.successor = successor;
    }

    /// Looks for blocks whose `realloc` was under way during the last pass. When there were none in a whole cohort's
    /// time, the tags that were merged away are free.
    fn go_on_merging(&mut self) {
        if shadow::replace(&self.successor) != 0 {
            return;
        }
        let successor = std::mem::take(&mut self.successor);
        let mut gone = Vec::new();
        for (tag, &heir) in (0..=Tag::MAX).zip(&successor) {
            if heir != 0 {
                let count = self.since_given_out(tag);
                self.carried[usize::from(heir)] += count;
                self.close(tag);
                gone.push(tag);
            }
        }
        self.owners.retain(|owner| successor[usize::from(owner.tag)] == 0);
        give_back(&gone);
    }
}

/// The groups of which a thread took note, and has the threads forget it.
fn noted(groups: usize, take: impl Fn(&Counters, usize) -> bool) -> [bool; GROUPS] {
    let mut noted = [false; GROUPS];
    for counters in blocks() {
        for (group, noted) in noted[..groups].iter_mut().enumerate() {
            *noted |= take(counters, group);
        }
    }
    noted
}

/// Bytes and blocks of each tag of a group, over all threads.
fn sum(group: usize, flow_of: impl Fn(&Counters) -> &Flow) -> [(u64, u64); GROUP] {
    let mut sums = [(0_u64, 0_u64); GROUP];
    for counters in blocks() {
        for (sum, (bytes, blocks)) in sums.iter_mut().zip(flow_of(counters).of_group(group)) {
            *sum = (sum.0.wrapping_add(bytes), sum.1.wrapping_add(blocks));
        }
    }
    sums
}
