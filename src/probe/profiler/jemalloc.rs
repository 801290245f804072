//! jemalloc's own profiler, reached through `mallctl`.
#![allow(unsafe_code)] // mallctl reads and writes through untyped pointers

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use jemalloc_ctl::raw;

/// Whether jemalloc was started with its profiler. It can't be started later.
pub(super) fn is_profiling() -> bool {
    // SAFETY: `opt.prof` is a C `bool`, which is never anything but 0 or 1.
    unsafe { raw::read(b"opt.prof\0") }.unwrap_or(false)
}

/// Writes what was sampled and is still alive, and samples no more.
pub(super) fn write(file: &Path) -> Result<(), String> {
    let name = CString::new(file.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
    // SAFETY: `prof.dump` takes a pointer to a C string, which lives until the call is over.
    let dumped = unsafe { raw::write(b"prof.dump\0", name.as_ptr()) };
    // SAFETY: `prof.active` is a C `bool`.
    let ended = unsafe { raw::write(b"prof.active\0", false) };
    dumped.and(ended).map_err(|error| error.to_string())
}
