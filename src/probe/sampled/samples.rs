//! The blocks of the sample that live, and what those stood for that do not.
#![allow(unsafe_code)] // the table is raw mapped memory

use std::alloc::Layout;
use std::ptr;

use heapsoak_record::CaptureRate;

use super::{INTERVAL_BYTES, PAGE, marks};
use crate::local::ContextNumber;
use crate::mapping::{map_for_ever, unmap};
use crate::random::Random;
use crate::stacks::Rate;
use crate::tags::CONTEXTS;

/// Places of the table to begin with.
const FEWEST: usize = 1 << 12;
/// Most places of the table, three quarters of which are used at most: at an interval of 512 KiB enough for 48 GiB. More
/// blocks are not of the sample.
const MOST: usize = 1 << 17;

/// A block of the sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    address: usize,
    bytes: usize,
    /// The most it ever had.
    most: usize,
    cohort: u32,
    context: ContextNumber,
    /// Whether it was allocated at the start of a page on purpose, and not because it was asked for so.
    aligned: bool,
}

impl Sample {
    pub(super) fn context(&self) -> ContextNumber {
        self.context
    }

    pub(super) fn cohort(&self) -> u32 {
        self.cohort
    }

    /// As it is once it is allocated by the [layout](Sample::layout) that has it start with a page.
    pub(crate) fn at_start_of_page(self) -> Sample {
        Sample { aligned: true, ..self }
    }

    /// The layout it is allocated with in place of another.
    pub(crate) fn layout(&self, asked: Layout) -> Layout {
        if !self.aligned {
            return asked;
        }
        // Too large for that is nothing: it was had at a lower alignment, so it ends far below `isize::MAX`.
        asked.align_to(PAGE).unwrap_or(asked)
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
pub(crate) struct Samples {
    places: *mut Sample,
    /// A power of two; zero before the first sample.
    count: usize,
    /// Blocks in the table, and those that were taken out to be put back.
    used: usize,
    /// What ended, by context.
    ended: [(u64, u64); CONTEXTS],
    random: Random,
}

// SAFETY: the table belongs to whoever holds the value.
unsafe impl Send for Samples {}

impl Samples {
    pub(super) const fn new() -> Samples {
        Samples {
            places: ptr::null_mut(),
            count: 0,
            used: 0,
            ended: [(0, 0); CONTEXTS],
            random: Random::unseeded(),
        }
    }

    /// Bytes to the next point.
    pub(super) fn distance(&mut self) -> isize {
        if self.count == 0 {
            self.grow();
            self.random.begin(self.places.addr());
        }
        (self.random.distance() * INTERVAL_BYTES as f64) as isize
    }

    /// The table; empty when the system gave no memory. An address of zero marks a free place.
    fn places(&mut self) -> &mut [Sample] {
        if self.places.is_null() {
            return &mut [];
        }
        // SAFETY: mapped with this length and zeroed, which is a valid `Sample`; borrowed as `self` is.
        unsafe { std::slice::from_raw_parts_mut(self.places, self.count) }
    }

    /// Doubles the table, if the system has the memory.
    fn grow(&mut self) {
        let (old, old_count) = (self.places, self.count);
        let count = (old_count * 2).max(FEWEST);
        let places: *mut Sample = map_for_ever(count * size_of::<Sample>()).cast();
        if places.is_null() {
            return;
        }
        (self.places, self.count) = (places, count);
        for place in 0..old_count {
            // SAFETY: the old table has so many places, and nobody else knows of it.
            let sample = unsafe { *old.add(place) };
            if sample.address != 0 {
                self.insert(sample);
            }
        }
        unmap(old.cast(), old_count * size_of::<Sample>());
    }

    /// A new block, to be [put](Samples::put) in or [given up](Samples::give_up). None when there is no room for more.
    pub(super) fn begin(&mut self, context: ContextNumber, cohort: u32, bytes: usize) -> Option<Sample> {
        let is_full = |samples: &Samples| samples.used >= samples.count / 4 * 3;
        if is_full(self) && self.count < MOST {
            self.grow();
        }
        if is_full(self) {
            return None;
        }
        self.used += 1;
        Some(Sample { address: 0, bytes, most: bytes, cohort, context, aligned: false })
    }

    /// Puts a block in, at the place and with the size it has now.
    pub(super) fn put(&mut self, sample: Sample, address: usize, bytes: usize) {
        self.insert(Sample { address, bytes, most: sample.most.max(bytes), ..sample });
        marks::add(address);
    }

    fn insert(&mut self, sample: Sample) {
        let places = self.places();
        let mut place = home(sample.address, places.len());
        while places[place].address != 0 {
            place = (place + 1) % places.len();
        }
        places[place] = sample;
    }

    /// Takes the block at an address out, to be [put](Samples::put) in again or [given up](Samples::give_up).
    pub(super) fn take(&mut self, address: usize) -> Option<Sample> {
        let places = self.places();
        let count = places.len();
        if count == 0 {
            return None;
        }
        let mut hole = home(address, count);
        while places[hole].address != address {
            if places[hole].address == 0 {
                return None;
            }
            hole = (hole + 1) % count;
        }
        let taken = places[hole];
        let mut next = (hole + 1) % count;
        while places[next].address != 0 {
            let from_home = |place: usize| (place + count - home(places[next].address, count)) % count;
            if from_home(hole) < from_home(next) {
                places[hole] = places[next];
                hole = next;
            }
            next = (next + 1) % count;
        }
        places[hole].address = 0;
        marks::remove(address);
        Some(taken)
    }

    /// A block that was begun or taken out will not be put in.
    pub(super) fn give_up(&mut self) {
        self.used -= 1;
    }

    /// Takes the block at an address out, which ends.
    pub(super) fn end(&mut self, address: usize) -> Option<Sample> {
        let sample = self.take(address)?;
        self.give_up();
        let (bytes, blocks) = sample.weight();
        if let Some(ended) = self.ended.get_mut(usize::from(sample.context)) {
            *ended = (ended.0 + bytes, ended.1 + blocks);
        }
        Some(sample)
    }

    /// Bytes and fractions of blocks that ended.
    pub(super) fn ended(&self, context: ContextNumber) -> (u64, u64) {
        self.ended.get(usize::from(context)).copied().unwrap_or_default()
    }

    /// Blocks that live.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// Copies the blocks that live to where there is room, as far as there is.
    pub(super) fn copy_to(&mut self, room: &mut Vec<Sample>) {
        let samples = self.places().iter().filter(|sample| sample.address != 0);
        let most = room.capacity();
        room.extend(samples.take(most));
    }
}

fn home(address: usize, places: usize) -> usize {
    (address >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - places.ilog2())
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
            let ended = samples.end(address).map(|sample| sample.bytes);
            assert_eq!(ended, expected.remove(&address), "{round}");
            if round % 3 != 0 {
                let sample = samples.begin(1, 0, round + 1).expect("the table grows");
                samples.put(sample, address, round + 1);
                expected.insert(address, round + 1);
            }
        }
        assert!(samples.count > FEWEST);
        for (address, bytes) in expected {
            assert_eq!(samples.end(address).map(|sample| sample.bytes), Some(bytes));
        }
        assert_eq!(samples.used, 0);
    }
}
