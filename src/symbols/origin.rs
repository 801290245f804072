//! Whose code a function is.

use heapsoak_record::Origin;

/// What heapsoak puts into a program: the probe, and what runs soaks inside tests.
const OWN: [&str; 2] = ["heapsoak_probe::", "heapsoak_testing::"];

/// Functions between a program and its allocator, by how their names begin.
const ALLOCATING: [&str; 9] = [
    "__rust_alloc",
    "__rust_dealloc",
    "__rust_realloc",
    "__rg_",
    "__rdl_",
    "__rustc::__r",
    "alloc::alloc::",
    "tikv_jemallocator::",
    "mimalloc::",
];

/// Functions of allocators written in C, by how their names begin.
const ALLOCATORS: [&str; 6] = ["_rjem_", "je_", "mi_", "malloc", "calloc", "realloc"];

/// What comes before `main`, or before the function of a thread.
const STARTS: [&str; 8] = [
    "_start",
    "main",
    "__libc_start_main",
    "__libc_start_call_main",
    "start_thread",
    "clone",
    "clone3",
    "__rust_begin_short_backtrace",
];

/// Where the sources of the standard library, and of what it is built with, stand.
const STD: [&str; 3] = ["/rustc/", "/rustlib/src/rust/library/", "/rust/deps/"];

/// Where sources stand that were fetched from somewhere.
const FETCHED: [&str; 3] = ["/registry/src/", "/git/checkouts/", "/vendor/"];

/// From its name, the file its line is in, the file it was loaded from, and whether that has line tables.
pub(crate) fn of(function: &str, file: Option<&str>, module: &str, has_lines: bool) -> Origin {
    // `<alloc::vec::Vec<T> as core::clone::Clone>::clone` is of the crate its implementation stands in: mostly the
    // first that is named.
    let bare = function
        .trim_start_matches(['<', '&', '(', '['])
        .trim_start_matches("dyn ")
        .trim_start_matches("mut ");
    if OWN.iter().any(|name| bare.starts_with(name)) {
        return Origin::Probe;
    }
    let is_c = !bare.contains("::");
    if ALLOCATING.iter().any(|name| bare.starts_with(name))
        || is_c && ALLOCATORS.iter().any(|name| bare.starts_with(name))
    {
        return Origin::Allocator;
    }
    if STARTS.contains(&bare) || is_system_library(module) {
        return Origin::Std;
    }
    match file {
        Some(file) if STD.iter().any(|folder| file.contains(folder)) => Origin::Std,
        Some(file) if FETCHED.iter().any(|folder| file.contains(folder)) => Origin::Dependency,
        Some(_) => Origin::Own,
        None if ["std::", "core::", "alloc::"].iter().any(|name| bare.starts_with(name)) => Origin::Std,
        None if is_library(module) || is_c => Origin::Other,
        // In a program with line tables, one built without them is not the one that is being worked on.
        None if has_lines => Origin::Dependency,
        // There is but the name, and a Rust path may be anybody's.
        None => Origin::Own,
    }
}

fn is_library(module: &str) -> bool {
    module.contains(".so")
}

/// Whether a file is part of the C library or its loader.
pub(crate) fn is_system_library(module: &str) -> bool {
    ["libc.so", "libc-", "ld-", "ld.so", "libpthread", "libm.so", "libgcc_s", "linux-vdso", "ld-musl"]
        .iter()
        .any(|name| module.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_told_apart_by_name_and_file() {
        let server = |function: &str, file: &str| of(function, Some(file), "server", true);
        assert_eq!(server("server::session::keep", "/home/me/server/src/session.rs"), Origin::Own);
        assert_eq!(
            server("axum::routing::call", "/home/me/.cargo/registry/src/index/axum-0.8.0/src/lib.rs"),
            Origin::Dependency
        );
        assert_eq!(
            server("<alloc::vec::Vec<T>>::push", "/rustc/59807616/library/alloc/src/vec/mod.rs"),
            Origin::Std
        );
        assert_eq!(
            server(
                "alloc::vec::Vec<T>::push",
                "/home/me/.rustup/toolchains/x/lib/rustlib/src/rust/library/alloc/src/vec/mod.rs"
            ),
            Origin::Std
        );
        assert_eq!(
            server("alloc::alloc::exchange_malloc", "/rustc/59807616/library/alloc/src/alloc.rs"),
            Origin::Allocator
        );
        assert_eq!(server("__rustc::__rust_alloc", "/home/me/server/src/main.rs"), Origin::Allocator);
        assert_eq!(
            server(
                "<heapsoak_probe::allocator::Probe<A> as core::alloc::GlobalAlloc>::alloc",
                "/x/src/probe/allocator.rs"
            ),
            Origin::Probe
        );
        assert_eq!(
            server("hashbrown::raw::alloc", "/rust/deps/hashbrown-0.16.1/src/raw/alloc.rs"),
            Origin::Std
        );
        assert_eq!(
            server("<alloc::vec::Vec<T> as server::Keep>::keep", "/home/me/server/src/keep.rs"),
            Origin::Own
        );
        assert_eq!(of("__libc_start_main", None, "libc.so.6", false), Origin::Std);
        assert_eq!(of("serde_json::from_str", None, "server", true), Origin::Dependency);
        assert_eq!(of("server::session::keep", None, "server", false), Origin::Own);
        assert_eq!(of("SSL_new", None, "libssl.so.3", false), Origin::Other);
    }
}
