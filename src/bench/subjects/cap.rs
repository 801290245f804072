//! `cap`: one total for the process.

use std::process::ExitCode;

use cap::Cap;
use heapsoak_bench::scoping::Unscoped;
use jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Cap<Jemalloc> = Cap::new(Jemalloc, usize::MAX);

fn main() -> ExitCode {
    heapsoak_bench::subject::run(Unscoped)
}
