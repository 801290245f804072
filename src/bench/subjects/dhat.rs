//! `dhat`: every allocation with its stack, over the system's allocator.

use std::path::PathBuf;
use std::process::ExitCode;

use heapsoak_bench::scoping::Unscoped;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

fn main() -> ExitCode {
    let file = std::env::var_os("BENCH_FILE").map_or_else(|| PathBuf::from("/dev/null"), PathBuf::from);
    let _profiler = dhat::Profiler::builder().file_name(file).build();
    heapsoak_bench::subject::run(Unscoped)
}
