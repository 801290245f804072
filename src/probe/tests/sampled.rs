//! A sample of the blocks that live says, without bias, how much each component holds; and exact counts may follow.

mod support;

use std::hint::black_box;
use std::process::Command;

use heapsoak_probe::{Component, Probe, advance_cohort, count, heap, is_counting, sample_interval_bytes};
use support::{assert_adds_up, context, live_bytes};

#[global_allocator]
static ALLOCATOR: Probe<jemallocator::Jemalloc> = Probe::new(jemallocator::Jemalloc);

static SMALL: Component = Component::new("small");
static LARGE: Component = Component::new("large");
static GROWN: Component = Component::new("grown");
static PASSING: Component = Component::new("passing");

/// Set in the copy of this test that does the work.
const MODE: &str = "HEAPSOAK_MODE";

#[test]
fn a_sample_tells_what_lives_and_gives_way_to_exact_counts() {
    if std::env::var_os(MODE).is_some() {
        return work();
    }
    let folder = tempfile::tempdir().expect("the test can go on");
    let copy = Command::new(std::env::current_exe().expect("the test can go on"))
        .args(["--exact", "a_sample_tells_what_lives_and_gives_way_to_exact_counts", "--nocapture"])
        .env("HEAPSOAK_SOCKET", folder.path().join("probe.sock"))
        .env(MODE, "sampled")
        .output()
        .expect("the test can go on");
    assert!(copy.status.success(), "{}", String::from_utf8_lossy(&copy.stderr));
}

/// Within five standard deviations of what lives, for blocks of one size: each of *n* blocks is of the sample with a
/// chance *p*, and stands for 1 / *p*.
fn assert_estimates(component: &str, blocks: f64, bytes: f64) {
    let interval = sample_interval_bytes().expect("the mode is sampled") as f64;
    let chance = 1.0 - (-bytes / interval).exp();
    let allowed = 5.0 * bytes * (blocks * (1.0 - chance) / chance).sqrt();
    let estimate = live_bytes(&heap(), component) as f64;
    assert!((estimate - blocks * bytes).abs() <= allowed, "{component}: {estimate} of {}", blocks * bytes);
}

fn work() {
    assert!(is_counting());
    let small: Vec<Vec<u8>> = SMALL.scope(|| (0..600_000).map(|_| black_box(vec![1; 100])).collect());
    let first = advance_cohort();
    let mut large: Vec<Vec<u8>> = LARGE.scope(|| (0..400).map(|_| black_box(vec![1; 300_000])).collect());
    PASSING.scope(|| (0..2_000).for_each(|_| drop(black_box(vec![1_u8; 100_000]))));
    let grown: Vec<Vec<u8>> = GROWN.scope(|| {
        (0..2_000)
            .map(|_| {
                let mut block = vec![1_u8; 1_000];
                block.reserve_exact(60_000);
                black_box(block)
            })
            .collect()
    });
    assert_estimates("small", 600_000.0, 100.0);
    assert_estimates("large", 400.0, 300_000.0);
    assert_estimates("grown", 2_000.0, 61_000.0);
    assert_eq!(live_bytes(&heap(), "passing"), 0, "what was freed is of the sample no more");
    assert!(context(&heap(), "passing", None).allocated_bytes > 100_000_000, "but was seen");
    assert!(context(&heap(), "large", None).survivors.iter().all(|cell| cell.cohort == first));
    assert_adds_up(&heap());

    large.truncate(100);
    assert_estimates("large", 100.0, 300_000.0);
    let (end, ended) = std::sync::mpsc::channel::<Vec<Vec<u8>>>();
    let thread = std::thread::spawn(move || ended.into_iter().for_each(drop));
    end.send(small).expect("the test can go on");
    drop(end);
    thread.join().expect("the test can go on");
    assert!(live_bytes(&heap(), "small") < 1_000_000, "another thread freed all but the list of them");

    count();
    assert_eq!(sample_interval_bytes(), None);
    let exact = SMALL.scope(|| vec![0_u8; 777]);
    assert_eq!(context(&heap(), "small", None).live_bytes(), 777);
    drop((grown, large, exact));
    assert_eq!(context(&heap(), "small", None).live_bytes(), 0);
    assert_adds_up(&heap());
}
