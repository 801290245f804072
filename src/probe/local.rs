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
use crate::{mode, sampled, stacks, tags};

/// The longest countdown: less than any block that can't be had.
pub(crate) const FARTHEST: usize = 1 << 62;

/// Number of a context; 0 is [`UNSCOPED`](heapsoak_record::UNSCOPED) without a kind.
pub(crate) type ContextNumber = u16;

struct Local {
    /// Head of this thread's counters, or [`NO_COUNTERS`].
    head: Cell<NonNull<Head>>,
    context: Cell<ContextNumber>,
    ending: Cell<bool>,
    /// Bytes to go before an allocation is looked at by a thread that does not look at each.
    countdown: Cell<isize>,
    /// Whether the countdown was started.
    counts_down: Cell<bool>,
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
            countdown: Cell::new(0),
            counts_down: Cell::new(false),
        }
    };
}

/// The counters of this thread, if its head allows it. `NO_COUNTERS`, whose limits are zero, must not.
#[inline(always)]
fn counters_if(allows: impl FnOnce(&Head) -> bool) -> Option<&'static Counters> {
    counters_of(head(), allows)
}

#[inline(always)]
fn counters_of(head: NonNull<Head>, allows: impl FnOnce(&Head) -> bool) -> Option<&'static Counters> {
    // SAFETY: `NO_COUNTERS`, or the head of a block of counters, which is never unmapped. What allows is the latter.
    unsafe { allows(head.as_ref()).then(|| head.cast::<Counters>().as_ref()) }
}

/// Whether a block is marked with what the thread remembers.
#[inline(always)]
fn marks(head: &Head, address: usize) -> bool {
    address < head.marks_below.load(Ordering::Relaxed)
}

/// Whether the owner of a block stands in the thread's table.
#[inline(always)]
fn knows(head: &Head, address: usize) -> bool {
    address < head.knows_below.load(Ordering::Relaxed)
}

/// Whether an allocation of so many bytes is of no interest: not each is looked at, and none is due. Then they are no more
/// than [`FARTHEST`]. One comparison where each is counted.
#[inline(always)]
pub(crate) fn passes(bytes: usize) -> bool {
    !mode::looks_at_each()
        && LOCAL.with(|local| {
            let left = local.countdown.get().wrapping_sub(bytes.cast_signed());
            if left < 0 {
                return false;
            }
            local.countdown.set(left);
            true
        })
}

/// Whether the end or a new size of a block is of no interest: not each is looked at, and the block does not start where
/// those of a sample do. Whether there is a sample is not asked: one question less.
#[inline(always)]
pub(crate) fn looks_away(address: usize) -> bool {
    !mode::looks_at_each() && !sampled::may_be_at(address)
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
        // Null is covered wherever anything is.
        if let Some(counters) = counters_of(local.head.get(), |head| head.covers(0)) {
            counters.mark_with(tags::current(context));
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

/// What the calling thread counts with. It does not change while the allocator inside is at work.
#[inline(always)]
pub(crate) fn head() -> NonNull<Head> {
    LOCAL.with(|local| local.head.get())
}

/// Counts a new block of less than [`LARGE`](shadow::LARGE) bytes and marks it as this context's, if that needs no more
/// than a look at the thread's counters.
#[inline(always)]
pub(crate) fn allocated(head: NonNull<Head>, address: usize, bytes: usize) -> bool {
    let Some(counters) = counters_of(head, |head| marks(head, address)) else { return false };
    // SAFETY: an address is only allowed when there is a table, up to its end.
    let Some(slot) = (unsafe { shadow::small_slot(counters.head.small(), address) }) else { return false };
    counters.count_allocated_at(slot, bytes);
    true
}

/// As [`allocated`], for blocks of any size.
#[inline(always)]
pub(crate) fn allocated_any(address: usize, bytes: usize) -> bool {
    let Some(counters) = counters_if(|head| marks(head, address)) else { return false };
    // SAFETY: as in `allocated`.
    let Some(slot) = (unsafe { counters.head.table().slot(address, bytes) }) else { return false };
    counters.count_allocated_at(slot, bytes);
    true
}

/// Counts the end of a block of less than [`LARGE`](shadow::LARGE) bytes for the context that allocated it, if that needs
/// no more than a look at the thread's counters.
#[inline(always)]
pub(crate) fn freed(address: usize, bytes: usize) -> bool {
    let Some(counters) = counters_if(|head| knows(head, address)) else { return false };
    // SAFETY: as in `allocated`.
    let Some(slot) = (unsafe { shadow::small_slot(counters.head.small(), address) }) else { return false };
    counters.count_freed(slot.load(Ordering::Relaxed), bytes);
    true
}

/// Counts a new block of a context whose stacks are captured, and captures its stack, if that needs no more than a look
/// at the thread's counters.
#[inline(always)]
pub(crate) fn allocated_captured(address: usize, bytes: usize) -> bool {
    let Some(counters) = counters_if(|head| head.covers(address)) else { return false };
    let context = context();
    let tag = tags::hidden(context);
    if tag == 0 {
        return false;
    }
    // SAFETY: as in `allocated`.
    let Some(slot) = (unsafe { counters.head.table().slot(address, bytes) }) else { return false };
    slot.store(tag, Ordering::Relaxed);
    counters.count_allocated(tag, bytes);
    stacks::allocated(counters, context, tag, address, bytes);
    true
}

/// Gives the thread and the block what [`allocated_captured`] lacked, if stacks of the context are captured and it can
/// be given.
#[cold]
#[inline(never)]
pub(crate) fn prepare_capture(address: usize, bytes: usize) -> bool {
    LOCAL.with(|local| {
        let context = local.context.get();
        if !stacks::is_captured(context) {
            return false;
        }
        make_counters(local);
        local.counters().is_some_and(|counters| counters.head.covers(address))
            && shadow::slot_or_map(address, bytes).is_some()
            // A cohort that begins just now takes the tag away again: then this is called again.
            && tag_of(local) != 0
    })
}

/// Counts the end of a block that may have been captured, if that needs no more than a look at the thread's counters.
#[inline(always)]
pub(crate) fn freed_watched(address: usize, bytes: usize) -> bool {
    let Some(counters) = counters_if(|head| head.covers(address)) else { return false };
    // SAFETY: as in `allocated`.
    let Some(slot) = (unsafe { counters.head.table().slot(address, bytes) }) else { return false };
    let tag = slot.load(Ordering::Relaxed);
    counters.count_freed(tag, bytes);
    if stacks::is_watching() {
        stacks::freed(Some(counters), tag, address, bytes);
    }
    true
}

/// Who allocated a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    tag: Tag,
    stack: StackNumber,
}

/// The owner of a block that is to be resized, if it needs no more than a look at the thread's counters. Say what became of
/// it by [`resized`].
#[inline(always)]
pub(crate) fn known_owner(address: usize, bytes: usize) -> Option<Owner> {
    let counters = counters_if(|head| knows(head, address))?;
    // SAFETY: as in `allocated`.
    let slot = unsafe { counters.head.table().slot(address, bytes) }?;
    Some(Owner { tag: slot.load(Ordering::Relaxed), stack: 0 })
}

/// The owner of a block that is to be resized. Say what became of it by [`resized`] or [`kept`].
///
/// Not cold: all blocks come here while stacks are captured.
#[inline(never)]
pub(crate) fn owner(address: usize, bytes: usize) -> Owner {
    if !mode::is_exact() {
        return Owner { tag: 0, stack: 0 };
    }
    let tag = shadow::tag(address, bytes);
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
pub(crate) fn resized(owner: Owner, old: usize, address: usize, new: usize) {
    if let Some(counters) = counters_if(|head| knows(head, address))
        // SAFETY: as in `allocated`.
        && let Some(slot) = unsafe { counters.head.table().slot(address, new) }
    {
        slot.store(owner.tag, Ordering::Relaxed);
        return counters.count_resized(owner.tag, old, new);
    }
    resized_watched(owner, old, address, new);
}

/// Not cold: all blocks come here while stacks are captured.
#[inline(never)]
fn resized_watched(owner: Owner, old: usize, address: usize, new: usize) {
    if let Some(counters) = counters_if(|head| head.covers(address))
        // SAFETY: as in `allocated`.
        && let Some(slot) = unsafe { counters.head.table().slot(address, new) }
    {
        slot.store(owner.tag, Ordering::Relaxed);
        counters.count_resized(owner.tag, old, new);
        return stacks::resized(Some(counters), owner.stack, owner.tag, old, (address, new));
    }
    resized_slowly(owner, old, address, new);
}

/// Counts a new block when the thread has no counters, no tag, or no place for it yet.
#[cold]
#[inline(never)]
pub(crate) fn allocated_slowly(address: usize, bytes: usize) {
    if !mode::is_exact() {
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
        count(local, |counters| counters.count_allocated(tag, bytes));
        if stacks::is_captured(local.context.get()) {
            stacks::lose();
        }
    });
}

/// Whether an allocation, or a growth, for which the countdown was too short is of the sample. Starts the countdown anew;
/// for ever where there is no sample.
pub(crate) fn is_due(bytes: usize) -> bool {
    LOCAL.with(|local| {
        if mode::is_exact() {
            return false;
        }
        if !mode::is_sampled() {
            local.countdown.set(FARTHEST.cast_signed());
            return false;
        }
        let starts = !local.counts_down.replace(true);
        if starts {
            local.countdown.set(sampled::distance());
        }
        if starts && passes(bytes) {
            return false;
        }
        local.countdown.set(sampled::distance());
        true
    })
}

/// Counts the end of a block when the thread has no counters, or the block no place.
#[cold]
#[inline(never)]
pub(crate) fn freed_slowly(address: usize, bytes: usize) {
    if !mode::is_exact() {
        return;
    }
    LOCAL.with(|local| {
        make_counters(local);
        let tag = shadow::tag(address, bytes);
        count(local, |counters| counters.count_freed(tag, bytes));
        stacks::freed(local.counters(), tag, address, bytes);
    });
}

#[cold]
#[inline(never)]
fn resized_slowly(owner: Owner, old: usize, address: usize, new: usize) {
    if !mode::is_exact() {
        return;
    }
    LOCAL.with(|local| {
        make_counters(local);
        let Owner { tag, stack } = owner;
        // A tag from an earlier life of the address is overwritten, too; one of zero needs no new place.
        let slot = shadow::slot(address, new)
            .or_else(|| if tag == 0 { None } else { shadow::slot_or_map(address, new) });
        match slot {
            Some(slot) => slot.store(tag, Ordering::Relaxed),
            // The new place can't be marked: its free will be charged to no one, so its life must be, too.
            None if tag != 0 => {
                stacks::resized(local.counters(), stack, tag, old, (address, new));
                count(local, |counters| counters.count_freed(tag, old));
                return count(local, |counters| counters.count_allocated(0, new));
            }
            None => {}
        }
        count(local, |counters| counters.count_resized(tag, old, new));
        stacks::resized(local.counters(), stack, tag, old, (address, new));
    });
}

/// The tag of the thread's context, which the thread remembers.
fn tag_of(local: &Local) -> Tag {
    let context = local.context.get();
    let known = tags::known(context);
    let tag = if known == 0 { tags::assign(context) } else { known };
    if let Some(counters) = local.counters() {
        counters.mark_with(tag);
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

fn count(local: &Local, count: impl FnOnce(&Counters)) {
    match local.counters() {
        Some(counters) => count(counters),
        None => counters::with_shared(count),
    }
}
