//! Whether the probe counts. Decided at the first allocation of the process, before `main`.
#![allow(unsafe_code)] // getenv before main, where std::env would allocate

use std::sync::atomic::{AtomicU8, Ordering};

use crate::counters::NO_COUNTERS;

/// What allocations are to the probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Mode {
    /// Nothing was allocated yet.
    Undecided = 0,
    /// None is looked at.
    Passing = 1,
    /// Each is counted.
    Exact = 2,
}

static MODE: AtomicU8 = AtomicU8::new(Mode::Undecided as u8);

/// What allocations are now.
#[inline(always)]
fn get() -> Mode {
    match MODE.load(Ordering::Relaxed) {
        2 => Mode::Exact,
        1 => Mode::Passing,
        _ => Mode::Undecided,
    }
}

/// Whether allocations are counted: `HEAPSOAK_SOCKET` was set when the process first allocated, or [`count`] was
/// called.
#[inline(always)]
#[must_use]
pub fn is_counting() -> bool {
    match get() {
        Mode::Exact => true,
        Mode::Passing => false,
        Mode::Undecided => decide() == Mode::Exact,
    }
}

/// Counts from now on, whatever the environment says. Blocks allocated before are not known: their frees are
/// reported apart, as [`uncounted_freed_bytes`](heapsoak_record::Heap::uncounted_freed_bytes).
pub fn count() {
    MODE.store(Mode::Exact as u8, Ordering::Relaxed);
    NO_COUNTERS.counts_each.store(true, Ordering::Relaxed);
}

#[cold]
#[inline(never)]
fn decide() -> Mode {
    // SAFETY: the name is a C string. The first allocation comes before `main`, when no other thread can be changing
    // the environment.
    let asked = unsafe { !libc::getenv(c"HEAPSOAK_SOCKET".as_ptr()).is_null() };
    let mode = if asked { Mode::Exact } else { Mode::Passing };
    // A `count()` that came first stands.
    let _ = MODE.compare_exchange(Mode::Undecided as u8, mode as u8, Ordering::SeqCst, Ordering::SeqCst);
    if get() == Mode::Passing {
        NO_COUNTERS.counts_each.store(false, Ordering::SeqCst);
        // A `count()` that came in between stands.
        NO_COUNTERS.counts_each.store(get() == Mode::Exact, Ordering::SeqCst);
    }
    get()
}
