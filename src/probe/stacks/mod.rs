//! Call stacks of allocations, captured as asked: every one, every one of a component, or a sample.
//!
//! A context under capture has a tag that threads do not remember, so each of its allocations takes the slow path,
//! where the stack is walked; others don't notice. From the first capture on, frees and reallocations take the slow
//! path, too, and look whether the block's tag ever stood for captured blocks; only then is the block's stack looked
//! up. A stack is a node in a tree of return addresses, a context and a rate, and has a number; the number stands in a
//! table beside that of the tags, and each thread counts by number.
//!
//! Counts of contexts do not depend on any of this. Memory for it comes from the system and is charged to nobody.

mod blocks;
mod cache;
mod limits;
mod machine;
mod marks;
mod mode;
mod modules;
mod rate;
mod rules;
mod shared;
mod table;
mod take;
mod thread;
mod trie;
mod walk;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

pub use rules::{CaptureError, capture_stacks};
pub use take::stacks;

pub(crate) use marks::{forget, inherit};
pub(crate) use mode::begin_as_asked;
pub(crate) use rate::{FRACTIONS, Rate};
pub(crate) use rules::{is_captured, made_context};
pub(crate) use shared::free_lock;
pub(crate) use table::StackNumber;
pub(crate) use thread::Thread;

use crate::counters::Counters;
use crate::local::ContextNumber;
use crate::shadow::Tag;

/// Whether anything was ever captured: from then on frees take the slow path.
static IS_WATCHING: AtomicBool = AtomicBool::new(false);

/// Blocks that were to be captured and could not be.
static LOST: AtomicU64 = AtomicU64::new(0);

/// Whether frees and reallocations have to take the slow path.
#[inline(always)]
pub(crate) fn is_watching() -> bool {
    IS_WATCHING.load(Ordering::Relaxed)
}

/// Sends frees and reallocations of all threads the slow way from now on.
fn watch() {
    IS_WATCHING.store(true, Ordering::Relaxed);
    // A thread that gets its counters now either sees the flag or is seen here.
    fence(Ordering::SeqCst);
    for counters in crate::counters::blocks() {
        counters.head.look_at_each();
    }
}

/// Captures the stack of a new block if its context is under capture.
#[inline(always)]
pub(crate) fn allocated(
    counters: &'static Counters,
    context: ContextNumber,
    tag: Tag,
    address: usize,
    bytes: usize,
) {
    let Some(rate) = rules::rate(context) else { return };
    marks::mark(tag, context);
    let Some(thread) = counters.capturing() else { return lose() };
    if rate.is_every() {
        match thread.capture(context, rate) {
            Some(stack) if blocks::note(address, bytes, stack) => thread.tally(stack).allocated(bytes),
            _ => lose(),
        }
    } else if thread.is_due(rate, bytes) {
        sample(thread, context, rate, address, bytes);
    }
}

#[inline(never)]
fn sample(thread: &Thread, context: ContextNumber, rate: Rate, address: usize, bytes: usize) {
    match thread.capture(context, rate) {
        Some(stack) if blocks::note(address, bytes, stack) => count_sample(thread, stack, rate, bytes),
        _ => lose(),
    }
}

fn count_sample(thread: &Thread, stack: StackNumber, rate: Rate, bytes: usize) {
    thread.tally(stack).allocated_many(rate.weigh(bytes));
    thread.tally(stack + 1).allocated(bytes);
}

/// Notes that a block was to be captured and could not be.
#[cold]
pub(crate) fn lose() {
    LOST.fetch_add(1, Ordering::Relaxed);
}

/// Counts the end of a block for its stack, if it was captured.
#[inline(always)]
pub(crate) fn freed(counters: Option<&'static Counters>, tag: Tag, address: usize, bytes: usize) {
    let stack = taken(tag, address, bytes);
    if stack != 0 {
        shared::with_own(counters, |thread| thread.freed(stack, bytes));
    }
}

/// The stack of a block whose place is about to be given up, which is forgotten; zero if it was not captured.
#[inline(always)]
pub(crate) fn taken(tag: Tag, address: usize, bytes: usize) -> StackNumber {
    if marks::context(tag).is_none() { 0 } else { blocks::take(address, bytes) }
}

/// Notes the stack of a block again, which is where it was.
pub(crate) fn put_back(stack: StackNumber, address: usize, bytes: usize) {
    if stack != 0 {
        blocks::note(address, bytes, stack);
    }
}

/// Counts a block that `realloc` resized and perhaps moved. It stays with the stack that allocated it; a sampled one
/// takes its chance anew at its new size, and so does one that was not of the sample, whose stack is the present one.
#[inline(always)]
pub(crate) fn resized(
    counters: Option<&'static Counters>,
    stack: StackNumber,
    tag: Tag,
    old: usize,
    new: (usize, usize),
) {
    if let Some(context) = marks::context(tag) {
        resized_in(counters, stack, context, old, new);
    }
}

fn resized_in(
    counters: Option<&'static Counters>,
    stack: StackNumber,
    context: ContextNumber,
    old: usize,
    (address, new): (usize, usize),
) {
    if stack == 0 {
        if let Some(rate) = rules::rate(context).filter(|rate| !rate.is_every())
            && let Some(thread) = counters.and_then(Counters::capturing)
            && thread.is_due(rate, new)
        {
            sample(thread, context, rate, address, new);
        }
        return;
    }
    let Some(rate) = table::named(stack).map(|named| named.rate) else { return };
    if rate.is_every() {
        if blocks::note(address, new, stack) {
            shared::with_own(counters, |thread| thread.tally(stack).resized(old, new));
        } else {
            shared::with_own(counters, |thread| thread.freed(stack, old));
        }
        return;
    }
    shared::with_own(counters, |thread| thread.freed(stack, old));
    if let Some(thread) = counters.and_then(Counters::capturing)
        && thread.is_due(rate, new)
        && blocks::note(address, new, stack)
    {
        count_sample(thread, stack, rate, new);
    }
}
