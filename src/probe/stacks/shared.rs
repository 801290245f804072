//! What threads without counters of their own count with: while they end, or when the system gives no memory.
#![allow(unsafe_code)] // raw mapped memory

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::thread::Thread;
use crate::counters::Counters;
use crate::lock::Lock;

static SHARED: AtomicPtr<Thread> = AtomicPtr::new(ptr::null_mut());
static TURN: Lock<()> = Lock::new(());

/// Makes it. False when the system gives no memory.
pub(super) fn reserve() -> bool {
    let _turn = TURN.take();
    if SHARED.load(Ordering::Acquire).is_null() {
        SHARED.store(Thread::map_new().cast_mut(), Ordering::Release);
    }
    get().is_some()
}

/// The shared one, if it was made.
pub(super) fn get() -> Option<&'static Thread> {
    // SAFETY: null, or mapped for ever.
    unsafe { SHARED.load(Ordering::Acquire).as_ref() }
}

/// Counts with what the thread has, or with the shared one, one thread at a time.
#[inline(always)]
pub(super) fn with_own(counters: Option<&'static Counters>, count: impl FnOnce(&Thread)) {
    match counters.and_then(Counters::capturing) {
        Some(thread) => count(thread),
        None => with_shared(count),
    }
}

#[cold]
fn with_shared(count: impl FnOnce(&Thread)) {
    let _turn = TURN.take();
    if let Some(thread) = get() {
        count(thread);
    }
}

/// Frees the lock in the child of a fork.
pub(crate) fn free_lock() {
    TURN.free_in_child();
}
