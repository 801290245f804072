//! Walking a stack by its frame pointers, with what the last walk of the thread found.
//!
//! A frame record is two words: the caller's frame pointer and the return address. A walk follows them outwards only
//! until it meets a record that stood at the same place in the last walk. From there on it looks whether the records
//! of the last walk still hold the same words: loads that do not wait for each other, and no look-up in the tree.
//! Nothing is taken for granted: every record of every stack is read.
//!
//! No read can fault, whatever the words are: a record is read when it is aligned, above the stack pointer, further out
//! than the one before, and below the end of the thread's stack. All of that is mapped.
#![allow(unsafe_code)] // reads the stack

use std::ops::Range;
use std::ptr::with_exposed_provenance;

use super::cache::Cache;
use super::limits;
use super::machine::{code_address, registers};
use super::trie::{CUT, Node, ROOT};

/// Frames of a stack that are kept. Of a deeper one, the outermost are left out.
pub(super) const DEEPEST: usize = 512;

/// A frame record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
struct Record {
    /// Where the caller's record is.
    outer: usize,
    /// The return address.
    address: usize,
}

/// A record as it was read.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
struct Met {
    record: Record,
    /// Where it stood.
    at: usize,
    /// The node of the stack down to here.
    node: Node,
    /// Hash of the return addresses down to here.
    hash: u32,
}

/// The last walk of a thread. All zeros before the first.
#[derive(Debug)]
pub(super) struct Walker {
    /// The addresses of the thread's stack.
    stack: Range<usize>,
    /// How many of `met` hold the last walk.
    depth: usize,
    /// Outermost first.
    met: [Met; DEEPEST],
    /// What a walk finds before it meets the last one; innermost first. Its nodes are not known yet.
    fresh: [(usize, Record); DEEPEST],
}

impl Walker {
    /// Starts anew, on the calling thread.
    pub(super) fn begin(&mut self) {
        self.stack = limits::of_this_thread();
        self.depth = 0;
    }

    /// The node of the calling function's stack: [`ROOT`] when it can't be walked. None when there is no more room for
    /// nodes.
    #[inline(always)]
    pub(super) fn walk(&mut self, cache: &mut Cache) -> Option<Node> {
        let (frame, stack) = registers();
        self.walk_from(frame, stack, cache)
    }

    /// Walks from the record at `frame`; records are above `stack`.
    #[inline(always)]
    fn walk_from(&mut self, frame: usize, stack: usize, cache: &mut Cache) -> Option<Node> {
        // On a stack that is not the thread's own (a coroutine's, a signal's) no end is known.
        if !self.stack.contains(&stack) {
            return Some(ROOT);
        }
        let (known, fresh, is_cut) = self.find_known(frame, stack);
        if !is_cut && known + fresh <= DEEPEST {
            return self.name(ROOT, known, fresh, cache);
        }
        // Too deep: whatever is known of it, the frames kept are the innermost ones.
        self.depth = 0;
        let (_, fresh, _) = self.find_known(frame, stack);
        let leaf = self.name(CUT, 0, fresh, cache);
        self.depth = 0;
        leaf
    }

    /// Goes outwards to where the last walk has been already. Returns how many of its records still hold, outermost
    /// ones, how many others were found, and whether there are more than can be kept.
    #[inline(always)]
    fn find_known(&mut self, frame: usize, stack: usize) -> (usize, usize, bool) {
        let (mut at, mut lowest) = (frame, stack);
        let (mut known, mut fresh) = (self.depth, 0);
        while is_record(at, lowest, self.stack.end) {
            while known > 0 && self.met[known - 1].at < at {
                known -= 1;
            }
            if known > 0 && self.met[known - 1].at == at {
                let held = known;
                known = self.find_change(known);
                if known == 0 {
                    return (held, fresh, false);
                }
                // What is inside of the change holds, but stands under other callers now.
                for met in self.met[known..held].iter().rev() {
                    if fresh == DEEPEST {
                        return (0, fresh, true);
                    }
                    self.fresh[fresh] = (met.at, met.record);
                    fresh += 1;
                }
                known -= 1;
                at = self.met[known].at;
            }
            if fresh == DEEPEST {
                return (0, fresh, true);
            }
            // SAFETY: a record at this address was checked to be on the stack.
            let record = unsafe { read(at) };
            self.fresh[fresh] = (at, record);
            fresh += 1;
            lowest = at + size_of::<Record>();
            at = record.outer;
        }
        (0, fresh, false)
    }

    /// Whether one of the outermost `count` records of the last walk is not as it was: one more than the index of the
    /// innermost such, zero for none.
    #[inline(always)]
    fn find_change(&self, count: usize) -> usize {
        let change = |met: &Met| {
            // SAFETY: the last walk read it, on this thread's stack, and it is further out than a record of this walk.
            let record = unsafe { read(met.at) };
            (record.outer ^ met.record.outer) | (record.address ^ met.record.address)
        };
        if self.met[..count].iter().fold(0, |changes, met| changes | change(met)) == 0 {
            return 0;
        }
        self.met[..count].iter().rposition(|met| change(met) != 0).map_or(0, |index| index + 1)
    }

    /// Finds the nodes of what was found fresh, below `known` records of the last walk.
    #[inline(always)]
    fn name(&mut self, base: Node, known: usize, fresh: usize, cache: &mut Cache) -> Option<Node> {
        let (mut node, mut hash) = match self.met[..known].last() {
            Some(met) => (met.node, met.hash),
            None => (base, 0),
        };
        self.depth = known;
        for &(at, record) in self.fresh[..fresh].iter().rev() {
            let address = code_address(record.address);
            hash = Cache::hash(hash, address);
            node = cache.child(hash, node, address)?;
            self.met[self.depth] = Met { record, at, node, hash };
            self.depth += 1;
        }
        Some(node)
    }
}

/// Whether a frame record can be at an address: aligned, not below `lowest`, and wholly below `end`.
#[inline(always)]
fn is_record(at: usize, lowest: usize, end: usize) -> bool {
    at.is_multiple_of(align_of::<Record>()) && at >= lowest && at <= end - size_of::<Record>()
}

/// # Safety
/// The address is aligned and a record's size of memory is mapped there.
#[inline(always)]
unsafe fn read(at: usize) -> Record {
    // SAFETY: the caller's promise. Words of other functions' frames are initialised or not, but never given a meaning:
    // they are compared and checked.
    unsafe { with_exposed_provenance::<Record>(at).read_volatile() }
}

#[cfg(test)]
mod tests {
    use super::super::trie;
    use super::*;

    /// A stack made by hand, for words that no compiler would write.
    struct Made {
        words: Vec<[usize; 2]>,
    }

    impl Made {
        fn new(records: usize) -> Made {
            let mut made = Made { words: vec![[0, 0]; records] };
            for index in 0..records {
                made.words[index] = [made.at(index + 1), 0x1000 + index];
            }
            made
        }

        fn at(&self, index: usize) -> usize {
            self.words.as_ptr().expose_provenance() + index * size_of::<[usize; 2]>()
        }

        fn walk(&self, walker: &mut Walker, cache: &mut Cache, from: usize) -> Vec<usize> {
            walker.stack = self.at(0)..self.at(self.words.len());
            let node = walker.walk_from(from, self.at(0), cache).expect("there is room");
            let mut addresses = Vec::new();
            trie::path(node, &mut addresses);
            addresses
        }
    }

    fn walker() -> (Box<Walker>, Box<Cache>) {
        assert!(trie::reserve());
        // SAFETY: both are numbers alone.
        unsafe { (Box::new_zeroed().assume_init(), Box::new_zeroed().assume_init()) }
    }

    fn naive(made: &Made, from: usize) -> Vec<usize> {
        let (mut walker, mut cache) = walker();
        made.walk(&mut walker, &mut cache, from)
    }

    #[test]
    fn records_are_followed_to_the_end_of_the_stack() {
        let made = Made::new(5);
        assert_eq!(naive(&made, made.at(0)), [0x1000, 0x1001, 0x1002, 0x1003, 0x1004]);
        assert_eq!(naive(&made, made.at(3)), [0x1003, 0x1004]);
    }

    #[test]
    fn garbage_in_a_frame_pointer_ends_the_walk_and_is_never_followed() {
        for garbage in [0, 1, 8, usize::MAX, usize::MAX - 15, usize::MAX / 2, 0xdead_beef_dead_beef] {
            let mut made = Made::new(4);
            made.words[1][0] = garbage;
            assert_eq!(naive(&made, made.at(0)), [0x1000, 0x1001], "{garbage:#x}");
            assert!(naive(&made, garbage).is_empty(), "{garbage:#x}");
        }
        let mut made = Made::new(4);
        made.words[1][0] = made.at(1); // itself
        assert_eq!(naive(&made, made.at(0)), [0x1000, 0x1001]);
        made.words[1][0] = made.at(0); // inwards
        assert_eq!(naive(&made, made.at(0)), [0x1000, 0x1001]);
        made.words[1][0] = made.at(2) + 1; // not aligned
        assert_eq!(naive(&made, made.at(0)), [0x1000, 0x1001]);
        made.words[1][0] = made.at(4) - 8; // half of it beyond the end
        assert_eq!(naive(&made, made.at(0)), [0x1000, 0x1001]);
        made.words[1][0] = made.at(4); // the end itself
        assert_eq!(naive(&made, made.at(0)), [0x1000, 0x1001]);
    }

    #[test]
    fn a_stack_that_is_not_the_threads_own_has_no_frames() {
        let made = Made::new(4);
        let (mut walker, mut cache) = walker();
        walker.stack = 0x1000..0x2000;
        assert_eq!(walker.walk_from(made.at(0), made.at(0), &mut cache), Some(ROOT));
    }

    #[test]
    fn a_walk_that_knows_the_last_one_finds_what_one_without_it_finds() {
        let (mut walker, mut cache) = walker();
        let mut made = Made::new(40);
        // Changes anywhere, one or two at a time, walks from anywhere: a fixed sequence (a linear congruence).
        let mut number = 12_345_usize;
        let mut next = |below: usize| {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (number >> 33) % below
        };
        for _ in 0..20_000 {
            for _ in 0..next(3) {
                let index = next(40);
                match next(4) {
                    0 => made.words[index][1] = 0x2000 + next(3),
                    1 => made.words[index][0] = made.at(index + 1 + next(3)),
                    2 => made.words[index][0] = next(2) * made.at(next(40)),
                    _ => made.words[index] = [made.at(index + 1), 0x1000 + index],
                }
            }
            let from = made.at(next(40));
            assert_eq!(made.walk(&mut walker, &mut cache, from), naive_of(&made, from));
        }
    }

    /// What a walk is to find, without any of its code.
    fn naive_of(made: &Made, mut at: usize) -> Vec<usize> {
        let mut addresses = Vec::new();
        let mut lowest = made.at(0);
        while let Some(index) = (at >= lowest).then(|| at - made.at(0)).filter(|offset| offset % 8 == 0) {
            let Some(words) = made.words.get(index / 16).filter(|_| index.is_multiple_of(16)) else { break };
            addresses.push(words[1]);
            lowest = at + 16;
            at = words[0];
        }
        addresses
    }

    #[test]
    fn of_a_stack_deeper_than_is_kept_the_innermost_frames_stay() {
        let made = Made::new(DEEPEST + 100);
        let (mut walker, mut cache) = walker();
        for from in [100, 101, 99, 0, 50, 100, 98] {
            let addresses = made.walk(&mut walker, &mut cache, made.at(from));
            assert_eq!(addresses.len(), DEEPEST.min(DEEPEST + 100 - from));
            assert_eq!(addresses[0], 0x1000 + from);
        }
        // One that is not too deep, then one that becomes it by what is known.
        assert_eq!(made.walk(&mut walker, &mut cache, made.at(300)).len(), DEEPEST + 100 - 300);
        assert_eq!(made.walk(&mut walker, &mut cache, made.at(0)).len(), DEEPEST);
        assert_eq!(made.walk(&mut walker, &mut cache, made.at(100)).len(), DEEPEST);
    }

    #[inline(never)]
    fn called(walker: &mut Walker, cache: &mut Cache) -> Node {
        std::hint::black_box(walker.walk(cache)).expect("there is room")
    }

    #[test]
    fn a_real_stack_is_walked_to_the_function_that_called() {
        let (mut walker, mut cache) = walker();
        walker.begin();
        let node = called(&mut walker, &mut cache);
        let mut addresses = Vec::new();
        trie::path(node, &mut addresses);
        assert!(addresses.len() > 3, "{addresses:x?}: is this test built with frame pointers?");
    }
}
