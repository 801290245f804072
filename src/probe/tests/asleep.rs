//! Without the variable the probe does nothing; told to count later, it does not mistake old blocks for its own.

mod support;

use heapsoak_probe::{Component, Probe, count, heap, is_counting, start};
use support::{assert_adds_up, context};

#[global_allocator]
static ALLOCATOR: Probe<jemallocator::Jemalloc> = Probe::new(jemallocator::Jemalloc);

static CACHE: Component = Component::new("cache");

#[test]
fn a_sleeping_probe_counts_nothing_opens_nothing_and_can_be_woken() {
    if std::env::var_os("HEAPSOAK_SOCKET").is_some() {
        panic!("run the tests without HEAPSOAK_SOCKET in the environment");
    }
    start();
    assert!(!is_counting());
    let threads = std::fs::read_dir("/proc/self/task").unwrap().filter(|task| {
        let name = task.as_ref().unwrap().path().join("comm");
        std::fs::read_to_string(name).is_ok_and(|name| name.trim() == "heapsoak")
    });
    assert_eq!(threads.count(), 0);
    let early = CACHE.scope(|| vec![0_u8; 10_000]);
    let mut growing = vec![0_u8; 1_000];
    assert_eq!(heap().total_live_bytes, 0);

    count();
    // Only the growth of a block from before the count is known.
    growing.reserve_exact(1_000_000);
    let snapshot = heap();
    assert!(snapshot.total_live_bytes >= 900_000, "{}", snapshot.total_live_bytes);
    assert_adds_up(&snapshot);
    drop(growing);
    let late = CACHE.scope(|| vec![0_u8; 500]);
    drop(early);
    let snapshot = heap();
    assert!(snapshot.uncounted_freed_bytes >= 10_000);
    assert_eq!(context(&snapshot, "cache", None).live_bytes(), 500);
    drop(late);
    assert_eq!(context(&heap(), "cache", None).live_bytes(), 0);
}
