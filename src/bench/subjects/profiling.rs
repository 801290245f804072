//! jemalloc with its own heap profiler compiled in. `_RJEM_MALLOC_CONF` switches it on.

use std::process::ExitCode;

use heapsoak_bench::scoping::Unscoped;
use jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    heapsoak_bench::subject::run(Unscoped)
}
