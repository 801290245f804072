//! The shadow table: who owns the block at an address.
//!
//! One table is reserved for all of the address space, 32 TiB of which only pages that are written to take memory. A
//! block that takes 2ᵏ bytes or more, up to 2ᵏ⁺¹, has its tag in the part of the table that holds one for each 2ᵏ bytes
//! of address space: no two such blocks start within the same 2ᵏ, since they would overlap, and a free knows the size as
//! the allocation did. Blocks start at multiples of 16, so one of 17 bytes takes 32. The tags of a slab lie side by side,
//! however large its blocks are. Where that much can't be reserved (`ulimit -v`, `overcommit_memory=2`), a table of two
//! levels, mapped as needed, takes its place.
#![allow(unsafe_code)] // tables are raw mapped memory

mod replace;
mod two_level;

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU16, Ordering};

pub(crate) use replace::replace;

use crate::mapping::{map_for_ever, unmap};

/// Names a context and a cohort. Zero, which is also what untouched memory holds: unknown.
pub(crate) type Tag = u16;

/// Addresses from here on can't be marked.
pub(crate) const COVERED: usize = 1 << 47;
const SMALLEST_CLASS: u32 = 4;
/// Places in the table.
pub(crate) const PLACES: usize = (2 * COVERED) >> SMALLEST_CLASS;
const TABLE_BYTES: usize = PLACES * size_of::<AtomicU16>();

/// The table; null until it is asked for, [`REFUSED`] when it can't be had.
static TABLE: AtomicPtr<AtomicU16> = AtomicPtr::new(ptr::null_mut());
const REFUSED: *mut AtomicU16 = ptr::without_provenance_mut(1);

/// The table of one level, reserved when first asked for; null when the system refuses.
pub(crate) fn table() -> *mut AtomicU16 {
    let table = TABLE.load(Ordering::Acquire);
    let table = if table.is_null() { reserve() } else { table };
    if table == REFUSED { ptr::null_mut() } else { table }
}

#[cold]
#[inline(never)]
fn reserve() -> *mut AtomicU16 {
    let mapped: *mut AtomicU16 = map_for_ever(TABLE_BYTES).cast();
    let table = if mapped.is_null() { REFUSED } else { mapped };
    match TABLE.compare_exchange(ptr::null_mut(), table, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => table,
        Err(known) => {
            // Another thread reserved it first: ours was never touched and goes back.
            unmap(mapped.cast(), TABLE_BYTES);
            known
        }
    }
}

/// Where in the table the tag of a block of a covered address is, below [`PLACES`]. The logarithm is that of the size rounded up to 16.
#[inline(always)]
pub(crate) fn index(address: usize, bytes: usize) -> usize {
    (address | COVERED) >> (bytes + (1 << SMALLEST_CLASS) - 1).ilog2()
}

/// The tag's place in the table of one level.
///
/// # Safety
/// `table` is what [`table`] returned and not null, and `address` is below [`COVERED`].
#[inline(always)]
pub(crate) unsafe fn slot_in(table: *mut AtomicU16, address: usize, bytes: usize) -> &'static AtomicU16 {
    // SAFETY: the index is below 2 * COVERED >> SMALLEST_CLASS, and the table is never unmapped.
    unsafe { &*table.add(index(address, bytes)) }
}

/// The tag's place for a block, if it is mapped.
pub(crate) fn slot(address: usize, bytes: usize) -> Option<&'static AtomicU16> {
    if address >= COVERED {
        return None;
    }
    match table() {
        table if table.is_null() => two_level::slot(address),
        // SAFETY: not null, and the address is covered.
        table => Some(unsafe { slot_in(table, address, bytes) }),
    }
}

/// The tag's place for a block, mapped if need be. None above 2⁴⁷, or when the system gives no memory.
pub(crate) fn slot_or_map(address: usize, bytes: usize) -> Option<&'static AtomicU16> {
    slot(address, bytes).or_else(|| two_level::slot_or_map(address))
}

/// The owner of a block; zero when unknown.
pub(crate) fn tag(address: usize, bytes: usize) -> Tag {
    slot(address, bytes).map_or(0, |slot| slot.load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_do_not_overlap_have_places_of_their_own() {
        let mut places = std::collections::HashSet::new();
        let mut address = 0x7000_0000_0000;
        for round in 0..20_000_usize {
            let bytes = 1 + (round * 7_919) % 400;
            assert!(places.insert(index(address, bytes)), "{bytes} bytes at {address:#x}");
            address += bytes.next_multiple_of(16);
        }
    }

    #[test]
    fn sizes_of_one_class_share_a_part_of_the_table_and_no_other_does() {
        for (first, last) in [(1, 16), (17, 48), (49, 112), (113, 240), ((1 << 20) - 15, (2 << 20) - 16)] {
            assert_eq!(index(1 << 30, first), index(1 << 30, last));
            assert!(index(COVERED - 1, last + 1) < index(0, last), "parts are apart");
        }
        assert!((index(COVERED - 1, 1) + 1) * size_of::<AtomicU16>() <= TABLE_BYTES);
    }

    #[test]
    fn an_address_above_the_table_has_no_place() {
        assert!(slot(COVERED, 64).is_none() && slot_or_map(COVERED + 4096, 64).is_none());
        assert!(slot(usize::MAX, 64).is_none());
    }
}
