//! The shadow table: who owns the block at an address.
//!
//! A tag for every 16 bytes of a page of 4 KiB, if a block of less than 512 bytes ever started in it, and a tag for every
//! 512 bytes of a MiB, if a larger one did. Blocks start at multiples of 16 and do not overlap, and a free knows the size
//! as the allocation did, so each block has a place of its own. The places of a page, or of a MiB, are a *leaf*. Leaves
//! lie side by side in a pool, in the order in which they were first needed, so that tags cost memory where blocks
//! are; two directories, reserved for all of the address space, say where the leaf of an address is.
//!
//! Where that much can't be reserved (`ulimit -v`, `overcommit_memory=2`), a table of two levels, mapped as needed,
//! takes its place.
#![allow(unsafe_code)] // tables are raw mapped memory

mod replace;
mod two_level;

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU16, AtomicUsize, Ordering};

pub(crate) use replace::replace;

use crate::mapping::{map_for_ever, unmap};

/// Names a context and a cohort. Zero, which is also what untouched memory holds: unknown.
pub(crate) type Tag = u16;

/// Addresses from here on can't be marked.
pub(crate) const COVERED: usize = 1 << 47;

/// Blocks from this size on are marked in leaves of their own.
pub(crate) const LARGE: usize = 512;

/// How the address of a block says where its tag is.
#[derive(Clone, Copy)]
struct Layer {
    /// Bits of the address below those that choose the leaf.
    leaf_bits: u32,
    /// Bits of the address below those that choose the place in the leaf.
    place_bits: u32,
}

const SMALL_BLOCKS: Layer = Layer { leaf_bits: 12, place_bits: 4 };
const LARGE_BLOCKS: Layer = Layer { leaf_bits: 20, place_bits: LARGE.ilog2() };

impl Layer {
    const fn leaves(self) -> usize {
        COVERED >> self.leaf_bits
    }

    const fn directory_bytes(self) -> usize {
        self.leaves() * size_of::<AtomicPtr<AtomicU16>>()
    }

    const fn places(self) -> usize {
        1 << (self.leaf_bits - self.place_bits)
    }

    #[inline(always)]
    const fn leaf_of(self, address: usize) -> usize {
        address >> self.leaf_bits
    }

    #[inline(always)]
    const fn place_of(self, address: usize) -> usize {
        (address >> self.place_bits) & (self.places() - 1)
    }
}

/// Enough for a heap of half a TiB of blocks of less than 512 bytes.
const POOL_BYTES: usize = 64 << 30;
/// Tags there is room for.
pub(crate) const PLACES: usize = POOL_BYTES / size_of::<AtomicU16>();
const TABLE_BYTES: usize = SMALL_BLOCKS.directory_bytes() + LARGE_BLOCKS.directory_bytes() + POOL_BYTES;

/// Where each leaf is; null for those there are not yet.
pub(crate) type Directory = *const AtomicPtr<AtomicU16>;

/// The table of one level of directories. Copied to where each thread finds it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub(crate) small: Directory,
    pub(crate) large: Directory,
}

impl Table {
    fn at(start: *mut u8) -> Table {
        Table { small: start.cast(), large: start.wrapping_add(SMALL_BLOCKS.directory_bytes()).cast() }
    }

    fn pool(self) -> *mut u8 {
        self.large.cast_mut().cast::<u8>().wrapping_add(LARGE_BLOCKS.directory_bytes())
    }

    /// The tag's place for a block. None when its leaf does not exist: no block there was ever marked.
    ///
    /// # Safety
    /// The table is what [`table`] returned, and `address` is below [`COVERED`].
    #[inline(always)]
    pub(crate) unsafe fn slot(self, address: usize, bytes: usize) -> Option<&'static AtomicU16> {
        if bytes < LARGE {
            // SAFETY: this function's.
            unsafe { small_slot(self.small, address) }
        } else {
            // SAFETY: this function's.
            unsafe { slot_in(self.large, LARGE_BLOCKS, address) }
        }
    }

    /// As [`slot`](Table::slot), with a leaf made if need be. None when there is no room for more.
    ///
    /// # Safety
    /// As [`slot`](Table::slot).
    unsafe fn slot_or_make(self, address: usize, bytes: usize) -> Option<&'static AtomicU16> {
        let (directory, layer) =
            if bytes < LARGE { (self.small, SMALL_BLOCKS) } else { (self.large, LARGE_BLOCKS) };
        // SAFETY: the directory has an entry for each leaf below COVERED, and is never unmapped.
        let entry = unsafe { &*directory.add(layer.leaf_of(address)) };
        if entry.load(Ordering::Acquire).is_null() {
            let size = layer.places() * size_of::<AtomicU16>();
            let room = |used: usize| used.checked_add(size).filter(|used| *used <= POOL_BYTES);
            let used = USED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).ok()?;
            let leaf = self.pool().wrapping_add(used).cast();
            // Another thread's leaf stands if it came first; this one stays unused.
            let _ = entry.compare_exchange(ptr::null_mut(), leaf, Ordering::AcqRel, Ordering::Acquire);
        }
        // SAFETY: this function's.
        unsafe { slot_in(directory, layer, address) }
    }
}

/// The tag's place for a block of less than [`LARGE`] bytes, as [`Table::slot`].
///
/// # Safety
/// The directory is [`Table::small`] of what [`table`] returned, and `address` is below [`COVERED`].
#[inline(always)]
pub(crate) unsafe fn small_slot(directory: Directory, address: usize) -> Option<&'static AtomicU16> {
    // SAFETY: this function's.
    unsafe { slot_in(directory, SMALL_BLOCKS, address) }
}

/// # Safety
/// The directory is of the layer, and `address` is below [`COVERED`].
#[inline(always)]
unsafe fn slot_in(directory: Directory, layer: Layer, address: usize) -> Option<&'static AtomicU16> {
    // SAFETY: the directory has an entry for each leaf below COVERED, and is never unmapped.
    let leaf = unsafe { &*directory.add(layer.leaf_of(address)) }.load(Ordering::Acquire);
    // SAFETY: a leaf has a place for each that the address can choose, and is never unmapped.
    (!leaf.is_null()).then(|| unsafe { &*leaf.add(layer.place_of(address)) })
}

/// Bytes of the pool that are given out to leaves.
static USED: AtomicUsize = AtomicUsize::new(0);

/// Where the table starts; null until it is asked for, [`REFUSED`] when it can't be had.
static START: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
const REFUSED: *mut u8 = ptr::without_provenance_mut(1);

/// The table, reserved when first asked for. None when the system refuses.
pub(crate) fn table() -> Option<Table> {
    let start = START.load(Ordering::Acquire);
    let start = if start.is_null() { reserve() } else { start };
    (start != REFUSED).then(|| Table::at(start))
}

#[cold]
#[inline(never)]
fn reserve() -> *mut u8 {
    let mapped = map_for_ever(TABLE_BYTES);
    let start = if mapped.is_null() { REFUSED } else { mapped };
    match START.compare_exchange(ptr::null_mut(), start, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => start,
        Err(known) => {
            // Another thread reserved it first: ours was never touched and goes back.
            unmap(mapped, TABLE_BYTES);
            known
        }
    }
}

/// The tag's place for a block, if it is mapped.
pub(crate) fn slot(address: usize, bytes: usize) -> Option<&'static AtomicU16> {
    if address >= COVERED {
        return None;
    }
    match table() {
        None => two_level::slot(address),
        // SAFETY: the address is covered.
        Some(table) => unsafe { table.slot(address, bytes) },
    }
}

/// The tag's place for a block, mapped if need be. None above 2⁴⁷, or when the system gives no memory.
pub(crate) fn slot_or_map(address: usize, bytes: usize) -> Option<&'static AtomicU16> {
    if address >= COVERED {
        return None;
    }
    match table() {
        None => two_level::slot_or_map(address),
        // SAFETY: the address is covered.
        Some(table) => unsafe { table.slot_or_make(address, bytes) },
    }
}

/// Number of the place of a block, below [`PLACES`]. None when it has none, or when the table could not be reserved.
#[inline(always)]
pub(crate) fn place(address: usize, bytes: usize) -> Option<usize> {
    let table = table().filter(|_| address < COVERED)?;
    // SAFETY: the address is covered.
    let slot = unsafe { table.slot(address, bytes) }?;
    Some((ptr::from_ref(slot).addr() - table.pool().addr()) / size_of::<AtomicU16>())
}

/// The owner of a block; zero when unknown.
pub(crate) fn tag(address: usize, bytes: usize) -> Tag {
    slot(address, bytes).map_or(0, |slot| slot.load(Ordering::Relaxed))
}

/// The tags of every leaf.
fn leaves(table: Table) -> &'static [AtomicU16] {
    let tags = USED.load(Ordering::Acquire) / size_of::<AtomicU16>();
    // SAFETY: the pool is larger, holds tags only, and is never unmapped.
    unsafe { std::slice::from_raw_parts(table.pool().cast(), tags) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_do_not_overlap_have_places_of_their_own() {
        let mut places = std::collections::HashSet::new();
        let mut address = 0x7000_0000_0000;
        for round in 0..20_000_usize {
            let bytes = 1 + (round * 7_919) % 1_400;
            let place = slot_or_map(address, bytes).unwrap();
            assert!(places.insert(ptr::from_ref(place)), "{bytes} bytes at {address:#x}");
            assert!(ptr::eq(place, slot(address, bytes).unwrap()), "it is found again");
            address += bytes.next_multiple_of(16);
        }
    }

    #[test]
    fn the_last_address_that_is_covered_has_a_place_of_either_size() {
        for bytes in [1, LARGE - 1, LARGE, 1 << 30] {
            slot_or_map(COVERED - 16, bytes).unwrap().store(5, Ordering::Relaxed);
            assert_eq!(tag(COVERED - 16, bytes), 5);
        }
    }

    #[test]
    fn a_block_whose_leaf_does_not_exist_has_no_owner() {
        assert!(slot(0x1234_0000_0000, 64).is_none());
        assert_eq!(tag(0x1234_0000_0000, 64), 0);
    }

    #[test]
    fn an_address_above_the_table_has_no_place() {
        assert!(slot(COVERED, 64).is_none() && slot_or_map(COVERED + 4096, 64).is_none());
        assert!(slot(usize::MAX, 64).is_none());
    }
}
