//! What a thread knows: its counters and the context it is in.
//!
//! The thread local is `const`-initialised and has no destructor: it can be read at any time in a thread's life, does
//! not allocate, and compiles to an address relative to the thread pointer.
#![allow(unsafe_code)] // counters are reached through a raw pointer

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::Ordering;

use crate::counters::{self, Counters};
use crate::shadow::{self, Tag};
use crate::tags;

/// Number of a context; 0 is [`UNSCOPED`](heapsoak_record::UNSCOPED) without a kind.
pub(crate) type ContextNumber = u16;

struct Local {
    counters: Cell<*const Counters>,
    context: Cell<ContextNumber>,
    ending: Cell<bool>,
}

thread_local! {
    static LOCAL: Local = const {
        Local { counters: Cell::new(ptr::null()), context: Cell::new(0), ending: Cell::new(false) }
    };
}

/// The context of this thread.
#[inline(always)]
pub(crate) fn context() -> ContextNumber {
    LOCAL.with(|local| local.context.get())
}

/// Puts this thread into a context and returns the one it was in.
#[inline(always)]
pub(crate) fn set_context(context: ContextNumber) -> ContextNumber {
    LOCAL.with(|local| local.context.replace(context))
}

/// Takes the thread's counters away, because it ends.
pub(crate) fn retire() {
    LOCAL.with(|local| {
        local.ending.set(true);
        local.counters.set(ptr::null());
    });
}

/// Counts a new block and marks it as this context's.
#[inline(always)]
pub(crate) fn allocated(address: usize, bytes: usize) {
    LOCAL.with(|local| {
        let tag = tags::current(local.context.get());
        // SAFETY: null or a block of counters, which are never unmapped; this thread owns it.
        let counters = unsafe { local.counters.get().as_ref() };
        if let (Some(counters), Some(slot), true) = (counters, shadow::slot(address), tag != 0) {
            slot.store(tag, Ordering::Relaxed);
            counters.cell(tag).allocated(bytes);
        } else {
            allocated_slowly(local, address, bytes);
        }
    });
}

/// Counts the end of a block for the context that allocated it.
#[inline(always)]
pub(crate) fn freed(address: usize, bytes: usize) {
    let tag = shadow::tag(address);
    LOCAL.with(|local| {
        // SAFETY: as in `allocated`.
        if let Some(counters) = unsafe { local.counters.get().as_ref() } {
            counters.cell(tag).freed(bytes);
        } else {
            count_slowly(local, tag, |cell| cell.freed(bytes));
        }
    });
}

/// Counts a block that `realloc` resized and perhaps moved. `tag` is its owner, read before the call.
#[inline(always)]
pub(crate) fn resized(tag: Tag, old: (usize, usize), new: (usize, usize)) {
    let ((old_address, old_bytes), (new_address, new_bytes)) = (old, new);
    if old_address != new_address && tag != 0 {
        match shadow::slot(new_address).or_else(|| shadow::slot_or_map(new_address)) {
            Some(slot) => slot.store(tag, Ordering::Relaxed),
            // The new place can't be marked: its free will be charged to no one, so its life must be, too.
            None => return hand_over(tag, old_bytes, new_bytes),
        }
    } else if old_address != new_address
        && let Some(slot) = shadow::slot(new_address)
    {
        slot.store(0, Ordering::Relaxed); // an owner from an earlier life of the address
    }
    LOCAL.with(|local| {
        // SAFETY: as in `allocated`.
        if let Some(counters) = unsafe { local.counters.get().as_ref() } {
            counters.cell(tag).resized(old_bytes, new_bytes);
        } else {
            count_slowly(local, tag, |cell| cell.resized(old_bytes, new_bytes));
        }
    });
}

#[cold]
#[inline(never)]
fn allocated_slowly(local: &Local, address: usize, bytes: usize) {
    let tag = match shadow::slot_or_map(address) {
        Some(slot) => {
            let tag = tags::assign(local.context.get());
            slot.store(tag, Ordering::Relaxed);
            tag
        }
        None => 0,
    };
    count_slowly(local, tag, |cell| cell.allocated(bytes));
}

#[cold]
#[inline(never)]
fn hand_over(tag: Tag, old_bytes: usize, new_bytes: usize) {
    LOCAL.with(|local| {
        count_slowly(local, tag, |cell| cell.freed(old_bytes));
        count_slowly(local, 0, |cell| cell.allocated(new_bytes));
    });
}

#[cold]
#[inline(never)]
fn count_slowly(local: &Local, tag: Tag, count: impl FnOnce(&counters::Cell)) {
    if local.counters.get().is_null() && !local.ending.get() {
        local.counters.set(counters::acquire());
    }
    // SAFETY: as in `allocated`.
    match unsafe { local.counters.get().as_ref() } {
        Some(counters) => count(counters.cell(tag)),
        None => counters::with_shared(tag, count),
    }
}
