//! Plain jemalloc: what everything else is compared with.

use std::process::ExitCode;

use heapsoak_bench::scoping::Unscoped;
use jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    heapsoak_bench::subject::run(Unscoped)
}
