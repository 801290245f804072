//! The system's allocator: what heaptrack watches, and what dhat has inside.

use std::alloc::System;
use std::process::ExitCode;

use heapsoak_bench::scoping::Unscoped;

#[global_allocator]
static ALLOCATOR: System = System;

fn main() -> ExitCode {
    heapsoak_bench::subject::run(Unscoped)
}
