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
use crate::{mode, tags};

/// Number of a context; 0 is [`UNSCOPED`](heapsoak_record::UNSCOPED) without a kind.
pub(crate) type ContextNumber = u16;

struct Local {
    counters: Cell<*const Counters>,
    context: Cell<ContextNumber>,
    ending: Cell<bool>,
}

impl Local {
    #[inline(always)]
    fn counters(&self) -> Option<&'static Counters> {
        // SAFETY: null, or a block of counters this thread owns; blocks are never unmapped.
        unsafe { self.counters.get().as_ref() }
    }
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
    LOCAL.with(|local| {
        if let Some(counters) = local.counters() {
            counters.current.store(tags::current(context), Ordering::Relaxed);
        }
        local.context.replace(context)
    })
}

/// Takes the thread's counters away, because it ends.
pub(crate) fn retire() {
    LOCAL.with(|local| {
        local.ending.set(true);
        local.counters.set(ptr::null());
    });
}

/// Counts a new block and marks it as this context's, if the probe counts.
///
/// A thread that has counters counts: whether the probe does is asked only of those that have none.
#[inline(always)]
pub(crate) fn allocated(address: usize, bytes: usize) {
    LOCAL.with(|local| {
        if let Some(counters) = local.counters() {
            let tag = counters.current.load(Ordering::Relaxed);
            if tag != 0
                && let Some(slot) = shadow::slot(address)
            {
                slot.store(tag, Ordering::Relaxed);
                return counters.cell(tag).allocated(bytes);
            }
        } else if !mode::is_counting() {
            return;
        }
        allocated_slowly(local, address, bytes);
    });
}

/// Counts the end of a block for the context that allocated it, if the probe counts.
#[inline(always)]
pub(crate) fn freed(address: usize, bytes: usize) {
    LOCAL.with(|local| {
        if let Some(counters) = local.counters() {
            counters.cell(shadow::tag(address)).freed(bytes);
        } else if mode::is_counting() {
            freed_slowly(local, address, bytes);
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
        if let Some(counters) = local.counters() {
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
            let context = local.context.get();
            let tag = tags::assign(context);
            slot.store(tag, Ordering::Relaxed);
            if let Some(counters) = local.counters() {
                counters.current.store(tag, Ordering::Relaxed);
                // A cohort that began in between has forgotten this tag; so must the thread.
                if tags::current(context) != tag {
                    counters.current.store(0, Ordering::Relaxed);
                }
            }
            tag
        }
        None => 0,
    };
    count_slowly(local, tag, |cell| cell.allocated(bytes));
}

#[cold]
#[inline(never)]
fn freed_slowly(local: &Local, address: usize, bytes: usize) {
    count_slowly(local, shadow::tag(address), |cell| cell.freed(bytes));
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
    match local.counters() {
        Some(counters) => count(counters.cell(tag)),
        None => counters::with_shared(tag, count),
    }
}
