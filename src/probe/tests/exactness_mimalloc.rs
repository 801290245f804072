//! The sum over contexts is the total, and the total is what an independent count says, to the byte and block, with
//! mimalloc inside.

#[path = "support/stress.rs"]
mod stress;
mod support;

use heapsoak_probe::Probe;
use support::Reference;

#[global_allocator]
static ALLOCATOR: Reference<Probe<mimalloc::MiMalloc>> = Reference::new(Probe::new(mimalloc::MiMalloc));

#[test]
fn contexts_add_up_to_the_total_and_the_total_to_an_independent_count() {
    stress::run(|| (ALLOCATOR.live_bytes(), ALLOCATOR.live_blocks()));
}
