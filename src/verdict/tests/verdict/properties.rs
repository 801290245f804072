//! What must hold for any server.

use crate::server::{Block, Server, Step, soak};
use heapsoak_record::Recording;
use heapsoak_verdict::{ComponentVerdict, Growth, RunVerdict, judge};
use proptest::prelude::*;

/// A server that leaks one block in so many requests, beside a queue that turns over.
fn leaking(scale: u64, constant: u64, bytes: u64, every: u64, queue: usize) -> Recording {
    let leak = |server: &mut Server, number| {
        if number % every == 0 {
            std::mem::forget(server.alloc("a", scale * bytes));
        }
    };
    beside_a_queue(1, constant, scale * 100, queue, leak)
}

/// The same, the requests that leak drawn.
fn leaking_at_random(seed: u64, bytes: u64, every: u64, queue: usize) -> Recording {
    let leak = |server: &mut Server, _| {
        if server.random(every) == 0 {
            std::mem::forget(server.alloc("a", bytes));
        }
    };
    beside_a_queue(seed, 0, 100, queue, leak)
}

/// A server that does something at each request, beside a queue of so many blocks that turns over.
fn beside_a_queue(
    seed: u64,
    constant: u64,
    block: u64,
    queue: usize,
    request: impl Fn(&mut Server, u64),
) -> Recording {
    let mut soak = soak(&[("a.b", 1)]);
    (soak.cycles, soak.per_cycle, soak.seed) = (20, 120, seed);
    let mut kept = std::collections::VecDeque::new();
    soak.run(|server, step| match step {
        Step::Start if constant > 0 => std::mem::forget(server.alloc("a", constant)),
        Step::Request(_, number) => {
            request(server, number);
            kept.push_back(server.alloc("a", block));
            if kept.len() > queue {
                let oldest = kept.pop_front().expect("it is not empty");
                server.free(oldest);
            }
        }
        _ => {}
    })
}

fn growth(recording: &Recording) -> (ComponentVerdict, Growth) {
    let judgement = judge(recording);
    let a = judgement.component("a").expect("it allocates");
    (a.verdict, a.growth_bytes_per_1000_requests)
}

fn assert_close(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0), "{a} and {b}");
}

/// Each cycle keeps so many blocks until the next one is done.
fn healthy(amounts: &[u64]) -> Recording {
    let mut soak = soak(&[("a.b", 1)]);
    (soak.cycles, soak.per_cycle) = (amounts.len() as u32, 40);
    let (mut old, mut young): (Vec<Block>, Vec<Block>) = (Vec::new(), Vec::new());
    let mut cycle = 0;
    soak.run(|server: &mut Server, step| match step {
        Step::Request(..) => {
            let amount = amounts[cycle];
            (0..amount).for_each(|_| young.push(server.alloc("a", 256)));
        }
        Step::Rest => {
            std::mem::swap(&mut old, &mut young);
            young.drain(..).for_each(|block| server.free(block));
            cycle += 1;
        }
        Step::Start | Step::Advanced => {}
    })
}

/// Inputs tried of each property: 24, or as many as are asked for.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24)
}

proptest! {
    // Other inputs in each run; PROPTEST_CASES asks for more of them. Tens of thousands were tried.
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn all_sizes_times_k_make_the_growth_k_times_as_much(
        bytes in 64_u64..2000, every in 1_u64..6, queue in 0_usize..300, scale in 2_u64..50,
    ) {
        let (verdict, one) = growth(&leaking(1, 0, bytes, every, queue));
        let (scaled_verdict, scaled) = growth(&leaking(scale, 0, bytes, every, queue));
        prop_assert_eq!(verdict, ComponentVerdict::Leak);
        prop_assert_eq!(scaled_verdict, ComponentVerdict::Leak);
        assert_close(scaled.estimate, scale as f64 * one.estimate);
        assert_close(scaled.low, scale as f64 * one.low);
        assert_close(scaled.high, scale as f64 * one.high);
    }

    #[test]
    fn what_start_up_holds_changes_nothing(
        bytes in 64_u64..2000, every in 1_u64..6, queue in 0_usize..300, constant in 1_u64..1_000_000_000,
    ) {
        let without = growth(&leaking(1, 0, bytes, every, queue));
        let with = growth(&leaking(1, constant, bytes, every, queue));
        prop_assert_eq!(without, with);
    }

    #[test]
    fn the_true_growth_lies_in_the_interval(
        bytes in 64_u64..2000, every in 1_u64..6, queue in 0_usize..100,
    ) {
        let (_, found) = growth(&leaking(1, 0, bytes, every, queue));
        let expected = 1000.0 * bytes as f64 / every as f64;
        prop_assert!(found.low <= expected && expected <= found.high, "{:?}, true {}", found, expected);
    }

    #[test]
    fn healthy_cycles_in_any_order_are_no_leak(
        amounts in prop::collection::vec(0_u64..6, 12..30).prop_shuffle(),
    ) {
        let judgement = judge(&healthy(&amounts));
        prop_assert_ne!(judgement.verdict, RunVerdict::Leak);
        let mut sorted = amounts;
        sorted.sort_unstable();
        let judgement = judge(&healthy(&sorted));
        prop_assert_ne!(judgement.verdict, RunVerdict::Leak, "{:?}", judgement.findings);
    }

    #[test]
    fn more_cycles_never_turn_a_certain_leak_into_clean(
        bytes in 16_u64..500, every in 1_u64..13, queue in 0_usize..300, seed in prop::option::of(any::<u64>()),
    ) {
        // At every so-manyth request, or at random.
        let recording = match seed {
            Some(seed) => leaking_at_random(seed, bytes, every, queue),
            None => leaking(1, 0, bytes, every, queue),
        };
        let mut leaked = false;
        for cycles in 8..=20 {
            let mut until = recording.clone();
            until.snapshots.retain(|snapshot| snapshot.cycle <= cycles);
            let verdict = judge(&until).verdict;
            prop_assert!(!leaked || verdict != RunVerdict::Clean, "clean after {} cycles", cycles);
            leaked |= verdict == RunVerdict::Leak;
        }
    }

    #[test]
    fn the_same_recording_gives_the_same_judgement(bytes in 1_u64..500, every in 1_u64..9, queue in 0_usize..300) {
        let recording = leaking(1, 0, bytes, every, queue);
        prop_assert_eq!(judge(&recording), judge(&recording.clone()));
    }
}
