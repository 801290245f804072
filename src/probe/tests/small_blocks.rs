//! Blocks of a few bytes, of which jemalloc packs two into 16, keep owners of their own.

mod support;

use heapsoak_probe::{Component, Probe, count, heap};
use support::{assert_adds_up, context};

#[global_allocator]
static ALLOCATOR: Probe<jemallocator::Jemalloc> = Probe::new(jemallocator::Jemalloc);

static ODD: Component = Component::new("odd");
static EVEN: Component = Component::new("even");

#[test]
fn neighbouring_blocks_of_one_to_eight_bytes_are_charged_apart() {
    count();
    let mut odd = Vec::with_capacity(8_000);
    let mut even = Vec::with_capacity(8_000);
    for index in 0..8_000_usize {
        let size = 1 + index % 8;
        odd.push(ODD.scope(|| vec![1_u8; size].into_boxed_slice()));
        even.push(EVEN.scope(|| vec![2_u8; size].into_boxed_slice()));
    }
    let bytes: usize = odd.iter().map(|block| block.len()).sum();
    let snapshot = heap();
    assert_adds_up(&snapshot);
    for name in ["odd", "even"] {
        let component = context(&snapshot, name, None);
        assert_eq!((component.live_bytes(), component.live_blocks()), (bytes as u64, 8_000));
    }
    drop(odd);
    assert_eq!(context(&heap(), "odd", None).live_bytes(), 0);
    assert_eq!(context(&heap(), "even", None).live_bytes(), bytes as u64);
}
