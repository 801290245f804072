//! Which allocator serves the process. Decided at its first allocation, before `main`, and never again: a block must
//! go back to the allocator it came from.
#![allow(unsafe_code)] // getenv before main, where std::env would allocate

use std::ffi::CStr;
use std::sync::atomic::{AtomicU8, Ordering};

const UNDECIDED: u8 = 0;
const USUAL: u8 = 1;
const DHAT: u8 = 2;

static CHOICE: AtomicU8 = AtomicU8::new(UNDECIDED);

/// Whether it is known that the server's usual allocator serves it.
#[inline(always)]
pub(super) fn is_usual() -> bool {
    CHOICE.load(Ordering::Relaxed) == USUAL
}

/// Whether dhat's allocator serves the process; false as long as nothing was allocated.
pub(super) fn is_dhat() -> bool {
    CHOICE.load(Ordering::Relaxed) == DHAT
}

/// Whether dhat's allocator is to serve this call; decides if nobody has.
pub(super) fn decide() -> bool {
    match CHOICE.load(Ordering::Relaxed) {
        USUAL => return false,
        DHAT => return true,
        _ => {}
    }
    // SAFETY: the name is a C string, and so is the value if there is one. The first allocation comes before `main`,
    // when no other thread can be changing the environment.
    let name = unsafe {
        let value = libc::getenv(c"HEAPSOAK_PROFILER".as_ptr());
        if value.is_null() { c"" } else { CStr::from_ptr(value) }
    };
    let choice = if name == c"dhat" { DHAT } else { USUAL };
    match CHOICE.compare_exchange(UNDECIDED, choice, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => choice == DHAT,
        Err(decided) => decided == DHAT,
    }
}
