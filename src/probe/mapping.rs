//! Memory straight from the system, for what the allocator itself needs.
#![allow(unsafe_code)] // mmap has no safe form

use std::ptr;

/// Maps `bytes` of zeroed memory that is not given back unless by [`unmap`], backed page by page when touched; null when
/// the system refuses. Never allocates, so it may be called inside an allocation.
pub(crate) fn map_for_ever(bytes: usize) -> *mut u8 {
    // SAFETY: an anonymous private mapping at an address the kernel chooses touches no existing memory.
    let mapped = unsafe {
        libc::mmap(
            ptr::null_mut(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    if mapped == libc::MAP_FAILED {
        return ptr::null_mut();
    }
    // SAFETY: the range was just mapped. A refusal (kernels without huge pages) changes nothing but its footprint
    // and that of a core dump.
    unsafe {
        libc::madvise(mapped, bytes, libc::MADV_NOHUGEPAGE);
        libc::madvise(mapped, bytes, libc::MADV_DONTDUMP);
    }
    mapped.cast()
}

/// Gives back a mapping of [`map_for_ever`] that no one uses. Null is ignored.
pub(crate) fn unmap(mapped: *mut u8, bytes: usize) {
    if !mapped.is_null() {
        // SAFETY: mapped with this length, and no one else knows of it any more.
        unsafe { libc::munmap(mapped.cast(), bytes) };
    }
}
