//! Whether the probe counts. Decided at the first allocation of the process, before `main`.
#![allow(unsafe_code)] // getenv before main, where std::env would allocate

use std::sync::atomic::{AtomicU8, Ordering};

const UNDECIDED: u8 = 0;
const PASSING: u8 = 1;
const COUNTING: u8 = 2;

static MODE: AtomicU8 = AtomicU8::new(UNDECIDED);

/// Whether allocations are counted: `HEAPSOAK_SOCKET` was set when the process first allocated, or [`count`] was
/// called.
#[inline(always)]
#[must_use]
pub fn is_counting() -> bool {
    match MODE.load(Ordering::Relaxed) {
        COUNTING => true,
        PASSING => false,
        _ => decide(),
    }
}

/// Whether it is decided that nothing is counted.
#[inline(always)]
pub(crate) fn is_passing() -> bool {
    MODE.load(Ordering::Relaxed) == PASSING
}

/// Counts from now on, whatever the environment says. Blocks allocated before are not known: their frees are
/// reported apart, as [`uncounted_freed_bytes`](heapsoak_record::Heap::uncounted_freed_bytes).
pub fn count() {
    MODE.store(COUNTING, Ordering::Relaxed);
}

#[cold]
#[inline(never)]
fn decide() -> bool {
    // SAFETY: the name is a C string. The first allocation comes before `main`, when no other thread can be changing
    // the environment.
    let asked = unsafe { !libc::getenv(c"HEAPSOAK_SOCKET".as_ptr()).is_null() };
    let mode = if asked { COUNTING } else { PASSING };
    // A `count()` that came first stands.
    match MODE.compare_exchange(UNDECIDED, mode, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => asked,
        Err(decided) => decided == COUNTING,
    }
}
