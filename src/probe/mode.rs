//! Whether the probe counts, and how. Decided at the first allocation of the process, before `main`.
#![allow(unsafe_code)] // getenv before main, where std::env would allocate

use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// What allocations are to the probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Mode {
    /// Nothing was allocated yet.
    Undecided = 0,
    /// None is looked at.
    Passing = 1,
    /// Some are, and what lives is estimated.
    Sampled = 2,
    /// Each is counted.
    Exact = 3,
}

static HAS_SAMPLED: AtomicBool = AtomicBool::new(false);
static MODE: AtomicU8 = AtomicU8::new(Mode::Undecided as u8);

/// Whether each allocation and each free is looked at: the mode is exact, or not decided yet. Told by the mode, in a place
/// of its own so that it is one comparison.
static LOOKS_AT_EACH: AtomicBool = AtomicBool::new(true);

/// Whether each allocation and each free is looked at.
#[inline(always)]
pub(crate) fn looks_at_each() -> bool {
    LOOKS_AT_EACH.load(Ordering::Relaxed)
}

#[inline(always)]
fn get() -> Mode {
    match MODE.load(Ordering::SeqCst) {
        3 => Mode::Exact,
        2 => Mode::Sampled,
        1 => Mode::Passing,
        _ => Mode::Undecided,
    }
}

#[inline(always)]
fn decided() -> Mode {
    match get() {
        Mode::Undecided => decide(),
        mode => mode,
    }
}

/// Whether allocations are counted, each or by a sample: `HEAPSOAK_SOCKET` was set when the process first allocated,
/// or [`count`] was called.
#[inline(always)]
#[must_use]
pub fn is_counting() -> bool {
    decided() != Mode::Passing
}

/// Whether each allocation is counted.
#[inline(always)]
pub(crate) fn is_exact() -> bool {
    decided() == Mode::Exact
}

/// Whether some allocations are counted for all.
#[inline(always)]
pub(crate) fn is_sampled() -> bool {
    decided() == Mode::Sampled
}

/// Whether the mode is, or was before [`count`], to sample: blocks of the sample are freed unlike others.
pub(crate) fn has_sampled() -> bool {
    HAS_SAMPLED.load(Ordering::SeqCst)
}

/// Counts each allocation from now on, whatever the environment says. Blocks allocated before are not known: their
/// frees are reported apart, as [`uncounted_freed_bytes`](heapsoak_record::Heap::uncounted_freed_bytes). What a sample
/// said so far is given up.
pub fn count() {
    MODE.store(Mode::Exact as u8, Ordering::SeqCst);
    LOOKS_AT_EACH.store(true, Ordering::SeqCst);
}

#[cold]
#[inline(never)]
fn decide() -> Mode {
    let mode = match (variable(c"HEAPSOAK_SOCKET"), variable(c"HEAPSOAK_MODE")) {
        (None, _) => Mode::Passing,
        (Some(_), Some(mode)) if mode == c"sampled" => Mode::Sampled,
        (Some(_), _) => Mode::Exact,
    };
    // Before anything is sampled.
    HAS_SAMPLED.store(mode == Mode::Sampled, Ordering::SeqCst);
    // A `count()` that came first stands.
    let _ = MODE.compare_exchange(Mode::Undecided as u8, mode as u8, Ordering::SeqCst, Ordering::SeqCst);
    if get() != Mode::Exact {
        LOOKS_AT_EACH.store(false, Ordering::SeqCst);
    }
    // So does one that came in between.
    if get() == Mode::Exact {
        LOOKS_AT_EACH.store(true, Ordering::SeqCst);
    }
    get()
}

fn variable(name: &CStr) -> Option<&'static CStr> {
    // SAFETY: the name is a C string. The first allocation comes before `main`, when no other thread can be changing
    // the environment.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    // SAFETY: a value of the environment is a C string, and stays where it is for as long as it is looked at here.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) })
}
