//! Where the stack of a thread is.
#![allow(unsafe_code)] // asks pthread

use std::mem::MaybeUninit;
use std::ops::Range;

/// The addresses of the calling thread's stack; empty when the system does not say. Slow: reads /proc on the main
/// thread. Allocates with the C library at most, not through the program's allocator.
pub(super) fn of_this_thread() -> Range<usize> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: the pointer is writable, and the thread asked about is the one that asks.
    if unsafe { libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) } != 0 {
        return 0..0;
    }
    let (mut lowest, mut bytes) = (std::ptr::null_mut(), 0);
    // SAFETY: the call above succeeded, so the attributes are initialised; they are destroyed once, here.
    let known = unsafe {
        let known = libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut lowest, &raw mut bytes);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        known
    };
    if known == 0 { lowest.addr()..lowest.addr().saturating_add(bytes) } else { 0..0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_is_on_the_stack_of_its_thread_and_of_no_other() {
        let own = 0_u8;
        let own = (&raw const own).addr();
        assert!(of_this_thread().contains(&own));
        let other = std::thread::spawn(of_this_thread).join().unwrap();
        assert!(!other.is_empty() && !other.contains(&own));
    }
}
