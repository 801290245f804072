//! The attribute makes tests as they are written elsewhere.

use std::sync::atomic::{AtomicU64, Ordering};

heapsoak_testing::allocator!();

static RUNS: AtomicU64 = AtomicU64::new(0);

#[heapsoak_testing::test]
fn a_body_that_frees_what_it_allocates_passes() {
    let text = String::from("freed at the end");
    assert!(text.ends_with("end"));
}

#[heapsoak_testing::test(iterations = 800, warm_up = 0, cycles = 16, extend_up_to = 16)]
fn the_body_is_run_as_often_as_asked(iteration: u64) {
    assert_eq!(RUNS.fetch_add(1, Ordering::Relaxed), iteration);
    assert!(iteration < 800);
}

#[heapsoak_testing::test(detection_limit = 4_096)]
async fn an_async_body_runs_on_a_runtime(iteration: u64) {
    let doubled = tokio::spawn(async move { iteration * 2 }).await;
    assert_eq!(doubled.ok(), Some(iteration * 2));
}

#[heapsoak_testing::test]
#[should_panic(expected = "'a_body_that_keeps_what_it_allocates_fails' leaks")]
fn a_body_that_keeps_what_it_allocates_fails() {
    std::mem::forget(vec![0_u8; 100]);
}
