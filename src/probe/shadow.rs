//! The shadow table: who owns the block at an address.
//!
//! Two levels: a directory with an entry per 256 MiB of address space, and for each region in use a leaf with one
//! 16-bit tag per 16 bytes. A tag of zero means that no owner is known, which is also what untouched memory holds.
#![allow(unsafe_code)] // leaves are raw mapped memory

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU16, Ordering};

use crate::mapping::map_for_ever;

/// Names a context and a cohort. Zero: unknown.
pub(crate) type Tag = u16;

const ADDRESS_BITS: u32 = 47;
const REGION_BITS: u32 = 28;
const GRANULE_BITS: u32 = 4;
const REGIONS: usize = 1 << (ADDRESS_BITS - REGION_BITS);
const TAGS_PER_LEAF: usize = 1 << (REGION_BITS - GRANULE_BITS);

static DIRECTORY: [AtomicPtr<AtomicU16>; REGIONS] = [const { AtomicPtr::new(ptr::null_mut()) }; REGIONS];

/// The tag's place for an address whose region is mapped.
#[inline(always)]
pub(crate) fn slot(address: usize) -> Option<&'static AtomicU16> {
    let leaf = DIRECTORY.get(address >> REGION_BITS)?.load(Ordering::Acquire);
    if leaf.is_null() {
        return None;
    }
    let index = (address >> GRANULE_BITS) & (TAGS_PER_LEAF - 1);
    // SAFETY: a leaf holds TAGS_PER_LEAF tags, is zeroed when mapped and never unmapped.
    Some(unsafe { &*leaf.add(index) })
}

/// The owner of the block at an address; zero when unknown.
#[inline(always)]
pub(crate) fn tag(address: usize) -> Tag {
    match slot(address) {
        Some(slot) => slot.load(Ordering::Relaxed),
        None => 0,
    }
}

/// The tag's place for an address, mapping its region if need be. None above 2⁴⁷, or when the system gives no memory.
#[cold]
#[inline(never)]
pub(crate) fn slot_or_map(address: usize) -> Option<&'static AtomicU16> {
    let entry = DIRECTORY.get(address >> REGION_BITS)?;
    if entry.load(Ordering::Acquire).is_null() {
        let leaf: *mut AtomicU16 = map_for_ever(TAGS_PER_LEAF * size_of::<AtomicU16>()).cast();
        if leaf.is_null() {
            return None;
        }
        if entry.compare_exchange(ptr::null_mut(), leaf, Ordering::AcqRel, Ordering::Acquire).is_err() {
            // Another thread mapped the region first: ours was never touched and goes back.
            // SAFETY: mapped above with this length, and no one else knows of it.
            unsafe { libc::munmap(leaf.cast(), TAGS_PER_LEAF * size_of::<AtomicU16>()) };
        }
    }
    slot(address)
}

/// Replaces every tag for which `successor` is not zero by it, in all of the table, and returns how many there were.
///
/// A block freed meanwhile is charged to the old tag or to the new one; either is right while both stand for the
/// same cohorts. Reads the leaves in use: about 3 ms per 256 MiB region of heap.
pub(crate) fn replace(successor: &[Tag]) -> usize {
    let mut replaced = 0;
    for entry in &DIRECTORY {
        let leaf = entry.load(Ordering::Acquire);
        if leaf.is_null() {
            continue;
        }
        for index in 0..TAGS_PER_LEAF {
            // SAFETY: as in `slot`.
            let slot = unsafe { &*leaf.add(index) };
            let old = slot.load(Ordering::Relaxed);
            let new = successor.get(usize::from(old)).copied().unwrap_or(0);
            if new != 0 && slot.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                replaced += 1;
            }
        }
    }
    replaced
}
