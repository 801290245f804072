//! Recordings of long runs, folded: they say what the whole ones say.

use std::collections::VecDeque;

use heapsoak_record::Recording;
use heapsoak_verdict::{ComponentJudgement, ComponentVerdict, Judgement, judge};
use proptest::prelude::*;

use crate::restarts::join;
use crate::server::{Soak, Step, soak};

/// A leak, a cache that fills and turns over, a table that is there from the start, and a component that keeps nothing.
fn recording(seed: u64, cycles: u32, one_in: u64, bytes: u64, capacity: usize) -> Recording {
    let mut cache = VecDeque::new();
    let soak = Soak { cycles, per_cycle: 100, seed, ..soak(&[("get", 3), ("put", 1)]) };
    soak.run(|server, step| match step {
        Step::Start => drop(server.alloc("table", 4_096)),
        Step::Request("put", _) => {
            if server.random(one_in) == 0 {
                drop(server.alloc("leaky", bytes));
            }
            cache.push_back(server.alloc("cache", 200));
            if cache.len() > capacity {
                let oldest = cache.pop_front().expect("it is not empty");
                server.free(oldest);
            }
        }
        Step::Request(..) => server.churn("churner", 1_000),
        Step::Rest | Step::Advanced => {}
    })
}

fn find<'a>(judgement: &'a Judgement, name: &str) -> &'a ComponentJudgement {
    judgement.components.iter().find(|component| component.name == name).expect("it allocated")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_folded_recording_finds_the_same_leak_within_its_interval(
        seed: u64,
        cycles in 128_u32..260,
        one_in in 1_u64..8,
        bytes in 16_u64..400,
        capacity in 20_usize..400,
        folds in 1_u32..3,
    ) {
        let whole = recording(seed, cycles, one_in, bytes, capacity);
        let mut folded = whole.clone();
        for _ in 0..folds {
            folded.fold();
        }
        let (before, after) = (judge(&whole), judge(&folded));
        prop_assert_eq!(before.verdict, after.verdict);
        prop_assert_eq!(&before.requests, &after.requests);
        prop_assert!(after.quality.failures.is_empty(), "{:?}", after.quality.failures);
        let (of_whole, of_folded) = (find(&before, "leaky"), find(&after, "leaky"));
        prop_assert_eq!(of_whole.verdict, ComponentVerdict::Leak);
        prop_assert_eq!(of_folded.verdict, ComponentVerdict::Leak);
        let (one, other) = (of_whole.growth_bytes_per_1000_requests, of_folded.growth_bytes_per_1000_requests);
        prop_assert!((other.low..=other.high).contains(&one.estimate), "{one:?} {other:?}");
        prop_assert!((one.low..=one.high).contains(&other.estimate), "{one:?} {other:?}");
        for healthy in ["cache", "table", "churner"] {
            let (one, other) = (find(&before, healthy).verdict, find(&after, healthy).verdict);
            prop_assert_ne!(one, ComponentVerdict::Leak, "{}", healthy);
            prop_assert_ne!(other, ComponentVerdict::Leak, "{}", healthy);
        }
        prop_assert_eq!(find(&before, "leaky").live_bytes.end, find(&after, "leaky").live_bytes.end);
    }
}

/// The processes of such a server, one after the other, that keeps something of each `put` on disk and loads it again.
fn processes(seed: u64, cycles: &[u32], one_in: u64, bytes: u64, capacity: usize) -> Vec<Recording> {
    let mut on_disk = 0;
    let mut process = |(number, &cycles): (usize, &u32)| {
        let mut cache = VecDeque::new();
        let seed = seed.wrapping_add(number as u64);
        let soak = Soak { cycles, per_cycle: 60, seed, ..soak(&[("get", 3), ("put", 1)]) };
        soak.run(|server, step| match step {
            Step::Start => {
                drop(server.alloc("table", 4_096));
                drop(server.alloc("disk", 1 + on_disk));
            }
            Step::Request("put", _) => {
                on_disk += 50;
                if server.random(one_in) == 0 {
                    drop(server.alloc("leaky", bytes));
                }
                cache.push_back(server.alloc("cache", 200));
                if cache.len() > capacity {
                    let oldest = cache.pop_front().expect("it is not empty");
                    server.free(oldest);
                }
            }
            Step::Request(..) => server.churn("churner", 1_000),
            Step::Rest | Step::Advanced => {}
        })
    };
    cycles.iter().enumerate().map(&mut process).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_folded_recording_with_restarts_says_what_the_whole_one_says(
        seed: u64,
        mut cycles in prop::collection::vec(1_u32..40, 5..50),
        long in (any::<prop::sample::Index>(), 128_u32..220),
        one_in in 1_u64..8,
        bytes in 16_u64..400,
        capacity in 20_usize..400,
        folds in 1_u32..3,
        most in 12_usize..40,
        thinned_each in 1_usize..9,
    ) {
        let place = long.0.index(cycles.len());
        cycles[place] = long.1;
        let (mut whole, mut folded) = (None, None);
        for (number, part) in processes(seed, &cycles, one_in, bytes, capacity).into_iter().enumerate() {
            if number % thinned_each == 0
                && let Some(folded) = &mut folded
            {
                let folded: &mut Recording = folded;
                folded.thin(most);
            }
            join(&mut whole, part.clone());
            join(&mut folded, part);
            if number == place {
                for _ in 0..folds {
                    folded.as_mut().expect("it has begun").fold_newest();
                }
            }
        }
        let (whole, folded) = (whole.expect("it has run"), folded.expect("it has run"));
        prop_assert_eq!(whole.restarts(), folded.restarts());
        prop_assert!(folded.stretches().len() <= 2 * most + thinned_each);
        let (before, after) = (judge(&whole), judge(&folded));
        prop_assert_eq!(before.verdict, after.verdict);
        prop_assert_eq!(&before.requests, &after.requests);
        prop_assert_eq!(&before.not_analysed[0], &after.not_analysed[0]);
        prop_assert!(after.quality.failures.is_empty(), "{:?}", after.quality.failures);
        for leaking in ["leaky", "disk"] {
            let (of_whole, of_folded) = (find(&before, leaking), find(&after, leaking));
            prop_assert_eq!(of_whole.verdict, ComponentVerdict::Leak, "{}", leaking);
            prop_assert_eq!(of_folded.verdict, ComponentVerdict::Leak, "{}", leaking);
            let (one, other) = (of_whole.growth_bytes_per_1000_requests, of_folded.growth_bytes_per_1000_requests);
            prop_assert!((other.low..=other.high).contains(&one.estimate), "{leaking}: {one:?} {other:?}");
            prop_assert!((one.low..=one.high).contains(&other.estimate), "{leaking}: {one:?} {other:?}");
        }
        for healthy in ["cache", "table", "churner"] {
            let (one, other) = (find(&before, healthy).verdict, find(&after, healthy).verdict);
            prop_assert_ne!(one, ComponentVerdict::Leak, "{}", healthy);
            prop_assert_ne!(other, ComponentVerdict::Leak, "{}", healthy);
        }
        for finding in before.findings.iter().chain(&after.findings).filter(|one| one.component == "disk") {
            prop_assert!(finding.triggered_by.is_empty() || finding.triggered_by == ["put"]);
        }
    }
}
