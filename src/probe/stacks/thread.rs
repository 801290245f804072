//! What a thread keeps to capture stacks: its last walk, what it looked up, and what it counted for each stack.
#![allow(unsafe_code)] // raw mapped memory that its thread alone uses

use std::cell::{Cell as Plain, UnsafeCell};
use std::ptr;

use super::cache::Cache;
use super::rate::Rate;
use super::table::{self, STACKS, StackNumber};
use super::walk::Walker;
use crate::counters::Cell;
use crate::local::ContextNumber;
use crate::mapping::map_for_ever;
use crate::random::Random;

/// Kept for ever, as the counters it belongs to. All zeros when new.
#[repr(C)]
pub(crate) struct Thread {
    /// Whether the thread is at it: a signal handler that allocates in the middle of it is not captured.
    is_busy: Plain<bool>,
    random: UnsafeCell<Random>,
    walker: UnsafeCell<Walker>,
    cache: UnsafeCell<Cache>,
    /// By number of the stack. Written by the thread, read by whoever asks.
    tally: [Cell; STACKS],
}

impl Thread {
    /// For the calling thread. Null when the system gives no memory.
    pub(crate) fn map_new() -> *const Thread {
        let thread: *const Thread = map_for_ever(size_of::<Thread>()).cast();
        if !thread.is_null() {
            // SAFETY: zeroed memory is a valid `Thread` (numbers alone), and no one else knows of it yet.
            unsafe { (*thread).begin() };
        }
        thread
    }

    /// Starts anew on the calling thread, which has it for itself from now on.
    pub(crate) fn begin(&self) {
        self.is_busy.set(false);
        // SAFETY: the calling thread is the only one that uses these.
        unsafe {
            (*self.walker.get()).begin();
            (*self.random.get()).begin(ptr::from_ref(self).addr());
        }
    }

    /// Whether an allocation is one of the sample.
    #[inline]
    pub(super) fn is_due(&self, rate: Rate, bytes: usize) -> bool {
        // SAFETY: of the calling thread alone, and not used while `random` is.
        unsafe { (*self.random.get()).passes(rate.step(bytes)) }
    }

    /// The number of the calling function's stack. None when there is no more room, or within a capture.
    #[inline(always)]
    pub(super) fn capture(&self, context: ContextNumber, rate: Rate) -> Option<StackNumber> {
        if self.is_busy.replace(true) {
            return None;
        }
        // SAFETY: of the calling thread alone, and `is_busy` keeps a signal handler on it out.
        let (walker, cache) = unsafe { (&mut *self.walker.get(), &mut *self.cache.get()) };
        let number = walker.walk(cache).and_then(|leaf| cache.stack(leaf, context, rate));
        self.is_busy.set(false);
        number
    }

    /// Counts the end of a block of a stack.
    #[inline(always)]
    pub(super) fn freed(&self, stack: StackNumber, bytes: usize) {
        if table::is_sampled(stack) {
            if let Some(rate) = table::rate(stack) {
                self.tally(stack).freed_many(rate.weigh(bytes));
                self.tally(stack + 1).freed(bytes);
            }
        } else {
            self.tally(stack).freed(bytes);
        }
    }

    /// What was counted for a stack.
    #[inline(always)]
    pub(super) fn tally(&self, stack: StackNumber) -> &Cell {
        &self.tally[table::index(stack)]
    }
}
