//! Sampled stacks estimate what lives without bias, for small blocks, large ones and those that realloc grows.

use std::hint::black_box;

use heapsoak_probe::{CaptureRate, Component, Probe, capture_stacks, count, stacks};

#[global_allocator]
static ALLOCATOR: Probe<jemallocator::Jemalloc> = Probe::new(jemallocator::Jemalloc);

static SMALL: Component = Component::new("small");
static MIXED: Component = Component::new("mixed");
static GROWN: Component = Component::new("grown");
static EXACT: Component = Component::new("exact");

const INTERVAL: u64 = 10_000;

/// Estimated live bytes and blocks of a component, and the samples they rest on.
fn estimate(component: &str) -> (f64, f64, u64) {
    let stacks = stacks();
    let own = || stacks.stacks.iter().filter(|stack| stack.component() == component);
    assert!(own().all(|stack| stack.interval_bytes == Some(INTERVAL)));
    (
        own().map(|stack| stack.live.bytes as f64).sum(),
        own().map(|stack| stack.live.blocks as f64).sum(),
        own().map(|stack| stack.live_samples).sum(),
    )
}

/// An estimate that rests on so many samples is within five of its standard deviations.
fn assert_near(estimate: f64, truth: f64, samples: u64, what: &str) {
    let allowed = 5.0 * truth / (samples as f64).sqrt();
    assert!((estimate - truth).abs() < allowed, "{what}: {estimate}, is {truth}, {samples} samples");
}

#[test]
fn sampled_stacks_estimate_what_lives_without_bias() {
    count();
    capture_stacks(None, CaptureRate::OneIn { bytes: INTERVAL }).unwrap();
    capture_stacks(Some("exact"), CaptureRate::Every).unwrap();

    // Half of the small blocks die.
    let mut blocks: Vec<Box<[u8; 40]>> = Vec::with_capacity(400_000);
    SMALL.scope(|| blocks.extend((0..400_000).map(|_| black_box(Box::new([1; 40])))));
    blocks.truncate(200_000);
    let (bytes, live, samples) = estimate("small");
    assert!((500..1_200).contains(&samples), "{samples} samples of 8 MB");
    assert_near(bytes, 8e6, samples, "bytes of small blocks");
    assert_near(live, 2e5, samples, "small blocks");

    // Sizes around the interval.
    let mixed: Vec<Vec<u8>> = MIXED.scope(|| {
        let sizes = (0..4_000).map(|index| 100 + (index * 7_919) % 50_000);
        sizes.map(|size| black_box(vec![1_u8; size])).collect()
    });
    let truth = mixed.iter().map(Vec::len).sum::<usize>() + mixed.capacity() * size_of::<Vec<u8>>();
    let (bytes, live, samples) = estimate("mixed");
    assert_near(bytes, truth as f64, samples, "bytes of mixed blocks");
    // Blocks far smaller than the interval weigh much: their variance is larger than that of the bytes.
    assert!((live - 4_000.0).abs() < 1_200.0, "{live} mixed blocks");

    // A block that grows takes its chance at each size; what is freed takes away what was added.
    let mut grown: Vec<Vec<u8>> = Vec::with_capacity(2_000);
    GROWN.scope(|| {
        for _ in 0..2_000 {
            let mut block = Vec::with_capacity(64);
            for size in [500, 3_000, 20_000, 9_000] {
                block.shrink_to(0);
                block.reserve_exact(size);
                block = black_box(block);
            }
            grown.push(block);
        }
    });
    let truth = grown.iter().map(Vec::capacity).sum::<usize>();
    let (bytes, _, samples) = estimate("grown");
    assert_near(bytes, truth as f64, samples, "bytes of grown blocks");

    let exact = EXACT.scope(|| black_box(vec![1_u8; 17]));
    let taken = stacks();
    let exactly = taken.stacks.iter().find(|stack| stack.component() == "exact").unwrap();
    assert_eq!((exactly.live.bytes, exactly.interval_bytes), (17, None));
    drop((exact, blocks, mixed, grown));
    for component in ["small", "mixed", "grown"] {
        assert_eq!(estimate(component), (0.0, 0.0, 0), "{component}");
    }
}
