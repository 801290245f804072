//! What a `fork` without exec does to the probe's locks: none of them is held for ever by a thread that the child does
//! not have.
#![allow(unsafe_code)] // pthread_atfork

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

use crate::{counters, heap, registry, sampled, stacks, tags};

/// How often a forking thread yields for a lock before it goes on without: it may hold it itself, if it forks in a
/// signal handler.
const YIELDS: u32 = 20_000;

/// What a forking thread holds, so that the child has it whole: the names, the books, and the sample, for which whoever
/// forks waits as it does for the allocator inside.
type Held = (Option<heap::BooksGuard>, Option<registry::NamesGuard>, sampled::Guard);

thread_local! {
    // Without a destructor: it never allocates.
    static HELD: Cell<Option<ManuallyDrop<Held>>> = const { Cell::new(None) };
}

/// Looks after the locks at every fork from now on.
pub(crate) fn watch() {
    static WATCHED: AtomicBool = AtomicBool::new(false);
    if WATCHED.swap(true, Ordering::Relaxed) {
        return;
    }
    // SAFETY: the handlers live as long as the program. A refusal (no memory) leaves forks as they are.
    unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
}

unsafe extern "C" fn before() {
    let held = (heap::hold_books(), registry::hold_names(), sampled::hold());
    HELD.set(Some(ManuallyDrop::new(held)));
}

unsafe extern "C" fn in_parent() {
    if let Some(held) = HELD.take() {
        drop(ManuallyDrop::into_inner(held));
    }
}

/// The child has one thread. Locks of the slow paths that another one held in the parent are free; what it was about
/// to write is at worst a tag that no one uses.
unsafe extern "C" fn in_child() {
    tags::free_lock();
    counters::free_locks();
    stacks::free_lock();
    // SAFETY: no more than `in_parent` does.
    unsafe { in_parent() };
}

/// Takes a mutex, or gives up.
pub(crate) fn hold<T>(mutex: &'static Mutex<T>) -> Option<MutexGuard<'static, T>> {
    for _ in 0..YIELDS {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
    None
}
