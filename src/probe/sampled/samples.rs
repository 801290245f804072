//! The blocks of the sample that live, and what those stood for that do not.
#![allow(unsafe_code)] // the table is raw mapped memory

use std::ptr;

use heapsoak_record::CaptureRate;

use super::{INTERVAL_BYTES, marks};
use crate::local::ContextNumber;
use crate::mapping::map_for_ever;
use crate::random::Random;
use crate::stacks::Rate;
pub(super) use crate::tags::CONTEXTS as CONTEXT_COUNT;

/// Numbers of contexts.
pub(super) const CONTEXTS: ContextNumber = CONTEXT_COUNT as ContextNumber;

const SLOTS: usize = 1 << 17;
/// Blocks that are kept at once, at an interval of 512 KiB some 48 GiB of them. More are not of the sample.
pub(super) const MOST: usize = SLOTS / 4 * 3;

/// A block of the sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    address: usize,
    bytes: usize,
    /// The most it ever had.
    most: usize,
    cohort: u32,
    context: ContextNumber,
}

impl Sample {
    pub(super) fn new(context: ContextNumber, cohort: u32, bytes: usize) -> Sample {
        Sample { address: 0, bytes, most: bytes, cohort, context }
    }

    pub(super) fn context(&self) -> ContextNumber {
        self.context
    }

    pub(super) fn cohort(&self) -> u32 {
        self.cohort
    }

    /// Bytes, and fractions of a block, that it stands for.
    pub(super) fn weight(&self) -> (u64, u64) {
        let Some(rate) = Rate::of(CaptureRate::OneIn { bytes: INTERVAL_BYTES }) else { return (0, 0) };
        let (bytes, blocks) = rate.weigh(self.most);
        (((bytes as f64) * (self.bytes as f64 / self.most.max(1) as f64)).round() as u64, blocks)
    }
}

/// An open-addressing table by address, with linear probing (Knuth, The Art of Computer Programming 3, 6.4,
/// algorithms L and R).
pub(super) struct Samples {
    slots: *mut Sample,
    used: usize,
    /// What ended, by context.
    ended: [(u64, u64); CONTEXT_COUNT],
    random: Random,
}

// SAFETY: the table belongs to whoever holds the value.
unsafe impl Send for Samples {}

impl Samples {
    pub(super) const fn new() -> Samples {
        Samples {
            slots: ptr::null_mut(),
            used: 0,
            ended: [(0, 0); CONTEXT_COUNT],
            random: Random::unseeded(),
        }
    }

    /// Bytes to the next point.
    pub(super) fn distance(&mut self) -> isize {
        if self.slots.is_null() {
            self.slots = map_for_ever(SLOTS * size_of::<Sample>()).cast();
            self.random.begin(self.slots.addr());
        }
        (self.random.distance() * INTERVAL_BYTES as f64) as isize
    }

    /// The table; empty when the system gave no memory. An address of zero marks a free slot.
    fn slots(&mut self) -> &mut [Sample] {
        if self.slots.is_null() {
            return &mut [];
        }
        // SAFETY: mapped with this length and zeroed, which is a valid `Sample`; borrowed as `self` is.
        unsafe { std::slice::from_raw_parts_mut(self.slots, SLOTS) }
    }

    /// Adds a new block.
    pub(super) fn add(&mut self, sample: Sample, address: usize) {
        if self.used < MOST {
            self.insert(Sample { address, ..sample });
        }
    }

    /// Adds a block again that was removed.
    pub(super) fn put(&mut self, sample: Sample, address: usize, bytes: usize) {
        self.insert(Sample { address, bytes, most: sample.most.max(bytes), ..sample });
    }

    fn insert(&mut self, sample: Sample) {
        let slots = self.slots();
        if slots.is_empty() {
            return;
        }
        let mut place = home(sample.address);
        while slots[place].address != 0 && slots[place].address != sample.address {
            place = (place + 1) % SLOTS;
        }
        let is_new = slots[place].address == 0;
        slots[place] = sample;
        if is_new {
            self.used += 1;
            marks::add(sample.address);
        }
    }

    /// Removes the block at an address.
    pub(super) fn remove(&mut self, address: usize) -> Option<Sample> {
        let slots = self.slots();
        if slots.is_empty() {
            return None;
        }
        let mut hole = home(address);
        while slots[hole].address != address {
            if slots[hole].address == 0 {
                return None;
            }
            hole = (hole + 1) % SLOTS;
        }
        let removed = slots[hole];
        let mut next = (hole + 1) % SLOTS;
        while slots[next].address != 0 {
            let from_home = |place: usize| (place + SLOTS - home(slots[next].address)) % SLOTS;
            if from_home(hole) < from_home(next) {
                slots[hole] = slots[next];
                hole = next;
            }
            next = (next + 1) % SLOTS;
        }
        slots[hole].address = 0;
        self.used -= 1;
        marks::remove(address);
        Some(removed)
    }

    /// Counts the end of a block that was removed.
    pub(super) fn end(&mut self, sample: Sample) {
        let (bytes, blocks) = sample.weight();
        if let Some(ended) = self.ended.get_mut(usize::from(sample.context)) {
            *ended = (ended.0 + bytes, ended.1 + blocks);
        }
    }

    /// Bytes and fractions of blocks that ended.
    pub(super) fn ended(&self, context: ContextNumber) -> (u64, u64) {
        self.ended.get(usize::from(context)).copied().unwrap_or_default()
    }

    /// Copies the blocks that live to where there is room for [`MOST`].
    pub(super) fn copy_to(&mut self, room: &mut Vec<Sample>) {
        let samples = self.slots().iter().filter(|sample| sample.address != 0);
        let most = room.capacity();
        room.extend(samples.take(most));
    }
}

fn home(address: usize) -> usize {
    (address >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - SLOTS.ilog2())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_again_whatever_was_removed_before_them() {
        let mut samples = Samples::new();
        samples.distance();
        let mut expected = std::collections::HashMap::new();
        let mut state = 1_usize;
        for round in 0..60_000_usize {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let address = 0x6000_0000_0000 + (state >> 40) % 40_000 * 16;
            if round % 3 == 0 {
                let removed = samples.remove(address).map(|sample| sample.bytes);
                assert_eq!(removed, expected.remove(&address), "{round}");
            } else {
                samples.put(Sample::new(1, 0, round + 1), address, round + 1);
                expected.insert(address, round + 1);
            }
        }
        for (address, bytes) in expected {
            assert_eq!(samples.remove(address).map(|sample| sample.bytes), Some(bytes));
        }
        assert_eq!(samples.used, 0);
    }
}
