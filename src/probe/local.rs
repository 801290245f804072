//! What a thread knows: its counters and the context it is in.
//!
//! The thread local is `const`-initialised and has no destructor: it can be read at any time in a thread's life, does
//! not allocate, and compiles to an address relative to the thread pointer. A thread without counters has a head of
//! zeros, so that one comparison tells whether an address can be marked, whether the thread has counters and whether
//! it knows its tag.
#![allow(unsafe_code)] // counters are reached through a raw pointer

use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use crate::counters::{self, Counters, Head, NO_COUNTERS};
use crate::shadow::{self, Tag};
use crate::stacks::StackNumber;
use crate::{mode, stacks, tags};

/// Number of a context; 0 is [`UNSCOPED`](heapsoak_record::UNSCOPED) without a kind.
pub(crate) type ContextNumber = u16;

struct Local {
    /// Head of this thread's counters, or [`NO_COUNTERS`].
    head: Cell<NonNull<Head>>,
    context: Cell<ContextNumber>,
    ending: Cell<bool>,
}

impl Local {
    #[inline(always)]
    fn counters(&self) -> Option<&'static Counters> {
        let head = self.head.get();
        // SAFETY: whatever is not `NO_COUNTERS` was made from a pointer to the counters, whose first field it is.
        (head != NonNull::from_ref(&NO_COUNTERS)).then(|| unsafe { head.cast::<Counters>().as_ref() })
    }
}

thread_local! {
    static LOCAL: Local = const {
        Local {
            head: Cell::new(NonNull::from_ref(&NO_COUNTERS)),
            context: Cell::new(0),
            ending: Cell::new(false),
        }
    };
}

/// The counters of this thread, if its head allows it. `NO_COUNTERS`, whose limits are zero, must not.
#[inline(always)]
fn counters_if(allows: impl FnOnce(&Head) -> bool) -> Option<&'static Counters> {
    let head = LOCAL.with(|local| local.head.get());
    // SAFETY: `NO_COUNTERS`, or the head of a block of counters, which is never unmapped. What allows is the latter.
    unsafe { allows(head.as_ref()).then(|| head.cast::<Counters>().as_ref()) }
}

/// Whether the owner of a block stands in the thread's table.
#[inline(always)]
fn knows(head: &Head, address: usize) -> bool {
    address <= head.knows_up_to.load(Ordering::Relaxed)
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
            counters.head.mark_with(tags::current(context));
        }
        local.context.replace(context)
    })
}

/// Takes the thread's counters away, because it ends.
pub(crate) fn retire() {
    LOCAL.with(|local| {
        local.ending.set(true);
        local.head.set(NonNull::from_ref(&NO_COUNTERS));
    });
}

/// Counts a new block and marks it as this context's, if that needs no more than a look at the thread's counters.
#[inline(always)]
pub(crate) fn allocated(address: usize, bytes: usize) -> bool {
    let Some(counters) =
        counters_if(|head| address.wrapping_sub(1) < head.marks_up_to.load(Ordering::Relaxed))
    else {
        return false;
    };
    let tag = counters.head.tag.load(Ordering::Relaxed);
    // SAFETY: an address is only allowed when there is a table, up to its end.
    let slot = unsafe { shadow::slot_in(counters.head.table.load(Ordering::Relaxed), address, bytes) };
    slot.store(tag, Ordering::Relaxed);
    counters.cell(tag).allocated(bytes);
    true
}

/// Counts the end of a block for the context that allocated it, if that needs no more than a look at the thread's
/// counters.
#[inline(always)]
pub(crate) fn freed(address: usize, bytes: usize) -> bool {
    let Some(counters) = counters_if(|head| knows(head, address)) else {
        return false;
    };
    // SAFETY: as in `allocated`.
    let slot = unsafe { shadow::slot_in(counters.head.table.load(Ordering::Relaxed), address, bytes) };
    counters.cell(slot.load(Ordering::Relaxed)).freed(bytes);
    true
}

/// Counts a new block of a context whose stacks are captured, and captures its stack, if that needs no more than a look
/// at the thread's counters.
#[inline(always)]
pub(crate) fn allocated_captured(address: usize, bytes: usize) -> bool {
    let Some(counters) = counters_if(|head| address.wrapping_sub(1) < head.limit.load(Ordering::Relaxed))
    else {
        return false;
    };
    let context = context();
    let tag = tags::hidden(context);
    if tag == 0 {
        return false;
    }
    // SAFETY: as in `allocated`.
    let slot = unsafe { shadow::slot_in(counters.head.table.load(Ordering::Relaxed), address, bytes) };
    slot.store(tag, Ordering::Relaxed);
    counters.cell(tag).allocated(bytes);
    stacks::allocated(counters, context, tag, address, bytes);
    true
}

/// Gives the thread what [`allocated_captured`] lacked, if stacks of its context are captured and it can be given.
#[cold]
#[inline(never)]
pub(crate) fn prepare_capture(address: usize) -> bool {
    LOCAL.with(|local| {
        let context = local.context.get();
        if !stacks::is_captured(context) {
            return false;
        }
        make_counters(local);
        local.counters().is_some_and(|counters| address <= counters.head.limit.load(Ordering::Relaxed))
            && tag_of(local) != 0
            && tags::hidden(context) != 0
    })
}

/// Counts the end of a block that may have been captured, if that needs no more than a look at the thread's counters.
#[inline(always)]
pub(crate) fn freed_watched(address: usize, bytes: usize) -> bool {
    let Some(counters) = counters_if(|head| address <= head.limit.load(Ordering::Relaxed)) else {
        return false;
    };
    // SAFETY: as in `allocated`.
    let slot = unsafe { shadow::slot_in(counters.head.table.load(Ordering::Relaxed), address, bytes) };
    let tag = slot.load(Ordering::Relaxed);
    counters.cell(tag).freed(bytes);
    stacks::freed(Some(counters), tag, address, bytes);
    true
}

/// Who allocated a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    tag: Tag,
    stack: StackNumber,
}

/// The owner of a block that is to be resized. Say what became of it by [`resized`] or [`kept`].
#[inline(always)]
pub(crate) fn owner(address: usize, bytes: usize) -> Owner {
    if let Some(counters) = counters_if(|head| knows(head, address)) {
        let table = counters.head.table.load(Ordering::Relaxed);
        // SAFETY: as in `allocated`.
        let tag = unsafe { shadow::slot_in(table, address, bytes) }.load(Ordering::Relaxed);
        return Owner { tag, stack: 0 };
    }
    if mode::is_passing() { Owner { tag: 0, stack: 0 } } else { owner_slowly(address, bytes) }
}

/// Not cold: all blocks come here while stacks are captured.
#[inline(never)]
fn owner_slowly(address: usize, bytes: usize) -> Owner {
    let watched = counters_if(|head| address <= head.limit.load(Ordering::Relaxed));
    let tag = match watched {
        Some(counters) => {
            let table = counters.head.table.load(Ordering::Relaxed);
            // SAFETY: as in `allocated`.
            unsafe { shadow::slot_in(table, address, bytes) }.load(Ordering::Relaxed)
        }
        None => shadow::tag(address, bytes),
    };
    Owner { tag, stack: stacks::taken(tag, address, bytes) }
}

/// Notes that a block could not be resized.
#[cold]
#[inline(never)]
pub(crate) fn kept(owner: Owner, address: usize, bytes: usize) {
    stacks::put_back(owner.stack, address, bytes);
}

/// Counts a block that `realloc` resized and perhaps moved. `owner` was read before the call.
#[inline(always)]
pub(crate) fn resized(owner: Owner, old: (usize, usize), new: (usize, usize)) {
    let tag = owner.tag;
    if let Some(counters) = counters_if(|head| knows(head, new.0)) {
        let table = counters.head.table.load(Ordering::Relaxed);
        // SAFETY: as in `allocated`.
        unsafe { shadow::slot_in(table, new.0, new.1) }.store(tag, Ordering::Relaxed);
        counters.cell(tag).resized(old.1, new.1);
    } else if !mode::is_passing() {
        resized_watched(owner, old, new);
    }
}

/// Not cold: all blocks come here while stacks are captured.
#[inline(never)]
fn resized_watched(owner: Owner, old: (usize, usize), new: (usize, usize)) {
    let Some(counters) = counters_if(|head| new.0 <= head.limit.load(Ordering::Relaxed)) else {
        return resized_slowly(owner, old, new);
    };
    let table = counters.head.table.load(Ordering::Relaxed);
    // SAFETY: as in `allocated`.
    unsafe { shadow::slot_in(table, new.0, new.1) }.store(owner.tag, Ordering::Relaxed);
    counters.cell(owner.tag).resized(old.1, new.1);
    stacks::resized(Some(counters), owner.stack, owner.tag, old.1, new);
}

/// Counts a new block when the thread has no counters, no tag, or can't mark the address.
#[cold]
#[inline(never)]
pub(crate) fn allocated_slowly(address: usize, bytes: usize) {
    if !mode::is_counting() {
        return;
    }
    LOCAL.with(|local| {
        make_counters(local);
        let tag = match shadow::slot_or_map(address, bytes) {
            Some(slot) => {
                let tag = tag_of(local);
                slot.store(tag, Ordering::Relaxed);
                tag
            }
            None => 0,
        };
        count(local, tag, |cell| cell.allocated(bytes));
        if stacks::is_captured(local.context.get()) {
            stacks::lose();
        }
    });
}

/// Counts the end of a block when the thread has no counters or the address is in no table of one level.
#[cold]
#[inline(never)]
pub(crate) fn freed_slowly(address: usize, bytes: usize) {
    if !mode::is_counting() {
        return;
    }
    LOCAL.with(|local| {
        make_counters(local);
        let tag = shadow::tag(address, bytes);
        count(local, tag, |cell| cell.freed(bytes));
        stacks::freed(local.counters(), tag, address, bytes);
    });
}

#[cold]
#[inline(never)]
fn resized_slowly(owner: Owner, old: (usize, usize), new: (usize, usize)) {
    if !mode::is_counting() {
        return;
    }
    let Owner { tag, stack } = owner;
    LOCAL.with(|local| {
        make_counters(local);
        stacks::resized(local.counters(), stack, tag, old.1, new);
        // A tag from an earlier life of the address is overwritten, too; one of zero needs no new place.
        let slot = shadow::slot(new.0, new.1)
            .or_else(|| if tag == 0 { None } else { shadow::slot_or_map(new.0, new.1) });
        match slot {
            Some(slot) => slot.store(tag, Ordering::Relaxed),
            // The new place can't be marked: its free will be charged to no one, so its life must be, too.
            None if tag != 0 => {
                count(local, tag, |cell| cell.freed(old.1));
                return count(local, 0, |cell| cell.allocated(new.1));
            }
            None => {}
        }
        count(local, tag, |cell| cell.resized(old.1, new.1));
    });
}

/// The tag of the thread's context, which the thread remembers.
fn tag_of(local: &Local) -> Tag {
    let context = local.context.get();
    let known = tags::known(context);
    let tag = if known == 0 { tags::assign(context) } else { known };
    if let Some(counters) = local.counters() {
        counters.head.mark_with(tag);
        // A cohort that began in between has forgotten this tag; so must the thread.
        if tags::current(context) != tag {
            counters.head.forget_tag();
        }
    }
    tag
}

fn make_counters(local: &Local) {
    if local.counters().is_none()
        && !local.ending.get()
        && let Some(counters) = NonNull::new(counters::acquire().cast_mut())
    {
        local.head.set(counters.cast());
    }
}

fn count(local: &Local, tag: Tag, count: impl FnOnce(&counters::Cell)) {
    match local.counters() {
        Some(counters) => count(counters.cell(tag)),
        None => counters::with_shared(tag, count),
    }
}
