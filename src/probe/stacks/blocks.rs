//! Which stack allocated the block at an address: a table beside that of the tags, with the same places.
#![allow(unsafe_code)] // the table is raw mapped memory

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::table::StackNumber;
use crate::mapping::{map_for_ever, unmap};
use crate::shadow;

const TABLE_BYTES: usize = shadow::PLACES * size_of::<AtomicU32>();

static TABLE: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());

/// Reserves the table. False when the system refuses.
pub(super) fn reserve() -> bool {
    if !TABLE.load(Ordering::Acquire).is_null() {
        return true;
    }
    let mapped: *mut AtomicU32 = map_for_ever(TABLE_BYTES).cast();
    if mapped.is_null() {
        return false;
    }
    if TABLE.compare_exchange(ptr::null_mut(), mapped, Ordering::AcqRel, Ordering::Acquire).is_err() {
        unmap(mapped.cast(), TABLE_BYTES);
    }
    true
}

/// The place of a block's stack. None for a block that was never marked, and before the table was reserved.
#[inline(always)]
fn slot(address: usize, bytes: usize) -> Option<&'static AtomicU32> {
    let table = TABLE.load(Ordering::Acquire);
    if table.is_null() {
        return None;
    }
    // SAFETY: a place is below PLACES, and the table is never unmapped.
    Some(unsafe { &*table.add(shadow::place(address, bytes)?) })
}

/// Notes which stack allocated a block. False when it can't be noted.
#[inline(always)]
pub(super) fn note(address: usize, bytes: usize, stack: StackNumber) -> bool {
    slot(address, bytes).map(|slot| slot.store(stack, Ordering::Relaxed)).is_some()
}

/// Which stack allocated a block, and forgets it; zero for one that was not captured.
#[inline(always)]
pub(super) fn take(address: usize, bytes: usize) -> StackNumber {
    let Some(slot) = slot(address, bytes) else { return 0 };
    let stack = slot.load(Ordering::Relaxed);
    if stack != 0 {
        slot.store(0, Ordering::Relaxed);
    }
    stack
}
