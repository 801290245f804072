//! The table for processes that may not reserve much: a directory with an entry per 256 MiB of address space, and for
//! each region in use a leaf with one tag per 16 bytes, whatever the sizes of its blocks.
#![allow(unsafe_code)] // leaves are raw mapped memory

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU16, Ordering};

use super::COVERED;
use crate::mapping::{map_for_ever, unmap};

const REGION_BITS: u32 = 28;
const GRANULE_BITS: u32 = 4;
const REGIONS: usize = COVERED >> REGION_BITS;
const TAGS_PER_LEAF: usize = 1 << (REGION_BITS - GRANULE_BITS);
const LEAF_BYTES: usize = TAGS_PER_LEAF * size_of::<AtomicU16>();

static DIRECTORY: [AtomicPtr<AtomicU16>; REGIONS] = [const { AtomicPtr::new(ptr::null_mut()) }; REGIONS];

/// The tag's place for an address whose region is mapped.
pub(super) fn slot(address: usize) -> Option<&'static AtomicU16> {
    let leaf = DIRECTORY.get(address >> REGION_BITS)?.load(Ordering::Acquire);
    if leaf.is_null() {
        return None;
    }
    let index = (address >> GRANULE_BITS) & (TAGS_PER_LEAF - 1);
    // SAFETY: a leaf holds TAGS_PER_LEAF tags, is zeroed when mapped and never unmapped.
    Some(unsafe { &*leaf.add(index) })
}

/// The tag's place for an address, its region mapped if need be. None when the system gives no memory.
#[cold]
#[inline(never)]
pub(super) fn slot_or_map(address: usize) -> Option<&'static AtomicU16> {
    let entry = DIRECTORY.get(address >> REGION_BITS)?;
    if entry.load(Ordering::Acquire).is_null() {
        let leaf: *mut AtomicU16 = map_for_ever(LEAF_BYTES).cast();
        if leaf.is_null() {
            return None;
        }
        if entry.compare_exchange(ptr::null_mut(), leaf, Ordering::AcqRel, Ordering::Acquire).is_err() {
            // Another thread mapped the region first: ours was never touched and goes back.
            unmap(leaf.cast(), LEAF_BYTES);
        }
    }
    slot(address)
}

/// The tags of every region in use.
pub(super) fn leaves() -> impl Iterator<Item = &'static [AtomicU16]> {
    DIRECTORY.iter().map(|entry| entry.load(Ordering::Acquire)).filter(|leaf| !leaf.is_null()).map(|leaf| {
        // SAFETY: as in `slot`.
        unsafe { std::slice::from_raw_parts(leaf, TAGS_PER_LEAF) }
    })
}
